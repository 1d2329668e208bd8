/** Opens a kernel set of either kind over one thread's part of a linear memory. */
import type { KernelKind } from '../settings.ts'
import { createJsKernels } from './js/js-kernels.ts'
import type { Kernel, KernelExports } from './kernel.ts'
import { createLinearHeap } from './heap/linear-heap.ts'
import type { LinearMemory, Pointer } from './linear-memory.ts'
import { instantiateWasmKernels } from './wasm/instance.ts'

/** Below this address stand the kernels' own constants. */
export const heapBaseMin: Pointer = 65_536

export interface HeapRegion {
  readonly base: Pointer
  readonly byteLength: number
}

/** A kernel set whose heap covers `region` of `memory` (by default all of it above the kernels' constants). */
export function openKernel(kind: KernelKind, memory: LinearMemory, region?: HeapRegion): Kernel {
  const { base, byteLength } = region ?? { base: heapBaseMin, byteLength: memory.byteLength - heapBaseMin }
  const exports: KernelExports = kind === 'wasm' ? instantiateWasmKernels(memory) : createJsKernels(memory)
  return { kind, memory, heap: createLinearHeap(base, byteLength), exports }
}
