/*
 * One run of a merge of lanes: the next rows of a memtable, or of a file by what is told of its row groups in one place. Keys, marks
 * of what is deleted and values are brought some rows at a time, side by side, at multiples of 8. The record is drawn in src/kernel/merge.ts.
 */
import { columnCount, columnDecodeBytes, columnDecodeF64, columnDecodeI64, columnDecodeScratchBytes, columnLowerBoundBytes, columnLowerBoundI64 } from '../column'
import { rowColumnVector, rowKeysToI64 } from '../row'
import { skiplistRead, skiplistSeek } from '../skiplist'
import { zoneMapRowGroupOf } from '../zone-map'

export const WALK_LANES: usize = 0
export const WALK_LANE_COUNT: usize = 4
export const WALK_RUNS: usize = 8
export const WALK_WINNERS: usize = 12
export const WALK_LIMIT: usize = 16
export const WALK_CAPACITY: usize = 20
export const WALK_KEY_KIND: usize = 24
export const WALK_LOWER: usize = 32
export const WALK_UPPER: usize = 40
export const WALK_HAS_UPPER: usize = 48
export const WALK_COLUMNS: usize = 52
export const WALK_COLUMN_COUNT: usize = 56
export const WALK_ROW_LAYOUT: usize = 60
export const WALK_SOURCES: usize = 64
export const WALK_WRITTEN: usize = 68
export const WALK_ASKED_LANE: usize = 72
export const WALK_ASKED: usize = 76
export const WALK_IS_END: usize = 80

const LANE_SEQUENCE: usize = 0
const LANE_SOURCE: usize = 8
const LANE_KIND: usize = 12
const LANE_ROWS: usize = 16
export const LANE_STATE: usize = 20
const LANE_ROW_GROUP: usize = 24
const LANE_NEXT: usize = 28
const LANE_TO: usize = 32
const LANE_PASSED: usize = 36
const LANE_PAGE_ROWS: usize = 40
export const LANE_BYTES: usize = 48

const KIND_MEMTABLE: u32 = 0
const KIND_LAST_FILE: u32 = 1

export const STATE_NEW: u32 = 0
const STATE_OPEN: u32 = 1
export const STATE_OVER: u32 = 2

export const COLUMN_ORDINAL: usize = 0
export const COLUMN_VALUE_INDEX: usize = 4
const COLUMN_KIND: usize = 8
export const COLUMN_VALUES: usize = 12
export const COLUMN_NULLS: usize = 16
export const COLUMN_HAS_NULLS: usize = 20
export const COLUMN_BYTES: usize = 24

export const RUN_BYTES: usize = 32
const RUN_FINAL: u32 = 1

const KIND_I64: u32 = 1
const KIND_F64: u32 = 2

const TABLE_ID_BYTES: u32 = 4
const CURSOR_BYTES: usize = 32

const FILE_HEAD_BYTES: usize = 56
const GROUP_BYTES: usize = 20

/** Why a walk stands still: a row group is not told of, a column needs scratch, something cannot be read so; nothing more can be brought. */
const ASKS_ROW_GROUP: i32 = -1
const ASKS_SCRATCH: i32 = -2
const REFUSED: i32 = -3
export const STOPPED: i32 = -4

function keysOf(lane: usize): usize {
  return load<u32>(lane, LANE_ROWS)
}

/** Eight bytes a row: refs of rows of a memtable, empty ones where it is deleted; of a file numbers, which are not 0 where it is. */
function marksOf(walk: usize, lane: usize): usize {
  return keysOf(lane) + (<usize>load<u32>(walk, WALK_CAPACITY) << 3)
}

export function laneHasDeleted(walk: usize, lane: usize, row: u32): bool {
  const mark = marksOf(walk, lane) + (<usize>row << 3)
  return load<u32>(lane, LANE_KIND) == KIND_MEMTABLE ? load<u32>(mark, 4) == 0 : load<u64>(mark) != 0
}

function cursorOf(walk: usize, lane: usize): usize {
  return keysOf(lane) + (<usize>load<u32>(walk, WALK_CAPACITY) << 4)
}

