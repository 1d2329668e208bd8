/** ALTER TABLE as a step from schema to schema; pure. Ordinals never change and are never used twice. */
import { LsmtError } from '../../errors.ts'
import { checkValue } from '../check-value.ts'
import type { EngineValue, TableChange } from '../engine.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import { checkTypes, columnsMax, droppedColumnName, hiddenKeyName } from './new-table.ts'

/** 42701, 42703, 22023 and 0A000 as Engine.alterTable says; whether a table's name is free is the catalog's to know. */
export function alteredTable(table: TableSchema, change: TableChange): TableSchema {
  switch (change.kind) {
    case 'addColumn':
      return addColumn(table, change.column, change.missing ?? null)
    case 'dropColumn':
      return dropColumn(table, columnOf(table, change.column))
    case 'renameColumn':
      checkFree(table, change.to)
      return withColumn(table, columnOf(table, change.column), (column) => ({ ...column, name: change.to }))
    case 'setDefault':
      return withColumn(table, columnOf(table, change.column), ({ name, type, notNull }) => ({ name, type, notNull, ...(change.default !== undefined && { default: change.default }) }))
    case 'dropNotNull':
      return dropNotNull(table, columnOf(table, change.column))
    case 'renameTable':
      if (change.to === '') throw new LsmtError('22023', 'a table needs a name')
      return { ...table, name: change.to }
  }
}

function addColumn(table: TableSchema, column: ColumnSchema, missing: EngineValue): TableSchema {
  checkFree(table, column.name)
  checkTypes([column])
  if (table.columns.length >= columnsMax) throw new LsmtError('22023', `table "${table.name}" has had ${table.columns.length} columns, more are not possible`)
  if (column.notNull && missing === null) throw new LsmtError('0A000', `adding column "${column.name}" as NOT NULL without a default is not supported: rows that are there have no value for it`)
  checkValue(table, column, missing)
  return { ...table, columns: [...table.columns, column] }
}

function dropColumn(table: TableSchema, ordinal: number): TableSchema {
  const { name, columns, primaryKey, hiddenKey } = table
  if (primaryKey.includes(ordinal)) throw new LsmtError('0A000', `column "${columns[ordinal]!.name}" is part of the primary key of table "${name}": dropping it is not supported`)
  const left = columns.filter((column, at) => column.dropped !== true && at !== ordinal && !(hiddenKey && at === 0))
  if (left.length === 0) throw new LsmtError('0A000', `dropping the last column of table "${name}" is not supported`)
  return withColumn(table, ordinal, ({ type }) => ({ name: droppedColumnName, type, notNull: false, dropped: true }))
}

function dropNotNull(table: TableSchema, ordinal: number): TableSchema {
  if (table.primaryKey.includes(ordinal)) throw new LsmtError('22023', `column "${table.columns[ordinal]!.name}" is part of the primary key of table "${table.name}" and cannot be null`)
  return withColumn(table, ordinal, (column) => ({ ...column, notNull: false }))
}

function withColumn(table: TableSchema, ordinal: number, change: (column: ColumnSchema) => ColumnSchema): TableSchema {
  return { ...table, columns: table.columns.with(ordinal, change(table.columns[ordinal]!)) }
}

function columnOf(table: TableSchema, name: string): number {
  const ordinal = table.columns.findIndex((column) => column.name === name && name !== hiddenKeyName)
  if (ordinal < 0) throw new LsmtError('42703', `column "${name}" of table "${table.name}" does not exist`)
  return ordinal
}

function checkFree(table: TableSchema, name: string): void {
  if (name === hiddenKeyName) throw new LsmtError('22023', `a column of table "${table.name}" has no name`)
  if (table.columns.some((column) => column.name === name)) throw new LsmtError('42701', `column "${name}" of table "${table.name}" already exists`)
}
