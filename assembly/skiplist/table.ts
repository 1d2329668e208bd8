// The memtable as a whole: start, segments, batches, sizes.
import { align8, arenaAppend, arenaLaySegment } from './arena'
import { batchApply, batchIsControl, batchIsWellFormed, batchPrepare } from './batch'
import {
  RANGE_BYTES, SEGMENT_FREE, SEGMENT_HEADER_BYTES, TABLE_BYTES, TABLE_CURRENT_SEGMENT, TABLE_ENTRIES, TABLE_FIRST_SEGMENT,
  TABLE_MAX_SEQUENCE, TABLE_MIN_SEQUENCE, TABLE_RANGE_COUNT, TABLE_USED_BYTES,
} from './layout'
import { orderCatchUp } from './order'
import { rangeAddress } from './range'

export function skiplistCreate(segment: usize, segmentBytes: usize): usize {
  if (segmentBytes < SEGMENT_HEADER_BYTES + TABLE_BYTES + 16) return 0
  const laid = arenaLaySegment(segment, segmentBytes)
  const table = laid + SEGMENT_HEADER_BYTES
  memory.fill(table, 0, TABLE_BYTES)
  store<u32>(laid, <u32>(table + align8(TABLE_BYTES)), SEGMENT_FREE)
  store<u32>(table, <u32>laid, TABLE_FIRST_SEGMENT)
  store<u32>(table, <u32>laid, TABLE_CURRENT_SEGMENT)
  store<f64>(table, <f64>TABLE_BYTES, TABLE_USED_BYTES)
  store<f64>(table, Infinity, TABLE_MIN_SEQUENCE)
  store<f64>(table, -1, TABLE_MAX_SEQUENCE)
  return table
}

export function skiplistAddSegment(table: usize, segment: usize, segmentBytes: usize): void {
  arenaAppend(table, segment, segmentBytes)
}

export function skiplistApply(table: usize, batch: usize, batchBytes: u32): i32 {
  if (!batchIsWellFormed(batch, batchBytes)) return -1
  if (batchIsControl(batch)) return 0
  const needed = batchPrepare(table, batch)
  if (needed == 0) batchApply(table, batch)
  return needed
}

export function skiplistOrder(table: usize): void {
  orderCatchUp(table)
}

export function skiplistEntryCount(table: usize): f64 {
  return load<f64>(table, TABLE_ENTRIES)
}

export function skiplistUsedBytes(table: usize): f64 {
  return load<f64>(table, TABLE_USED_BYTES)
}

export function skiplistRangeCount(table: usize): u32 {
  return load<u32>(table, TABLE_RANGE_COUNT)
}

export function skiplistRangeAt(table: usize, index: u32, out: usize): void {
  memory.copy(out, rangeAddress(table, index), RANGE_BYTES)
}
