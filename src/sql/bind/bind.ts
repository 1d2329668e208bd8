/** Statements to plans: names and types resolved against the catalog. Errors say where in the text the name stands. */
import { LsmtError } from '../../errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { ColumnSchema, TableSchema } from '../../engine/schema.ts'
import { assignTo } from '../value/assign.ts'
import { bindSelect } from './bind-select.ts'
import type { Name } from '../syntax/names.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { DeletePlan, InsertPlan, KeyPlan, Plan, UpdatePlan } from '../plan.ts'
import { bindTerm, findColumn, findTable, scopeOf, visibleColumns } from './scope.ts'
import type { Scope } from './scope.ts'
import type { CreateTable, Delete, Insert, Operand, Statement, Term, Update } from '../statement.ts'

export type Catalog = Pick<Engine, 'table' | 'tables' | 'catalogVersion'>

/** 42P01, 42703, 42P07, 42701, 42804, 42601 and 0A000 as names and types demand. */
export function bindStatement(statement: Statement, catalog: Catalog, origin: Origin): Plan {
  switch (statement.kind) {
    case 'createTable':
      return bindCreate(statement, catalog, origin)
    case 'dropTable':
      return bindDrop(statement.tables, statement.ifExists, catalog, origin)
    case 'showTables':
      return { kind: 'showTables' }
    case 'insert':
      return bindInsert(statement, catalog, origin)
    case 'update':
      return bindUpdate(statement, catalog, origin)
    case 'delete':
      return bindDelete(statement, catalog, origin)
    case 'select':
      return bindSelect(statement, catalog, origin)
  }
}

