// Range tombstones: an array in the order in which they came. Reads look at it only when it is not empty.
import { textCompare } from '../compare/text'
import { arenaAllocate, arenaRecycle } from './arena'
import { keyCopy } from './key'
import {
  RANGE_BYTES, RANGE_END, RANGE_END_BYTES, RANGE_SEQUENCE, RANGE_START, RANGE_START_BYTES, TABLE_RANGE_CAPACITY, TABLE_RANGE_COUNT,
  TABLE_RANGES,
} from './layout'

const TABLE_ID_BYTES: u32 = 4

/** Capacity for `added` more range tombstones. */
export function rangeCapacityFor(table: usize, added: u64): u64 {
  let capacity = <u64>load<u32>(table, TABLE_RANGE_CAPACITY)
  while (capacity < <u64>load<u32>(table, TABLE_RANGE_COUNT) + added) capacity = capacity == 0 ? 8 : capacity << 1
  return capacity
}

export function rangeGrowBytes(table: usize, capacity: u64): u64 {
  return capacity == <u64>load<u32>(table, TABLE_RANGE_CAPACITY) ? 0 : capacity * RANGE_BYTES
}

export function rangeGrow(table: usize, capacity: u32): void {
  const oldCapacity = load<u32>(table, TABLE_RANGE_CAPACITY)
  if (capacity == oldCapacity) return
  const old = <usize>load<u32>(table, TABLE_RANGES)
  const ranges = arenaAllocate(table, <usize>capacity * RANGE_BYTES)
  memory.copy(ranges, old, <usize>load<u32>(table, TABLE_RANGE_COUNT) * RANGE_BYTES)
  store<u32>(table, <u32>ranges, TABLE_RANGES)
  store<u32>(table, capacity, TABLE_RANGE_CAPACITY)
  if (old != 0) arenaRecycle(table, old, <usize>oldCapacity * RANGE_BYTES)
}

export function rangeAddress(table: usize, position: u32): usize {
  return <usize>load<u32>(table, TABLE_RANGES) + <usize>position * RANGE_BYTES
}

/** Adds [start, end); one that is empty hides nothing and is left out. */
export function rangeAdd(table: usize, start: usize, startBytes: u32, end: usize, endBytes: u32, sequence: f64): void {
  if (textCompare(start, startBytes, end, endBytes) >= 0) return
  const range = append(table, start, startBytes, sequence)
  const copy = arenaAllocate(table, endBytes)
  keyCopy(copy, end, endBytes)
  store<u32>(range, <u32>copy, RANGE_END)
  store<u32>(range, endBytes, RANGE_END_BYTES)
}

/** Adds the range of all keys of the table whose big-endian id stands at `tableId`; the greatest id's has no end. */
export function rangeAddTable(table: usize, tableId: usize, sequence: f64): void {
  const range = append(table, tableId, TABLE_ID_BYTES, sequence)
  const next = bswap<u32>(load<u32>(tableId)) + 1
  const end = arenaAllocate(table, TABLE_ID_BYTES)
  store<u32>(end, bswap<u32>(next))
  store<u32>(range, <u32>end, RANGE_END)
  store<u32>(range, next == 0 ? 0 : TABLE_ID_BYTES, RANGE_END_BYTES)
}

function append(table: usize, start: usize, startBytes: u32, sequence: f64): usize {
  const position = load<u32>(table, TABLE_RANGE_COUNT)
  const range = rangeAddress(table, position)
  const copy = arenaAllocate(table, startBytes)
  keyCopy(copy, start, startBytes)
  store<u32>(range, <u32>copy, RANGE_START)
  store<u32>(range, startBytes, RANGE_START_BYTES)
  store<f64>(range, sequence, RANGE_SEQUENCE)
  store<u32>(table, position + 1, TABLE_RANGE_COUNT)
  return range
}

/** Whether a range tombstone newer than `above` and not newer than `sequence` covers the key. */
export function rangeHides(table: usize, key: usize, keyBytes: u32, above: f64, sequence: f64): bool {
  const count = load<u32>(table, TABLE_RANGE_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const range = rangeAddress(table, i)
    const at = load<f64>(range, RANGE_SEQUENCE)
    if (at > above && at <= sequence && covers(range, key, keyBytes)) return true
  }
  return false
}

function covers(range: usize, key: usize, keyBytes: u32): bool {
  if (textCompare(load<u32>(range, RANGE_START), load<u32>(range, RANGE_START_BYTES), key, keyBytes) > 0) return false
  const endBytes = load<u32>(range, RANGE_END_BYTES)
  return endBytes == 0 || textCompare(key, keyBytes, load<u32>(range, RANGE_END), endBytes) < 0
}
