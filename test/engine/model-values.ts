/** How values compare, match and add up, said plainly for the model engine. */
import type { DerivedGroupValue, EngineAggregate, EngineGroupedAggregate, EngineOrder, EnginePredicateTerm, EngineRow, EngineValue, FirstGroups, WantedGroups } from '../../src/engine/engine.ts'
import type { GroupComparison } from '../../src/engine/read/wanted/leading-comparisons.ts'
import type { Comparison } from '../../src/kernel/zone-map.ts'
import { addDoubleDoubles } from '../../src/lsm/aggregate.ts'
import { physicalKind } from '../../src/engine/schema.ts'
import type { TableSchema } from '../../src/engine/schema.ts'

/** Total order of two values of one column, nulls excluded: NaN above all numbers, -0 = 0, text by its UTF-8 bytes. */
export function compareValues(a: EngineValue, b: EngineValue): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if ((typeof a !== 'number' && typeof a !== 'bigint') || (typeof b !== 'number' && typeof b !== 'bigint')) throw new TypeError(`cannot compare ${String(a)} with ${String(b)}`)
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
  return a < b ? -1 : a > b ? 1 : 0
}

/** Order of two whole keys. */
export function compareKeys(a: EngineRow, b: EngineRow): number {
  for (const [index, value] of a.entries()) {
    const order = compareValues(value, b[index]!)
    if (order !== 0) return order
  }
  return 0
}

/** Order of two rows by some columns. */
export function compareOrdered(a: EngineRow, b: EngineRow, order: readonly EngineOrder[]): number {
  for (const { ordinal, descending, nullsFirst } of order) {
    const [x, y] = [a[ordinal]!, b[ordinal]!]
    if (x === null && y === null) continue
    if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1
    const difference = compareValues(x, y)
    if (difference !== 0) return descending ? -difference : difference
  }
  return 0
}

/** Whether a row satisfies a term; comparisons with null are never true. */
export function matches(row: EngineRow, term: EnginePredicateTerm): boolean {
  return matchesValue(row[term.ordinal]!, term.comparison, term.value ?? null)
}

export function matchesValue(value: EngineValue, comparison: Comparison, constant: EngineValue): boolean {
  if (comparison === 'isNull') return value === null
  if (comparison === 'isNotNull') return value !== null
  if (value === null || constant === null) return false
  const order = compareValues(value, constant)
  switch (comparison) {
    case 'eq':
      return order === 0
    case 'ne':
      return order !== 0
    case 'lt':
      return order < 0
    case 'le':
      return order <= 0
    case 'gt':
      return order > 0
    case 'ge':
      return order >= 0
  }
}

/** One aggregate over rows. Sums of integers are exact; of doubles, added in order. */
export function aggregateRows(schema: TableSchema, rows: readonly EngineRow[], aggregate: EngineAggregate): EngineValue {
  const { ordinal } = aggregate
  if (ordinal === undefined) return rows.length
  const values = rows.map((row) => row[ordinal]!).filter((value) => value !== null)
  switch (aggregate.function) {
    case 'count':
      return values.length
    case 'min':
      return values.reduce<EngineValue>((least, value) => (least === null || compareValues(value, least) < 0 ? value : least), null)
    case 'max':
      return values.reduce<EngineValue>((greatest, value) => (greatest === null || compareValues(value, greatest) > 0 ? value : greatest), null)
    case 'sum':
      return sum(physicalKind(schema.columns[ordinal]!.type) === 'i64', values)
  }
}

/** One row for each distinct key: its values, then the aggregates of its rows. */
export function groupRows(schema: TableSchema, rows: readonly EngineRow[], groupBy: readonly number[], aggregates: readonly EngineGroupedAggregate[]): EngineRow[] {
  const groups = new Map<string, { key: EngineRow; rows: EngineRow[] }>()
  if (groupBy.length === 0) groups.set('', { key: [], rows: [] })
  for (const row of rows) {
    const key = groupBy.map((ordinal) => (Object.is(row[ordinal], -0) ? 0 : row[ordinal]!))
    const name = key.map(valueName).join()
    const group = groups.get(name) ?? { key, rows: [] }
    groups.set(name, group)
    group.rows.push(row)
  }
  return [...groups.values()].map((group) => [...group.key, ...aggregates.map((aggregate) => aggregateRows(schema, aggregate.distinct === true ? distinctRows(group.rows, aggregate.ordinal!) : group.rows, aggregate))])
}

function distinctRows(rows: readonly EngineRow[], ordinal: number): readonly EngineRow[] {
  return [...new Map(rows.map((row) => [valueName(row[ordinal]!), row])).values()]
}

/** Equal for equal values. */
function valueName(value: EngineValue): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value} ${value}`
}

/** In twice the precision, so that it does not depend on the order of the rows. */
export function sumOfDoubles(values: readonly number[]): { readonly high: number; readonly low: number } {
  return values.reduce((total, value) => addDoubleDoubles(total, { high: value, low: 0 }), { high: 0, low: 0 })
}

function sum(integers: boolean, values: readonly EngineValue[]): EngineValue {
  if (values.length === 0) return null
  if (!integers) {
    const { high, low } = sumOfDoubles(values as number[])
    return Number.isFinite(high) ? high + low : high
  }
  const exact = values.reduce<bigint>((total, value) => total + BigInt(value as number | bigint), 0n)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

/** A comparison of what stands at an index, alone or before something else made of a row; of texts it holds for none. */
export function comparingGroups(index: number, comparison: GroupComparison['comparison'], value: number, rest?: DerivedGroupValue): NonNullable<WantedGroups['having']> {
  const order = (given: number | bigint): number => (given !== given ? 1 : Math.sign(given < value ? -1 : Number(given > value)))
  const holds = { eq: [0], ne: [-1, 1], lt: [-1], le: [-1, 0], gt: [1], ge: [0, 1] }[comparison]
  return {
    columns: [index, ...(rest?.columns ?? [])], comparisons: [{ index, comparison, value }], isWhole: rest === undefined,
    of(row) {
      const given = row[index]!
      if (typeof given !== 'number' && typeof given !== 'bigint') return given === null ? null : 0
      return holds.includes(order(given)) ? (rest === undefined ? 1 : rest.of(row)) : 0
    },
  }
}

/** Of rows of keys and aggregates those that are wanted, and in the order in which they are. */
export function wantedGroups(groups: readonly EngineRow[], { having, first }: WantedGroups = {}): readonly EngineRow[] {
  const kept = having === undefined ? groups : groups.filter((row) => having.of(row) === 1)
  return first === undefined ? kept : firstOf(kept, first)
}

function firstOf(groups: readonly EngineRow[], { order, limit }: FirstGroups): readonly EngineRow[] {
  const keys = groups.map((row) => ({ row, values: order.map(({ value }) => (typeof value === 'number' ? row[value]! : value.of(row))) }))
  const byValue = order.map((key, ordinal) => ({ ...key, ordinal }))
  return keys.toSorted((a, b) => compareOrdered(a.values, b.values, byValue)).slice(0, Math.max(0, limit)).map(({ row }) => row)
}
