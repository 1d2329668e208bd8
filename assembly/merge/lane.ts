/*
 * One run of a merge of lanes: the next rows of a memtable, or of a file by what is told of its row groups in one place. Keys, marks
 * of what is deleted and values are brought some rows at a time, side by side, at multiples of 8. The record is drawn in src/kernel/merge.ts.
 */
import { columnCount, columnDecodeBytes, columnDecodeF64, columnDecodeI64, columnDecodeScratchBytes, columnLowerBoundBytes, columnLowerBoundI64 } from '../column'
import { chunkOf, groupAt } from '../column/keys/runs'
import { rowColumnVector, rowKeysToI64 } from '../row'
import { skiplistRead } from '../skiplist'
import {
  COLUMN_BYTES, COLUMN_HAS_NULLS, COLUMN_KIND, COLUMN_ORDINAL, COLUMN_VALUE_INDEX, KIND_F64, KIND_I64, KIND_MEMTABLE, LANE_BYTES, LANE_FILE, LANE_KIND, LANE_NEXT, LANE_PAGE_ROWS, LANE_PART,
  LANE_PASSED, LANE_ROW_GROUP, LANE_ROWS, LANE_RUN, LANE_SEQUENCE, LANE_SOURCE, LANE_STATE, LANE_TO, RUN_BYTES, STATE_OVER, TABLE_ID_BYTES, WALK_ASKED, WALK_ASKED_FILE, WALK_ASKED_LANE,
  WALK_ASKED_PART, WALK_CAPACITY, WALK_COLUMN_COUNT, WALK_COLUMNS, WALK_HAS_UPPER, WALK_KEY_KIND, WALK_LANES, WALK_ROW_LAYOUT, WALK_RUNS, WALK_UPPER, WALK_WORK,
} from './layout'

const CURSOR_BYTES: usize = 32
/** Instead of the address of scratch that was not given yet. */
const SCRATCH_NEEDED: u32 = 1

/** Why a walk stands still: a file or a row group is not told of, a column needs scratch, something cannot be read so; nothing more can be brought. */
const ASKS_ROW_GROUP: i32 = -1
const ASKS_SCRATCH: i32 = -2
export const REFUSED: i32 = -3
export const STOPPED: i32 = -4
const ASKS_FILE: i32 = -5

export function laneAt(walk: usize, index: u32): usize {
  return <usize>load<u32>(walk, WALK_LANES) + <usize>index * LANE_BYTES
}

export function runAt(walk: usize, index: u32): usize {
  return <usize>load<u32>(walk, WALK_RUNS) + <usize>index * RUN_BYTES
}

export function laneIsOver(lane: usize): bool {
  return load<u32>(lane, LANE_STATE) == STATE_OVER
}

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

/** Eight bytes a row; see tree.ts. */
export function laneHeads(walk: usize, lane: usize): usize {
  return keysOf(lane) + (<usize>load<u32>(walk, WALK_CAPACITY) << 4)
}

export function laneCursor(walk: usize, lane: usize): usize {
  return keysOf(lane) + 24 * <usize>load<u32>(walk, WALK_CAPACITY)
}

/** Values or refs of column `index`, then their null bits, then the scratch that its chunk needs. */
function valuesOf(walk: usize, lane: usize, index: u32): usize {
  return keysOf(lane) + rowsBytes(walk, index)
}

function rowsBytes(walk: usize, columnCount: u32): usize {
  const capacity = <usize>load<u32>(walk, WALK_CAPACITY)
  return 24 * capacity + CURSOR_BYTES + <usize>columnCount * ((capacity << 3) + (capacity >> 3) + 16)
}

