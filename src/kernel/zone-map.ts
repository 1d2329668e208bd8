/**
 * Zone maps: per column and row group the min, max, null count and exact sum, kept apart by field so that a
 * whole predicate is evaluated over all row groups of a table in one call (Moerkotte, VLDB 1998: small
 * materialized aggregates).
 *
 * One column's zone map in a footer, at an address that is a multiple of 8, `n` row groups:
 *   min    n × 8: i64 | f64 | first 8 bytes of the text as big-endian u64 (zero-padded)
 *   max    n × 8: the same for the maximum
 *   nulls  n × 4: u32 null count, then padding to 8
 *   sum    n × 16: i64 columns: i128 little-endian; f64 columns: f64 high + f64 low (double-double); text: zeros
 * A row group whose values are all null has zeros for min, max and sum; its null count tells. f64 orders NaN above
 * all numbers and equal to itself, -0 equals 0 (as PostgreSQL does): max is NaN when any value is, min only when all are.
 * Row counts are those of the rows the statistics were computed of.
 */
import type { LinearMemory, Pointer } from './linear-memory.ts'

/** Comparison operators, shared by zone maps and scans; numbers never change. */
export const comparison = { eq: 0, ne: 1, lt: 2, le: 3, gt: 4, ge: 5, isNull: 6, isNotNull: 7 } as const
export type Comparison = keyof typeof comparison

export interface ZoneMapExports {
  /** Computes one row group's statistics of a vector: writes min (8), max (8), nulls (u32) + pad (4), sum (16) = 40 bytes at `out`. */
  zoneMapComputeI64(values: Pointer, nulls: Pointer, count: number, out: Pointer): void
  zoneMapComputeF64(values: Pointer, nulls: Pointer, count: number, out: Pointer): void
  /** For text also the row numbers of the minimum and maximum (u32 each at `out + 40`, 0xffffffff when all null). */
  zoneMapComputeBytes(refs: Pointer, nulls: Pointer, count: number, out: Pointer): void
  /**
   * Evaluates a conjunction over all row groups. `terms` is an array of 32-byte records: u32 zone map address, u32 kind
   * (1 i64, 2 f64, 3 bytes), u32 comparison, u32 flags, 8-byte constant (for text the first 8 bytes as big-endian u64, flag bit 0
   * set when the text is longer), 8 bytes reserved; `rowCounts` is u32 per row group. Writes one byte a row group at
   * `out`: 0 pruned, 1 some rows may match, 2 every row matches all terms. Returns how many are not pruned.
   * A zone map address of 0 means that every row is null there (the file is older than the column). A row group of
   * no rows is pruned; no terms match every row.
   */
  zoneMapPrune(terms: Pointer, termCount: number, rowCounts: Pointer, rowGroupCount: number, out: Pointer): number
  /**
   * The last row group whose first key is at or before the key; -1 when all are behind it. Of the first keys, in order, `refs`
   * are u32 pairs of the offset from `texts` and the bytes, and `prefixes` what they have behind the first `shared` bytes, which
   * are the same in all of them: up to 8 bytes, zero-padded, as two big-endian numbers, u32 each.
   */
  zoneMapRowGroupOf(prefixes: Pointer, refs: Pointer, texts: Pointer, rowGroupCount: number, shared: number, key: Pointer, keyBytes: number): number
}

/** The i128 sum of an i64 column, at an address that is a multiple of 8. */
export function readI128({ i64, u64 }: LinearMemory, address: Pointer): bigint {
  return (i64[address / 8 + 1]! << 64n) | u64[address / 8]!
}

/** The double nearest to a double-double sum; one that left the finite numbers is its high part alone. */
export function readDoubleDouble({ f64 }: LinearMemory, address: Pointer): number {
  const high = f64[address / 8]!
  return Number.isFinite(high) ? high + f64[address / 8 + 1]! : high
}

/** First 8 bytes of a text as zone maps and their terms keep it: a big-endian number, zero-padded. */
export function textPrefix(text: Uint8Array): bigint {
  let prefix = 0n
  for (let i = 0; i < 8; i++) prefix = (prefix << 8n) | BigInt(text[i] ?? 0)
  return prefix
}
