/** Values and columns: the parser's nodes to operands and references. */
import type { ColumnRef, Operand } from '../operand.ts'
import { isNode, only, readName, readOptionalName, textIn, unsupported } from './syntax-node.ts'
import type { Reading, SyntaxNode } from './syntax-node.ts'

export function readColumn(reading: Reading, value: unknown): ColumnRef {
  if (!isNode(value) || value['type'] !== 'column_ref') throw unsupported(reading, isNode(value) ? value : {}, isNode(value) ? describeNode(value) : 'this expression')
  only(reading, value, 'a column', ['type', 'table', 'column', 'value'])
  const { column } = value
  if (!isNode(column)) throw unsupported(reading, value, 'this use of *')
  const table = readOptionalName(reading, value['table'])
  const name = readName(reading, column['expr'])
  return table === undefined ? { name } : { name, table }
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
  const slot = typeof name === 'number' ? reading.source.slots[name - 1] : undefined
  if (slot === undefined) throw unsupported(reading, node, 'this value')
  reading.slotsRead.add(slot)
  return slot
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
