/** Which groups come first in an order, found in their tables and accumulators: no row is made of the others. */
import { createBest } from '../../../lsm/top/best.ts'
import type { Best } from '../../../lsm/top/best.ts'
import { compareRanked, compareRanks } from '../../../lsm/top/rank.ts'
import type { RankValue } from '../../../lsm/top/rank.ts'
import type { Pace } from '../../../runtime/pace.ts'
import type { EngineRow, FirstGroups, WantedGroups } from '../../engine.ts'
import type { FinishedGroups, GroupBlock } from '../finished-groups.ts'
import { keptGroups } from './kept-groups.ts'

const blockGroups = 4096

interface Candidate {
  readonly group: number
  readonly ranks: readonly RankValue[]
}

/** The rows of the first groups, in order. */
export async function firstGroups(finished: FinishedGroups, { order, limit }: FirstGroups, having: WantedGroups['having'], pace: Pace | undefined): Promise<readonly EngineRow[]> {
  if (limit <= 0) return []
  const best = createBest<Candidate>(limit, (a, b) => compareRanks(order, a.ranks, b.ranks)), doubles = new Float64Array(blockGroups)
  for (let first = 0; first < finished.groupCount; first += blockGroups) {
    const pause = pace?.turn()
    if (pause !== undefined) await pause
    const count = Math.min(blockGroups, finished.groupCount - first), block = finished.block(first, count)
    try {
      offerGroups(best, block, first, count, order, having, doubles.subarray(0, count))
    } finally {
      block.free()
    }
  }
  return best.sorted().flatMap(({ group }) => rowOf(finished, group))
}

/** `buffer` has room for a double of each group. A condition is asked of all of them, since it may fail for any. */
function offerGroups(best: Best<Candidate>, block: GroupBlock, first: number, count: number, order: FirstGroups['order'], having: WantedGroups['having'], buffer: Float64Array): void {
  const kept = having && keptGroups(block, first, count, having, buffer)
  const looks = ranksOf(block, order, false), keeps = ranksOf(block, order, true), doubles = firstDoubles(block, order, buffer, kept)
  for (let at = 0, end = kept?.length ?? count; ; at++) {
    const bound = best.bound?.ranks
    if (doubles !== undefined && bound !== undefined) at = skipLater(doubles, at, order[0]!, bound[0]!)
    if (at >= end) return
    const group = first + (kept === undefined ? at : kept[at]!)
    if (bound === undefined || comesBefore(order, looks, group, bound)) best.offer({ group, ranks: keeps.map((rank) => rank(group)) })
  }
}

/** Numbers made of a row are ranked as the numbers they are. */
function ranksOf(block: GroupBlock, order: FirstGroups['order'], isKept: boolean): readonly ((group: number) => RankValue)[] {
  return order.map(({ value }) => (typeof value === 'number' ? block.rank(value, isKept) : (block.derived(value) as (group: number) => RankValue)))
}

/** By the first of the order, where it is an aggregate: most of the groups that are kept are passed over by comparing two doubles. */
function firstDoubles(block: GroupBlock, order: FirstGroups['order'], buffer: Float64Array, kept: readonly number[] | undefined): Float64Array | undefined {
  const value = order[0]?.value
  if (kept?.length === 0 || typeof value !== 'number' || !block.doubles(value, buffer)) return undefined
  kept?.forEach((place, at) => { buffer[at] = buffer[place]! })
  return kept === undefined ? buffer : buffer.subarray(0, kept.length)
}

/** The first from `at` on that is not sure to come after the bound, as of NaN nothing is; the length where all are. */
function skipLater(doubles: Float64Array, at: number, { descending }: FirstGroups['order'][number], bound: RankValue): number {
  if (typeof bound !== 'number') return at
  if (descending) while (at < doubles.length && doubles[at]! < bound) at++
  else while (at < doubles.length && doubles[at]! > bound) at++
  return at
}

function comesBefore(order: FirstGroups['order'], looks: readonly ((group: number) => RankValue)[], group: number, bound: readonly RankValue[]): boolean {
  for (let i = 0; i < order.length; i++) {
    const difference = compareRanked(order[i]!, looks[i]!(group), bound[i]!)
    if (difference !== 0) return difference < 0
  }
  return false
}

function rowOf(finished: FinishedGroups, group: number): readonly EngineRow[] {
  const block = finished.block(group, 1)
  try {
    return block.rows([group])
  } finally {
    block.free()
  }
}
