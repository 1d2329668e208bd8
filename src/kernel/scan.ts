/**
 * Scans: filters to a selection bitmap and aggregates over it, on encoded chunks where the encoding allows
 * (dictionary codes, packed integers) and on vectors otherwise.
 * Selections are bitmaps as for nulls, bit = 1 means selected; address 0 as an input means all rows.
 */
import type { Pointer } from './linear-memory.ts'

export interface ScanExports {
  /** ANDs `value(row) <comparison> constant` into `selection` (nulls never match) for a whole chunk; returns how many stay selected. `scratch` holds `scanScratchBytes`. */
  scanFilterChunkI64(chunk: Pointer, op: number, constant: Pointer, selection: Pointer, scratch: Pointer): number
  scanFilterChunkF64(chunk: Pointer, op: number, constant: Pointer, selection: Pointer, scratch: Pointer): number
  scanFilterChunkBytes(chunk: Pointer, op: number, constant: Pointer, constantBytes: number, selection: Pointer, scratch: Pointer): number
  scanScratchBytes(chunk: Pointer): number
  /** The same over vectors. */
  scanFilterI64(values: Pointer, nulls: Pointer, count: number, op: number, constant: Pointer, selection: Pointer): number
  scanFilterF64(values: Pointer, nulls: Pointer, count: number, op: number, constant: Pointer, selection: Pointer): number
  scanFilterBytes(refs: Pointer, nulls: Pointer, count: number, op: number, constant: Pointer, constantBytes: number, selection: Pointer): number

  /** Sets the first `count` bits and clears the rest up to a multiple of 64. */
  scanSelectAll(selection: Pointer, count: number): void
  scanSelectedCount(selection: Pointer, count: number): number
  /** Selected row numbers as u32 at `out`; returns how many. */
  scanSelectedRows(selection: Pointer, count: number, out: Pointer): number

  /**
   * Adds the selected non-null values to an accumulator of 48 bytes: f64 count, 8-byte min, 8-byte max, sum (16: i128, or
   * double-double for f64), 8 reserved. An accumulator starts as `scanAccumulatorInit` leaves it and two of them merge with
   * `scanAccumulatorMerge`. kind: 1 i64, 2 f64.
   */
  scanAccumulatorInit(accumulator: Pointer, kind: number): void
  scanAccumulatorMerge(into: Pointer, from: Pointer, kind: number): void
  scanAggregateChunkI64(chunk: Pointer, selection: Pointer, accumulator: Pointer, scratch: Pointer): void
  scanAggregateChunkF64(chunk: Pointer, selection: Pointer, accumulator: Pointer, scratch: Pointer): void
  scanAggregateI64(values: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulator: Pointer): void
  scanAggregateF64(values: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulator: Pointer): void
}
