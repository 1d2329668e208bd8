/**
 * Rows: the value bytes of one key in write batches, logs and memtables. Little-endian:
 *
 *   0  u16  n: how many value columns (the table's columns that are not in its key, in ordinal order) this
 *           row was written with; columns added later are missing, which these kernels read as null (see src/lsm/keys/missing-values.ts)
 *   2  u16  0
 *   4  null bitmap, ceil(n/8) bytes, bit = 1 means null
 *   .. slots, in order: i64 and f64 8 bytes, bytes 4 bytes (u32 end offset in the text part); a null's
 *      slot is 0 or the previous end
 *   .. text part: the bytes values, one after the other
 *
 * Keys: u32 big-endian table id, then the order-preserving primary-key bytes. When the key is a single
 * i64 column its bytes are the 8 big-endian bytes with the sign bit flipped; a single bytes column is
 * the raw bytes. These two "direct" kinds are stored in table files as the column itself.
 *
 * Layout descriptor for the kernels, u32 words: [valueColumnCount, kind0, kind1, …] with kinds 1 = i64,
 * 2 = f64, 3 = bytes.
 */
import type { Pointer } from './linear-memory.ts'

export interface RowExports {
  /**
   * Turns `count` rows (refs at `rows`; length 0 = a tombstone, all columns null) into vectors of value
   * column `column`: values (8 bytes each) or refs at `out`, null bitmap at `nulls` (must be given).
   * Returns 1 if any is null.
   */
  rowColumnVector(rows: Pointer, count: number, layout: Pointer, column: number, out: Pointer, nulls: Pointer): number
  /** One value of one row: 8-byte value or ref at `out`; returns 1, or 0 for null or missing. */
  rowGet(row: Pointer, layout: Pointer, column: number, out: Pointer): number
  /** Checks that a row of `rowBytes` bytes is well-formed for the layout; 0 = yes. */
  rowValidate(row: Pointer, rowBytes: number, layout: Pointer): number
  /** `count` 8-byte keys (refs to 8 bytes) to i64 values. */
  rowKeysToI64(keys: Pointer, count: number, out: Pointer): void
  /** `count` i64 values to 8 big-endian key bytes each at `out`, and refs to them at `refs`. */
  rowI64ToKeys(values: Pointer, count: number, out: Pointer, refs: Pointer): void
}
