/**
 * What the memtables of all trees hold of the linear memory, those that only snapshots keep included, so that writers
 * can be asked to wait before there is none left: a memtable that finds no room ends its shard's writes.
 */
import type { LinearHeap } from '../../kernel/heap/linear-heap.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'

export interface MemtableMemory {
  /** Bytes of segments that are allocated now. */
  bytes: number
  /** Called when some were freed. */
  onFreed: () => void
  /** Frees something that can be had again (a cached chunk); false when there is nothing. */
  readonly evict: () => boolean
}

export const createMemtableMemory = (evict: () => boolean): MemtableMemory => ({ bytes: 0, onFreed: () => {}, evict })

/** Memory of a heap in which a cache may have taken what is needed here: the cache gives way. Throws 53200 when that does not help. */
export function allocateBeforeCache(heap: LinearHeap, memory: Evicting, byteLength: number): Pointer {
  const address = tryAllocateBeforeCache(heap, memory, byteLength)
  return address === 0 ? heap.allocate(byteLength) : address
}

export type Evicting = Pick<MemtableMemory, 'evict'>

/** 0 when there is no room, whatever gives way. */
export function tryAllocateBeforeCache(heap: LinearHeap, memory: Evicting | undefined, byteLength: number): Pointer {
  for (;;) {
    const address = heap.tryAllocate(byteLength)
    if (address !== 0 || memory?.evict() !== true) return address
  }
}
