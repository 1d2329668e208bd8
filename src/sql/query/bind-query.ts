/** Queries to operators: WITH, set operations, ORDER BY, LIMIT and OFFSET around blocks. */
import { LsmtError } from '../../errors.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import { commonType, refuseIntervals, valueTypeName } from '../expression/type.ts'
import { unified } from '../expression/operator.ts'
import type { QueryNode, SortKey, Window } from '../operator/node.ts'
import { errorAt } from '../origin.ts'
import type { FromItem, OrderKey, Query, QueryBody, SelectBlock, SetOperation, ValuesBlock } from '../syntax/query/query.ts'
import { bindBlock } from './bind-block.ts'
import { converted, windowed } from './bound-query.ts'
import type { BoundQuery } from './bound-query.ts'
import { newScope } from './scope.ts'
import { positionOf } from './select-list.ts'
import type { BlockScope, StatementContext } from './scope.ts'
import { expressionScope } from './expression-scope.ts'
import { bindCommon } from './with/common-table.ts'

const queriesMax = 2_000

export function bindQuery(context: StatementContext, query: Query, outer: BlockScope | undefined): BoundQuery {
  if (++context.counts.queries > queriesMax) throw new LsmtError('54000', `the statement has more than ${queriesMax} queries in it`)
  for (const table of query.with) bindCommon(context, table, outer, bindQuery)
  const window = query.limit === undefined && query.offset === undefined ? undefined : { limit: query.limit, offset: query.offset }
  const body = query.body.kind === 'values' && query.orderBy.length > 0 ? selectAll(query.body) : query.body
  if (body.kind === 'select') return bindBlock({ context, outer, block: body, orderBy: query.orderBy, window, bindQuery })
  const bound = bindBody(context, body, outer)
  return { output: bound.output, outer: bound.outer, node: windowed(sorted(context, bound, query.orderBy, window), window) }
}

/** So that VALUES can be ordered by any expression over its columns. */
function selectAll(body: ValuesBlock): SelectBlock {
  const { at } = body
  const query: Query = { kind: 'query', with: [], body, orderBy: [], limit: undefined, offset: undefined }
  const from: FromItem = { kind: 'query', query, alias: { name: '', tokenIndex: at }, columns: undefined }
  return { kind: 'select', distinct: false, items: [{ kind: 'star', table: undefined, at }], from, where: undefined, groupBy: [], having: undefined, at }
}

function bindBody(context: StatementContext, body: QueryBody, outer: BlockScope | undefined): BoundQuery {
  switch (body.kind) {
    case 'select':
      return bindBlock({ context, outer, block: body, orderBy: [], window: undefined, bindQuery })
    case 'query':
      return bindQuery(context, body, outer)
    case 'values':
      return bindValues(context, body, outer)
    case 'set':
      return bindSet(context, body, outer)
  }
}

/** The result of a set operation is ordered by its own columns, by name or number. */
function sorted(context: StatementContext, { node, output }: BoundQuery, orderBy: readonly OrderKey[], window: Window | undefined): QueryNode {
  if (orderBy.length === 0) return node
  const keys = orderBy.map(({ expression, descending, nullsFirst }): SortKey => {
    const index = positionOf(context, expression, 'ORDER BY', output.length) ?? (expression.kind === 'column' ? output.findIndex(({ name }) => name === expression.column.name.name) : -1)
    const column = output[index]
    if (column === undefined && expression.kind === 'column') throw errorAt(context.origin, expression.at, '42703', `column "${expression.column.name.name}" is not in the result`)
    if (column === undefined) throw errorAt(context.origin, expression.at, '0A000', 'ORDER BY an expression after a set operation is not supported')
    return { index, type: column.type, descending, nullsFirst }
  })
  return { kind: 'sort', input: node, keys, window }
}

function bindValues(context: StatementContext, { tuples, at }: ValuesBlock, outer: BlockScope | undefined): BoundQuery {
  const scope = newScope(context, outer)
  const expressions = expressionScope(scope, bindQuery)
  const width = tuples[0]!.length
  if (tuples.some((tuple) => tuple.length !== width)) throw errorAt(context.origin, at, '42601', 'VALUES lists must all be of the same length')
  const rows = tuples.map((tuple) => tuple.map((item) => bindExpression(expressions, item)))
  if (rows.flat().some(({ kind }) => kind === 'subquery')) throw errorAt(context.origin, at, '0A000', 'a subquery in VALUES is not supported')
  const columns = Array.from({ length: width }, (_, index) => unified(rows.map((row) => row[index]!), 'VALUES'))
  return {
    node: { kind: 'values', rows: rows.map((_, row) => columns.map((column) => column[row]!)) },
    output: columns.map((column, index) => ({ name: `column${index + 1}`, type: column[0]!.type })),
    outer: scope.outerUsed,
  }
}

function bindSet(context: StatementContext, { operator, all, left, right, at }: SetOperation, outer: BlockScope | undefined): BoundQuery {
  const a = bindBody(context, left, outer)
  const b = bindBody(context, right, outer)
  if (a.output.length !== b.output.length) throw errorAt(context.origin, at, '42601', `each side of ${operator.toUpperCase()} must have the same number of columns`)
  const output = a.output.map(({ name, type }, index) => {
    const met = commonType(type, b.output[index]!.type)
    if (met === undefined) throw errorAt(context.origin, at, '42804', `${operator.toUpperCase()} types ${valueTypeName(type)} and ${valueTypeName(b.output[index]!.type)} cannot be matched`)
    return { name, type: met }
  })
  const types = output.map(({ type }) => type)
  if (!all) refuseIntervals(types, operator.toUpperCase())
  return { node: { kind: 'set', operator, all, left: converted(a, types), right: converted(b, types) }, output, outer: [...a.outer, ...b.outer] }
}
