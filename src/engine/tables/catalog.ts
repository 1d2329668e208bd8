/**
 * The catalog: which tables there are. It is rows of a system table in shard 0, one a table: key name, value the
 * schema as JSON. One more row, under the empty name that no table can have, keeps the next table id, so that an id
 * is never used twice. Definitions that this version cannot read are refused (XX002), never guessed.
 */
import { corruption, LsmtError } from '../../errors.ts'
import type { EngineRow } from '../engine.ts'
import { droppedColumnName, hiddenKeyName } from './new-table.ts'
import { physicalKind } from '../schema.ts'
import type { ColumnSchema, ColumnType, TableSchema } from '../schema.ts'
import type { NewTable } from '../engine.ts'

export const definitionVersion = 1
export const firstUserTableId = 16

/** Where the catalog itself stands. */
export const catalogShard = 0
export const catalogTable: TableSchema = {
  name: 'catalog',
  tableId: 1,
  columns: [
    { name: 'name', type: { kind: 'text' }, notNull: true },
    { name: 'definition', type: { kind: 'text' }, notNull: true },
  ],
  primaryKey: [0],
  hiddenKey: false,
  onInsert: 'upsert',
}

/** The table that exists from the start. */
export const kvTable: NewTable = {
  name: 'kv',
  columns: [
    { name: 'key', type: { kind: 'text' }, notNull: true },
    { name: 'value', type: { kind: 'text' }, notNull: false },
  ],
  primaryKey: [0],
  onInsert: 'upsert',
}

const nextTableIdName = ''

/** The catalog's row of a table. */
export function tableRow(table: TableSchema): EngineRow {
  const { name, ...definition } = table
  return [name, JSON.stringify({ version: definitionVersion, ...definition })]
}

/** The catalog's row that keeps the next table id. */
export function nextTableIdRow(nextTableId: number): EngineRow {
  return [nextTableIdName, JSON.stringify({ version: definitionVersion, nextTableId })]
}

export interface CatalogContents {
  readonly tables: readonly TableSchema[]
  readonly nextTableId: number
}

/** What the catalog's rows say. */
export function readCatalog(rows: readonly EngineRow[]): CatalogContents {
  let nextTableId = firstUserTableId
  const tables: TableSchema[] = []
  for (const [name, definition] of rows) {
    const read = parseDefinition(String(name), String(definition))
    if (name === nextTableIdName) nextTableId = Math.max(nextTableId, expectNumber(String(name), read, 'nextTableId'))
    else tables.push(readTable(String(name), read))
  }
  return { tables, nextTableId: tables.reduce((next, table) => Math.max(next, table.tableId + 1), nextTableId) }
}

type Definition = Readonly<Record<string, unknown>>

function parseDefinition(name: string, text: string): Definition {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw broken(name, 'a definition in JSON', text)
  }
  if (typeof parsed !== 'object' || parsed === null) throw broken(name, 'an object', text)
  const definition = parsed as Definition
  if (definition['version'] !== definitionVersion) {
    throw new LsmtError('XX002', `the catalog defines table "${name}" in format ${String(definition['version'])}; this version reads ${definitionVersion}`)
  }
  return definition
}

function readTable(name: string, definition: Definition): TableSchema {
  const columns = expectArray(name, definition, 'columns').map((column) => readColumn(name, column))
  const primaryKey = expectArray(name, definition, 'primaryKey').map((ordinal) => {
    if (typeof ordinal !== 'number' || columns[ordinal] === undefined) throw broken(name, 'key ordinals of its columns', JSON.stringify(ordinal))
    return ordinal
  })
  const { onInsert, hiddenKey } = definition
  if (onInsert !== 'error' && onInsert !== 'upsert') throw broken(name, 'onInsert error or upsert', String(onInsert))
  if (typeof hiddenKey !== 'boolean' || hiddenKey !== (columns[0]?.name === hiddenKeyName && columns[0].dropped !== true)) throw broken(name, 'hiddenKey as its first column says', String(hiddenKey))
  return { name, tableId: expectNumber(name, definition, 'tableId'), columns, primaryKey, hiddenKey, onInsert }
}

function readColumn(table: string, column: unknown): ColumnSchema {
  const { name, type, notNull, default: given, dropped } = (column ?? {}) as Definition
  if (typeof name !== 'string' || typeof notNull !== 'boolean' || !isColumnType(type)) throw broken(table, 'columns with name, type and notNull', JSON.stringify(column))
  if ((given !== undefined && typeof given !== 'string') || (dropped !== undefined && (dropped !== true || name !== droppedColumnName))) throw broken(table, 'columns with a default in SQL, nameless when dropped', JSON.stringify(column))
  return { name, type, notNull, ...(given !== undefined && { default: given }), ...(dropped && { dropped }) }
}

function isColumnType(type: unknown): type is ColumnType {
  if (typeof type !== 'object' || type === null || physicalKind(type as ColumnType) === undefined) return false
  const { kind, precision, scale, lengthMax } = type as Definition
  if (kind === 'numeric') return typeof precision === 'number' && typeof scale === 'number'
  return lengthMax === undefined || typeof lengthMax === 'number'
}

function expectArray(table: string, definition: Definition, field: string): readonly unknown[] {
  const value = definition[field]
  if (!Array.isArray(value)) throw broken(table, `an array of ${field}`, JSON.stringify(value))
  return value
}

function expectNumber(table: string, definition: Definition, field: string): number {
  const value = definition[field]
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw broken(table, `a number as ${field}`, JSON.stringify(value))
  return value
}

function broken(table: string, expected: string, actual: string): LsmtError {
  return corruption('catalog', { file: 'catalog', block: `table "${table}"`, expected, actual })
}
