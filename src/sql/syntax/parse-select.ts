/** SELECT: the parser's nodes to a statement. */
import type { AggregateFunction } from '../../lsm/tree.ts'
import { describeNode, isColumn, readColumn, readOperand, readWhere } from './parse-expression.ts'
import type { Operand, OrderItem, Select, SelectItem, TableRef } from '../statement.ts'
import { isNode, nodes, only, readName, readOptionalName, textIn, unsupported } from './syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax-node.ts'

export function readSelect(reading: Reading, node: SyntaxNode): Select {
  only(reading, node, 'SELECT', ['type', 'columns', 'from', 'where', 'orderby', 'limit'])
  const { from } = node
  if (!Array.isArray(from) || from.length === 0) throw unsupported(reading, node, 'SELECT without FROM')
  return {
    kind: 'select',
    items: nodes(node['columns']).map((item) => readItem(reading, item)),
    table: readTable(reading, from),
    where: readWhere(reading, node['where']),
    orderBy: node['orderby'] === null ? [] : nodes(node['orderby']).map((item) => readOrder(reading, item)),
    ...readLimit(reading, node['limit']),
  }
}

export function readItem(reading: Reading, item: SyntaxNode): SelectItem {
  if (item['type'] === 'cast') throw unsupported(reading, item, describeNode(item))
  only(reading, item, 'the select list', ['type', 'expr', 'as'])
  const { expr } = item
  if (!isNode(expr)) throw unsupported(reading, item, 'this item of the select list')
  const alias = readOptionalName(reading, item['as'])
  const named = alias === undefined ? {} : { alias }
  if (isColumn(expr) && expr['column'] === '*') return readStar(reading, expr)
  if (isColumn(expr)) return { kind: 'column', column: readColumn(reading, expr), ...named }
  if (expr['type'] === 'aggr_func') return { ...readAggregate(reading, expr), ...named }
  throw unsupported(reading, item, expr['type'] === 'var' ? 'a value in the select list' : describeNode(expr))
}

function readStar(reading: Reading, expr: SyntaxNode): SelectItem {
  const table = readOptionalName(reading, expr['table'])
  return table === undefined ? { kind: 'star' } : { kind: 'star', table }
}

const aggregates: Readonly<Record<string, AggregateFunction>> = { COUNT: 'count', MIN: 'min', MAX: 'max', SUM: 'sum' }

function readAggregate(reading: Reading, expr: SyntaxNode): Extract<SelectItem, { kind: 'aggregate' }> {
  const name = textIn(expr, 'name')
  const aggregate = aggregates[name]
  if (aggregate === undefined) throw unsupported(reading, expr, `the aggregate ${name}()`)
  only(reading, expr, `${name}()`, ['type', 'name', 'args'])
  const { args } = expr
  if (!isNode(args) || !isNode(args['expr'])) throw unsupported(reading, expr, `${name}() of this`)
  only(reading, args, `${name}()`, ['expr'])
  const argument = args['expr']
  if (argument['type'] !== 'star') return { kind: 'aggregate', function: aggregate, column: readColumn(reading, argument) }
  if (aggregate !== 'count') throw unsupported(reading, expr, `${name}(*)`)
  return { kind: 'aggregate', function: 'count' }
}

export function readTable(reading: Reading, from: unknown): TableRef {
  const [table, ...more] = nodes(from)
  if (table === undefined) throw unsupported(reading, {}, 'a statement without a table')
  if (more.length > 0) throw unsupported(reading, more[0]!, 'a join')
  if (isNode(table['expr'])) throw unsupported(reading, table, 'a subquery in FROM')
  if (table['db'] !== null && table['db'] !== undefined) throw unsupported(reading, table, 'a schema before a table name')
  only(reading, table, 'FROM', ['table', 'as', 'addition'])
  const alias = readOptionalName(reading, table['as'])
  const name = readName(reading, table['table'])
  return alias === undefined ? { name } : { name, alias }
}

function readOrder(reading: Reading, item: SyntaxNode): OrderItem {
  only(reading, item, 'ORDER BY', ['expr', 'type', 'nulls'])
  const { expr } = item
  const descending = item['type'] === 'DESC'
  if (isNode(expr) && expr['type'] === 'number') return { by: { ordinal: Number(expr['value']) }, descending }
  return { by: readColumn(reading, expr), descending }
}

/** LIMIT and OFFSET in either order; `LIMIT ALL` is no limit. */
function readLimit(reading: Reading, limit: unknown): { limit: Operand | undefined; offset: Operand | undefined } {
  const none = { limit: undefined, offset: undefined }
  if (!isNode(limit)) return none
  only(reading, limit, 'LIMIT', ['seperator', 'value'])
  const values = nodes(limit['value'])
  const [first, second] = values
  if (first === undefined) return none
  const limitOperand = first['type'] === 'origin' ? undefined : readOperand(reading, first)
  if (limit['seperator'] === '') return { ...none, limit: limitOperand }
  if (limit['seperator'] !== 'offset') throw unsupported(reading, limit, 'this form of LIMIT')
  if (second === undefined) return { ...none, offset: limitOperand }
  return { limit: limitOperand, offset: readOperand(reading, second) }
}
