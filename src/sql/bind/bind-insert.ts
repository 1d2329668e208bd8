/** INSERT and UPSERT to plans. */
import { invariant, LsmtError } from '../../errors.ts'
import type { WriteMode } from '../../engine/engine.ts'
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { ColumnType, TableSchema } from '../../engine/schema.ts'
import type { Literals } from '../expression/literal.ts'
import { planQuery } from '../query/plan-query.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { InsertPlan, SetPlan } from '../plan.ts'
import type { Name } from '../syntax/names.ts'
import type { Insert, OnConflict } from '../syntax/write/write-statement.ts'
import { assignTo } from '../value/assign.ts'
import { assignValueTo } from '../value/assign-value.ts'
import type { AssignValue } from '../value/assign-value.ts'
import type { Catalog } from './catalog.ts'
import { defaultValue } from './column-default.ts'
import { bindReturning, bindSets } from './row-value.ts'
import { scopeOf } from './scope.ts'
import type { Scope } from './scope.ts'

export function bindInsert(statement: Insert, catalog: Catalog, origin: Origin, literals: Literals): InsertPlan {
  const scope = scopeOf(catalog, statement.table, origin)
  const { table } = scope
  const targets = bindTargets(scope, statement.columns)
  const tuples = bindTuples(statement)
  const plan = statement.source.kind === 'query' ? planQuery(statement.source.query.query, catalog, origin, literals) : undefined
  const width = plan === undefined ? tuples[0]!.length : plan.output.length
  if (tuples.some((tuple) => tuple.length !== width)) throw new LsmtError('42601', 'VALUES lists must all be of the same length')
  if (width > targets.length || (width < targets.length && statement.columns !== undefined && statement.source.kind !== 'defaults')) {
    throw errorAt(origin, statement.table.name.tokenIndex, '42601', `INSERT has ${width} values for ${targets.length} columns`)
  }
  const first = table.hiddenKey ? 1 : 0
  const sources = table.columns.slice(first).map((column, position) => {
    const index = targets.indexOf(position + first)
    return { index: index < width ? index : -1, assign: assignTo(column), default: defaultValue(column) }
  })
  const query = plan && { plan, assign: plan.output.map(({ type }, index) => assignColumn(scope, targets[index]!, type)) }
  return { kind: 'insert', table, query, tuples, sources, ...bindConflict(scope, statement, literals), returning: bindReturning(scope, statement.returning) }
}

/** Ordinals in the order in which values are given. */
function bindTargets({ table, origin }: Scope, names: readonly Name[] | undefined): readonly number[] {
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
function assignColumn({ table, origin }: Scope, ordinal: number, type: ColumnType): AssignValue {
  const column = table.columns[ordinal]!
  const assign = assignValueTo(column, type)
  if (assign === undefined) throw errorAt(origin, -1, '42804', `column "${column.name}" is of type ${typeName(column.type)} but the query gives ${typeName(type)}`)
  return assign
}

function bindTuples({ source }: Insert): InsertPlan['tuples'] {
  if (source.kind === 'query') return []
  if (source.kind === 'defaults') return [[]]
  return source.tuples.map((tuple) =>
    tuple.map((value) => {
      invariant(value.kind === 'operand' || value.kind === 'default', 'an expression stands in VALUES')
      return value.kind === 'default' ? undefined : value.operand
    }),
  )
}

function bindConflict(scope: Scope, { upsert, onConflict }: Insert, literals: Literals): { readonly mode: WriteMode; readonly onConflict: readonly SetPlan[] | undefined } {
  const { table, origin } = scope
  if (upsert && table.hiddenKey) throw errorAt(origin, 0, '0A000', `UPSERT INTO table "${table.name}" is not supported: it has no primary key`)
  if (upsert) return { mode: 'upsert', onConflict: undefined }
  if (onConflict === undefined) return { mode: table.onInsert === 'upsert' ? 'upsert' : 'insert', onConflict: undefined }
  checkTarget(table, onConflict, origin)
  const { update } = onConflict
  // Rows under a hidden key never meet each other.
  if (update === undefined) return { mode: table.hiddenKey ? 'insert' : 'insert-or-ignore', onConflict: undefined }
  return { mode: 'insert', onConflict: bindSets(scope, update, true, literals) }
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
