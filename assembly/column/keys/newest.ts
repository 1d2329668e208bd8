/* Point reads of a table: its memtables, then its files by what is told of each in one place. The records are drawn in src/kernel/column.ts. */
import { filterMayHave } from '../../hash/block-filter'
import { rowGet } from '../../row'
import { VERSION_VALUE, VERSION_VALUE_BYTES } from '../../skiplist/layout'
import { touchInTable, VERSION_UNTOLD, versionInTable } from '../../skiplist/read'
import { zoneMapRowGroupOf } from '../../zone-map'
import { chunkKind, KIND_BYTES } from '../layout'
import { columnGetI64 } from '../numbers'
import { columnFindKey } from './find-key'
import { IS_NULL, IS_THERE, IS_UNREAD, KeyIndex, textState, valueBeside } from './key-index'
import { chunkOf, groupAt, RUNS_HEAD_BYTES, RUNS_MEMTABLE_BYTES, RUNS_RUN_BYTES, SEQUENCE_MAX } from './runs'

const ABSENT: i32 = -1
const DELETED: i32 = -2
const UNKNOWN: i32 = -3
const IN_MEMTABLE: i32 = -4

/** As `columnFindKey` gives it. */
const UNREADABLE: i32 = -2

/** How the keys of a row group are found, where that is no index of them: it is not told; by a search, of which texts have had so many. */
const IS_UNTOLD: u32 = 0
const SEARCHES_MAX: u32 = 32

const NO_FILE: u32 = 0xffffffff

export function columnGetNewest(runs: usize, sequence: f64, hash: usize, key: usize, keyBytes: u32, ordinal: i32, out: usize): i32 {
  let at = runs + RUNS_HEAD_BYTES
  for (const end = at + <usize>load<u32>(runs) * RUNS_MEMTABLE_BYTES; at != end; at += RUNS_MEMTABLE_BYTES) {
    const version = versionInTable(load<u32>(at), load<u32>(runs, 8), key, keyBytes, load<u32>(at, 4) == 0 ? sequence : SEQUENCE_MAX)
    if (version == 0) continue
    if (version == VERSION_UNTOLD) return unknown(out, NO_FILE)
    if (load<u32>(version, VERSION_VALUE_BYTES) == 0) return DELETED
    return inMemtable(runs, version + VERSION_VALUE, ordinal, out)
  }
  return inFiles(at, load<u32>(runs, 4), load<u32>(runs, 24), hash, key, keyBytes, ordinal, out)
}

function unknown(out: usize, file: u32): i32 {
  store<u32>(out, file, 16)
  return UNKNOWN
}

function inMemtable(runs: usize, row: usize, ordinal: i32, out: usize): i32 {
  const places = <usize>load<u32>(runs, 20)
  const state = <u32>ordinal < load<u32>(runs, 16) ? valueInRow(load<u32>(runs, 12), row, load<i32>(places + (<usize>ordinal << 2)), out) : IS_UNREAD
  store<u32>(out, state, 8)
  store<u32>(out, <u32>row, 16)
  return IN_MEMTABLE
}

/** A column of the key has no place in rows, one that was added after the row was written none in this. */
function valueInRow(layout: usize, row: usize, place: i32, out: usize): u32 {
  if (<u32>place >= <u32>load<u16>(row)) return IS_UNREAD
  if (rowGet(row, layout, place, out) == 0) return IS_NULL
  return load<u32>(layout + 4 + (<usize>place << 2)) == KIND_BYTES ? textState(load<u32>(out), load<u32>(out, 4)) : IS_THERE
}

/**
 * All filters are asked before the first file that may have the key is: their blocks are waited for together. The last run's is not, whose
 * index of keys tells as much, and wrongly never; nor that of a file with range tombstones, which may hide what is older.
 */
function inFiles(runs: usize, runCount: u32, counts: usize, hash: usize, key: usize, keyBytes: u32, ordinal: i32, out: usize): i32 {
  let asked: u64 = 0, candidates: u64 = 0
  for (let i: u32 = 0; i < runCount; i++) {
    const run = runs + <usize>i * RUNS_RUN_BYTES, place = placeInRun(run, key, keyBytes)
    if (place < 0) continue
    const file = fileAt(run, place), isFiltered = i + 1 < runCount && isKnown(file) && load<u32>(file, 48) == 0
    asked |= <u64>1 << i
    candidates |= <u64>(!isFiltered || filterMayHave(load<u32>(file, 40), load<u32>(file, 44), hash)) << i
  }
  let absent = 0, wrong = 0
  for (let left = candidates; left != 0; left &= left - 1) {
    const i = <u32>ctz(left), run = runs + <usize>i * RUNS_RUN_BYTES, place = placeInRun(run, key, keyBytes), file = fileAt(run, place)
    const row = isKnown(file) ? inFile(file, hash, key, keyBytes, ordinal, out) : UNKNOWN
    const isLast = i + 1 == runCount
    if (row == UNKNOWN || (row == ABSENT && !isLast && load<u32>(file, 48) != 0)) return unknown(out, load<u32>(run, 24) + place)
    if (row != ABSENT) {
      store<u32>(out, load<u32>(run, 24) + place, 16)
      count(counts, <u32>popcnt(asked & ~candidates & ((<u64>1 << i) - 1)), 1, wrong)
      return row
    }
    if (isLast) absent++
    else wrong++
  }
  count(counts, absent + <u32>popcnt(asked & ~candidates), 0, wrong)
  return ABSENT
}

