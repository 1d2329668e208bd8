/** The kernel of commands that look at files without a database being open. */
import type { Kernel } from '../../kernel/kernel.ts'
import { reserveLinearMemory } from '../../kernel/linear-memory.ts'
import { openKernel } from '../../kernel/open-kernel.ts'
import { defaultDatabaseSettings } from '../../settings.ts'
import type { KernelKind } from '../../settings.ts'

export function openFileKernel(kind: KernelKind): Kernel {
  return openKernel(kind, reserveLinearMemory(defaultDatabaseSettings.kernelMemoryBytes))
}
