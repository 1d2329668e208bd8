/** Linear memory that is freed all at once. */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { slackBytes } from '../chunk-frames.ts'

export interface Arena {
  allocate(byteLength: number): Pointer
  free(): void
}

export function createArena({ heap }: Kernel): Arena {
  const owned: Pointer[] = []
  return {
    allocate(byteLength) {
      const address = heap.allocate(byteLength + slackBytes)
      owned.push(address)
      return address
    },
    free() {
      for (const address of owned.splice(0)) heap.free(address)
    },
  }
}
