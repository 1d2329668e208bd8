import type { Pointer } from './linear-memory.ts'

/** LZ4-class block compression (the LZ4 block format, so that other tools can read it). */
export interface LzExports {
  /** Largest size `lzCompress` may write for `byteLength` input bytes. */
  lzBound(byteLength: number): number
  /** Compresses to `out`; `table` is scratch of `lzTableBytes`. Returns bytes written, or 0 if not below `outBytes`. */
  lzCompress(source: Pointer, byteLength: number, out: Pointer, outBytes: number, table: Pointer): number
  /** Scratch size for `lzCompress`. */
  lzTableBytes(): number
  /** Decompresses exactly `outBytes` bytes; returns them, or -1 on malformed input (never reads or writes out of bounds). */
  lzDecompress(source: Pointer, byteLength: number, out: Pointer, outBytes: number): number
}
