/*
 * Opening of lanes: each finds the first of its rows in the range. All do it together, one step of each at a time, since a step waits for
 * memory that no cache has, and what one lane waits for depends on nothing that another does (as look-ups in a hash table take turns:
 * Chen, Ailamaki, Gibbons, Mowry, "Improving Hash Join Performance through Prefetching", 2004).
 */
import { columnCount } from '../column'
import { KeyGuide } from '../column/keys/key-guide'
import { chunkEncoding, ENCODING_TEXT_PLAIN } from '../column/layout'
import { plainIsBelow } from '../column/text/search'
import { seekInLeaf, seekLeaf, touchLeaf, touchNodes } from '../skiplist/read'
import { zoneMapRowGroupOf } from '../zone-map'
import { enterFile, enterRowGroup, firstRowFrom, laneAt, laneCursor, laneKeyChunk, REFUSED, touchRowGroup } from './lane'
import {
  KIND_I64, KIND_MEMTABLE, LANE_KIND, LANE_LEAF, LANE_NEXT, LANE_PAGE_ROWS, LANE_PASSED, LANE_ROW_GROUP, LANE_SOURCE, LANE_STATE, STATE_NEW, STATE_OPEN, STATE_PLACED, STATE_SEARCHED, TABLE_ID_BYTES, WALK_KEY_KIND,
  WALK_LANE_COUNT, WALK_LOWER, WALK_WORK,
} from './layout'

/** After it every lane is open, or over. What it asks for can be given, and it be called again. */
export function openLanes(walk: usize): i32 {
  const count = load<u32>(walk, WALK_LANE_COUNT)
  for (let i: u32 = 0; i < count; i++) {
    const placed = place(walk, laneAt(walk, i))
    if (placed < 0) return placed
  }
  touchPlaces(walk, count)
  for (let i: u32 = 0; i < count; i++) {
    const entered = enter(walk, laneAt(walk, i))
    if (entered < 0) return entered
  }
  for (let step = searchStep(walk, count); step != 0; step = searchStep(walk, count));
  for (let i: u32 = 0; i < count; i++) if (load<u32>(laneAt(walk, i), LANE_STATE) == STATE_SEARCHED) begin(laneAt(walk, i), load<u32>(laneAt(walk, i), LANE_NEXT))
  touchRows(walk, count)
  return 0
}

/**
 * Loads from what the lanes that are placed meet next, leaves of memtables and heads of chunks, all of which are then waited for together.
 * WebAssembly has no instruction for it, so they are loads whose sum is written away.
 */
function touchPlaces(walk: usize, count: u32): void {
  let sum: u64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const lane = laneAt(walk, i)
    if (load<u32>(lane, LANE_STATE) == STATE_PLACED) sum += load<u32>(lane, LANE_KIND) == KIND_MEMTABLE ? touchLeaf(load<u32>(lane, LANE_LEAF)) : touchRowGroup(walk, lane)
  }
  store<u64>(<usize>load<u32>(walk, WALK_WORK), sum)
}

/** The same of the first rows of memtables, which are anywhere in memory. */
function touchRows(walk: usize, count: u32): void {
  let sum: u64 = 0
  for (let i: u32 = 0; i < count; i++) {
    const lane = laneAt(walk, i)
    if (load<u32>(lane, LANE_KIND) == KIND_MEMTABLE) sum += touchNodes(laneCursor(walk, lane), load<u32>(lane, LANE_PAGE_ROWS))
  }
  store<u64>(<usize>load<u32>(walk, WALK_WORK), sum)
}

function lowerOf(walk: usize): usize {
  return <usize>load<u32>(walk, WALK_LOWER) + TABLE_ID_BYTES
}

function lowerBytesOf(walk: usize): u32 {
  return load<u32>(walk, WALK_LOWER + 4) - TABLE_ID_BYTES
}

