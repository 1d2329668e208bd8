/** A bump allocator over blocks of a linear heap: one page's vectors are taken from it and dropped together. */
import type { LinearHeap } from '../../kernel/heap/linear-heap.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'

export interface Arena {
  /** Address aligned to 16; contents undefined. Valid until `reset` or `free`. */
  allocate(byteLength: number): Pointer
  /** Makes all its memory available again. */
  reset(): void
  free(): void
}

interface Block {
  readonly address: Pointer
  readonly byteLength: number
}

export function createArena(heap: LinearHeap, blockBytes = 64 * 1024): Arena {
  let blocks: Block[] = []
  let used = 0
  let leastBytes = blockBytes

  const addBlock = (byteLength: number): Block => {
    const size = Math.max(leastBytes, byteLength)
    const block = { address: heap.allocate(size), byteLength: size }
    blocks.push(block)
    used = 0
    return block
  }
  return {
    allocate(byteLength) {
      const last = blocks.at(-1)
      const block = last !== undefined && used + byteLength <= last.byteLength ? last : addBlock(byteLength)
      const address = block.address + used
      used += (byteLength + 15) & ~15
      return address
    },
    reset() {
      used = 0
      if (blocks.length <= 1) return
      // What was needed once is needed again: next time in one block, so that blocks do not come and go with every page.
      leastBytes = blocks.reduce((sum, { byteLength }) => sum + byteLength, 0)
      for (const block of blocks) heap.free(block.address)
      blocks = []
    },
    free() {
      for (const block of blocks) heap.free(block.address)
      blocks = []
      used = 0
    },
  }
}
