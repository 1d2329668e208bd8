/** What a tree should hold: an ordered map a table, and plain answers to what a tree is asked. */
import { comparePhysical } from '../../../src/lsm/aggregate.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { AggregateRequest, PredicateTerm, ScanRequest } from '../../../src/lsm/tree.ts'
import { encodeKey } from './tree-rows.ts'
import type { Row, Value } from './tree-rows.ts'

export interface ModelRow {
  readonly key: Buffer
  readonly row: Row
}

/** By table, by key in hexadecimal. */
export interface TreeModel {
  readonly layouts: Map<number, TableLayout>
  readonly tables: Map<number, Map<string, ModelRow>>
}

export const emptyModel = (): TreeModel => ({ layouts: new Map(), tables: new Map() })

export function copyModel({ layouts, tables }: TreeModel): TreeModel {
  return { layouts: new Map(layouts), tables: new Map([...tables].map(([id, rows]) => [id, new Map(rows)])) }
}

export function modelPut(model: TreeModel, layout: TableLayout, row: Row): void {
  const key = Buffer.from(encodeKey(layout, row))
  model.tables.get(layout.tableId)!.set(key.toString('hex'), { key, row })
}

export function modelRangeDelete(model: TreeModel, tableId: number, start: Uint8Array | undefined, end: Uint8Array | undefined): void {
  const rows = model.tables.get(tableId)!
  for (const [name, { key }] of rows) {
    if ((start === undefined || Buffer.compare(key, start) >= 0) && (end === undefined || Buffer.compare(key, end) < 0)) rows.delete(name)
  }
}

/** Columns that a row was written without have what the layout says, or are null. */
export const fullRow = (layout: TableLayout, row: Row): Value[] => layout.columns.map((_, ordinal) => (ordinal < row.length ? row[ordinal]! : (layout.missing?.find((each) => each.ordinal === ordinal)?.value ?? null)))

export function modelScan(model: TreeModel, { tableId, lower, upper, reverse, predicate }: Omit<ScanRequest, 'columns'>): ModelRow[] {
  const layout = model.layouts.get(tableId)!
  const rows = [...model.tables.get(tableId)!.values()]
    .filter(({ key }) => (lower === undefined || Buffer.compare(key, lower) >= 0) && (upper === undefined || Buffer.compare(key, upper) < 0))
    .map(({ key, row }) => ({ key, row: fullRow(layout, row) }))
    .filter(({ row }) => predicate.every((term) => matches(term, row[term.ordinal]!)))
    .sort((a, b) => Buffer.compare(a.key, b.key))
  return reverse === true ? rows.reverse() : rows
}

function matches({ comparison, value: constant }: PredicateTerm, value: Value): boolean {
  if (comparison === 'isNull') return value === null
  if (comparison === 'isNotNull') return value !== null
  if (value === null) return false
  const order = comparePhysical(value, constant!)
  return { eq: order === 0, ne: order !== 0, lt: order < 0, le: order <= 0, gt: order > 0, ge: order >= 0 }[comparison]
}

/** An aggregate over scanned rows, as text. */
export function modelAggregate(rows: readonly ModelRow[], { function: wanted, ordinal }: AggregateRequest): string {
  const values = ordinal === undefined ? rows.map(() => 0) : rows.map(({ row }) => row[ordinal]!).filter((value) => value !== null)
  if (wanted === 'count') return String(values.length)
  if (values.length === 0) return 'null'
  if (wanted === 'sum') return typeof values[0] === 'bigint' ? String((values as bigint[]).reduce((a, b) => a + b, 0n)) : sumText((values as number[]).reduce((a, b) => a + b, 0))
  return valueText(values.reduce((a, b) => ((wanted === 'min' ? comparePhysical(b, a) < 0 : comparePhysical(b, a) > 0) ? b : a)))
}

/** Sums of doubles in any order agree to many digits, not to the last bit. */
export const sumText = (sum: number): string => sum.toPrecision(10)

export const valueText = (value: Value | undefined): string => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value ?? null))
