/* Merge of lanes, which bring their rows themselves: the first rows of a range by one call; contract in src/kernel/merge.ts. */
import { mergeGather8, mergeGatherBits, mergeI64, mergeRefs } from '../merge'
import { laneAt, laneBits, laneBring, laneHasDeleted, laneOpen, laneValues, STOPPED } from './lane'
import {
  COLUMN_BYTES, COLUMN_HAS_NULLS, COLUMN_NULLS, COLUMN_VALUE_INDEX, COLUMN_VALUES, KIND_I64, LANE_STATE, RUN_BYTES, STATE_NEW, STATE_OVER, WALK_COLUMN_COUNT, WALK_COLUMNS,
  WALK_HAS_LANES, WALK_IS_END, WALK_KEY_KIND, WALK_LANE_COUNT, WALK_LIMIT, WALK_RUNS, WALK_WINNERS, WALK_WORK, WALK_WRITTEN,
} from './layout'
import { makeLanes } from './parts'

export function mergeLanes(walk: usize): i32 {
  if (load<u32>(walk, WALK_HAS_LANES) == 0) {
    const made = makeLanes(walk)
    if (made < 0) return made
  }
  const runs = <usize>load<u32>(walk, WALK_RUNS), laneCount = load<u32>(walk, WALK_LANE_COUNT), limit = load<u32>(walk, WALK_LIMIT)
  let written = load<u32>(walk, WALK_WRITTEN)
  while (written < limit) {
    const outcome = bringWhereNeeded(walk)
    if (outcome == STOPPED) break
    if (outcome < 0) return outcome
    const winners = <usize>load<u32>(walk, WALK_WINNERS) + (<usize>written << 3)
    const merged = load<u32>(walk, WALK_KEY_KIND) == KIND_I64 ? mergeI64(runs, laneCount, winners, limit - written) : mergeRefs(runs, laneCount, winners, limit - written)
    if (merged == 0) break
    written += dropDeleted(walk, winners, merged)
    store<u32>(walk, written, WALK_WRITTEN)
  }
  gatherColumns(walk, written)
  store<u32>(walk, <u32>allOver(walk), WALK_IS_END)
  return written
}

function runAt(walk: usize, index: u32): usize {
  return <usize>load<u32>(walk, WALK_RUNS) + <usize>index * RUN_BYTES
}

function hasRows(run: usize): bool {
  return load<u32>(run, 4) < load<u32>(run, 8)
}

/** After it every lane that is not over has rows. What it asks for can be given, and it be called again. */
function bringWhereNeeded(walk: usize): i32 {
  for (let i: u32 = 0; i < load<u32>(walk, WALK_LANE_COUNT); i++) {
    const lane = laneAt(walk, i), run = runAt(walk, i)
    if (load<u32>(lane, LANE_STATE) == STATE_NEW) {
      const opened = laneOpen(walk, lane, run)
      if (opened < 0) return opened
    }
    if (hasRows(run) || load<u32>(lane, LANE_STATE) == STATE_OVER) continue
    const outcome = laneBring(walk, lane, run)
    if (outcome < 0) return outcome
  }
  return 0
}

/** Winners that are deleted hide what is older, and themselves. Gives how many are left. */
function dropDeleted(walk: usize, winners: usize, count: u32): u32 {
  let kept: usize = 0
  for (let i: u32 = 0; i < count; i++) {
    const winner = winners + (<usize>i << 3)
    if (laneHasDeleted(walk, laneAt(walk, load<u32>(winner)), load<u32>(winner, 4))) continue
    store<u64>(winners + (kept++ << 3), load<u64>(winner))
  }
  return <u32>kept
}

function allOver(walk: usize): bool {
  for (let i: u32 = 0; i < load<u32>(walk, WALK_LANE_COUNT); i++) {
    if (hasRows(runAt(walk, i)) || load<u32>(laneAt(walk, i), LANE_STATE) != STATE_OVER) return false
  }
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
