/** Allocator over one region of linear memory. */
import type { Pointer } from './linear-memory.ts'

export interface LinearHeap {
  readonly base: Pointer
  readonly byteLength: number
  /** Bytes in live allocations, rounded as allocated. */
  readonly usedBytes: number
  /** Address of `byteLength` bytes, aligned to 16; contents undefined. Throws 53200 when no block is large enough. */
  allocate(byteLength: number): Pointer
  /** The same, or 0 when no block is large enough. */
  tryAllocate(byteLength: number): Pointer
  /** Frees an address that `allocate` returned; freeing another is an internal error (XX000). */
  free(pointer: Pointer): void
}
