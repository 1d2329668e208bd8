/** Which groups come first in an order, found in their tables and accumulators: no row is made of the others. */
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { GroupedValue, Groups } from '../../lsm/groups/group-rows.ts'
import type { Vector } from '../../lsm/page.ts'
import { valueReader } from '../../lsm/read/top/read-values.ts'
import { createBest } from '../../lsm/top/best.ts'
import { compareRanked, compareRanks } from '../../lsm/top/rank.ts'
import type { RankValue } from '../../lsm/top/rank.ts'
import type { Pace } from '../../runtime/pace.ts'
import type { FirstGroups } from '../engine.ts'

const blockGroups = 4096

interface Candidate {
  readonly group: number
  readonly ranks: readonly RankValue[]
}

/** The numbers of the first groups, in order. `keyVectors` are the key columns of some groups, valid until `free`. */
export async function firstGroups(memory: LinearMemory, groups: Groups, keyCount: number, results: readonly ((group: number) => GroupedValue)[], { order, limit }: FirstGroups, keyVectors: (first: number, count: number) => { readonly vectors: readonly Vector[]; free(): void }, pace: Pace | undefined): Promise<readonly number[]> {
  if (limit <= 0) return []
  const best = createBest<Candidate>(limit, (a, b) => compareRanks(order, a.ranks, b.ranks))
  const needsKeys = order.some(({ index }) => index < keyCount)
  for (let first = 0; first < groups.groupCount; first += blockGroups) {
    const pause = pace?.turn()
    if (pause !== undefined) await pause
    const count = Math.min(blockGroups, groups.groupCount - first)
    const keys = needsKeys ? keyVectors(first, count) : undefined
    const readers = (isKept: boolean): readonly ((group: number) => RankValue)[] => order.map(({ index }) => {
      if (index >= keyCount) return results[index - keyCount]!
      const read = valueReader(memory, keys!.vectors[index]!, isKept)
      return (group) => read(group - first)
    })
    const looks = readers(false), keeps = readers(true)
    for (let group = first; group < first + count; group++) {
      const { bound } = best
      if (bound === undefined || comesBefore(order, looks, group, bound.ranks)) best.offer({ group, ranks: keeps.map((read) => read(group)) })
    }
    keys?.free()
  }
  return best.sorted().map(({ group }) => group)
}

function comesBefore(order: FirstGroups['order'], looks: readonly ((group: number) => RankValue)[], group: number, bound: readonly RankValue[]): boolean {
  for (let i = 0; i < order.length; i++) {
    const difference = compareRanked(order[i]!, looks[i]!(group), bound[i]!)
    if (difference !== 0) return difference < 0
  }
  return false
}
