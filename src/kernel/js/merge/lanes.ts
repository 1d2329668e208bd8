/** Twin of assembly/merge/lanes.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { MergeExports } from '../../merge.ts'
import { laneAsks } from '../../merge.ts'
import { createLanes, readWalk, stopped } from './lane.ts'
import type { Lanes, Walk } from './lane.ts'
import { createMakeLanes } from './parts.ts'

type Merges = Pick<MergeExports, 'mergeI64' | 'mergeRefs' | 'mergeGather8' | 'mergeGatherBits'>

export function createMergeLanes(memory: LinearMemory, merges: Merges): Pick<MergeExports, 'mergeLanes'> {
  const { u32 } = memory, lanes = createLanes(memory), makeLanes = createMakeLanes(memory)
  return {
    mergeLanes(address) {
      const walk = readWalk(memory, address), { winners, limit } = walk, hasLanes = (address >>> 2) + 18, found = (address >>> 2) + 20
      if (u32[hasLanes] === 0) {
        if (!makeLanes(walk)) return laneAsks.refused
        u32[hasLanes] = 1
      }
      const laneCount = u32[hasLanes + 1]!, merge = walk.isI64 ? merges.mergeI64 : merges.mergeRefs
      for (let written = u32[found]!; written < limit; ) {
        const outcome = bringWhereNeeded(lanes, walk, laneCount)
        if (outcome === stopped) break
        if (outcome < 0) return outcome
        const merged = merge(walk.runs, laneCount, winners + 8 * written, limit - written)
        if (merged === 0) break
        written += dropDeleted(memory, lanes, walk, winners + 8 * written, merged)
        u32[found] = written
      }
      gatherColumns(memory, merges, lanes, walk, { winners, count: u32[found]!, laneCount })
      u32[found + 1] = range(laneCount).every((lane) => lanes.isOver(walk, lane) && !lanes.hasRows(walk, lane)) ? 1 : 0
      return u32[found]!
    },
  }
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

function bringWhereNeeded(lanes: Lanes, walk: Walk, laneCount: number): number {
  for (let lane = 0; lane < laneCount; lane++) {
    const opened = lanes.isNew(walk, lane) ? lanes.open(walk, lane) : 0
    if (opened < 0) return opened
    if (lanes.hasRows(walk, lane) || lanes.isOver(walk, lane)) continue
    const outcome = lanes.bring(walk, lane)
    if (outcome < 0) return outcome
  }
  return 0
}

function dropDeleted({ u32 }: LinearMemory, lanes: Lanes, walk: Walk, winners: Pointer, count: number): number {
  let kept = 0
  for (let i = 0, pair = winners >>> 2; i < count; i++, pair += 2) {
    const lane = u32[pair]!, row = u32[pair + 1]!
    if (lanes.hasDeleted(walk, lane, row)) continue
    u32[(winners >>> 2) + 2 * kept] = lane
    u32[(winners >>> 2) + 2 * kept + 1] = row
    kept++
  }
  return kept
}

function gatherColumns({ u32 }: LinearMemory, { mergeGather8, mergeGatherBits }: Merges, lanes: Lanes, walk: Walk, { winners, count, laneCount }: { readonly winners: Pointer; readonly count: number; readonly laneCount: number }): void {
  const { columns, work } = walk
  for (const column of columns) {
    for (let lane = 0; lane < laneCount; lane++) u32[(work >>> 2) + lane] = lanes.values(walk, lane, column)
    mergeGather8(winners, count, work, column.values)
    if (u32[column.hasNulls] === 0 || column.valueIndex < 0) continue
    for (let lane = 0; lane < laneCount; lane++) u32[(work >>> 2) + lane] = lanes.bits(walk, lane, column)
    u32[column.hasNulls] = mergeGatherBits(winners, count, work, column.nulls)
  }
}
