/** The parser's nodes to expressions. Calls have the names that src/sql/scan/disambiguate.ts gave them. */
import type { Operand } from '../../operand.ts'
import { describeNode, readColumn, readOperand } from '../parse-expression.ts'
import { isNode, nodes, only, textIn, tokenIndexOf, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'
import type { Expression, Query } from './query.ts'
import { readTypes } from './read-type.ts'

export interface Reader {
  readonly reading: Reading
  readonly query: (node: SyntaxNode) => Query
  depth: number
}

const depthMax = 1_000

export function readExpression(reader: Reader, value: unknown): Expression {
  const { reading } = reader
  if (!isNode(value)) throw unsupported(reading, {}, 'this expression')
  if (++reader.depth > depthMax) throw unsupported(reading, value, `nesting of more than ${depthMax} levels`)
  const expression = readNode(reader, value)
  reader.depth--
  return expression
}

function readNode(reader: Reader, node: SyntaxNode): Expression {
  const { reading } = reader
  const at = tokenIndexOf(reading, node)
  if (isNode(node['ast'])) return { kind: 'scalar', query: reader.query(node['ast']), at }
  switch (node['type']) {
    case 'column_ref': {
      const column = readColumn(reading, node)
      return { kind: 'column', column, at: column.name.tokenIndex }
    }
    case 'var':
    case 'null':
    case 'bool':
      return { kind: 'operand', operand: readOperand(reading, node), at }
    case 'number':
      return { kind: 'number', digits: String(node['value']), at }
    case 'single_quote_string':
      return { kind: 'word', text: textIn(node, 'value'), at }
    case 'unary_expr':
      return readSign(reader, node, at)
    case 'binary_expr':
      return readBinary(reader, node, at)
    case 'case':
      return readCase(reader, node, at)
    case 'cast':
      return readCast(reader, node, at)
    case 'function':
      return readFunction(reader, node, at)
    case 'expr_list': {
      const items = nodes(node['value'])
      if (items.length === 1) return readExpression(reader, items[0])
      throw unsupported(reading, node, 'a row of several values')
    }
  }
  throw unsupported(reading, node, describeNode(node))
}

function readSign(reader: Reader, node: SyntaxNode, at: number): Expression {
  const operator = node['operator']
  only(reader.reading, node, 'a sign', ['type', 'operator', 'expr'])
  if (operator !== '-' && operator !== '+') throw unsupported(reader.reading, node, describeNode(node))
  const operand = readExpression(reader, node['expr'])
  if (operand.kind !== 'operand' || operand.operand.kind !== 'slot') return { kind: 'unary', operator, operand, at }
  return operator === '+' ? operand : { kind: 'operand', operand: { ...operand.operand, negative: !operand.operand.negative }, at }
}

const operators = new Set(['=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '||'])

function readBinary(reader: Reader, node: SyntaxNode, at: number): Expression {
  const { reading } = reader
  only(reading, node, 'a condition', ['type', 'operator', 'left', 'right'])
  const operator = textIn(node, 'operator')
  const { left, right } = node
  const negated = operator.startsWith('NOT ')
  switch (negated ? operator.slice(4) : operator) {
    case 'AND':
    case 'OR':
      return { kind: operator === 'AND' ? 'and' : 'or', items: chain(node, operator).map((item) => readExpression(reader, item)), at }
    case 'BETWEEN': {
      const [low, high] = isNode(right) ? nodes(right['value']) : []
      return { kind: 'between', negated, operand: readExpression(reader, left), low: readExpression(reader, low), high: readExpression(reader, high), at }
    }
    case 'IN':
      return readIn(reader, node, negated, at)
    case 'LIKE':
    case 'ILIKE':
      return { kind: 'like', caseless: operator.endsWith('ILIKE'), negated, left: readExpression(reader, left), right: readExpression(reader, right), escape: undefined, at }
  }
  const known = operator === '!=' ? '<>' : operator === '==' ? '=' : operator
  if (!operators.has(known)) throw unsupported(reading, node, `the operator ${operator}`)
  return { kind: 'binary', operator: known, left: readExpression(reader, left), right: readExpression(reader, right), at }
}

/** A chain of ANDs or ORs leans left and may be long: no recursion along it. */
function chain(node: SyntaxNode, operator: string): readonly unknown[] {
  const items: unknown[] = []
  const pending: unknown[] = [node]
  while (pending.length > 0) {
    const next = pending.pop()
    if (isNode(next) && next['type'] === 'binary_expr' && next['operator'] === operator) pending.push(next['right'], next['left'])
    else items.push(next)
  }
  return items
}

function readIn(reader: Reader, node: SyntaxNode, negated: boolean, at: number): Expression {
  const { left, right } = node
  const operand = readExpression(reader, left)
  if (!isNode(right) || right['type'] !== 'expr_list') throw unsupported(reader.reading, node, 'IN with anything but a list or a subquery')
  const items = nodes(right['value'])
  const query = items.length === 1 ? items[0]!['ast'] : undefined
  if (isNode(query)) return { kind: 'inQuery', negated, operand, query: reader.query(query), at }
  return { kind: 'in', negated, operand, items: items.map((item) => readExpression(reader, item)), at }
}

function readCase(reader: Reader, node: SyntaxNode, at: number): Expression {
  only(reader.reading, node, 'CASE', ['type', 'expr', 'args'])
  const read = (value: unknown): Expression => readExpression(reader, value)
  const args = nodes(node['args'])
  const otherwise = args.find(({ type }) => type === 'else')
  return {
    kind: 'case',
    operand: isNode(node['expr']) ? read(node['expr']) : undefined,
    branches: args.filter(({ type }) => type === 'when').map((branch) => ({ when: read(branch['cond']), result: read(branch['result']) })),
    otherwise: otherwise === undefined ? undefined : read(otherwise['result']),
    at,
  }
}

/** `a :: b :: c` is one node with two targets. */
function readCast(reader: Reader, node: SyntaxNode, at: number): Expression {
  const operand = readExpression(reader, node['expr'])
  return readTypes(reader.reading, node).reduce<Expression>((inner, type) => ({ kind: 'cast', operand: inner, type, at }), operand)
}

function readFunction(reader: Reader, node: SyntaxNode, at: number): Expression {
  const { reading } = reader
  only(reading, node, 'a function call', ['type', 'name', 'args'])
  const called = functionName(node)
  const args = isNode(node['args']) ? nodes(node['args']['value']) : []
  if (called.toUpperCase() === 'EXISTS' && isNode(args[0]?.['ast'])) return { kind: 'exists', query: reader.query(args[0]['ast']), at }
  const found = /^f([ds]?)_(.*)$/.exec(called)
  if (found === null) throw unsupported(reading, node, `the function ${called.toLowerCase()}() here`)
  const [, mark, name = ''] = found
  return rewritten(reader, name, args, at) ?? { kind: 'call', name, args: args.map((arg) => readExpression(reader, arg)), distinct: mark === 'd', star: mark === 's', at }
}

function functionName(node: SyntaxNode): string {
  const { name } = node
  const [part] = isNode(name) && Array.isArray(name['name']) ? nodes(name['name']) : []
  return part === undefined ? '' : textIn(part, 'value')
}

/** Operators that were made calls for the parser. */
function rewritten(reader: Reader, name: string, args: readonly SyntaxNode[], at: number): Expression | undefined {
  const arg = (index: number): Expression => readExpression(reader, args[index])
  const call = (called: string, ...given: readonly Expression[]): Expression => ({ kind: 'call', name: called, args: given, distinct: false, star: false, at })
  const test = /^is_(not_)?(null|true|false)$/.exec(name)
  if (test !== null) return { kind: 'is', test: test[2] as 'null' | 'true' | 'false', negated: test[1] !== undefined, operand: arg(0), at }
  switch (name) {
    case 'not':
      return { kind: 'not', operand: arg(0), at }
    case 'distinct':
    case 'not_distinct':
      return { kind: 'distinct', negated: name === 'not_distinct', left: arg(0), right: arg(1), at }
    case 'like':
    case 'ilike':
    case 'not_like':
    case 'not_ilike':
      return { kind: 'like', caseless: name.endsWith('ilike'), negated: name.startsWith('not'), left: arg(0), right: arg(1), escape: arg(2), at }
    case 'interval':
      return { kind: 'interval', operand: readOperand(reader.reading, args[0]), at }
    case 'trim_both':
      return call('btrim', arg(1), arg(0))
    case 'trim_leading':
      return call('ltrim', arg(1), arg(0))
    case 'trim_trailing':
      return call('rtrim', arg(1), arg(0))
  }
  return undefined
}

/** LIMIT and OFFSET. */
export function readCount(reader: Reader, value: unknown): Operand {
  return readOperand(reader.reading, value)
}
