/** The select list: stars spelled out, names of columns, and what ORDER BY and GROUP BY mean by a number or an alias. */
import { bindExpression } from '../expression/bind-expression.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import { equalBound, isAggregated } from '../expression/bound.ts'
import type { Bound } from '../expression/bound.ts'
import type { Literals } from '../expression/literal.ts'
import { errorAt } from '../origin.ts'
import type { Expression, QueryItem } from '../syntax/query/query.ts'
import { candidates, findColumn, visibleBound } from './scope.ts'
import type { BlockScope, StatementContext } from './scope.ts'

export interface Item {
  readonly name: string
  readonly bound: Bound
}

export function bindItems(scope: BlockScope, expressions: ExpressionScope, items: readonly QueryItem[]): readonly Item[] {
  return items.flatMap((item) => {
    if (item.kind === 'star') return starItems(scope, item)
    return [{ name: item.alias?.name ?? nameOf(item.expression), bound: bindExpression(expressions, item.expression) }]
  })
}

function starItems({ names, context }: BlockScope, { table, at }: Extract<QueryItem, { kind: 'star' }>): readonly Item[] {
  if (names.leaves.length === 0) throw errorAt(context.origin, at, '42601', 'SELECT * needs a FROM')
  if (table !== undefined && !names.leaves.some(({ alias }) => alias === table.name)) throw errorAt(context.origin, table.tokenIndex, '42P01', `there is no "${table.name}" in FROM`)
  return candidates(names, table?.name).map((column) => ({ name: column.name, bound: visibleBound(column, at) }))
}

/** As PostgreSQL names columns without an alias. */
function nameOf(expression: Expression): string {
  if (expression.kind === 'column') return expression.column.name.name
  if (expression.kind === 'call') return expression.name
  if (expression.kind === 'case' || expression.kind === 'exists') return expression.kind
  if (expression.kind === 'cast') {
    const inner = nameOf(expression.operand)
    return inner === '?column?' ? expression.type.kind : inner
  }
  if (expression.kind !== 'scalar') return '?column?'
  const { body } = expression.query
  const item = body.kind === 'select' ? body.items[0] : undefined
  return item?.kind === 'expression' ? (item.alias?.name ?? nameOf(item.expression)) : '?column?'
}

/** Output names go before columns, as in PostgreSQL; a number counts the output columns from 1. */
export function orderTargetOf({ context }: BlockScope, expression: Expression, items: readonly Item[]): number | undefined {
  const position = positionOf(context, expression, 'ORDER BY', items.length)
  return position ?? namedItem(context, expression, 'ORDER BY', items)
}

/** Columns go before output names in GROUP BY. */
export function groupKeyOf(scope: BlockScope, expressions: ExpressionScope, expression: Expression, items: readonly Item[]): Bound {
  const { context } = scope
  const isColumn = expression.kind === 'column' && findColumn(scope, expression.column) !== undefined
  const index = positionOf(context, expression, 'GROUP BY', items.length) ?? (isColumn ? undefined : namedItem(context, expression, 'GROUP BY', items))
  if (index === undefined) return bindExpression(expressions, expression)
  const { bound } = items[index]!
  if (isAggregated(bound)) throw errorAt(context.origin, expression.at, '42803', 'an aggregate function cannot stand in GROUP BY')
  return bound
}

/** The item of that name; 42702 where several are, of different values. */
function namedItem({ origin, literals }: StatementContext, expression: Expression, clause: string, items: readonly Item[]): number | undefined {
  if (expression.kind !== 'column' || expression.column.table !== undefined) return undefined
  const { name, tokenIndex } = expression.column.name
  const [first, ...others] = items.flatMap((item, index) => (item.name === name ? [index] : []))
  if (others.some((index) => !equalBound(items[index]!.bound, items[first!]!.bound, literals.areEqual))) throw errorAt(origin, tokenIndex, '42702', `"${name}" in ${clause} is the name of several columns of the result`)
  return first
}

/**
 * The column that ORDER BY and GROUP BY mean by a constant, from 0; undefined for what is no constant. As in PostgreSQL a
 * sign before a number belongs to it when it is a minus, and makes an expression of it when it is a plus.
 */
export function positionOf({ origin, literals }: StatementContext, expression: Expression, clause: string, width: number): number | undefined {
  const constant = constantOf(expression, literals)
  if (constant === undefined) return undefined
  if (constant === 'other') throw errorAt(origin, expression.at, '42601', `a constant in ${clause} must be a whole number, which names a column of the result`, 'name a column, or its number in the select list')
  if (constant < 1 || constant > width) throw errorAt(origin, expression.at, '42P10', `${clause} position ${constant} is not in the select list`)
  return constant - 1
}

const integerMax = 2_147_483_647

function constantOf(expression: Expression, literals: Literals): number | 'other' | undefined {
  if (expression.kind === 'number') return wholeOrOther(/^\d+$/.test(expression.digits) ? Number(expression.digits) : undefined)
  if (expression.kind === 'unary' && expression.operator === '-') {
    const inner = constantOf(expression.operand, literals)
    return typeof inner === 'number' ? -inner : inner
  }
  if (expression.kind !== 'operand' || expression.plus === true) return undefined
  // A parameter would order nothing, whatever its value: PostgreSQL takes it, who wrote it meant something else.
  if (literals.isParameter(expression.operand)) return 'other'
  const { kind } = literals.typeOf(expression.operand)
  // DATE '…' is a cast, which is no constant.
  return kind === 'date' || kind === 'timestamp' ? undefined : wholeOrOther(literals.wholeNumber(expression.operand))
}

function wholeOrOther(value: number | undefined): number | 'other' {
  return value === undefined || Math.abs(value) > integerMax ? 'other' : value
}
