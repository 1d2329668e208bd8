/** Conditions, values and columns: the parser's nodes to terms. */
import type { Comparison } from '../../kernel/zone-map.ts'
import type { ColumnRef, Operand, Term } from '../statement.ts'
import { isNode, nodes, only, readName, readOptionalName, textIn, unsupported } from './syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax-node.ts'

const comparisons: Readonly<Record<string, Comparison>> = { '=': 'eq', '<>': 'ne', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' }
const flipped: Readonly<Record<Comparison, Comparison>> = { eq: 'eq', ne: 'ne', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le', isNull: 'isNull', isNotNull: 'isNotNull' }

/** The conjunction that a WHERE is; none when it is absent. */
export function readWhere(reading: Reading, where: unknown): readonly Term[] {
  if (where === null || where === undefined) return []
  const terms: Term[] = []
  collectTerms(reading, where, terms)
  return terms
}

/** A chain of ANDs leans left and may be long: no recursion along it. */
function collectTerms(reading: Reading, where: unknown, terms: Term[]): void {
  const pending: unknown[] = [where]
  while (pending.length > 0) {
    const node = pending.pop()
    if (isNode(node) && node['type'] === 'binary_expr' && node['operator'] === 'AND') pending.push(node['right'], node['left'])
    else terms.push(...readCondition(reading, node))
  }
}

function readCondition(reading: Reading, value: unknown): readonly Term[] {
  if (!isNode(value)) throw unsupported(reading, {}, 'this condition')
  if (value['type'] !== 'binary_expr') throw unsupportedCondition(reading, value)
  only(reading, value, 'a condition', ['type', 'operator', 'left', 'right'])
  const operator = textIn(value, 'operator')
  const { left, right } = value
  const comparison = comparisons[operator]
  if (comparison !== undefined) return [readComparison(reading, value, comparison, left, right)]
  switch (operator) {
    case 'IS':
    case 'IS NOT':
      return [readNullTest(reading, value, left, right)]
    case 'IN':
      return [{ kind: 'in', column: readColumn(reading, left), operands: readList(reading, value, right) }]
    case 'BETWEEN':
      return readBetween(reading, value, left, right)
    default:
      throw unsupported(reading, value, `the operator ${operator}`)
  }
}

function unsupportedCondition(reading: Reading, node: SyntaxNode): Error {
  if (node['type'] === 'column_ref') return unsupported(reading, node, 'a column as a whole condition')
  return unsupported(reading, node, describeNode(node))
}

function readComparison(reading: Reading, node: SyntaxNode, comparison: Comparison, left: unknown, right: unknown): Term {
  if (isColumn(left) && !isColumn(right)) return { kind: 'compare', column: readColumn(reading, left), comparison, operand: readOperand(reading, right) }
  if (isColumn(right) && !isColumn(left)) return { kind: 'compare', column: readColumn(reading, right), comparison: flipped[comparison], operand: readOperand(reading, left) }
  if (isColumn(left)) throw unsupported(reading, node, 'a comparison of two columns')
  throw unsupported(reading, node, isNode(left) && !isValue(left) ? describeNode(left) : 'a comparison without a column')
}

function readNullTest(reading: Reading, node: SyntaxNode, left: unknown, right: unknown): Term {
  if (!isNode(right) || right['type'] !== 'null') throw unsupported(reading, node, `${textIn(node, 'operator')} with anything but NULL`)
  if (!isColumn(left)) throw unsupported(reading, node, `${textIn(node, 'operator')} NULL of anything but a column`)
  return { kind: 'nullTest', column: readColumn(reading, left), comparison: node['operator'] === 'IS' ? 'isNull' : 'isNotNull' }
}

function readList(reading: Reading, node: SyntaxNode, list: unknown): readonly Operand[] {
  if (!isNode(list) || list['type'] !== 'expr_list') throw unsupported(reading, node, 'IN with anything but a list of values')
  return nodes(list['value']).map((item) => readOperand(reading, item))
}

function readBetween(reading: Reading, node: SyntaxNode, left: unknown, right: unknown): readonly Term[] {
  const [low, high] = isNode(right) ? nodes(right['value']) : []
  if (!isColumn(left) || low === undefined || high === undefined) throw unsupported(reading, node, 'BETWEEN of anything but a column and two values')
  const column = readColumn(reading, left)
  return [
    { kind: 'compare', column, comparison: 'ge', operand: readOperand(reading, low) },
    { kind: 'compare', column, comparison: 'le', operand: readOperand(reading, high) },
  ]
}

export function isColumn(value: unknown): value is SyntaxNode {
  return isNode(value) && value['type'] === 'column_ref'
}

export function readColumn(reading: Reading, value: unknown): ColumnRef {
  if (!isNode(value) || value['type'] !== 'column_ref') throw unsupported(reading, isNode(value) ? value : {}, isNode(value) ? describeNode(value) : 'this expression')
  only(reading, value, 'a column', ['type', 'table', 'column', 'value'])
  const { column } = value
  if (!isNode(column)) throw unsupported(reading, value, 'this use of *')
  const table = readOptionalName(reading, value['table'])
  const name = readName(reading, column['expr'])
  return table === undefined ? { name } : { name, table }
}

function isValue(node: SyntaxNode): boolean {
  return node['type'] === 'var' || node['type'] === 'null' || node['type'] === 'bool' || (node['type'] === 'unary_expr' && node['operator'] !== 'NOT')
}

/** A slot, perhaps with signs before it, or NULL, TRUE, FALSE. */
export function readOperand(reading: Reading, value: unknown): Operand {
  let node = value
  let negative = false
  let signs = 0
  for (; isNode(node) && node['type'] === 'unary_expr' && (node['operator'] === '-' || node['operator'] === '+'); node = node['expr'], signs++) {
    if (node['operator'] === '-') negative = !negative
  }
  if (!isNode(node)) throw unsupported(reading, {}, 'this expression')
  if (node['type'] === 'var') return { kind: 'slot', slot: readSlot(reading, node), negative }
  if (signs === 0 && node['type'] === 'null') return { kind: 'constant', value: null }
  if (signs === 0 && node['type'] === 'bool') return { kind: 'constant', value: node['value'] === true }
  throw unsupported(reading, node, describeNode(node))
}

function readSlot(reading: Reading, node: SyntaxNode): number {
  only(reading, node, 'a value', ['type', 'name', 'prefix'])
  const { name } = node
  if (typeof name !== 'number' || name < 1 || name > reading.source.slotCount) throw unsupported(reading, node, 'this value')
  reading.slotsRead.add(name - 1)
  return name - 1
}

/** What messages call an expression that is not supported. */
export function describeNode(node: SyntaxNode): string {
  switch (node['type']) {
    case 'binary_expr':
      return `the operator ${textIn(node, 'operator')} here`
    case 'unary_expr':
      return `the operator ${textIn(node, 'operator')} here`
    case 'cast':
      return 'a cast'
    case 'function':
      return `the function ${functionName(node)}()`
    case 'aggr_func':
      return `the aggregate ${textIn(node, 'name')}() here`
    case 'select':
      return 'a subquery'
    case 'column_ref':
      return 'a column here'
    case 'expr_list':
      return 'a list of values here'
    default:
      return isNode(node['ast']) ? 'a subquery' : `an expression of the kind ${textIn(node, 'type')}`
  }
}

function functionName(node: SyntaxNode): string {
  const { name } = node
  const parts = isNode(name) && Array.isArray(name['name']) ? name['name'] : []
  return parts.map((part: unknown) => (isNode(part) ? textIn(part, 'value') : '')).join('.')
}
