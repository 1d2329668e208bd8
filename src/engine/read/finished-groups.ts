/**
 * Groups once all rows are in them, a block at a time: values are read out of group tables and accumulators where they are
 * asked for, and only groups that are wanted become rows.
 */
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { GroupedValue, Groups } from '../../lsm/groups/group-rows.ts'
import type { Vector } from '../../lsm/page.ts'
import { valueReader } from '../../lsm/read/top/read-values.ts'
import type { RankValue } from '../../lsm/top/rank.ts'
import { readColumn, rowsOfColumns } from '../codec/read-page.ts'
import type { ReadKind } from '../codec/read-row.ts'
import type { DerivedGroupValue, EngineGroupedAggregate, EngineRow, EngineScan, EngineValue } from '../engine.ts'
import { engineValueOf } from './predicate.ts'
import { scanColumn } from './scan.ts'

/** Some groups; `index` is that of a column in rows of keys and aggregates. What it gives takes groups by their numbers. */
export interface GroupBlock {
  /** As it is compared; `isKept`: it outlives the block. */
  rank(index: number, isKept: boolean): (group: number) => RankValue
  /** Writes all of them, in their order; false where they are no doubles, or one of them is NULL. */
  doubles(index: number, out: Float64Array): boolean
  derived(value: DerivedGroupValue): (group: number) => EngineValue
  rows(groups: readonly number[]): readonly EngineRow[]
  free(): void
}

export interface FinishedGroups {
  readonly groupCount: number
  /** Groups [first, first + count). */
  block(first: number, count: number): GroupBlock
}

interface Finished {
  readonly memory: LinearMemory
  readonly groups: Groups
  /** Ordinals in the scan, and how they are read. */
  readonly groupBy: readonly number[]
  readonly kinds: readonly ReadKind[]
  /** By aggregate. */
  readonly results: readonly ((group: number) => GroupedValue)[]
  readonly values: readonly ((group: number) => EngineValue)[]
}

/** `kinds`: of all columns of the scan, by ordinal. */
export function finishGroups(memory: LinearMemory, groups: Groups, scan: EngineScan, kinds: readonly ReadKind[], groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[]): FinishedGroups {
  const results = groups.results()
  const finished: Finished = { memory, groups, groupBy, kinds, results, values: results.map((read, i) => engineValues(scan, aggregates[i]!, read)) }
  return { groupCount: groups.groupCount, block: (first, count) => openBlock(finished, first, count) }
}

function engineValues(scan: EngineScan, { ordinal }: EngineGroupedAggregate, read: (group: number) => GroupedValue): (group: number) => EngineValue {
  return (group) => {
    const value = read(group)
    return value instanceof Uint8Array ? engineValueOf(scanColumn(scan, ordinal!), value) : value
  }
}

function openBlock({ memory, groups, groupBy, kinds, results, values }: Finished, first: number, count: number): GroupBlock {
  let read: KeyVectors | undefined
  const keys = (): readonly Vector[] => (read ??= readKeys(groups, groupBy.map((ordinal) => kinds[ordinal]!), first, count)).vectors
  const numbers = (): readonly number[] => Array.from({ length: count }, (_, i) => i)

  const doublesOf = (index: number, out: Float64Array): boolean => index >= groupBy.length && groups.doubles(index - groupBy.length, first, count, out)

  function cellOf(index: number): (group: number) => EngineValue {
    const doubles = new Float64Array(index < groupBy.length ? 0 : count)
    if (doublesOf(index, doubles)) return (group) => doubles[group - first]!
    if (index >= groupBy.length) return values[index - groupBy.length]!
    const cells = readColumn(memory, kinds[groupBy[index]!]!, keys()[index]!, numbers())
    return (group) => cells[group - first]!
  }

  return {
    rank(index, isKept) {
      if (index >= groupBy.length) return results[index - groupBy.length]!
      // Few groups are looked at where their aggregates decide first, and often none of a block.
      let valueAt: ReturnType<typeof valueReader> | undefined
      return (group) => (valueAt ??= valueReader(memory, keys()[index]!, isKept))(group - first)
    },
    doubles: doublesOf,
    derived({ columns, of }) {
      const cells = columns.map(cellOf), row: EngineValue[] = Array.from({ length: groupBy.length + values.length }, () => null)
      return (group) => {
        for (let i = 0; i < columns.length; i++) row[columns[i]!] = cells[i]!(group)
        return of(row)
      }
    },
    rows(wanted) {
      const places = wanted.map((group) => group - first)
      const cells = groupBy.map((ordinal, i) => readColumn(memory, kinds[ordinal]!, keys()[i]!, places))
      return rowsOfColumns([...cells, ...values.map((valueOf) => wanted.map(valueOf))], wanted.length)
    },
    free: () => read?.free(),
  }
}

interface KeyVectors {
  readonly vectors: readonly Vector[]
  free(): void
}

function readKeys(groups: Groups, kinds: readonly ReadKind[], first: number, count: number): KeyVectors {
  const keys = groups.keys(first, count)
  const vectors = kinds.map((kind, i): Vector => {
    const { values, nulls } = keys!.vectors[i]!
    return kind === 'i64' || kind === 'f64' ? { kind, values, nulls } : { kind: 'bytes', refs: values, nulls }
  })
  return { vectors, free: () => keys?.free() }
}
