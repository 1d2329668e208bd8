/** HAVING and the first groups of an order, as the engine asks them of finished groups, most of which never become rows. */
import type { DerivedGroupValue, EngineRow, EngineValue, WantedGroups } from '../../../engine/engine.ts'
import type { GroupComparison, LeadingComparisons } from '../../../engine/read/wanted/leading-comparisons.ts'
import { visitBound } from '../../expression/bound.ts'
import type { Bound } from '../../expression/bound.ts'
import { compile } from '../../expression/compile.ts'
import type { Run } from '../../expression/compile.ts'
import { fixedValue } from '../../vector/fixed-value.ts'
import { comparisons, flipped } from '../../vector/truth.ts'
import type { SortKey } from '../node.ts'
import type { GroupValue } from './engine-group.ts'

/** Which rows of a grouping will be taken, told by its own columns. */
export interface WantedRows {
  readonly having?: Bound
  /** The first of those that `having` leaves. */
  readonly first?: { readonly order: readonly Pick<SortKey, 'index' | 'descending' | 'nullsFirst'>[]; readonly limit: number }
}

/** The same of the engine's rows, which are of keys and requests. */
export function wantedOfEngine({ having, first }: WantedRows, keyCount: number, values: readonly GroupValue[], run: Run): WantedGroups {
  const valueOf = (index: number): GroupValue => (index < keyCount ? index : values[index - keyCount]!)
  const order = first?.order.map(({ index, descending, nullsFirst }) => ({ value: valueOf(index), descending, nullsFirst }))
  return {
    ...(having !== undefined && { having: { ...conditionOf(having, valueOf, run), ...comparisonsOf(having, valueOf, run) } }),
    ...(first !== undefined && { first: { order: order!, limit: first.limit } }),
  }
}

function conditionOf(having: Bound, valueOf: (index: number) => GroupValue, run: Run): DerivedGroupValue {
  const holds = compile(having, run)
  const parts = columnsOf(having).map((index) => ({ index, value: valueOf(index) }))
  const columns = [...new Set(parts.flatMap(({ value }) => (typeof value === 'number' ? [value] : value.columns)))]
  if (parts.every(({ index, value }) => index === value)) return { columns, of: holds }
  const own: EngineValue[] = []
  return {
    columns,
    of(row: EngineRow) {
      for (const { index, value } of parts) own[index] = typeof value === 'number' ? row[value]! : value.of(row)
      return holds(own)
    },
  }
}

/** What a condition begins with, as far as the engine can compare it. */
function comparisonsOf(having: Bound, valueOf: (index: number) => GroupValue, run: Run): LeadingComparisons {
  const items = having.kind === 'and' ? having.items : [having], found: GroupComparison[] = []
  for (const item of items) {
    const comparison = comparisonOf(item, valueOf, run)
    if (comparison === undefined) break
    found.push(comparison)
  }
  return { comparisons: found, isWhole: found.length === items.length }
}

/** Of a column as it stands, which is no text, with a finite number. */
function comparisonOf(item: Bound, valueOf: (index: number) => GroupValue, run: Run): GroupComparison | undefined {
  const comparison = item.kind === 'call' ? comparisons[item.name] : undefined
  if (item.kind !== 'call' || comparison === undefined) return undefined
  const [left, right] = item.args as readonly [Bound, Bound]
  const column = left.kind === 'column' ? left : right, other = left.kind === 'column' ? right : left
  const index = column.kind === 'column' ? valueOf(column.place.index) : undefined, value = fixedValue(run, other)
  if (typeof index !== 'number' || typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return { index, comparison: column === left ? comparison : flipped[comparison], value }
}

/** Indexes of the columns that an expression reads, each once. */
function columnsOf(bound: Bound): readonly number[] {
  const indexes = new Set<number>()
  visitBound(bound, (part) => {
    if (part.kind === 'column') indexes.add(part.place.index)
  })
  return [...indexes]
}
