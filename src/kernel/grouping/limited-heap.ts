/** A heap within a heap: the same memory, but no more of it than a budget that several may share. */
import { LsmtError } from '../../errors.ts'
import type { LinearHeap } from '../heap/linear-heap.ts'
import type { Pointer } from '../linear-memory.ts'

/** What all users of a budget have taken together. */
export interface HeapBudget {
  readonly bytesMax: number
  usedBytes: number
}

export interface LimitedHeap extends LinearHeap {
  /** Frees all that was allocated here and not freed. */
  freeAll(): void
}

/** `what` names in messages what the memory is for. 53200 when the budget is used up, or the heap. */
export function createLimitedHeap(heap: LinearHeap, budget: HeapBudget, what: string): LimitedHeap {
  const sizes = new Map<Pointer, number>()
  let usedBytes = 0

  function tryAllocate(byteLength: number): Pointer {
    if (budget.usedBytes + byteLength > budget.bytesMax) return 0
    const address = heap.tryAllocate(byteLength)
    if (address !== 0) {
      sizes.set(address, byteLength)
      usedBytes += byteLength
      budget.usedBytes += byteLength
    }
    return address
  }

  function free(pointer: Pointer): void {
    heap.free(pointer)
    const byteLength = sizes.get(pointer) ?? 0
    sizes.delete(pointer)
    usedBytes -= byteLength
    budget.usedBytes -= byteLength
  }

  return {
    base: heap.base,
    byteLength: heap.byteLength,
    get usedBytes() {
      return usedBytes
    },
    allocate(byteLength) {
      const address = tryAllocate(byteLength)
      if (address !== 0) return address
      throw new LsmtError('53200', `${what} needs ${byteLength} bytes more, and has ${usedBytes} of the ${budget.bytesMax} bytes that all of its kind may use together`, { hint: 'raise the kernel memory setting, or read fewer groups at once' })
    },
    tryAllocate,
    free,
    freeAll() {
      for (const pointer of sizes.keys()) free(pointer)
    },
  }
}