/** Bytes of the rows of one lane. */
export function laneRowsBytes(walk: usize): u32 {
  return <u32>rowsBytes(walk, load<u32>(walk, WALK_COLUMN_COUNT))
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

/** Of the lane's file, which its part has by number. */
function ask(walk: usize, lane: usize, what: u32, outcome: i32): i32 {
  store<u32>(walk, <u32>((lane - <usize>load<u32>(walk, WALK_LANES)) / LANE_BYTES), WALK_ASKED_LANE)
  store<u32>(walk, load<u32>(lane, LANE_PART), WALK_ASKED_PART)
  store<u32>(walk, load<u32>(<usize>load<u32>(lane, LANE_RUN), 24) + load<u32>(lane, LANE_FILE), WALK_ASKED_FILE)
  store<u32>(walk, what, WALK_ASKED)
  return outcome
}

/** Brings the next rows of a lane whose rows have all passed. Negative: why there are none; a lane that is over has none either. */
export function laneBring(walk: usize, lane: usize, run: usize): i32 {
  return load<u32>(lane, LANE_KIND) == KIND_MEMTABLE ? bringMemtable(walk, lane, run) : bringFile(walk, lane, run)
}

function end(lane: usize): i32 {
  store<u32>(lane, STATE_OVER, LANE_STATE)
  return 0
}

/** Where the next rows are put. */
function placeBehind(run: usize): u32 {
  return (load<u32>(run, 8) + 7) & ~7
}

/** How many rows are brought next, which are more each time, and make up for those that are passed over; 0 where there is no more room. */
function nextPageRows(walk: usize, lane: usize, at: u32): u32 {
  const rows = load<u32>(lane, LANE_PAGE_ROWS), passed = load<u32>(lane, LANE_PASSED)
  store<u32>(lane, rows << 1, LANE_PAGE_ROWS)
  return min(rows + ((passed + 7) & ~7), load<u32>(walk, WALK_CAPACITY) - at)
}

function showRows(run: usize, from: u32, to: u32): void {
  store<u32>(run, from, 4)
  store<u32>(run, to, 8)
}

function bringMemtable(walk: usize, lane: usize, run: usize): i32 {
  const at = placeBehind(run), room = nextPageRows(walk, lane, at)
  if (room == 0) return STOPPED
  const keys = keysOf(lane) + (<usize>at << 3), rows = marksOf(walk, lane) + (<usize>at << 3)
  const count = <u32>skiplistRead(load<u32>(lane, LANE_SOURCE), laneCursor(walk, lane), load<f64>(lane, LANE_SEQUENCE), load<u32>(walk, WALK_UPPER), load<u32>(walk, WALK_UPPER + 4), TABLE_ID_BYTES, keys, rows, room)
  if (load<u32>(walk, WALK_KEY_KIND) == KIND_I64) rowKeysToI64(keys, count, keys)
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = columnAt(walk, i), valueIndex = load<i32>(column, COLUMN_VALUE_INDEX), values = valuesOf(walk, lane, i)
    if (valueIndex < 0 || count == 0) continue
    noteNulls(column, rowColumnVector(rows, count, load<u32>(walk, WALK_ROW_LAYOUT), valueIndex, values + (<usize>at << 3), bitsOf(walk, values) + (at >> 3)))
  }
  showRows(run, at, at + count)
  return count < room ? end(lane) : 0
}

function noteNulls(column: usize, any: i32): void {
  if (any != 0) store<u32>(column, 1, COLUMN_HAS_NULLS)
}

/** Finds what is told of the lane's file, if that was told since something of it moved. Rows that its range tombstones hide are not looked for. */
export function enterFile(walk: usize, lane: usize): i32 {
  const record = <usize>load<u32>(<usize>load<u32>(<usize>load<u32>(lane, LANE_RUN), 20) + (<usize>load<u32>(lane, LANE_FILE) << 2))
  if (record == 0 || load<f64>(record) != load<f64>(record, 8)) return ask(walk, lane, 0, ASKS_FILE)
  if (load<u32>(record, 48) != 0) return REFUSED
  store<u32>(lane, <u32>record, LANE_SOURCE)
  return 0
}

/** The first row at or behind a bound; negative where the chunk cannot be read. */
export function firstRowFrom(walk: usize, keys: usize, bound: usize, boundBytes: u32): i32 {
  if (load<u32>(walk, WALK_KEY_KIND) != KIND_I64) return columnLowerBoundBytes(keys, bound, boundBytes, 0)
  let key: u64 = 0
  for (let i: u32 = 0; i < 8; i++) key = (key << 8) | (i < boundBytes ? <u64>load<u8>(bound + i) : 0)
  let value = <i64>(key ^ 0x8000000000000000)
  if (boundBytes > 8) {
    if (value == i64.MAX_VALUE) return columnCount(keys)
    value++
  }
  const work = <usize>load<u32>(walk, WALK_WORK)
  store<i64>(work, value)
  return columnLowerBoundI64(keys, work)
}

