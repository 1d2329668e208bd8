/** Names a statement can use: one table and its columns. */
import type { Engine } from '../../engine/engine.ts'
import { visibleOrdinals } from '../../engine/schema.ts'
import type { ColumnSchema, TableSchema } from '../../engine/schema.ts'
import type { Name } from '../syntax/names.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { PlanTerm } from '../plan-term.ts'
import type { ColumnRef, TableRef, Term } from '../statement.ts'

export interface Scope {
  readonly table: TableSchema
  /** What columns may be qualified with. */
  readonly alias: string
  readonly origin: Origin
}

export function findTable(catalog: Pick<Engine, 'table'>, name: Name, origin: Origin): TableSchema {
  const table = catalog.table(name.name)
  if (table === undefined) throw errorAt(origin, name.tokenIndex, '42P01', `table "${name.name}" does not exist`)
  return table
}

export function scopeOf(catalog: Pick<Engine, 'table'>, ref: TableRef, origin: Origin): Scope {
  return { table: findTable(catalog, ref.name, origin), alias: (ref.alias ?? ref.name).name, origin }
}

/** All columns that a user can name. */
export function visibleColumns(table: TableSchema): readonly ColumnSchema[] {
  return visibleOrdinals(table).map((ordinal) => table.columns[ordinal]!)
}

export function checkQualifier(scope: Scope, table: Name | undefined): void {
  if (table === undefined || table.name === scope.alias) return
  throw errorAt(scope.origin, table.tokenIndex, '42P01', `there is no "${table.name}" in FROM`)
}

/** The column's ordinal; 42703 when the table has none of that name. */
export function findColumn(scope: Scope, ref: ColumnRef): number {
  checkQualifier(scope, ref.table)
  const { columns, hiddenKey } = scope.table
  const ordinal = columns.findIndex((column, at) => column.name === ref.name.name && column.dropped !== true && !(hiddenKey && at === 0))
  if (ordinal < 0) throw errorAt(scope.origin, ref.name.tokenIndex, '42703', `column "${ref.name.name}" does not exist in table "${scope.table.name}"`)
  return ordinal
}

export function bindTerm(scope: Scope, term: Term): PlanTerm {
  const ordinal = findColumn(scope, term.column)
  const column = scope.table.columns[ordinal]!
  switch (term.kind) {
    case 'nullTest':
      return { ordinal, column, comparison: term.comparison }
    case 'compare':
      return { ordinal, column, comparison: term.comparison, operand: term.operand }
    case 'in':
      throw errorAt(scope.origin, term.column.name.tokenIndex, '0A000', 'IN is supported only on the whole primary key in UPDATE and DELETE')
  }
}
