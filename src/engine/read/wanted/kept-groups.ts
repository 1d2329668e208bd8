/**
 * Which groups of a block HAVING keeps. Comparisons of an aggregate with a constant, where a condition begins with such,
 * are made in loops over doubles; only groups for which they hold are asked about the rest.
 */
import type { WantedGroups } from '../../engine.ts'
import type { GroupBlock } from '../finished-groups.ts'
import type { GroupComparison } from './leading-comparisons.ts'

/** Places of the groups in the block, ascending. `first` is its first group; `buffer` has room for a double of each. */
export function keptGroups(block: GroupBlock, first: number, count: number, having: NonNullable<WantedGroups['having']>, buffer: Float64Array): readonly number[] {
  let kept: readonly number[] | undefined, isDecided = having.isWhole
  for (const comparison of having.comparisons) {
    if (block.doubles(comparison.index, buffer)) kept = keptOf(kept, count, buffer, comparison)
    else isDecided = false
  }
  if (isDecided) return kept!
  const holds = block.derived(having)
  return (kept ?? Array.from({ length: count }, (_, place) => place)).filter((place) => holds(first + place) === 1)
}

function keptOf(before: readonly number[] | undefined, count: number, values: Float64Array, { comparison, value }: GroupComparison): readonly number[] {
  const satisfies = tests[comparison], kept: number[] = []
  if (before === undefined) {
    for (let place = 0; place < count; place++) if (satisfies(values[place]!, value)) kept.push(place)
  } else for (const place of before) if (satisfies(values[place]!, value)) kept.push(place)
  return kept
}

/** NaN is above all numbers; what is compared with it is none. */
const tests: Readonly<Record<GroupComparison['comparison'], (given: number, value: number) => boolean>> = {
  eq: (given, value) => given === value,
  ne: (given, value) => given !== value,
  lt: (given, value) => given < value,
  le: (given, value) => given <= value,
  gt: (given, value) => !(given <= value),
  ge: (given, value) => !(given < value),
}
