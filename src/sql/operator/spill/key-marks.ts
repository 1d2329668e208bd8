/** Which keys a pass has deferred, as far as a bit for each hash tells: a key that is not marked was not. */
import type { EngineValue } from '../../../engine/engine.ts'
import { hashOfKey } from './key-hash.ts'
import type { MemoryShare } from './query-memory.ts'

export interface KeyMarks {
  mark(key: EngineValue): void
  mayHave(key: EngineValue): boolean
}

/** Not one that maps or partitions use: what these have in common must not be a mark in common. */
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
    mark(key) {
      const hash = hashOfKey(key, seed) & mask
      bits[hash >>> 3]! |= 1 << (hash & 7)
    },
    mayHave(key) {
      const hash = hashOfKey(key, seed) & mask
      return (bits[hash >>> 3]! & (1 << (hash & 7))) !== 0
    },
  }
}
