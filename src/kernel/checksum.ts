import type { Pointer } from './linear-memory.ts'

/** Checksums of stored bytes: xxh64 with seed 0 (Yann Collet), little-endian; algorithm number 1 in every file. */
export interface ChecksumExports {
  /** Writes the 8-byte checksum of `byteLength` bytes at `bytes` to `out`. */
  checksumXxh64(bytes: Pointer, byteLength: number, out: Pointer): void
}
