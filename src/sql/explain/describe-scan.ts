/** How rows of a table are found: by which keys or range of keys, what is checked as they are read, which columns are. */
import type { EnginePredicateTerm, EngineRow, EngineValue, KeyBound } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { accessOf } from '../execute/access.ts'
import { resolveTerms } from '../execute/terms.ts'
import type { ScanRange } from '../execute/bounds.ts'
import type { ScanNode } from '../operator/node.ts'
import type { PlanHint, PlanTerm } from '../plan-term.ts'
import type { Values } from '../value/values.ts'
import type { Detail } from './explain-node.ts'
import { printTerm, printValue } from './print-expression.ts'

export interface DescribedAccess {
  readonly title: string
  readonly details: readonly Detail[]
}

/** The way to the rows that satisfy the terms. */
export function describeAccess(table: TableSchema, terms: readonly PlanTerm[], hints: readonly PlanHint[], values: Values): DescribedAccess {
  const access = accessOf(table, terms, hints, values)
  switch (access.kind) {
    case 'nothing':
      return { title: 'Nothing Read', details: [['Reason', 'a condition is true of no row']] }
    case 'keys':
      return { title: access.keys.length === 1 ? 'Point Read' : `${access.keys.length} Point Reads`, details: [...keyDetail(table, access.keys), ...conditions(table, 'Filter', access.predicate)] }
    case 'ranges':
      return describeRanges(table, access.ranges)
  }
}

function describeRanges(table: TableSchema, ranges: readonly ScanRange[]): DescribedAccess {
  const [{ predicate, lower, upper }] = ranges as [ScanRange]
  if (lower === undefined && upper === undefined) return { title: 'Full Scan', details: conditions(table, 'Engine Filter', predicate) }
  const shown = ranges.slice(0, rangesShown).map((range): Detail => ['Key Range', printRange(table, range)])
  const more: readonly Detail[] = ranges.length > rangesShown ? [['More Ranges', ranges.length - rangesShown]] : []
  return { title: ranges.length === 1 ? 'Range Scan' : `${ranges.length} Range Scans`, details: [...shown, ...more, ...conditions(table, 'Engine Filter', predicate)] }
}

const rangesShown = 3

function printRange(table: TableSchema, { lower, upper }: ScanRange): string {
  const shared = lower === undefined || upper === undefined ? 0 : sharedValues(lower, upper)
  const equal = (lower ?? upper!).values.slice(0, shared).map((value, position) => printKeyTerm(table, position, '=', value))
  const from = lower === undefined || lower.values.length === shared ? [] : [printKeyTail(table, lower, shared, lower.inclusive ? '>=' : '>')]
  const to = upper === undefined || upper.values.length === shared ? [] : [printKeyTail(table, upper, shared, upper.inclusive ? '<=' : '<')]
  return [...equal, ...from, ...to].join(' AND ')
}

/** How many values two bounds begin with alike, when these are an equality: both take in all keys that start so. */
function sharedValues(lower: KeyBound, upper: KeyBound): number {
  const count = lower.values.findIndex((value, index) => value !== upper.values[index])
  const shared = count < 0 ? lower.values.length : count
  return shared === lower.values.length && shared === upper.values.length && !(lower.inclusive && upper.inclusive) ? shared - 1 : shared
}

function printKeyTail(table: TableSchema, { values }: KeyBound, from: number, operator: string): string {
  return values.slice(from).map((value, index) => printKeyTerm(table, from + index, operator, value)).join(', ')
}

function printKeyTerm({ primaryKey, columns }: TableSchema, position: number, operator: string, value: EngineValue): string {
  const { name, type } = columns[primaryKey[position]!]!
  return `${name} ${operator} ${printValue(value, type)}`
}

function conditions(table: TableSchema, label: string, terms: readonly EnginePredicateTerm[]): readonly Detail[] {
  return terms.length === 0 ? [] : [[label, terms.map((term) => printTerm(table, term)).join(' AND ')]]
}

export function tableTitle({ table, alias }: { readonly table: { readonly name: string }; readonly alias: string }): string {
  return alias === table.name ? table.name : `${table.name} AS ${alias}`
}

export function describeScan(node: ScanNode, values: Values): DescribedAccess {
  const { title, details } = describeAccess(node.table, node.terms, node.hints, values)
  const order: readonly Detail[] = node.ordered === true || (node.ordered === 'few' && node.table.hiddenKey) ? [['Order', node.reverse ? 'by key, from its end' : 'by key']] : []
  return { title: `${title} on ${tableTitle(node)}`, details: [...details, ...order, ...columnsDetail(node)] }
}

function columnsDetail({ table, columns }: ScanNode): readonly Detail[] {
  return columns.length === 0 ? [] : [['Columns', columns.map((ordinal) => table.columns[ordinal]!.name).join(', ')]]
}

/** Rows read by whole keys, of which it is told what their columns must equal. */
export function describeLookups(node: ScanNode, keys: readonly string[], values: Values): DescribedAccess {
  const { table } = node
  const key = table.primaryKey.map((ordinal, position) => `${table.columns[ordinal]!.name} = ${keys[position]}`).join(' AND ')
  return { title: `Lookups on ${tableTitle(node)}`, details: [['Key', key], ...conditions(table, 'Filter', resolveTerms(node.terms, values) ?? []), ...columnsDetail(node)] }
}

const keysMax = 4

/** Some of the keys, or of their first columns. */
export function keyDetail({ primaryKey, columns }: TableSchema, keys: readonly EngineRow[]): readonly Detail[] {
  const [first] = keys
  if (first === undefined) return []
  const tuple = (parts: readonly string[]): string => (parts.length === 1 ? parts[0]! : `(${parts.join(', ')})`)
  const shown = keys.slice(0, keysMax).map((key) => tuple(key.map((value, index) => printValue(value, columns[primaryKey[index]!]!.type))))
  const list = keys.length > keysMax ? `${shown.join(', ')}, … ${keys.length - keysMax} more` : shown.join(', ')
  const names = tuple(first.map((_, index) => columns[primaryKey[index]!]!.name))
  return [['Key', keys.length === 1 ? `${names} = ${list}` : `${names} IN (${list})`]]
}
