/** Statements about tables to plans. */
import type { EngineRow, EngineValue, TableChange } from '../../engine/engine.ts'
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { ColumnSchema, TableSchema } from '../../engine/schema.ts'
import { errorAt, unknownTable } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { AlterTablePlan, Plan, ResultColumn, RowDefault, ShowPlan } from '../plan.ts'
import type { Name } from '../syntax/names.ts'
import type { AlterStep, AlterTable, ColumnDefinition, CreateTable } from '../syntax/table/table-statement.ts'
import type { Catalog } from './catalog.ts'
import { checkDefault } from './column-default.ts'
import { createTableText } from './create-table-text.ts'
import { findTable } from './scope.ts'

export function bindCreate(statement: CreateTable, catalog: Catalog, origin: Origin): Plan {
  const { name, ifNotExists, columns, onInsert } = statement
  if (!ifNotExists && catalog.table(name.name) !== undefined) throw errorAt(origin, name.tokenIndex, '42P07', `table "${name.name}" already exists`)
  const ordinals = new Map<string, number>()
  for (const [ordinal, column] of columns.entries()) {
    if (ordinals.has(column.name.name)) throw errorAt(origin, column.name.tokenIndex, '42701', `column "${column.name.name}" stands twice`)
    ordinals.set(column.name.name, ordinal)
  }
  const primaryKey = bindKeyColumns(statement.primaryKey, ordinals, origin)
  if (onInsert === 'upsert' && primaryKey.length === 0) throw errorAt(origin, name.tokenIndex, '22023', "insert = 'upsert' needs a table with a primary key")
  const schemas = columns.map((column, ordinal) => columnSchema(column, column.notNull || primaryKey.includes(ordinal), origin))
  return { kind: 'createTable', ifNotExists, table: { name: name.name, columns: schemas, primaryKey, onInsert } }
}

function columnSchema({ name, type, default: given }: ColumnDefinition, notNull: boolean, origin: Origin): ColumnSchema {
  if (given === undefined) return { name: name.name, type, notNull }
  const column = { name: name.name, type, notNull, default: given.text }
  checkDefault(column, given, origin)
  return column
}

function bindKeyColumns(names: readonly Name[], ordinals: ReadonlyMap<string, number>, origin: Origin): readonly number[] {
  const key: number[] = []
  for (const { name, tokenIndex } of names) {
    const ordinal = ordinals.get(name)
    if (ordinal === undefined) throw errorAt(origin, tokenIndex, '42703', `the primary key names column "${name}", which is not in the table`)
    if (key.includes(ordinal)) throw errorAt(origin, tokenIndex, '42701', `column "${name}" stands twice in the primary key`)
    key.push(ordinal)
  }
  return key
}

export function bindDrop(tables: readonly Name[], ifExists: boolean, catalog: Catalog, origin: Origin): Plan {
  const names = new Set<string>()
  for (const name of tables) {
    if (catalog.table(name.name) !== undefined) names.add(name.name)
    else if (!ifExists) throw unknownTable(origin, name)
  }
  if (names.size > 1) throw errorAt(origin, tables[1]!.tokenIndex, '0A000', 'dropping several tables in one statement is not supported')
  return { kind: 'dropTable', names: [...names] }
}

export function bindAlter(statement: AlterTable, catalog: Catalog, origin: Origin): AlterTablePlan {
  const { name } = statement.table
  if (statement.ifExists && catalog.table(name) === undefined) return { kind: 'alterTable', name, change: undefined }
  const table = findTable(catalog, statement.table, origin)
  const { step } = statement
  if (step.kind !== 'addColumn') return { kind: 'alterTable', name, change: bindStep(table, step, catalog, origin) }
  return { kind: 'alterTable', name, ...addColumn(table, step, origin) }
}

