/** SELECT to a point read, a scan or an aggregate. */
import type { Engine, EngineAggregate } from '../../engine/engine.ts'
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import { aggregateType } from '../plan.ts'
import type { AggregatePlan, GetPlan, QueryPlan, ResultColumn } from '../plan.ts'
import type { PlanTerm } from '../plan-term.ts'
import { bindTerm, checkQualifier, findColumn, scopeOf, visibleColumns } from './scope.ts'
import type { Scope } from './scope.ts'
import type { OrderItem, Select, SelectItem } from '../statement.ts'

export function bindSelect(statement: Select, catalog: Pick<Engine, 'table'>, origin: Origin): QueryPlan {
  const scope = scopeOf(catalog, statement.table, origin)
  const terms = statement.where.map((term) => bindTerm(scope, term))
  if (statement.items.some((item) => item.kind === 'aggregate')) return bindAggregate(statement, scope, terms)
  const { ordinals, output } = bindItems(scope, statement.items)
  const { limit, offset } = statement
  const reverse = bindOrder(scope, statement, terms, ordinals, output)
  const { table } = scope
  const key = pointKey(table, terms)
  if (key !== undefined) return { kind: 'get', table, output, limit, offset, key, columns: ordinals }
  const columns = [...new Set(ordinals)]
  const projection = columns.length === ordinals.length ? undefined : ordinals.map((ordinal) => columns.indexOf(ordinal))
  return { kind: 'scan', table, output, limit, offset, terms, reverse, columns, projection }
}

interface Items {
  readonly ordinals: readonly number[]
  readonly output: readonly ResultColumn[]
}

function bindItems(scope: Scope, items: readonly SelectItem[]): Items {
  const ordinals: number[] = []
  const output: ResultColumn[] = []
  const { columns } = scope.table
  for (const item of items) {
    if (item.kind === 'star') {
      checkQualifier(scope, item.table)
      ordinals.push(...visibleOrdinals(scope.table))
      output.push(...visibleColumns(scope.table))
    } else if (item.kind === 'column') {
      const ordinal = findColumn(scope, item.column)
      ordinals.push(ordinal)
      output.push({ name: (item.alias ?? item.column.name).name, type: columns[ordinal]!.type })
    }
  }
  return { ordinals, output: output.map(({ name, type }) => ({ name, type })) }
}

/** The operands of equality on the whole primary key, when that is all of the condition. */
function pointKey(table: TableSchema, terms: readonly PlanTerm[]): GetPlan['key'] | undefined {
  const { primaryKey, hiddenKey } = table
  if (hiddenKey || terms.length !== primaryKey.length) return undefined
  const key = primaryKey.map((ordinal) => terms.find((term) => term.ordinal === ordinal && term.comparison === 'eq'))
  if (key.includes(undefined)) return undefined
  return key.map((term) => ({ column: term!.column, operand: term!.operand! }))
}

/**
 * Whether rows come in reverse key order. Rows are kept in the order of the primary key, so that is the one order
 * there is: columns that an equality holds fixed may be left out or named anywhere.
 */
function bindOrder(scope: Scope, statement: Select, terms: readonly PlanTerm[], ordinals: readonly number[], output: readonly ResultColumn[]): boolean {
  if (statement.orderBy.length === 0) return false
  const fixed = new Set(terms.filter((term) => term.comparison === 'eq').map((term) => term.ordinal))
  const rest = scope.table.hiddenKey ? [] : scope.table.primaryKey.filter((ordinal) => !fixed.has(ordinal))
  let descending: boolean | undefined
  let next = 0
  for (const item of statement.orderBy) {
    const ordinal = orderOrdinal(scope, item, ordinals, output)
    if (fixed.has(ordinal) || (next > 0 && (next === rest.length || rest.slice(0, next).includes(ordinal)))) continue
    if (ordinal !== rest[next] || (descending !== undefined && descending !== item.descending)) throw notKeyOrder(scope, item)
    descending = item.descending
    next++
  }
  return descending === true
}

/** Output names go before columns, as in PostgreSQL; a number counts the output columns from 1. */
function orderOrdinal(scope: Scope, item: OrderItem, ordinals: readonly number[], output: readonly ResultColumn[]): number {
  const { by } = item
  if ('ordinal' in by) {
    const ordinal = ordinals[by.ordinal - 1]
    if (ordinal === undefined) throw errorAt(scope.origin, -1, '42601', `ORDER BY position ${by.ordinal} is not in the select list`)
    return ordinal
  }
  const named = by.table === undefined ? output.findIndex(({ name }) => name === by.name.name) : -1
  return named >= 0 ? ordinals[named]! : findColumn(scope, by)
}

function notKeyOrder(scope: Scope, item: OrderItem): Error {
  const tokenIndex = 'ordinal' in item.by ? -1 : item.by.name.tokenIndex
  const { table } = scope
  if (table.hiddenKey) return errorAt(scope.origin, tokenIndex, '0A000', `ORDER BY of table "${table.name}" is not supported: it has no primary key`)
  const key = table.primaryKey.map((ordinal) => `"${table.columns[ordinal]!.name}"`).join(', ')
  return errorAt(scope.origin, tokenIndex, '0A000', `ORDER BY is supported only in the order of the primary key (${key}), ascending or descending as a whole`)
}

function bindAggregate(statement: Select, scope: Scope, terms: readonly PlanTerm[]): AggregatePlan {
  const { items, orderBy, limit, offset } = statement
  const aggregates: EngineAggregate[] = []
  const output: ResultColumn[] = []
  for (const item of items) {
    if (item.kind !== 'aggregate') throw errorAt(scope.origin, item.kind === 'column' ? item.column.name.tokenIndex : -1, '0A000', 'a column beside an aggregate needs GROUP BY, which is not supported')
    const ordinal = item.column === undefined ? undefined : findColumn(scope, item.column)
    aggregates.push(ordinal === undefined ? { function: item.function } : { function: item.function, ordinal })
    output.push({ name: item.alias?.name ?? item.function, type: resultType(scope, item, ordinal) })
  }
  if (orderBy.length > 0) throw errorAt(scope.origin, -1, '0A000', 'ORDER BY of an aggregate is not supported')
  return { kind: 'aggregate', table: scope.table, terms, aggregates, output, limit, offset }
}

function resultType(scope: Scope, item: Extract<SelectItem, { kind: 'aggregate' }>, ordinal: number | undefined): ResultColumn['type'] {
  const type = ordinal === undefined ? undefined : scope.table.columns[ordinal]!.type
  const result = aggregateType(item.function, type)
  if (result === undefined) throw errorAt(scope.origin, item.column?.name.tokenIndex ?? -1, '42883', `there is no function ${item.function}(${typeName(type!)})`)
  return result
}
