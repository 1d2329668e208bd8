/** Which keys a pass has deferred, as far as a bit for each hash tells: a key that is not marked was not. */
import { rehashed } from './key-hash.ts'
import type { MemoryShare } from './query-memory.ts'

export interface KeyMarks {
  mark(hash: number): void
  mayHave(hash: number): boolean
}

/** Not one that partitions use: what their keys have in common must not be a mark in common. */
const seed = -2
const bytesMin = 64
const bytesMax = 1024 * 1024

/** Takes a small part of the memory of the query, at least some bytes. */
export function newKeyMarks(share: MemoryShare, memoryBytes: number): KeyMarks {
  const byteLength = 2 ** Math.floor(Math.log2(Math.min(bytesMax, Math.max(bytesMin, memoryBytes / 64))))
  share.need(byteLength)
  const bits = new Uint8Array(byteLength)
  const mask = byteLength * 8 - 1
  return {
    mark(hash) {
      const bit = rehashed(hash, seed) & mask
      bits[bit >>> 3]! |= 1 << (bit & 7)
    },
    mayHave(hash) {
      const bit = rehashed(hash, seed) & mask
      return (bits[bit >>> 3]! & (1 << (bit & 7))) !== 0
    },
  }
}