/** Loads from the heads of the chunks that a lane which is placed is to read. */
export function touchRowGroup(walk: usize, lane: usize): u64 {
  const record = <usize>load<u32>(lane, LANE_SOURCE), group = groupAt(record, load<u32>(lane, LANE_ROW_GROUP))
  let sum = load<u64>(load<u32>(group, 8), 48)
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) sum += load<u64>(chunkOf(record, group, load<u32>(columnAt(walk, i), COLUMN_ORDINAL)))
  return sum
}

export function enterRowGroup(walk: usize, lane: usize, rowGroup: u32): i32 {
  const record = <usize>load<u32>(lane, LANE_SOURCE), group = groupAt(record, rowGroup)
  if (load<f64>(group) != load<f64>(record)) return ask(walk, lane, rowGroup, ASKS_ROW_GROUP)
  const keys = <usize>load<u32>(group, 8)
  if (keys == 0) return ask(walk, lane, rowGroup, ASKS_ROW_GROUP)
  if (columnDecodeScratchBytes(keys) != 0) return REFUSED
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = columnAt(walk, i)
    if (load<i32>(column, COLUMN_VALUE_INDEX) < 0) continue
    const chunk = chunkOf(record, group, load<u32>(column, COLUMN_ORDINAL))
    if (chunk == 0) return ask(walk, lane, rowGroup, ASKS_ROW_GROUP)
    store<u32>(scratchOf(walk, valuesOf(walk, lane, i)), columnDecodeScratchBytes(chunk) == 0 ? 0 : SCRATCH_NEEDED)
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
  while (load<u32>(lane, LANE_NEXT) + load<u32>(lane, LANE_PASSED) >= load<u32>(lane, LANE_TO)) {
    if (load<u32>(lane, LANE_TO) < <u32>columnCount(laneKeyChunk(lane)) || isBehindRun(lane)) return end(lane)
    const entered = enterNext(walk, lane)
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

/** The keys of the row group where a lane is. */
export function laneKeyChunk(lane: usize): usize {
  return <usize>load<u32>(groupAt(load<u32>(lane, LANE_SOURCE), load<u32>(lane, LANE_ROW_GROUP)), 8)
}

function isLastRowGroup(lane: usize): bool {
  return load<u32>(lane, LANE_ROW_GROUP) + 1 == load<u32>(<usize>load<u32>(lane, LANE_SOURCE), 16)
}

function isBehindRun(lane: usize): bool {
  return isLastRowGroup(lane) && load<u32>(lane, LANE_FILE) + 1 == load<u32>(<usize>load<u32>(lane, LANE_RUN))
}

/** The next row group of the lane's run, which may be of its next file. Where that is not told of, it is entered again from where the lane was. */
function enterNext(walk: usize, lane: usize): i32 {
  if (!isLastRowGroup(lane)) return enterRowGroup(walk, lane, load<u32>(lane, LANE_ROW_GROUP) + 1)
  const source = load<u32>(lane, LANE_SOURCE), file = load<u32>(lane, LANE_FILE)
  store<u32>(lane, file + 1, LANE_FILE)
  const told = enterFile(walk, lane), entered = told < 0 ? told : enterRowGroup(walk, lane, 0)
  if (entered < 0) {
    store<u32>(lane, file, LANE_FILE)
    store<u32>(lane, source, LANE_SOURCE)
  }
  return entered
}

/** Rows of the lane's row group, to place `at` of the lane. */
function decodeRows(walk: usize, lane: usize, first: i32, count: i32, at: u32): i32 {
  const record = <usize>load<u32>(lane, LANE_SOURCE), group = groupAt(record, load<u32>(lane, LANE_ROW_GROUP))
  const offset = <usize>at << 3
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = columnAt(walk, i)
    if (load<i32>(column, COLUMN_VALUE_INDEX) < 0) continue
    const chunk = chunkOf(record, group, load<u32>(column, COLUMN_ORDINAL)), values = valuesOf(walk, lane, i), scratch = <usize>load<u32>(scratchOf(walk, values))
    if (scratch == SCRATCH_NEEDED) return ask(walk, lane, i, ASKS_SCRATCH)
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
