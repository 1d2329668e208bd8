/**
 * Answers side by side. Values count as equal when they say the same (exactly for integers, text and booleans, within a
 * relative 1e-12 for doubles); rows are compared in order as far as the query's ORDER BY decides it, else as a multiset.
 */
import type { CollectedResult } from '../../../src/sql/result.ts'
import type { ColumnType } from '../../../src/engine/schema.ts'
import type { UserValue } from '../../../src/engine/user-value.ts'
import type { ReferenceValue, Written } from './reference.ts'

/** Positions of output columns that ORDER BY names, in its order; `total` when ties can only be between equal rows. */
export interface RowOrder {
  readonly positions: readonly number[]
  readonly total: boolean
  /** Rows may be left out among those that tie: only the order's columns are decided. */
  readonly cut?: boolean
}

export type Rows = readonly (readonly ReferenceValue[])[]

/** What SQLite would hold for our values: booleans are 0 and 1, NUMERIC is an integer when it has no fraction. */
export function referenceRows({ columns, rows }: CollectedResult): Rows {
  return rows.map((row) => row.map((value, position) => referenceValue(value, columns[position]!.type)))
}

function referenceValue(value: UserValue, type: ColumnType): ReferenceValue {
  if (value === null) return null
  switch (type.kind) {
    case 'boolean':
      return value === true ? 1n : 0n
    case 'smallint':
    case 'integer':
    case 'bigint':
      return BigInt(value as number | bigint)
    case 'numeric':
      return /^-?\d+$/.test(value as string) ? BigInt(value as string) : Number(value)
    case 'double':
      return value as number
    case 'text':
      return value as string
    case 'bytea':
    case 'date':
    case 'timestamp':
      throw new Error(`a value of type ${type.kind} has no counterpart`)
  }
}

export function equalValues(a: ReferenceValue, b: ReferenceValue): boolean {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a === b
  if ((typeof a !== 'number' && typeof a !== 'bigint') || (typeof b !== 'number' && typeof b !== 'bigint')) return a === b
  const [x, y] = [Number(a), Number(b)]
  return x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= 1e-12 * Math.max(Math.abs(x), Math.abs(y))
}

const equalRows = (a: readonly ReferenceValue[], b: readonly ReferenceValue[]): boolean => a.length === b.length && a.every((value, position) => equalValues(value, b[position]!))

/** Undefined when the answers agree, otherwise what is different. */
export function difference(actual: Rows, expected: Rows, order: RowOrder | undefined): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} rows instead of ${expected.length}\n${sample(actual, expected)}`
  if (order !== undefined) {
    const at = actual.findIndex((row, i) => !order.positions.every((position) => equalValues(row[position]!, expected[i]![position]!)))
    if (at >= 0) return `row ${at} has other values in the order's columns: ${show(actual[at]!)} instead of ${show(expected[at]!)}`
    if (order.cut === true) return undefined
    if (order.total) {
      const wrong = actual.findIndex((row, i) => !equalRows(row, expected[i]!))
      return wrong < 0 ? undefined : `row ${wrong} is ${show(actual[wrong]!)} instead of ${show(expected[wrong]!)}`
    }
  }
  return multisetDifference(actual, expected)
}

/** The same for a statement that wrote. */
export function writeDifference(result: CollectedResult, expected: Written): string | undefined {
  if (result.rowCount !== expected.count) return `${result.rowCount} rows changed instead of ${expected.count}`
  return difference(referenceRows(result), expected.rows, undefined)
}

function multisetDifference(actual: Rows, expected: Rows): string | undefined {
  const [ours, theirs] = [sorted(actual), sorted(expected)]
  const missing: (readonly ReferenceValue[])[] = []
  const extra: (readonly ReferenceValue[])[] = []
  for (const [i, row] of ours.entries()) {
    if (equalRows(row, theirs[i]!)) continue
    extra.push(row)
    missing.push(theirs[i]!)
  }
  // Neighbours may have changed places where a double is a little off.
  const unmatched = extra.filter((row) => {
    const at = missing.findIndex((other) => equalRows(row, other))
    if (at >= 0) missing.splice(at, 1)
    return at < 0
  })
  return unmatched.length === 0 ? undefined : `${unmatched.length} of ${actual.length} rows are wrong\n${sample(unmatched, missing)}`
}

const textOf = (value: ReferenceValue): string => (typeof value === 'bigint' || typeof value === 'number' ? Number(value).toPrecision(9) : String(value))

/** Rows that are equal but for the last digits of a double stand at the same place or near it. */
function sorted(rows: Rows): Rows {
  const keyed = rows.map((row) => ({ row, key: row.map(textOf).join('\u0001') }))
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row)
}

const show = (row: readonly ReferenceValue[]): string => `(${row.map((value) => (typeof value === 'bigint' ? `${value}` : typeof value === 'number' && Number.isInteger(value) ? `${value}.0` : JSON.stringify(value) ?? String(value))).join(', ')})`
const sample = (actual: Rows, expected: Rows): string => `  lsmt:   ${actual.slice(0, 8).map(show).join(' ')}\n  SQLite: ${expected.slice(0, 8).map(show).join(' ')}`