function bindCreate(statement: CreateTable, catalog: Catalog, origin: Origin): Plan {
  const { name, ifNotExists, columns, onInsert } = statement
  if (!ifNotExists && catalog.table(name.name) !== undefined) throw errorAt(origin, name.tokenIndex, '42P07', `table "${name.name}" already exists`)
  const ordinals = new Map<string, number>()
  for (const [ordinal, column] of columns.entries()) {
    if (ordinals.has(column.name.name)) throw errorAt(origin, column.name.tokenIndex, '42701', `column "${column.name.name}" stands twice`)
    ordinals.set(column.name.name, ordinal)
  }
  const primaryKey = bindKeyColumns(statement.primaryKey, ordinals, origin)
  if (onInsert === 'upsert' && primaryKey.length === 0) throw errorAt(origin, name.tokenIndex, '22023', "insert = 'upsert' needs a table with a primary key")
  const schemas = columns.map((column, ordinal) => ({ name: column.name.name, type: column.type, notNull: column.notNull || primaryKey.includes(ordinal) }))
  return { kind: 'createTable', ifNotExists, table: { name: name.name, columns: schemas, primaryKey, onInsert } }
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

function bindDrop(tables: readonly Name[], ifExists: boolean, catalog: Catalog, origin: Origin): Plan {
  const names = new Set<string>()
  for (const name of tables) {
    if (catalog.table(name.name) !== undefined) names.add(name.name)
    else if (!ifExists) throw errorAt(origin, name.tokenIndex, '42P01', `table "${name.name}" does not exist`)
  }
  if (names.size > 1) throw errorAt(origin, tables[1]!.tokenIndex, '0A000', 'dropping several tables in one statement is not supported')
  return { kind: 'dropTable', names: [...names] }
}

function bindInsert(statement: Insert, catalog: Catalog, origin: Origin): InsertPlan {
  const table = findTable(catalog, statement.table, origin)
  const columns = visibleColumns(table)
  const targets = statement.columns === undefined ? columns.map((_, position) => position) : bindTargets(table, columns, statement.columns, origin)
  const width = statement.tuples[0]!.length
  if (statement.tuples.some((tuple) => tuple.length !== width)) throw new LsmtError('42601', 'VALUES lists must all be of the same length')
  if (width > targets.length) throw errorAt(origin, statement.table.tokenIndex, '42601', `INSERT has ${width} values for ${targets.length} columns`)
  if (width < targets.length && statement.columns !== undefined) throw errorAt(origin, statement.table.tokenIndex, '42601', `INSERT has ${width} values for ${targets.length} columns`)
  const sources = columns.map((column, position) => {
    const index = targets.indexOf(position)
    return { index: index < width ? index : -1, assign: assignTo(column) }
  })
  return { kind: 'insert', table, mode: table.onInsert === 'upsert' ? 'upsert' : 'insert', tuples: statement.tuples, sources }
}

/** Positions among the visible columns that the column list names. */
function bindTargets(table: TableSchema, columns: readonly ColumnSchema[], names: readonly Name[], origin: Origin): readonly number[] {
  const targets: number[] = []
  for (const { name, tokenIndex } of names) {
    const position = columns.findIndex((column) => column.name === name)
    if (position < 0) throw errorAt(origin, tokenIndex, '42703', `column "${name}" of table "${table.name}" does not exist`)
    if (targets.includes(position)) throw errorAt(origin, tokenIndex, '42701', `column "${name}" stands twice`)
    targets.push(position)
  }
  return targets
}

function bindUpdate(statement: Update, catalog: Catalog, origin: Origin): UpdatePlan {
  const scope = scopeOf(catalog, statement.table, origin)
  const sets = statement.sets.map(({ column: name, operand }) => {
    const ordinal = findColumn(scope, { name })
    return { ordinal, operand, assign: assignTo(scope.table.columns[ordinal]!) }
  })
  const again = sets.findIndex(({ ordinal }, index) => sets.findIndex((set) => set.ordinal === ordinal) < index)
  if (again >= 0) throw errorAt(origin, statement.sets[again]!.column.tokenIndex, '42601', `column "${statement.sets[again]!.column.name}" is set twice`)
  return { kind: 'update', sets, ...bindKeys(scope, statement.where, 'UPDATE') }
}

function bindDelete(statement: Delete, catalog: Catalog, origin: Origin): DeletePlan {
  return { kind: 'delete', ...bindKeys(scopeOf(catalog, statement.table, origin), statement.where, 'DELETE') }
}

/** The whole primary key by equality, one of its columns perhaps by a list; 0A000 for every other condition. */
function bindKeys(scope: Scope, where: readonly Term[], statement: string): KeyPlan {
  const { table, origin } = scope
  const operandsOf = new Map<number, readonly Operand[]>()
  for (const term of where) {
    const ordinal = findColumn(scope, term.column)
    const operands = keyOperands(term)
    if (operands === undefined || operandsOf.has(ordinal) || !table.primaryKey.includes(ordinal) || table.hiddenKey) throw keyOnly(scope, statement, term.column.name.tokenIndex)
    if (term.kind === 'compare') bindTerm(scope, term)
    operandsOf.set(ordinal, operands)
  }
  if (table.hiddenKey || operandsOf.size !== table.primaryKey.length) throw keyOnly(scope, statement, 0)
  const keys = table.primaryKey.map((ordinal) => ({ column: table.columns[ordinal]!, operands: operandsOf.get(ordinal)! }))
  if (keys.filter(({ operands }) => operands.length > 1).length > 1) throw errorAt(origin, 0, '0A000', `${statement} with several IN lists is not supported`)
  return { table, keys }
}

function keyOperands(term: Term): readonly Operand[] | undefined {
  if (term.kind === 'in') return term.operands
  return term.kind === 'compare' && term.comparison === 'eq' ? [term.operand] : undefined
}

function keyOnly(scope: Scope, statement: string, tokenIndex: number): LsmtError {
  const { table, origin } = scope
  if (table.hiddenKey) return errorAt(origin, tokenIndex, '0A000', `${statement} of a table without a primary key is not supported`)
  const key = table.primaryKey.map((ordinal) => `"${table.columns[ordinal]!.name}"`).join(', ')
  return errorAt(origin, tokenIndex, '0A000', `${statement} with a WHERE other than equality on the whole primary key (${key}) is not supported`)
}