function count(counts: usize, absent: u32, present: u32, wrong: u32): void {
  store<f64>(counts, load<f64>(counts) + <f64>absent)
  store<f64>(counts, load<f64>(counts, 8) + <f64>present, 8)
  if (wrong != 0) store<f64>(counts, load<f64>(counts, 16) + <f64>wrong, 16)
}

/** The only file of a run that may have the key; -1: none. */
function placeInRun(run: usize, key: usize, keyBytes: u32): i32 {
  const files = load<u32>(run)
  return files == 1 ? 0 : zoneMapRowGroupOf(load<u32>(run, 8), load<u32>(run, 12), load<u32>(run, 16), files, load<u32>(run, 4), key, keyBytes)
}

function fileAt(run: usize, place: i32): usize { return load<u32>(<usize>load<u32>(run, 20) + (<usize>place << 2)) }

/** Whether filter and first keys of a file are told. */
function isKnown(file: usize): bool { return file != 0 && load<u32>(file, 52) != 0 }

function inFile(file: usize, hash: usize, key: usize, keyBytes: u32, ordinal: i32, out: usize): i32 {
  const rowGroup = zoneMapRowGroupOf(load<u32>(file, 24), load<u32>(file, 28), load<u32>(file, 32), load<u32>(file, 16), load<u32>(file, 20), key, keyBytes)
  if (rowGroup < 0) return ABSENT
  const group = groupAt(file, rowGroup), keys = <usize>load<u32>(group, 8), index = load<u32>(group, 12)
  if (index == IS_UNTOLD) return UNKNOWN
  const column = chunkOf(file, group, <u32>ordinal)
  let row: i32
  if (index > SEARCHES_MAX) {
    const count = load<u32>(<usize>load<u32>(file, 52) + (<usize>rowGroup << 2))
    row = KeyIndex.find(keys, index, count, hash, key, keyBytes, column, out)
    if (column == 0) store<u32>(out, IS_UNREAD, 8)
  } else row = searched(group, keys, key, keyBytes, column, out)
  if (row < 0) return row
  if (column != 0 && load<u32>(out, 8) == IS_UNREAD) return UNKNOWN
  const tombstones = load<u32>(group, 16)
  if (tombstones != 0) {
    if (columnGetI64(tombstones, row, out + 16) != 1) return UNKNOWN
    if (load<u64>(out, 16) != 0) return DELETED
  }
  store<u32>(out, <u32>rowGroup, 12)
  return row
}

/** As `columnGetIndexed`, without an index; texts that were searched often are left to who makes them one. */
function searched(group: usize, keys: usize, key: usize, keyBytes: u32, column: usize, out: usize): i32 {
  if (chunkKind(keys) == KIND_BYTES) {
    const searches = load<u32>(group, 12)
    if (searches == SEARCHES_MAX) return UNKNOWN
    store<u32>(group, searches + 1, 12)
  }
  const row = columnFindKey(keys, key, keyBytes, out, 0)
  if (row >= 0) store<u32>(out, column == 0 ? IS_UNREAD : valueBeside(column, row, out), 8)
  return row == UNREADABLE ? UNKNOWN : row
}

/* One of many keys that are asked for at once. */
const ASKED_BYTES: usize = 32
const OUT_BYTES: usize = 24

/**
 * In memtables a key's slot is known from its hash alone, its node by what stands in the slot; the processor waits for each. So the slots of all keys are
 * touched first, and then the nodes: none of these loads needs another, and they are waited for together (group prefetching: Chen, Ailamaki,
 * Gibbons, Mowry, "Improving Hash Join Performance through Prefetching", 2004; WebAssembly has no instruction for it, so they are loads whose sum
 * is written away). In files that costs as much as it saves: row group, index, ends and texts are found by more steps than there is to wait for.
 */
export function columnGetNewestMany(asked: usize, count: u32, ordinal: i32, out: usize, work: usize): void {
  const end = asked + <usize>count * ASKED_BYTES
  let sum: u64 = 0
  for (let each = asked; each != end; each += ASKED_BYTES) sum += touchMemtables(each, false)
  for (let each = asked; each != end; each += ASKED_BYTES) sum += touchMemtables(each, true)
  store<u64>(work, sum)
  for (let each = asked; each != end; each += ASKED_BYTES) {
    store<i32>(each, columnGetNewest(load<u32>(each, 8), load<f64>(each), each + 16, load<u32>(each, 12), load<u32>(each, 24), ordinal, out), 28)
    out += OUT_BYTES
  }
}

function touchMemtables(asked: usize, nodes: bool): u64 {
  const runs = <usize>load<u32>(asked, 8)
  let sum: u64 = 0, at = runs + RUNS_HEAD_BYTES
  for (const end = at + <usize>load<u32>(runs) * RUNS_MEMTABLE_BYTES; at != end; at += RUNS_MEMTABLE_BYTES) sum += touchInTable(load<u32>(at), load<u32>(runs, 8), load<u32>(asked, 12), load<u32>(asked, 24), nodes)
  return sum
}
