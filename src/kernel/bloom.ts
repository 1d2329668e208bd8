/**
 * Split-block bloom filters (Putze, Sanders, Singler 2007; the block form of Apache Impala and Parquet):
 * one 32-byte block a key, eight 32-bit words, one bit set in each by eight odd multipliers.
 * Keys enter as 32-bit hashes pairs, so that JavaScript needs no BigInt.
 */
import type { Pointer } from './linear-memory.ts'

export interface BloomExports {
  /**
   * Two independent 32-bit hashes of `keyBytes` bytes at `key`, written as u32 at `out` and `out + 4`.
   * A file format: never change. Shard routing uses the second, filters use both.
   */
  bloomHash(key: Pointer, keyBytes: number, out: Pointer): void
  /** The same for `count` keys given as refs (u32 address, u32 length pairs); writes `count` u32 pairs at `out`. */
  bloomHashRefs(refs: Pointer, count: number, out: Pointer): void
  /** The same for `count` 8-byte keys given as order-preserving i64 (hashed as their 8 big-endian key bytes, sign bit flipped). */
  bloomHashI64(values: Pointer, count: number, out: Pointer): void
  /** Sets the bits of `count` hash pairs in the zeroed filter of `filterBytes` bytes (a multiple of 32). */
  bloomBuild(hashes: Pointer, count: number, filter: Pointer, filterBytes: number): void
  /**
   * Probes one hash pair against `count` filters given as u32 pairs (address, bytes) at `filters`;
   * writes one byte, 1 = may contain, for each at `out`, and returns how many may. A filter of 0 bytes always may.
   */
  bloomProbe(hash: Pointer, filters: Pointer, count: number, out: Pointer): number
}

const blockBytes = 32

/** Size of a filter for `keyCount` keys: whole blocks, at least one. 12 bits a key give about 0.5 % false positives. */
export function bloomFilterBytes(keyCount: number, bitsPerKey: number): number {
  return Math.max(1, Math.ceil((keyCount * bitsPerKey) / (8 * blockBytes))) * blockBytes
}
