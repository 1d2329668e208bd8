/** The select list: stars spelled out, names of columns, and what ORDER BY and GROUP BY mean by a number or an alias. */
import { bindExpression } from '../expression/bind-expression.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import type { Bound } from '../expression/bound.ts'
import { errorAt } from '../origin.ts'
import type { Expression, QueryItem } from '../syntax/query/query.ts'
import { candidates, findColumn, visibleBound } from './scope.ts'
import type { BlockScope } from './scope.ts'

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
  if (expression.kind === 'number' && /^\d+$/.test(expression.digits)) {
    const index = Number(expression.digits) - 1
    if (items[index] === undefined) throw errorAt(context.origin, expression.at, '42601', `ORDER BY position ${expression.digits} is not in the select list`)
    return index
  }
  if (isConstant(expression)) throw errorAt(context.origin, expression.at, '42601', 'ORDER BY of a constant orders nothing', 'name a column, or its number in the select list')
  if (expression.kind !== 'column' || expression.column.table !== undefined) return undefined
  const index = items.findIndex(({ name }) => name === expression.column.name.name)
  return index >= 0 ? index : undefined
}

function isConstant(expression: Expression): boolean {
  if (expression.kind === 'unary') return expression.operator === '-' && isConstant(expression.operand)
  return expression.kind === 'operand' || expression.kind === 'number'
}

/** Columns go before output names in GROUP BY. */
export function groupKeyOf(scope: BlockScope, expressions: ExpressionScope, expression: Expression, items: readonly Item[]): Bound {
  if (expression.kind === 'number' && /^\d+$/.test(expression.digits)) {
    const item = items[Number(expression.digits) - 1]
    if (item === undefined) throw errorAt(scope.context.origin, expression.at, '42601', `GROUP BY position ${expression.digits} is not in the select list`)
    return item.bound
  }
  if (expression.kind === 'column' && expression.column.table === undefined && findColumn(scope, expression.column) === undefined) {
    const item = items.find(({ name }) => name === expression.column.name.name)
    if (item !== undefined) return item.bound
  }
  return bindExpression(expressions, expression)
}
