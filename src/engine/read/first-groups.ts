/** Which groups come first in an order, found in their tables and accumulators: no row is made of the others. */
import { createBest } from '../../lsm/top/best.ts'
import { compareRanked, compareRanks } from '../../lsm/top/rank.ts'
import type { RankValue } from '../../lsm/top/rank.ts'
import type { Pace } from '../../runtime/pace.ts'
import type { EngineRow, FirstGroups, WantedGroups } from '../engine.ts'
import type { FinishedGroups, GroupBlock } from './finished-groups.ts'

const blockGroups = 4096

interface Candidate {
  readonly group: number
  readonly ranks: readonly RankValue[]
}

/** The rows of the first groups, in order. */
export async function firstGroups(finished: FinishedGroups, { order, limit }: FirstGroups, having: WantedGroups['having'], pace: Pace | undefined): Promise<readonly EngineRow[]> {
  if (limit <= 0) return []
  const best = createBest<Candidate>(limit, (a, b) => compareRanks(order, a.ranks, b.ranks))
  for (let first = 0; first < finished.groupCount; first += blockGroups) {
    const pause = pace?.turn()
    if (pause !== undefined) await pause
    const end = Math.min(first + blockGroups, finished.groupCount), block = finished.block(first, end - first)
    try {
      const holds = having && block.derived(having)
      const looks = ranksOf(block, order, false), keeps = ranksOf(block, order, true), doubles = firstDoubles(block, order)
      for (let group = first; group < end; group++) {
        if (holds !== undefined && holds(group) !== 1) continue
        const { bound } = best
        if (bound !== undefined && doubles !== undefined && comesAfter(order[0]!, doubles[group - first]!, bound.ranks[0]!)) continue
        if (bound === undefined || comesBefore(order, looks, group, bound.ranks)) best.offer({ group, ranks: keeps.map((rank) => rank(group)) })
      }
    } finally {
      block.free()
    }
  }
  return best.sorted().flatMap(({ group }) => rowOf(finished, group))
}

/** Numbers made of a row are ranked as the numbers they are. */
function ranksOf(block: GroupBlock, order: FirstGroups['order'], isKept: boolean): readonly ((group: number) => RankValue)[] {
  return order.map(({ value }) => (typeof value === 'number' ? block.rank(value, isKept) : (block.derived(value) as (group: number) => RankValue)))
}

/** By the first of the order, where it is an aggregate: most groups are passed over by comparing two doubles. */
function firstDoubles(block: GroupBlock, order: FirstGroups['order']): Float64Array | undefined {
  const value = order[0]?.value
  return typeof value === 'number' ? block.doubles(value) : undefined
}

/** Whether it is sure to; of NaN nothing is. */
const comesAfter = ({ descending }: FirstGroups['order'][number], value: number, bound: RankValue): boolean => typeof bound === 'number' && (descending ? value < bound : value > bound)

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
