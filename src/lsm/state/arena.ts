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

export const createArena = (heap: LinearHeap, blockBytes = 64 * 1024): Arena => new BlockArena(heap, blockBytes)

const noBlocks: readonly Block[] = []

/** A class, since each scan of each shard makes several. */
class BlockArena implements Arena {
  private readonly heap: LinearHeap
  /** The last one is in use. */
  private blocks = noBlocks
  /** Of the last block. */
  private at: Pointer = 0
  private end: Pointer = 0
  private leastBytes: number

  constructor(heap: LinearHeap, blockBytes: number) {
    this.heap = heap
    this.leastBytes = blockBytes
  }

  allocate(byteLength: number): Pointer {
    if (this.at + byteLength > this.end || this.end === 0) this.addBlock(byteLength)
    const address = this.at
    this.at += (byteLength + 15) & ~15
    return address
  }

  reset(): void {
    const { blocks } = this
    if (blocks.length === 1) this.at = blocks[0]!.address
    if (blocks.length <= 1) return
    // What was needed once is needed again: next time in one block, so that blocks do not come and go with every page.
    this.leastBytes = blocks.reduce((sum, block) => sum + block.byteLength, 0)
    this.free()
  }

  free(): void {
    for (const { address } of this.blocks) this.heap.free(address)
    this.blocks = noBlocks
    this.at = this.end = 0
  }

  private addBlock(byteLength: number): void {
    const size = Math.max(this.leastBytes, byteLength), address = this.heap.allocate(size)
    this.blocks = this.blocks.length === 0 ? [{ address, byteLength: size }] : [...this.blocks, { address, byteLength: size }]
    this.at = address
    this.end = address + size
  }
}
