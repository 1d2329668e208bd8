/** Lists of columns and tables: the parser's nodes to parts of statements. */
import type { AggregateFunction } from '../../lsm/tree.ts'
import { describeNode, isColumn, readColumn } from './parse-expression.ts'
import type { SelectItem, TableRef } from '../statement.ts'
import { isNode, nodes, only, readName, readOptionalName, textIn, unsupported } from './syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax-node.ts'

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
