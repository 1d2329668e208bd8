/** INSERT and UPSERT to plans. */
import { LsmtError } from '../../errors.ts'
import type { EngineValue, WriteMode } from '../../engine/engine.ts'
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { ColumnType, TableSchema } from '../../engine/schema.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import { planQuery } from '../query/plan-query.ts'
import { rowWork } from '../query/rows/row-work.ts'
import { visibleOf } from '../query/scope.ts'
import type { StatementContext } from '../query/scope.ts'
import { conjuncts } from '../query/terms.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { ChangePlan, ComputedTuples, InsertPlan, RowValue } from '../plan.ts'
import type { Name } from '../syntax/names.ts'
import type { Insert, OnConflict, WrittenValue } from '../syntax/write/write-statement.ts'
import { assignTo } from '../value/assign.ts'
import { assignValueTo } from '../value/assign-value.ts'
import type { AssignValue } from '../value/assign-value.ts'
import { changePlan } from './bind-change.ts'
import { columnDefault } from './column-default.ts'
import { asksSubqueries, bindReturning, bindSets, bindValue, workedOut } from './row-value.ts'
import { bindTarget, excluded, expressionsIn, proposedLeaf, scopeOver } from './target.ts'
import type { Target } from './target.ts'

export function bindInsert(statement: Insert, context: StatementContext): InsertPlan {
  const { catalog, origin, literals } = context
  const { source, columns, returning } = statement
  const target = bindTarget(context, statement.table)
  const { table } = target
  const targets = bindTargets(target, origin, columns)
  const tuples = source.kind === 'values' ? source.tuples : source.kind === 'defaults' ? [[]] : []
  const plan = source.kind === 'query' ? planQuery(source.query, catalog, origin, literals) : undefined
  const width = plan === undefined ? tuples[0]!.length : plan.output.length
  if (tuples.some((tuple) => tuple.length !== width)) throw new LsmtError('42601', 'VALUES lists must all be of the same length')
  if (width > targets.length || (width < targets.length && columns !== undefined && source.kind !== 'defaults')) {
    throw errorAt(origin, statement.table.name.tokenIndex, '42601', `INSERT has ${width} values for ${targets.length} columns`)
  }
  const first = table.hiddenKey ? 1 : 0
  const clockDefaults = new Map<number, (nowMicros: number) => EngineValue>()
  const sources = table.columns.slice(first).map((column, position) => {
    const index = targets.indexOf(position + first)
    const found = columnDefault(column)
    if (found.kind === 'clock') clockDefaults.set(position, found.valueAt)
    return { index: index < width ? index : -1, assign: assignTo(column), default: found.kind === 'value' ? found.value : null }
  })
  const query = plan && { plan, assign: plan.output.map(({ type }, index) => assignColumn(target, origin, targets[index]!, type)) }
  const given = tuples.every(isPlain) ? { tuples: tuples.map(plainTuple), computed: undefined } : { tuples: [], computed: bindComputed(context, target, targets, tuples) }
  return { kind: 'insert', table, query, ...given, sources, clockDefaults, ...bindConflict(context, target, statement), returning: bindReturning(context, statement.table, returning) }
}

/** Ordinals in the order in which values are given. */
function bindTargets({ table }: Target, origin: Origin, names: readonly Name[] | undefined): readonly number[] {
  const visible = visibleOrdinals(table)
  if (names === undefined) return visible
  const targets: number[] = []
  for (const { name, tokenIndex } of names) {
    const ordinal = visible.find((each) => table.columns[each]!.name === name)
    if (ordinal === undefined) throw errorAt(origin, tokenIndex, '42703', `column "${name}" of table "${table.name}" does not exist`)
    if (targets.includes(ordinal)) throw errorAt(origin, tokenIndex, '42701', `column "${name}" stands twice`)
    targets.push(ordinal)
  }
  return targets
}

