/* Merge of lanes, which bring their rows themselves: the first rows of a range by one call; contract in src/kernel/merge.ts. */
import { mergeGather8, mergeGatherBits } from '../merge'
import { laneAt, laneBits, laneBring, laneIsOver, laneValues, runAt, STOPPED } from './lane'
import {
  COLUMN_BYTES, COLUMN_HAS_NULLS, COLUMN_NULLS, COLUMN_VALUE_INDEX, COLUMN_VALUES, WALK_COLUMN_COUNT, WALK_COLUMNS, WALK_HAS_LANES, WALK_IS_END, WALK_LANE_COUNT,
  WALK_WINNERS, WALK_WORK, WALK_WRITTEN,
} from './layout'
import { openLanes } from './open'
import { makeLanes } from './parts'
import { mergeRows, noteAllRows } from './tree'

export function mergeLanes(walk: usize): i32 {
  const outcome = findRows(walk)
  if (outcome < 0 && outcome != STOPPED) return outcome
  const written = load<u32>(walk, WALK_WRITTEN)
  gatherColumns(walk, written)
  store<u32>(walk, <u32>allOver(walk), WALK_IS_END)
  return written
}

function findRows(walk: usize): i32 {
  const made = load<u32>(walk, WALK_HAS_LANES) == 0 ? makeLanes(walk) : 0
  if (made < 0 || load<u32>(walk, WALK_LANE_COUNT) == 0) return made
  const opened = openLanes(walk)
  if (opened < 0) return opened
  const brought = bringWhereNeeded(walk)
  if (brought < 0) return brought
  noteAllRows(walk)
  return mergeRows(walk)
}

function hasRows(run: usize): bool {
  return load<u32>(run, 4) < load<u32>(run, 8)
}

/** After it every lane that is not over has rows. What it asks for can be given, and it be called again. */
function bringWhereNeeded(walk: usize): i32 {
  for (let i: u32 = 0; i < load<u32>(walk, WALK_LANE_COUNT); i++) {
    const lane = laneAt(walk, i), run = runAt(walk, i)
    if (hasRows(run) || laneIsOver(lane)) continue
    const outcome = laneBring(walk, lane, run)
    if (outcome < 0) return outcome
  }
  return 0
}

function allOver(walk: usize): bool {
  for (let i: u32 = 0; i < load<u32>(walk, WALK_LANE_COUNT); i++) if (hasRows(runAt(walk, i)) || !laneIsOver(laneAt(walk, i))) return false
  return true
}

function gatherColumns(walk: usize, count: u32): void {
  const winners = <usize>load<u32>(walk, WALK_WINNERS), sources = <usize>load<u32>(walk, WALK_WORK)
  for (let i: u32 = 0; i < load<u32>(walk, WALK_COLUMN_COUNT); i++) {
    const column = <usize>load<u32>(walk, WALK_COLUMNS) + <usize>i * COLUMN_BYTES
    for (let lane: u32 = 0; lane < load<u32>(walk, WALK_LANE_COUNT); lane++) store<u32>(sources + (<usize>lane << 2), <u32>laneValues(walk, laneAt(walk, lane), i, column))
    mergeGather8(winners, count, sources, load<u32>(column, COLUMN_VALUES))
    if (load<u32>(column, COLUMN_HAS_NULLS) == 0 || load<i32>(column, COLUMN_VALUE_INDEX) < 0) continue
    for (let lane: u32 = 0; lane < load<u32>(walk, WALK_LANE_COUNT); lane++) store<u32>(sources + (<usize>lane << 2), <u32>laneBits(walk, laneAt(walk, lane), i))
    store<u32>(column, mergeGatherBits(winners, count, sources, load<u32>(column, COLUMN_NULLS)), COLUMN_HAS_NULLS)
  }
}
