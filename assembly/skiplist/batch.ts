// Write batches: checked as a whole, then provided with memory as a whole, then applied without a way to fail.
// The batch's layout is drawn in src/kernel/skiplist.ts.
import { arenaFits } from './arena'
import { indexGrow, indexGrowBytes, indexSlotsFor } from './exact-index'
import {
  BLOCK_ENTRIES_MAX, LEAF_BYTES, LEVELS_MAX, SEGMENT_HEADER_BYTES, TABLE_FULL_LEAVES, TABLE_KEYS, TABLE_LEVEL_BLOCKS, TABLE_LEVELS, TABLE_MAX_SEQUENCE,
  TABLE_MIN_SEQUENCE, TABLE_WAITING_COUNT, UPPER_BYTES,
} from './layout'
import { orderCatchUp, orderListBytes, orderProvideList } from './order'
import { rangeAdd, rangeAddTable, rangeCapacityFor, rangeGrow, rangeGrowBytes } from './range'
import { versionBytesMax, versionPut } from './version'

const BATCH_HEADER_BYTES: u32 = 24
const OPERATION_BYTES: u32 = 12
const TABLE_ID_BYTES: u32 = 4
const SEQUENCE_MAX: f64 = 9007199254740991

const PUT: u32 = 1
const DELETE: u32 = 2
const RANGE_DELETE: u32 = 3
const DEFINE_TABLE: u32 = 4
const DROP_TABLE: u32 = 5
const ABORT: u32 = 6

export function batchIsControl(batch: usize): bool {
  return (load<u32>(batch, 20) & 2) != 0
}

/** Whether header and operations are well-formed and fill the batch exactly. */
export function batchIsWellFormed(batch: usize, batchBytes: u32): bool {
  if (batchBytes < BATCH_HEADER_BYTES || load<u32>(batch) != batchBytes) return false
  const count = load<u32>(batch, 4)
  const base = load<f64>(batch, 8)
  const headerBytes = load<u32>(batch, 16)
  const flags = load<u32>(batch, 20)
  if (!(base >= 0 && base <= SEQUENCE_MAX - <f64>count) || base != Math.floor(base)) return false
  if (flags > 7 || headerBytes < BATCH_HEADER_BYTES || headerBytes > batchBytes || (headerBytes & 3) != 0) return false
  if ((flags & 1) == 0 && headerBytes != BATCH_HEADER_BYTES) return false
  let at = headerBytes
  for (let i: u32 = 0; i < count; i++) {
    const bytes = operationBytes(batch + at, batchBytes - at, (flags & 2) != 0)
    if (bytes == 0) return false
    at += bytes
  }
  return at == batchBytes
}

/** Bytes of a well-formed operation, its padding included; 0 when it is malformed or does not fit in `rest` bytes. */
function operationBytes(operation: usize, rest: u32, control: bool): u32 {
  if (rest < OPERATION_BYTES) return 0
  const kind = load<u32>(operation)
  const keyBytes = load<u32>(operation, 4)
  const valueBytes = load<u32>(operation, 8)
  if (keyBytes > rest - OPERATION_BYTES || valueBytes > rest - OPERATION_BYTES - keyBytes) return 0
  const content = OPERATION_BYTES + keyBytes + valueBytes
  const padded = (content + 3) & ~3
  if (padded > rest || !isLegal(kind, keyBytes, valueBytes, control)) return 0
  for (let at = content; at < padded; at++) if (load<u8>(operation + at) != 0) return 0
  return padded
}

/** The kind is read as a u32, so that the zeros after it are checked with it. */
function isLegal(kind: u32, keyBytes: u32, valueBytes: u32, control: bool): bool {
  if (kind == PUT) return keyBytes >= TABLE_ID_BYTES && valueBytes > 0
  if (kind == DELETE) return keyBytes >= TABLE_ID_BYTES && valueBytes == 0
  if (kind == RANGE_DELETE) return valueBytes > 0
  if (kind == DEFINE_TABLE || kind == DROP_TABLE) return keyBytes == TABLE_ID_BYTES
  return kind == ABORT && control
}

function padded(operation: usize): usize {
  return (OPERATION_BYTES + load<u32>(operation, 4) + load<u32>(operation, 8) + 3) & ~3
}

