/** Sorted arrays of rows as the model engine keeps them: looked up, changed by copy, selected. */
import { checkRow } from '../../src/engine/check-value.ts'
import { checkKey, keyCodec } from '../../src/engine/codec/key-codec.ts'
import type { EnginePredicateTerm, EngineRow, EngineScan, KeyBound, WriteMode } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import { computedRows } from './model-expression.ts'
import { compareKeys, compareValues, matches } from './model-values.ts'

export function keyOf(schema: TableSchema, row: EngineRow): EngineRow {
  return schema.primaryKey.map((ordinal) => row[ordinal]!)
}

export function checkedKey(schema: TableSchema, key: EngineRow): EngineRow {
  return checkKey(keyCodec(schema), key)
}

export function position(schema: TableSchema, rows: readonly EngineRow[], key: EngineRow): { readonly index: number; readonly found: boolean } {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const order = compareKeys(keyOf(schema, rows[middle]!), key)
    if (order === 0) return { index: middle, found: true }
    if (order < 0) low = middle + 1
    else high = middle
  }
  return { index: low, found: false }
}

export function rowsByKey(schema: TableSchema, rows: readonly EngineRow[], keys: readonly EngineRow[]): readonly EngineRow[] {
  const found = new Set<EngineRow>()
  for (const key of keys) {
    const at = position(schema, rows, checkedKey(schema, key))
    if (at.found) found.add(rows[at.index]!)
  }
  return [...found]
}

export function insertRow(schema: TableSchema, rows: EngineRow[], row: EngineRow, mode: WriteMode): number {
  const at = position(schema, rows, keyOf(schema, row))
  if (at.found && mode === 'insert') throw duplicateKey(schema)
  if (at.found && mode === 'insert-or-ignore') return 0
  rows.splice(at.index, at.found ? 1 : 0, row)
  return 1
}

export function insertOrUpdateRow(schema: TableSchema, rows: EngineRow[], row: EngineRow, written: Set<EngineRow>, change: (existing: EngineRow, proposed: EngineRow, isWritten: boolean) => EngineRow | 'keep'): number {
  const at = position(schema, rows, keyOf(schema, row))
  if (!at.found) {
    const count = insertRow(schema, rows, row, 'insert')
    written.add(rows[at.index]!)
    return count
  }
  const existing = rows[at.index]!, becomes = change(existing, row, written.has(existing))
  if (becomes === 'keep') return 0
  const next = checkRow(schema, becomes)
  if (compareKeys(keyOf(schema, next), keyOf(schema, row)) !== 0) throw new LsmtError('0A000', `an INSERT that updates existing rows of table "${schema.name}" cannot change their primary key`)
  rows[at.index] = next
  written.add(next)
  return 1
}

export function updateRows(schema: TableSchema, before: readonly EngineRow[], keys: readonly EngineRow[], change: (row: EngineRow) => EngineRow | 'delete' | 'keep'): { rows: EngineRow[]; count: number } {
  const found = rowsByKey(schema, before, keys)
  const removed = new Set<EngineRow>()
  const added: EngineRow[] = []
  for (const row of found) {
    const becomes = change(row)
    if (becomes === 'keep') continue
    removed.add(row)
    if (becomes !== 'delete') added.push(checkRow(schema, becomes))
  }
  const rows = before.filter((row) => !removed.has(row))
  for (const row of added) insertRow(schema, rows, row, 'insert')
  return { rows, count: removed.size }
}

export function selectRows(rows: readonly EngineRow[], scan: EngineScan): readonly EngineRow[] {
  if (scan.signal?.aborted === true) throw scan.signal.reason instanceof LsmtError ? scan.signal.reason : new LsmtError('57014', 'the statement was cancelled')
  const selected = rows.filter((row) => inRange(scan.table, row, scan.lower, scan.upper) && scan.predicate.every((term: EnginePredicateTerm) => matches(row, term)))
  const matching = computedRows(scan, selected)
  const directed = scan.reverse === true ? matching.toReversed() : matching
  return scan.limit === undefined ? directed : directed.slice(0, scan.limit)
}

export function inRange(schema: TableSchema, row: EngineRow, lower: KeyBound | undefined, upper: KeyBound | undefined): boolean {
  const key = keyOf(schema, row)
  if (lower !== undefined) {
    const order = comparePrefix(key, lower)
    if (order < 0 || (order === 0 && !lower.inclusive)) return false
  }
  if (upper !== undefined) {
    const order = comparePrefix(key, upper)
    if (order > 0 || (order === 0 && !upper.inclusive)) return false
  }
  return true
}

function comparePrefix(key: EngineRow, bound: KeyBound): number {
  for (const [index, value] of bound.values.entries()) {
    const order = compareValues(key[index]!, value)
    if (order !== 0) return order
  }
  return 0
}

export function project(row: EngineRow, columns: readonly number[]): EngineRow {
  return columns.map((ordinal) => row[ordinal]!)
}

function duplicateKey(schema: TableSchema): LsmtError {
  return new LsmtError('23505', `duplicate key in table "${schema.name}"`)
}