/** What else can be wrong with a change the engine knows; the errors that are looked for here say where. */
function bindStep(table: TableSchema, step: Exclude<AlterStep, { kind: 'addColumn' }>, catalog: Catalog, origin: Origin): TableChange | undefined {
  switch (step.kind) {
    case 'dropColumn':
      if (step.ifExists && columnNamed(table, step.column) === undefined) return undefined
      return { kind: 'dropColumn', column: existing(table, step.column, origin).name }
    case 'renameColumn':
      if (columnNamed(table, step.to) !== undefined) throw columnExists(table, step.to, origin)
      return { kind: 'renameColumn', column: existing(table, step.column, origin).name, to: step.to.name }
    case 'dropNotNull':
      return { kind: 'dropNotNull', column: existing(table, step.column, origin).name }
    case 'setDefault': {
      const column = existing(table, step.column, origin)
      if (step.default !== undefined) checkDefault({ ...column, default: step.default.text }, step.default, origin)
      return { kind: 'setDefault', column: column.name, default: step.default?.text }
    }
    case 'renameTable':
      if (catalog.table(step.to.name) !== undefined) throw errorAt(origin, step.to.tokenIndex, '42P07', `table "${step.to.name}" already exists`)
      return { kind: 'renameTable', to: step.to.name }
  }
}

/** Rows that are there have the default that the column is added with, whatever becomes of it later. */
function addColumn(table: TableSchema, { column, ifNotExists }: Extract<AlterStep, { kind: 'addColumn' }>, origin: Origin): Pick<AlterTablePlan, 'change' | 'missing'> {
  const { name, default: given } = column
  if (columnNamed(table, name) !== undefined) {
    if (ifNotExists) return { change: undefined }
    throw columnExists(table, name, origin)
  }
  const schema = columnSchema(column, column.notNull, origin)
  const missing: RowDefault = given === undefined ? { kind: 'value', value: null } : checkDefault(schema, given, origin)
  if (column.notNull && missing.kind === 'value' && missing.value === null) throw errorAt(origin, name.tokenIndex, '0A000', 'ADD COLUMN with NOT NULL and no DEFAULT is not supported: rows that are there have no value for it')
  return { change: { kind: 'addColumn', column: schema }, missing }
}

function columnNamed(table: TableSchema, { name }: Name): ColumnSchema | undefined {
  return visibleOrdinals(table).map((ordinal) => table.columns[ordinal]!).find((column) => column.name === name)
}

function existing(table: TableSchema, name: Name, origin: Origin): ColumnSchema {
  const column = columnNamed(table, name)
  if (column === undefined) throw errorAt(origin, name.tokenIndex, '42703', `column "${name.name}" of table "${table.name}" does not exist`)
  return column
}

function columnExists(table: TableSchema, name: Name, origin: Origin): Error {
  return errorAt(origin, name.tokenIndex, '42701', `column "${name.name}" of table "${table.name}" already exists`)
}

const text = { kind: 'text' } as const

export function showTables(catalog: Catalog): ShowPlan {
  const names = catalog.tables().map((table) => table.name)
  return show([{ name: 'name', type: text }], names.toSorted().map((name) => [name]))
}

/** `key` is the column's place in the primary key, from 1. */
export function showColumns(table: TableSchema): ShowPlan {
  const output: readonly ResultColumn[] = [{ name: 'name', type: text }, { name: 'type', type: text }, { name: 'nullable', type: { kind: 'boolean' } }, { name: 'key', type: { kind: 'integer' } }, { name: 'default', type: text }]
  return show(output, visibleOrdinals(table).map((ordinal): readonly EngineValue[] => {
    const { name, type, notNull, default: given } = table.columns[ordinal]!
    const place = table.primaryKey.indexOf(ordinal)
    return [name, typeName(type), notNull ? 0 : 1, place < 0 ? null : place + 1, given ?? null]
  }))
}

export function showCreate(table: TableSchema): ShowPlan {
  return show([{ name: 'table', type: text }, { name: 'definition', type: text }], [[table.name, createTableText(table)]])
}

function show(output: readonly ResultColumn[], rows: readonly EngineRow[]): ShowPlan {
  return { kind: 'show', output, rows }
}
