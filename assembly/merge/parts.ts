/* The lanes of a walk: of each part the memtables that have entries and the runs of files that reach into the range, by the record of its table's runs. */
import { RUNS_HEAD_BYTES, RUNS_MEMTABLE_BYTES, RUNS_RUN_BYTES, SEQUENCE_MAX } from '../column/keys/runs'
import { textCompare } from '../compare/text'
import { TABLE_ENTRIES, TABLE_RANGE_COUNT } from '../skiplist/layout'
import { zoneMapRowGroupOf } from '../zone-map'
import { laneAt, laneHeads, laneRowsBytes, REFUSED, runAt } from './lane'
import {
  KIND_FILE, KIND_MEMTABLE, LANE_BYTES, LANE_ENTRIES, LANE_FILE, LANE_KIND, LANE_PAGE_ROWS, LANE_PART, LANE_ROWS, LANE_RUN, LANE_SEQUENCE, LANE_SOURCE, PART_BYTES, PART_RUNS, PART_SEQUENCE,
  TABLE_ID_BYTES, WALK_HAS_LANES, WALK_HAS_UPPER, WALK_LANE_COUNT, WALK_LIMIT, WALK_LOWER, WALK_PART_COUNT, WALK_PARTS, WALK_ROWS,
  WALK_UPPER,
} from './layout'

/** Makes the lanes, none of which is open. `REFUSED` where a memtable has range tombstones. */
export function makeLanes(walk: usize): i32 {
  const parts = <usize>load<u32>(walk, WALK_PARTS), partCount = load<u32>(walk, WALK_PART_COUNT)
  store<u32>(walk, 0, WALK_LANE_COUNT)
  for (let part: u32 = 0; part < partCount; part++) {
    const at = parts + <usize>part * PART_BYTES, runs = <usize>load<u32>(at, PART_RUNS)
    if (!addMemtables(walk, part, runs, load<f64>(at, PART_SEQUENCE))) return REFUSED
    addFiles(walk, part, runs)
  }
  shareRows(walk)
  store<u32>(walk, 1, WALK_HAS_LANES)
  return 0
}

/** One more lane, of nothing yet, with its run of keys. */
function addLane(walk: usize, part: u32, kind: u32, entries: f64): usize {
  const index = load<u32>(walk, WALK_LANE_COUNT), lane = laneAt(walk, index)
  memory.fill(lane, 0, LANE_BYTES)
  store<u32>(lane, part, LANE_PART)
  store<u32>(lane, kind, LANE_KIND)
  store<f64>(lane, entries, LANE_ENTRIES)
  store<u32>(lane, load<u32>(walk, WALK_ROWS) + index * laneRowsBytes(walk), LANE_ROWS)
  store<u64>(runAt(walk, index), laneHeads(walk, lane))
  store<u64>(runAt(walk, index), 0, 8)
  store<u32>(walk, index + 1, WALK_LANE_COUNT)
  return lane
}

/** false where one has range tombstones. */
function addMemtables(walk: usize, part: u32, runs: usize, sequence: f64): bool {
  let at = runs + RUNS_HEAD_BYTES
  for (const end = at + <usize>load<u32>(runs) * RUNS_MEMTABLE_BYTES; at != end; at += RUNS_MEMTABLE_BYTES) {
    const table = <usize>load<u32>(at), entries = load<f64>(table, TABLE_ENTRIES)
    if (load<u32>(table, TABLE_RANGE_COUNT) != 0) return false
    if (entries == 0) continue
    const lane = addLane(walk, part, KIND_MEMTABLE, entries)
    store<f64>(lane, load<u32>(at, 4) == 0 ? sequence : SEQUENCE_MAX, LANE_SEQUENCE)
    store<u32>(lane, <u32>table, LANE_SOURCE)
  }
  return true
}

function addFiles(walk: usize, part: u32, runs: usize): void {
  let run = runs + RUNS_HEAD_BYTES + <usize>load<u32>(runs) * RUNS_MEMTABLE_BYTES
  for (const end = run + <usize>load<u32>(runs, 4) * RUNS_RUN_BYTES; run != end; run += RUNS_RUN_BYTES) {
    if (!reachesIn(walk, run)) continue
    const lane = addLane(walk, part, KIND_FILE, load<f64>(<usize>load<u32>(run, 28), 8))
    store<u32>(lane, <u32>run, LANE_RUN)
    store<u32>(lane, fileOf(walk, run), LANE_FILE)
  }
}

/** Whether the keys of a run of files, from the first to the last, have some of the range between them. */
function reachesIn(walk: usize, run: usize): bool {
  const texts = <usize>load<u32>(run, 16), last = <usize>load<u32>(run, 28)
  if (textCompare(texts + load<u32>(last), load<u32>(last, 4), <usize>load<u32>(walk, WALK_LOWER) + TABLE_ID_BYTES, load<u32>(walk, WALK_LOWER + 4) - TABLE_ID_BYTES) < 0) return false
  if (load<u32>(walk, WALK_HAS_UPPER) == 0) return true
  const first = <usize>load<u32>(run, 12)
  return textCompare(texts + load<u32>(first), load<u32>(first, 4), <usize>load<u32>(walk, WALK_UPPER) + TABLE_ID_BYTES, load<u32>(walk, WALK_UPPER + 4) - TABLE_ID_BYTES) < 0
}

/** The file of a run in which the range begins, or behind whose keys it does. */
function fileOf(walk: usize, run: usize): u32 {
  const files = load<u32>(run)
  if (files == 1) return 0
  return max(0, zoneMapRowGroupOf(load<u32>(run, 8), load<u32>(run, 12), load<u32>(run, 16), files, load<u32>(run, 4), <usize>load<u32>(walk, WALK_LOWER) + TABLE_ID_BYTES, load<u32>(walk, WALK_LOWER + 4) - TABLE_ID_BYTES))
}

/** How many rows each brings at first: as many as it has among those wanted, if they lie evenly, and some more, since they do not quite. Nothing depends on it but time. */
function shareRows(walk: usize): void {
  const count = load<u32>(walk, WALK_LANE_COUNT)
  let entries: f64 = 0
  for (let i: u32 = 0; i < count; i++) entries += load<f64>(laneAt(walk, i), LANE_ENTRIES)
  for (let i: u32 = 0; i < count; i++) {
    const lane = laneAt(walk, i), expected = <f64>load<u32>(walk, WALK_LIMIT) * load<f64>(lane, LANE_ENTRIES) / entries
    store<u32>(lane, max<u32>(8, (<u32>(expected + sqrt<f64>(expected)) + 4) & ~7), LANE_PAGE_ROWS)
  }
}