/** Values or refs of column `index`, then their null bits, then the scratch that its chunk needs. */
function valuesOf(walk: usize, lane: usize, index: u32): usize {
  const capacity = <usize>load<u32>(walk, WALK_CAPACITY)
  return cursorOf(walk, lane) + CURSOR_BYTES + <usize>index * ((capacity << 3) + (capacity >> 3) + 16)
}

function bitsOf(walk: usize, values: usize): usize {
  return values + (<usize>load<u32>(walk, WALK_CAPACITY) << 3)
}

function scratchOf(walk: usize, values: usize): usize {
  const capacity = <usize>load<u32>(walk, WALK_CAPACITY)
  return values + (capacity << 3) + (capacity >> 3) + 8
}

/** Where a column of the lane's rows stands: one that is the key is not brought twice. */
export function laneValues(walk: usize, lane: usize, index: u32, column: usize): usize {
  return load<i32>(column, COLUMN_VALUE_INDEX) < 0 ? keysOf(lane) : valuesOf(walk, lane, index)
}

export function laneBits(walk: usize, lane: usize, index: u32): usize {
  return bitsOf(walk, valuesOf(walk, lane, index))
}

function columnAt(walk: usize, index: u32): usize {
  return <usize>load<u32>(walk, WALK_COLUMNS) + <usize>index * COLUMN_BYTES
}

function ask(walk: usize, lane: usize, what: u32, outcome: i32): i32 {
  store<u32>(walk, <u32>((lane - <usize>load<u32>(walk, WALK_LANES)) / LANE_BYTES), WALK_ASKED_LANE)
  store<u32>(walk, what, WALK_ASKED)
  return outcome
}

export function laneOpen(walk: usize, lane: usize, run: usize): i32 {
  store<u32>(run, <u32>keysOf(lane))
  const outcome = load<u32>(lane, LANE_KIND) == KIND_MEMTABLE ? openMemtable(walk, lane) : openFile(walk, lane)
  if (outcome == 0) store<u32>(lane, STATE_OPEN, LANE_STATE)
  return outcome
}

/** Brings the next rows of a lane whose rows have all passed. Negative: why there are none; a lane that is over has none either. */
export function laneBring(walk: usize, lane: usize, run: usize): i32 {
  return load<u32>(lane, LANE_KIND) == KIND_MEMTABLE ? bringMemtable(walk, lane, run) : bringFile(walk, lane, run)
}

function end(lane: usize, run: usize): i32 {
  store<u32>(lane, STATE_OVER, LANE_STATE)
  store<u32>(run, RUN_FINAL, 12)
  return 0
}

/** Where the next rows are put. */
function placeBehind(run: usize): u32 {
  return (load<u32>(run, 8) + 7) & ~7
}

/** How many rows are brought next, which are more each time; 0 where there is no more room. */
function nextPageRows(walk: usize, lane: usize, at: u32): u32 {
  const rows = load<u32>(lane, LANE_PAGE_ROWS)
  store<u32>(lane, rows << 1, LANE_PAGE_ROWS)
  return min(rows, load<u32>(walk, WALK_CAPACITY) - at)
}

function showRows(run: usize, from: u32, to: u32): void {
  store<u32>(run, from, 4)
  store<u32>(run, to, 8)
}

function openMemtable(walk: usize, lane: usize): i32 {
  skiplistSeek(load<u32>(lane, LANE_SOURCE), load<u32>(walk, WALK_LOWER), load<u32>(walk, WALK_LOWER + 4), 0, cursorOf(walk, lane))
  return 0
}

