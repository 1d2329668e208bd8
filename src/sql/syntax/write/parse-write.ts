/** INSERT, UPDATE and DELETE: the parser's nodes to statements. */
import type { SelectItem } from '../../statement.ts'
import type { Name } from '../names.ts'
import { isColumn, readColumn, readOperand, readWhere } from '../parse-expression.ts'
import { readItem, readTable } from '../parse-select.ts'
import { readExpression } from '../query/read-expression.ts'
import { readSelect } from '../query/read-query.ts'
import { isNode, nodes, only, readName, textIn, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'
import type { Delete, Insert, InsertSource, SetClause, Update, WrittenValue } from './write-statement.ts'

/** Without what was cut off. */
export type InsertHead = Pick<Insert, 'table' | 'columns' | 'source'>

export function readInsert(reading: Reading, node: SyntaxNode): InsertHead {
  only(reading, node, 'INSERT', ['type', 'table', 'columns', 'values', 'prefix'])
  const prefix = textIn(node, 'prefix')
  if (prefix !== '' && prefix !== 'into') throw unsupported(reading, node, `INSERT ${prefix.toUpperCase()}`)
  const { values, columns } = node
  return {
    table: readTable(reading, node['table']),
    columns: columns === null || columns === undefined ? undefined : nodes(columns).map((column): Name => readName(reading, column)),
    source: readSource(reading, node, values),
  }
}

function readSource(reading: Reading, node: SyntaxNode, values: unknown): InsertSource {
  if (!isNode(values)) throw unsupported(reading, node, 'INSERT of this')
  if (values['type'] === 'select') return { kind: 'query', query: readSelect(reading, values) }
  if (values['type'] !== 'values') throw unsupported(reading, node, `INSERT … ${textIn(values, 'type').toUpperCase()}`)
  const tuples = nodes(values['values']).map((tuple) => nodes(tuple['value']).map((value): WrittenValue => (isDefault(value) ? { kind: 'default' } : { kind: 'operand', operand: readOperand(reading, value) })))
  return { kind: 'values', tuples }
}

export function readUpdate(reading: Reading, node: SyntaxNode): Omit<Update, 'returning'> {
  only(reading, node, 'UPDATE', ['type', 'table', 'set', 'where'])
  return { kind: 'update', table: readTable(reading, node['table']), sets: readSets(reading, node), where: readWhere(reading, node['where']) }
}

/** The SET clauses of ON CONFLICT, read as those of an UPDATE. */
export function readConflictSets(reading: Reading, node: SyntaxNode): readonly SetClause[] {
  only(reading, node, 'ON CONFLICT DO UPDATE', ['type', 'table', 'set', 'where'])
  const { where } = node
  readTable(reading, node['table'])
  if (isNode(where)) throw unsupported(reading, where, 'WHERE in ON CONFLICT DO UPDATE')
  return readSets(reading, node)
}

function readSets(reading: Reading, node: SyntaxNode): readonly SetClause[] {
  return nodes(node['set']).map((set) => ({ column: readColumn(reading, { ...set, value: null }).name, value: readValue(reading, set['value']) }))
}

function readValue(reading: Reading, value: unknown): WrittenValue {
  if (isDefault(value)) return { kind: 'default' }
  if (isColumn(value)) return { kind: 'column', column: readColumn(reading, value) }
  if (isNode(value) && value['type'] === 'binary_expr' && isArithmetic(value)) return { kind: 'expression', expression: readExpression({ reading, query: (query) => refuseQuery(reading, query), depth: 0 }, value) }
  return { kind: 'operand', operand: readOperand(reading, value) }
}

const arithmetic = new Set(['+', '-', '*', '/', '%'])

/**
 * Columns and values joined by operators. The parser lets || bind more strongly than the others, which it does not:
 * where both meet without parentheses, the tree may be wrong.
 */
function isArithmetic(value: unknown, isText?: boolean): boolean {
  if (!isNode(value)) return false
  if (value['type'] !== 'binary_expr') return value['type'] === 'var' || value['type'] === 'column_ref'
  const operator = textIn(value, 'operator')
  const joinsText = operator === '||'
  if (!joinsText && !arithmetic.has(operator)) return false
  if (isText !== undefined && isText !== joinsText && value['parentheses'] !== true) return false
  return isArithmetic(value['left'], joinsText) && isArithmetic(value['right'], joinsText)
}

function refuseQuery(reading: Reading, query: SyntaxNode): never {
  throw unsupported(reading, query, 'a subquery')
}

function isDefault(value: unknown): boolean {
  if (!isColumn(value) || !isNode(value['column'])) return false
  const { expr } = value['column']
  return isNode(expr) && expr['type'] === 'default'
}

export function readDelete(reading: Reading, node: SyntaxNode): Omit<Delete, 'returning'> {
  only(reading, node, 'DELETE', ['type', 'table', 'from', 'where'])
  return { kind: 'delete', table: readTable(reading, node['from']), where: readWhere(reading, node['where']) }
}

export function readReturning(reading: Reading, node: SyntaxNode): readonly SelectItem[] {
  only(reading, node, 'RETURNING', ['type', 'columns'])
  return nodes(node['columns']).map((item) => readItem(reading, item))
}
