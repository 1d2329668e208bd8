/** From what a caller asks for to a table's schema: every promise a schema makes is checked here once. */
import { LsmtError } from '../../errors.ts'
import type { NewTable } from '../engine.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'

/** The hidden key's name; no column a user declares can have it. */
export const hiddenKeyName = ''

/** What is left of the name of a dropped column. */
export const droppedColumnName = ''

const hiddenKeyColumn: ColumnSchema = { name: hiddenKeyName, type: { kind: 'bigint' }, notNull: true }

/** Columns a table may have; also the limit of a row's column count (u16). */
export const columnsMax = 4_096

/** The schema of a new table. 42701 duplicate column, 42703 unknown key column, 22023 what no table can be. */
export function tableSchema(table: NewTable, tableId: number): TableSchema {
  checkNames(table)
  checkTypes(table.columns)
  checkKey(table)
  const { name, onInsert } = table
  if (table.primaryKey.length === 0) {
    return { name, tableId, columns: [hiddenKeyColumn, ...table.columns], primaryKey: [0], hiddenKey: true, onInsert }
  }
  const columns = table.columns.map((column, ordinal) => (table.primaryKey.includes(ordinal) ? { ...column, notNull: true } : column))
  return { name, tableId, columns, primaryKey: [...table.primaryKey], hiddenKey: false, onInsert }
}

function checkNames(table: NewTable): void {
  if (table.name === '') throw new LsmtError('22023', 'a table needs a name')
  if (table.columns.length === 0) throw new LsmtError('22023', `table "${table.name}" needs at least one column`)
  if (table.columns.length > columnsMax) throw new LsmtError('22023', `table "${table.name}" has ${table.columns.length} columns, at most ${columnsMax} are possible`)
  const seen = new Set<string>()
  for (const { name } of table.columns) {
    if (name === hiddenKeyName) throw new LsmtError('22023', `a column of table "${table.name}" has no name`)
    if (seen.has(name)) throw new LsmtError('42701', `column "${name}" stands twice in table "${table.name}"`)
    seen.add(name)
  }
}

export function checkTypes(columns: readonly ColumnSchema[]): void {
  for (const { name, type } of columns) {
    if (type.kind === 'numeric' && !(type.precision >= 1 && type.precision <= 18 && type.scale >= 0 && type.scale <= type.precision)) {
      throw new LsmtError('22023', `column "${name}": NUMERIC(${type.precision},${type.scale}) is not possible; precision is 1 to 18 and scale 0 to the precision`)
    }
    if (type.kind === 'text' && type.lengthMax !== undefined && !(type.lengthMax >= 1)) {
      throw new LsmtError('22023', `column "${name}": VARCHAR(${type.lengthMax}) needs a length of at least 1`)
    }
  }
}

function checkKey(table: NewTable): void {
  const seen = new Set<number>()
  for (const ordinal of table.primaryKey) {
    const column = table.columns[ordinal]
    if (column === undefined) throw new LsmtError('42703', `the primary key of table "${table.name}" names column ${ordinal}, which is not there`)
    if (seen.has(ordinal)) throw new LsmtError('42701', `column "${column.name}" stands twice in the primary key of table "${table.name}"`)
    seen.add(ordinal)
  }
}