/** Finds the row group, or the leaf of a memtable, in which the range begins. */
function place(walk: usize, lane: usize): i32 {
  if (load<u32>(lane, LANE_STATE) != STATE_NEW) return 0
  if (load<u32>(lane, LANE_KIND) == KIND_MEMTABLE) {
    store<u32>(lane, <u32>seekLeaf(load<u32>(lane, LANE_SOURCE), load<u32>(walk, WALK_LOWER), load<u32>(walk, WALK_LOWER + 4)), LANE_LEAF)
    store<u32>(lane, STATE_PLACED, LANE_STATE)
    return 0
  }
  const told = enterFile(walk, lane)
  if (told < 0) return told
  const record = <usize>load<u32>(lane, LANE_SOURCE)
  const rowGroup = zoneMapRowGroupOf(load<u32>(record, 24), load<u32>(record, 28), load<u32>(record, 32), load<u32>(record, 16), load<u32>(record, 20), lowerOf(walk), lowerBytesOf(walk))
  store<u32>(lane, max(0, rowGroup), LANE_ROW_GROUP)
  store<u32>(lane, STATE_PLACED, LANE_STATE)
  return 0
}

/** Enters the row group, or finds the place in the leaf; where its keys are not plain texts the search is quick, and made at once. */
function enter(walk: usize, lane: usize): i32 {
  if (load<u32>(lane, LANE_STATE) != STATE_PLACED) return 0
  if (load<u32>(lane, LANE_KIND) == KIND_MEMTABLE) {
    seekInLeaf(load<u32>(lane, LANE_SOURCE), load<u32>(lane, LANE_LEAF), load<u32>(walk, WALK_LOWER), load<u32>(walk, WALK_LOWER + 4), laneCursor(walk, lane))
    store<u32>(lane, STATE_OPEN, LANE_STATE)
    return 0
  }
  const entered = enterRowGroup(walk, lane, load<u32>(lane, LANE_ROW_GROUP))
  if (entered < 0) return entered
  const keys = laneKeyChunk(lane)
  if (load<u32>(walk, WALK_KEY_KIND) != KIND_I64 && chunkEncoding(keys) == ENCODING_TEXT_PLAIN) {
    const rows: u64 = KeyGuide.isIn(keys) ? KeyGuide.rows(keys, lowerOf(walk), lowerBytesOf(walk)) : <u64>columnCount(keys) << 32
    store<u32>(lane, <u32>rows, LANE_NEXT)
    store<u32>(lane, <u32>(rows >>> 32) - <u32>rows, LANE_PASSED)
    store<u32>(lane, STATE_SEARCHED, LANE_STATE)
    return 0
  }
  const from = firstRowFrom(walk, keys, lowerOf(walk), lowerBytesOf(walk))
  if (from < 0) return REFUSED
  begin(lane, from)
  return 0
}

/** One step of each search, among `LANE_PASSED` rows from `LANE_NEXT` on; 0 when all are at their ends. No branch depends on the keys. */
function searchStep(walk: usize, count: u32): u32 {
  const lower = lowerOf(walk), lowerBytes = lowerBytesOf(walk)
  let searched: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const lane = laneAt(walk, i), rest = load<u32>(lane, LANE_PASSED)
    if (load<u32>(lane, LANE_STATE) != STATE_SEARCHED || rest == 0) continue
    const half = rest >> 1, first = load<u32>(lane, LANE_NEXT), isBelow = plainIsBelow(laneKeyChunk(lane), first + half, lower, lowerBytes)
    store<u32>(lane, select<u32>(first + half + 1, first, isBelow), LANE_NEXT)
    store<u32>(lane, select<u32>(rest - half - 1, half, isBelow), LANE_PASSED)
    searched++
  }
  return searched
}

/** Decoding begins at multiples of 8. */
function begin(lane: usize, row: u32): void {
  store<u32>(lane, row & ~7, LANE_NEXT)
  store<u32>(lane, row & 7, LANE_PASSED)
  store<u32>(lane, STATE_OPEN, LANE_STATE)
}
