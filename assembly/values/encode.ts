/** Columns and keys to put operations, by shard. */
import { textCompare } from '../compare/text'
import { COLUMN_KIND, KIND_BYTES, PLAN_FIXED_BYTES, PLAN_SHARDS, PLAN_TABLE_ID, PLAN_VALUES, PLAN_VALUE_COUNT, columnAt, isNull, valueAt } from './layout'

const OPERATION_HEADER_BYTES: u32 = 12
const TABLE_ID_BYTES: u32 = 4
const ROW_HEADER_BYTES: usize = 4
const PUT: u32 = 1

/** Of a shard's record. */
const SHARD_ROWS: usize = 4
const SHARD_SMALLEST: usize = 8
const SHARD_GREATEST: usize = 12
const SHARD_ASCENDS: usize = 16
const SHARD_BYTES: usize = 20

export function measure(plan: usize, count: u32, refs: usize, hashes: usize, records: usize): u32 {
  const shards = load<u32>(plan, PLAN_SHARDS)
  memory.fill(records, 0, <usize>shards * SHARD_BYTES)
  let longest: u32 = 0
  for (let row: u32 = 0; row < count; row++) {
    const offset = <usize>row << 3
    const bytes = rowBytes(plan, row)
    longest = max(longest, bytes)
    const shard = records + <usize>(load<u32>(hashes + offset, 4) % shards) * SHARD_BYTES
    store<u32>(shard, load<u32>(shard) + operationBytes(load<u32>(refs + offset, 4), bytes))
    noteKey(shard, refs, row)
    store<u32>(shard, load<u32>(shard, SHARD_ROWS) + 1, SHARD_ROWS)
  }
  return longest
}

/** Whether keys come in order shows by the greatest before them: mostly that is all that one is compared with. */
function noteKey(shard: usize, refs: usize, row: u32): void {
  if (load<u32>(shard, SHARD_ROWS) == 0) {
    store<u32>(shard, row, SHARD_SMALLEST)
    store<u32>(shard, row, SHARD_GREATEST)
    store<u32>(shard, 1, SHARD_ASCENDS)
  } else if (compareKeys(refs, row, load<u32>(shard, SHARD_GREATEST)) > 0) {
    store<u32>(shard, row, SHARD_GREATEST)
  } else {
    store<u32>(shard, 0, SHARD_ASCENDS)
    if (compareKeys(refs, row, load<u32>(shard, SHARD_SMALLEST)) < 0) store<u32>(shard, row, SHARD_SMALLEST)
  }
}

function compareKeys(refs: usize, left: u32, right: u32): i32 {
  const a = refs + (<usize>left << 3), b = refs + (<usize>right << 3)
  return textCompare(load<u32>(a), load<u32>(a, 4), load<u32>(b), load<u32>(b, 4))
}

function operationBytes(keyBytes: u32, rowLength: u32): u32 {
  return (OPERATION_HEADER_BYTES + TABLE_ID_BYTES + keyBytes + rowLength + 3) & ~3
}

function rowBytes(plan: usize, row: u32): u32 {
  const ordinals = <usize>load<u32>(plan, PLAN_VALUES)
  const columns = load<u32>(plan, PLAN_VALUE_COUNT)
  let bytes = load<u32>(plan, PLAN_FIXED_BYTES)
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(plan, ordinals, i)
    if (load<u32>(column, COLUMN_KIND) == KIND_BYTES) bytes += load<u32>(valueAt(column, row), 4)
  }
  return bytes
}

export function encode(plan: usize, count: u32, refs: usize, hashes: usize, cursors: usize): void {
  const shards = load<u32>(plan, PLAN_SHARDS)
  const tableId = bswap<u32>(load<u32>(plan, PLAN_TABLE_ID))
  for (let row: u32 = 0; row < count; row++) {
    const offset = <usize>row << 3
    const cursor = cursors + (<usize>(load<u32>(hashes + offset, 4) % shards) << 2)
    const at = <usize>load<u32>(cursor)
    const keyBytes = load<u32>(refs + offset, 4)
    store<u32>(at, PUT)
    store<u32>(at, TABLE_ID_BYTES + keyBytes, 4)
    store<u32>(at, tableId, OPERATION_HEADER_BYTES)
    const key = at + OPERATION_HEADER_BYTES + TABLE_ID_BYTES
    copyBytes(key, load<u32>(refs + offset), keyBytes)
    const value = key + keyBytes
    const end = writeRow(plan, row, value)
    store<u32>(at, <u32>(end - value), 8)
    const padded = (end + 3) & ~3
    for (let i = end; i < padded; i++) store<u8>(i, 0)
    store<u32>(cursor, <u32>padded)
  }
}

/** A bulk copy costs a call out of the module, which short values are not worth. */
export function copyBytes(to: usize, from: usize, byteLength: usize): void {
  if (byteLength > 64) {
    memory.copy(to, from, byteLength)
    return
  }
  let i: usize = 0
  for (; i + 8 <= byteLength; i += 8) store<u64>(to + i, load<u64>(from + i))
  for (; i < byteLength; i++) store<u8>(to + i, load<u8>(from + i))
}

/** Drawn in src/kernel/row.ts; returns its end. */
function writeRow(plan: usize, row: u32, at: usize): usize {
  const ordinals = <usize>load<u32>(plan, PLAN_VALUES)
  const columns = load<u32>(plan, PLAN_VALUE_COUNT)
  const bitmap = at + ROW_HEADER_BYTES
  const text = at + load<u32>(plan, PLAN_FIXED_BYTES)
  let slot = bitmap + ((columns + 7) >> 3)
  let end = text
  store<u32>(at, columns)
  for (let byte = bitmap; byte < slot; byte++) store<u8>(byte, 0)
  for (let i: u32 = 0; i < columns; i++) {
    const column = columnAt(plan, ordinals, i)
    const value = valueAt(column, row)
    if (isNull(column, row)) store<u8>(bitmap + (i >> 3), load<u8>(bitmap + (i >> 3)) | (<u8>1 << <u8>(i & 7)))
    if (load<u32>(column, COLUMN_KIND) == KIND_BYTES) {
      const bytes = <usize>load<u32>(value, 4)
      copyBytes(end, load<u32>(value), bytes)
      end += bytes
      store<u32>(slot, <u32>(end - text))
      slot += 4
    } else {
      store<u64>(slot, load<u64>(value))
      slot += 8
    }
  }
  return end
}