/** How a column of the query is assigned; 42804 when it is not. */
function assignColumn({ table }: Target, origin: Origin, ordinal: number, type: ColumnType): AssignValue {
  const column = table.columns[ordinal]!
  const assign = assignValueTo(column, type)
  if (assign === undefined) throw errorAt(origin, -1, '42804', `column "${column.name}" is of type ${typeName(column.type)} but the query gives ${typeName(type)}`)
  return assign
}

/** Literals and parameters only: these go to their columns without meeting an expression. */
function isPlain(tuple: readonly WrittenValue[]): boolean {
  return tuple.every((value) => value.kind === 'default' || value.expression.kind === 'operand')
}

function plainTuple(tuple: readonly WrittenValue[]): InsertPlan['tuples'][number] {
  return tuple.map((value) => (value.kind === 'expression' && value.expression.kind === 'operand' ? value.expression.operand : undefined))
}

function bindComputed(context: StatementContext, { table }: Target, targets: readonly number[], tuples: readonly (readonly WrittenValue[])[]): ComputedTuples {
  const expressions = expressionsIn(scopeOver(context, [], []), 'VALUES')
  const bound = tuples.map((tuple) => tuple.map((value, index) => (value.kind === 'default' ? undefined : bindValue(expressions, table.columns[targets[index]!]!, value))))
  const values = bound.flat().filter((value) => value !== undefined)
  if (!asksSubqueries(values)) return { tuples: bound, work: undefined }
  const worked = workedOut(values, (computed) => rowWork([], undefined, [], computed))
  let next = 0
  return { tuples: bound.map((tuple) => tuple.map((value): RowValue | undefined => value && worked.values[next++]!)), work: worked.work }
}

function bindConflict(context: StatementContext, target: Target, { upsert, onConflict }: Insert): { readonly mode: WriteMode; readonly onConflict: ChangePlan | undefined } {
  const { table } = target
  const { origin } = context
  if (upsert && table.hiddenKey) throw errorAt(origin, 0, '0A000', `UPSERT INTO table "${table.name}" is not supported: it has no primary key`)
  if (upsert) return { mode: 'upsert', onConflict: undefined }
  if (onConflict === undefined) return { mode: table.onInsert === 'upsert' ? 'upsert' : 'insert', onConflict: undefined }
  checkTarget(table, onConflict, origin)
  const { update } = onConflict
  // Rows under a hidden key never meet each other.
  if (update === undefined) return { mode: table.hiddenKey ? 'insert' : 'insert-or-ignore', onConflict: undefined }
  if (target.leaf.alias === excluded) throw errorAt(origin, target.name.tokenIndex, '42P01', `"${excluded}" is the table as well as the row that is proposed`, 'give the table another name with AS')
  const leaves = [target.leaf, proposedLeaf(target)]
  const scope = scopeOver(context, leaves, visibleOf(target.leaf))
  const conditions = update.where === undefined ? [] : conjuncts(update.where).map((each) => bindCondition(expressionsIn(scope, 'WHERE'), each, 'WHERE'))
  return { mode: 'insert', onConflict: changePlan(leaves, undefined, conditions, bindSets(target, expressionsIn(scope, 'SET'), update.sets)) }
}

/** The primary key is the only thing that rows can be in conflict over. */
function checkTarget(table: TableSchema, { target, update, tokenIndex: at }: OnConflict, origin: Origin): void {
  if (target === undefined && update === undefined) return
  if (target === undefined) throw errorAt(origin, at, '42601', 'ON CONFLICT DO UPDATE needs the columns of the primary key', 'write ON CONFLICT (key) DO UPDATE')
  const key = table.hiddenKey ? [] : table.primaryKey.map((ordinal) => table.columns[ordinal]!.name)
  for (const { name, tokenIndex } of target) {
    if (!table.columns.some((column) => column.name === name)) throw errorAt(origin, tokenIndex, '42703', `column "${name}" of table "${table.name}" does not exist`)
  }
  const named = new Set(target.map(({ name }) => name))
  if (named.size !== key.length || key.some((name) => !named.has(name))) throw errorAt(origin, at, '0A000', 'ON CONFLICT of anything but the whole primary key is not supported')
}