/** Provides index and range array for a well-formed batch; 0, or how large a segment must be added first. */
export function batchPrepare(table: usize, batch: usize): i32 {
  let inserts: u64 = 0
  let ranges: u64 = 0
  let bytes: u64 = 0
  let operation = batch + load<u32>(batch, 16)
  for (let i = load<u32>(batch, 4); i > 0; i--) {
    const kind = load<u8>(operation)
    if (kind <= DELETE) inserts++
    else if (kind != DEFINE_TABLE) ranges++
    if (kind != DEFINE_TABLE) bytes += versionBytesMax(load<u32>(operation, 4), load<u32>(operation, 8))
    operation += padded(operation)
  }
  const slots = indexSlotsFor(table, load<u32>(table, TABLE_KEYS) + inserts)
  const capacity = rangeCapacityFor(table, ranges)
  bytes += indexGrowBytes(table, slots) + rangeGrowBytes(table, capacity) + orderListBytes(table, inserts)
  if (load<u32>(table, TABLE_WAITING_COUNT) != 0 && !arenaFits(table, <usize>(bytes + waitingBlockBytesMax(table, inserts)))) orderCatchUp(table)
  bytes += waitingBlockBytesMax(table, inserts)
  if (bytes > <u64>i32.MAX_VALUE || !arenaFits(table, <usize>bytes)) return <i32>min(bytes + SEGMENT_HEADER_BYTES + 16, <u64>i32.MAX_VALUE)
  indexGrow(table, <u32>slots)
  rangeGrow(table, <u32>capacity)
  orderProvideList(table, inserts)
  return 0
}

/** The same with the keys that wait. */
function waitingBlockBytesMax(table: usize, inserts: u64): u64 {
  return blockBytesMax(table, inserts + load<u32>(table, TABLE_WAITING_COUNT))
}

/**
 * Bytes of blocks that `inserts` new keys can at most ask for. On a level each block that is full, or a leaf nearly so, may
 * be cut once; further cuts cost at least 8 entries each, or 63 at the level's end, which together is less than one in 7.
 */
function blockBytesMax(table: usize, inserts: u64): u64 {
  const levels = load<u32>(table, TABLE_LEVELS)
  let entries = inserts
  let bytes: u64 = 0
  for (let level: u32 = 0; level < LEVELS_MAX && entries > 0; level++) {
    const blockBytes = <u64>(level == 0 ? LEAF_BYTES : UPPER_BYTES)
    if (level >= levels && entries < BLOCK_ENTRIES_MAX) return bytes + blockBytes
    const blocks = <u64>(level == 0 ? load<u32>(table, TABLE_FULL_LEAVES) : load<u32>(table + TABLE_LEVEL_BLOCKS + (level << 2)))
    entries = level >= levels ? entries / 7 + 2 : min(entries, blocks + entries / 7 + 2)
    bytes += entries * blockBytes
  }
  return bytes
}

/** Applies a well-formed batch for which `batchPrepare` returned 0. */
export function batchApply(table: usize, batch: usize): void {
  const count = load<u32>(batch, 4)
  const base = load<f64>(batch, 8)
  let operation = batch + load<u32>(batch, 16)
  for (let i: u32 = 0; i < count; i++) {
    applyOperation(table, operation, base + <f64>i)
    operation += padded(operation)
  }
  if (load<u32>(table, TABLE_WAITING_COUNT) != 0 && !arenaFits(table, <usize>waitingBlockBytesMax(table, 0))) orderCatchUp(table)
  if (count == 0) return
  store<f64>(table, Math.min(load<f64>(table, TABLE_MIN_SEQUENCE), base), TABLE_MIN_SEQUENCE)
  store<f64>(table, Math.max(load<f64>(table, TABLE_MAX_SEQUENCE), base + <f64>(count - 1)), TABLE_MAX_SEQUENCE)
}

function applyOperation(table: usize, operation: usize, sequence: f64): void {
  const kind = load<u8>(operation)
  const keyBytes = load<u32>(operation, 4)
  const valueBytes = load<u32>(operation, 8)
  const key = operation + OPERATION_BYTES
  if (kind <= DELETE) return versionPut(table, key, keyBytes, key + keyBytes, valueBytes, sequence)
  if (kind == RANGE_DELETE) return rangeAdd(table, key, keyBytes, key + keyBytes, valueBytes, sequence)
  if (kind == DROP_TABLE) rangeAddTable(table, key, sequence)
}