function bringMemtable(walk: usize, lane: usize, run: usize): i32 {
  const at = placeBehind(run), room = nextPageRows(walk, lane, at)
  if (room == 0) return STOPPED
  const keys = keysOf(lane) + (<usize>at << 3), rows = marksOf(walk, lane) + (<usize>at << 3)
  const count = <u32>skiplistRead(load<u32>(lane, LANE_SOURCE), cursorOf(walk, lane), load<f64>(lane, LANE_SEQUENCE), load<u32>(walk, WALK_UPPER), load<u32>(walk, WALK_UPPER + 4), TABLE_ID_BYTES, keys, rows, room)
  if (load<u32>(walk, WALK_KEY_KIND) == KIND_I64) rowKeysToI64(keys, count, keys)
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = columnAt(walk, i), valueIndex = load<i32>(column, COLUMN_VALUE_INDEX), values = valuesOf(walk, lane, i)
    if (valueIndex < 0 || count == 0) continue
    noteNulls(column, rowColumnVector(rows, count, load<u32>(walk, WALK_ROW_LAYOUT), valueIndex, values + (<usize>at << 3), bitsOf(walk, values) + (at >> 3)))
  }
  showRows(run, at, at + count)
  return count < room ? end(lane, run) : 0
}

function noteNulls(column: usize, any: i32): void {
  if (any != 0) store<u32>(column, 1, COLUMN_HAS_NULLS)
}

function groupAt(record: usize, rowGroup: u32): usize {
  return record + FILE_HEAD_BYTES + <usize>rowGroup * ((GROUP_BYTES + (<usize>load<u32>(record, 36) << 2) + 7) & ~7)
}

function chunkOf(record: usize, group: usize, ordinal: u32): usize {
  return ordinal < load<u32>(record, 36) ? <usize>load<u32>(group + GROUP_BYTES + (<usize>ordinal << 2)) : 0
}

function openFile(walk: usize, lane: usize): i32 {
  const record = <usize>load<u32>(lane, LANE_SOURCE), lower = <usize>load<u32>(walk, WALK_LOWER) + TABLE_ID_BYTES, lowerBytes = load<u32>(walk, WALK_LOWER + 4) - TABLE_ID_BYTES
  // Something of the file has moved since it was told of.
  if (load<f64>(record) != load<f64>(record, 8)) return REFUSED
  const rowGroup = max(0, zoneMapRowGroupOf(load<u32>(record, 24), load<u32>(record, 28), load<u32>(record, 32), load<u32>(record, 16), load<u32>(record, 20), lower, lowerBytes))
  const outcome = enterRowGroup(walk, lane, rowGroup)
  if (outcome < 0) return outcome
  const from = firstRowFrom(walk, load<u32>(groupAt(record, rowGroup), 8), lower, lowerBytes)
  if (from < 0) return REFUSED
  // Decoding begins at multiples of 8.
  store<u32>(lane, from & ~7, LANE_NEXT)
  store<u32>(lane, from & 7, LANE_PASSED)
  return 0
}

/** The first row at or behind a bound; negative where the chunk cannot be read. */
function firstRowFrom(walk: usize, keys: usize, bound: usize, boundBytes: u32): i32 {
  if (load<u32>(walk, WALK_KEY_KIND) != KIND_I64) return columnLowerBoundBytes(keys, bound, boundBytes, 0)
  let key: u64 = 0
  for (let i: u32 = 0; i < 8; i++) key = (key << 8) | (i < boundBytes ? <u64>load<u8>(bound + i) : 0)
  let value = <i64>(key ^ 0x8000000000000000)
  if (boundBytes > 8) {
    if (value == i64.MAX_VALUE) return columnCount(keys)
    value++
  }
  const work = <usize>load<u32>(walk, WALK_SOURCES)
  store<i64>(work, value)
  return columnLowerBoundI64(keys, work)
}

