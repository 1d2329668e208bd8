/**
 * Allocator over one region of linear memory. Live allocations never overlap, are aligned to 16 and never stand at
 * address 0; allocating and freeing take constant time until the region is nearly full.
 */
import { invariant, LsmtError } from '../../errors.ts'
import { addBlock, blockAddress, blockBytes, createHeapBlocks, granuleBytes, linkFree, releaseBlock, splitBlock, takeFree } from './heap-blocks.ts'
import { createLiveBlocks } from './live-blocks.ts'
import type { Pointer } from '../linear-memory.ts'

export interface LinearHeap {
  readonly base: Pointer
  readonly byteLength: number
  /** Bytes in live allocations, rounded as allocated. */
  readonly usedBytes: number
  /** Address of `byteLength` bytes, aligned to 16; contents undefined. Throws 53200 when no block is large enough. */
  allocate(byteLength: number): Pointer
  /** The same, or 0 when no block is large enough. */
  tryAllocate(byteLength: number): Pointer
  /** What `allocate` asks to free something when no block is large enough; false = nothing is left. */
  onFull?: () => boolean
  /** Frees an address that `allocate` returned; freeing another is an internal error (XX000). */
  free(pointer: Pointer): void
}

const roundUp = (bytes: number): number => Math.ceil(bytes / granuleBytes) * granuleBytes
const roundDown = (bytes: number): number => Math.floor(bytes / granuleBytes) * granuleBytes

export function createLinearHeap(base: Pointer, byteLength: number): LinearHeap {
  invariant(base >= 0 && base + byteLength <= 2 ** 31, 'a linear heap must stand below 2 GiB')
  const blocks = createHeapBlocks()
  const live = createLiveBlocks()
  let usedBytes = 0
  const first = Math.max(roundUp(base), granuleBytes)
  const coveredBytes = roundDown(base + byteLength) - first
  if (coveredBytes > 0) linkFree(blocks, addBlock(blocks, first, coveredBytes, 0, 0))

  function tryAllocate(wantedBytes: number): Pointer {
    invariant(wantedBytes >= 0 && Number.isSafeInteger(wantedBytes), () => `allocation of ${wantedBytes} bytes`)
    const bytes = Math.max(roundUp(wantedBytes), granuleBytes)
    const id = bytes > coveredBytes ? 0 : takeFree(blocks, bytes)
    if (id === 0) return 0
    splitBlock(blocks, id, bytes)
    const address = blockAddress(blocks, id)
    live.add(address, id)
    usedBytes += bytes
    return address
  }

  function allocate(wantedBytes: number): Pointer {
    let address = tryAllocate(wantedBytes)
    while (address === 0 && heap.onFull?.() === true) address = tryAllocate(wantedBytes)
    if (address === 0) throw new LsmtError('53200', `no ${wantedBytes} free bytes in a row in linear memory (${usedBytes} of ${coveredBytes} bytes are in use)`, { hint: 'raise the kernel memory setting, or lower the cache or memtable settings' })
    return address
  }

  function free(pointer: Pointer): void {
    const id = live.take(pointer)
    invariant(id !== 0, () => `free of address ${pointer}, which is not allocated`)
    usedBytes -= blockBytes(blocks, id)
    releaseBlock(blocks, id)
  }

  const heap: LinearHeap = { base, byteLength, get usedBytes() { return usedBytes }, allocate, tryAllocate, free }
  return heap
}