function enterRowGroup(walk: usize, lane: usize, rowGroup: u32): i32 {
  const record = <usize>load<u32>(lane, LANE_SOURCE), group = groupAt(record, rowGroup)
  if (load<f64>(group) != load<f64>(record)) return ask(walk, lane, rowGroup, ASKS_ROW_GROUP)
  const keys = <usize>load<u32>(group, 8)
  if (keys == 0) return ask(walk, lane, rowGroup, ASKS_ROW_GROUP)
  if (columnDecodeScratchBytes(keys) != 0) return REFUSED
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = columnAt(walk, i)
    if (load<i32>(column, COLUMN_VALUE_INDEX) < 0) continue
    if (chunkOf(record, group, load<u32>(column, COLUMN_ORDINAL)) == 0) return ask(walk, lane, rowGroup, ASKS_ROW_GROUP)
    store<u32>(scratchOf(walk, valuesOf(walk, lane, i)), 0)
  }
  const rows = columnCount(keys)
  const to = load<u32>(walk, WALK_HAS_UPPER) == 0 ? rows : firstRowFrom(walk, keys, <usize>load<u32>(walk, WALK_UPPER) + TABLE_ID_BYTES, load<u32>(walk, WALK_UPPER + 4) - TABLE_ID_BYTES)
  if (to < 0) return REFUSED
  store<u32>(lane, rowGroup, LANE_ROW_GROUP)
  store<u32>(lane, 0, LANE_NEXT)
  store<u32>(lane, 0, LANE_PASSED)
  store<u32>(lane, to, LANE_TO)
  return 0
}

function bringFile(walk: usize, lane: usize, run: usize): i32 {
  const record = <usize>load<u32>(lane, LANE_SOURCE)
  while (load<u32>(lane, LANE_NEXT) + load<u32>(lane, LANE_PASSED) >= load<u32>(lane, LANE_TO)) {
    const rowGroup = load<u32>(lane, LANE_ROW_GROUP), keys = <usize>load<u32>(groupAt(record, rowGroup), 8)
    if (load<u32>(lane, LANE_TO) < <u32>columnCount(keys)) return end(lane, run)
    if (rowGroup + 1 == load<u32>(record, 16)) return load<u32>(lane, LANE_KIND) == KIND_LAST_FILE ? end(lane, run) : STOPPED
    const entered = enterRowGroup(walk, lane, rowGroup + 1)
    if (entered < 0) return entered
  }
  const at = placeBehind(run), next = load<u32>(lane, LANE_NEXT), count = min(nextPageRows(walk, lane, at), load<u32>(lane, LANE_TO) - next)
  if (count == 0) return STOPPED
  const outcome = decodeRows(walk, lane, next, count, at)
  if (outcome < 0) return outcome
  showRows(run, at + load<u32>(lane, LANE_PASSED), at + count)
  store<u32>(lane, next + count, LANE_NEXT)
  store<u32>(lane, 0, LANE_PASSED)
  return 0
}

/** Rows of the lane's row group, to place `at` of the lane. */
function decodeRows(walk: usize, lane: usize, first: i32, count: i32, at: u32): i32 {
  const record = <usize>load<u32>(lane, LANE_SOURCE), group = groupAt(record, load<u32>(lane, LANE_ROW_GROUP))
  const offset = <usize>at << 3
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = columnAt(walk, i)
    if (load<i32>(column, COLUMN_VALUE_INDEX) < 0) continue
    const chunk = chunkOf(record, group, load<u32>(column, COLUMN_ORDINAL)), values = valuesOf(walk, lane, i), scratch = <usize>load<u32>(scratchOf(walk, values))
    if (scratch == 0 && columnDecodeScratchBytes(chunk) != 0) return ask(walk, lane, i, ASKS_SCRATCH)
    const any = decode(chunk, load<u32>(column, COLUMN_KIND), first, count, values + offset, bitsOf(walk, values) + (at >> 3), scratch)
    if (any < 0) return REFUSED
    noteNulls(column, any)
  }
  const tombstones = <usize>load<u32>(group, 16), marks = marksOf(walk, lane) + offset
  if (tombstones == 0) memory.fill(marks, 0, <usize>count << 3)
  else if (columnDecodeI64(tombstones, first, count, marks, 0) < 0) return REFUSED
  return decode(load<u32>(group, 8), load<u32>(walk, WALK_KEY_KIND), first, count, keysOf(lane) + offset, 0, 0) < 0 ? REFUSED : 0
}

function decode(chunk: usize, kind: u32, first: i32, count: i32, values: usize, nulls: usize, scratch: usize): i32 {
  if (kind == KIND_I64) return columnDecodeI64(chunk, first, count, values, nulls)
  if (kind == KIND_F64) return columnDecodeF64(chunk, first, count, values, nulls)
  return columnDecodeBytes(chunk, first, count, values, nulls, scratch)
}
