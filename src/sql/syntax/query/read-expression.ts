/** Parts of a statement to expressions: what the parser's trees of them say, and what the cut has set apart. */
import type { Call, CommonTable, Expression, Query } from './query.ts'
import type { Meaning, Part } from '../cut/part.ts'
import { describeNode, readColumn, readOperand } from '../parse-expression.ts'
import { isNode, nodes, only, openPart, partOf, takePart, textIn, tokenIndexOf, unsupported } from '../syntax-node.ts'
import type { Reading, SyntaxNode } from '../syntax-node.ts'
import { invariant, LsmtError } from '../../../errors.ts'
import type { Operand } from '../../operand.ts'
import { readTypes } from './read-type.ts'

export interface Reader {
  readonly reading: Reading
  readonly query: (reader: Reader, part: Part) => Query
  /** Queries of WITH that can be named, by their names. */
  readonly common: ReadonlyMap<string, CommonTable>
  depth: number
}

/** Levels of an expression's tree: the binder and what runs the plan recurse along them. */
const depthMax = 1_000

export function readExpression(reader: Reader, value: unknown): Expression {
  const { reading } = reader
  if (!isNode(value)) throw unsupported(reading, {}, 'this expression')
  if (++reader.depth > depthMax) throw new LsmtError('54000', `an expression of the statement nests deeper than ${depthMax} levels`)
  const part = partOf(reading, value)
  const expression = part === undefined ? readNode(reader, value) : readPart(reader, part)
  reader.depth--
  return expression
}

function readPart(reader: Reader, part: Part): Expression {
  const { meaning, start: at } = part
  switch (meaning.kind) {
    case 'number':
      takePart(reader.reading, part)
      return { kind: 'number', digits: meaning.digits, at }
    case 'word':
      takePart(reader.reading, part)
      return { kind: 'word', text: meaning.text, at }
    case 'select':
    case 'values':
    case 'set':
      return { kind: 'scalar', query: reader.query(reader, part), at }
    case 'tree': {
      const { inner, node } = openExpression(reader, part)
      return readNode(inner, node)
    }
    case 'call': {
      const { inner, node } = openExpression(reader, part)
      return readCall(inner, meaning, node, at)
    }
    case 'operator': {
      const { inner, node } = openExpression(reader, part)
      return readOperator(inner, meaning, node, at)
    }
    case 'quantified': {
      const { inner, node } = openExpression(reader, part)
      return readQuantified(inner, meaning, node, at)
    }
    case 'from':
    case 'common':
    case 'natural':
    case 'statement':
      throw new LsmtError('XX000', 'internal error: a part that is no expression stands where one was expected')
  }
}

function openExpression(reader: Reader, part: Part): { readonly inner: Reader; readonly node: SyntaxNode } {
  const { node, reading } = openPart(reader.reading, part)
  const { where } = node
  if (!isNode(where)) throw unsupported(reading, node, 'this expression')
  return { inner: { ...reader, reading }, node: where }
}

function readNode(reader: Reader, node: SyntaxNode): Expression {
  const { reading } = reader
  const at = tokenIndexOf(reading, node)
  switch (node['type']) {
    case 'column_ref': {
      const column = readColumn(reading, node)
      return { kind: 'column', column, at: column.name.tokenIndex }
    }
    case 'var':
    case 'null':
    case 'bool':
      return { kind: 'operand', operand: readOperand(reading, node), at }
    case 'unary_expr':
      return readSign(reader, node, at)
    case 'binary_expr':
      return readBinary(reader, node, at)
    case 'case':
      return readCase(reader, node, at)
    case 'cast':
      return readCast(reader, node, at)
  }
  throw unsupported(reading, node, describeNode(node))
}

function readSign(reader: Reader, node: SyntaxNode, at: number): Expression {
  const operator = node['operator']
  only(reader.reading, node, 'a sign', ['type', 'operator', 'expr'])
  if (operator !== '-' && operator !== '+') throw unsupported(reader.reading, node, describeNode(node))
  const operand = readExpression(reader, node['expr'])
  if (operand.kind !== 'operand' || operand.operand.kind !== 'slot') return { kind: 'unary', operator, operand, at }
  return operator === '+' ? { ...operand, plus: true } : { ...operand, operand: { ...operand.operand, negative: !operand.operand.negative }, at }
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
      return { kind: 'between', negated, symmetric: false, operand: readExpression(reader, left), low: readExpression(reader, low), high: readExpression(reader, high), at }
    }
    case 'IN':
      return readIn(reader, node, negated, at)
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
  const items = nodes(right['value']).map((item) => readExpression(reader, item))
  const [first] = items
  if (items.length === 1 && first?.kind === 'scalar') return { kind: 'inQuery', negated, operand, query: first.query, at }
  return { kind: 'in', negated, operand, items, at }
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

function readCast(reader: Reader, node: SyntaxNode, at: number): Expression {
  const operand = readExpression(reader, node['expr'])
  return readTypes(reader.reading, node).reduce<Expression>((inner, type) => ({ kind: 'cast', operand: inner, type, at }), operand)
}

/** The arguments of the call as which the parser sees functions and some operators. */
function argumentsOf({ reading }: Reader, node: SyntaxNode): readonly SyntaxNode[] {
  if (node['type'] !== 'function') throw unsupported(reading, node, describeNode(node))
  only(reading, node, 'a function call', ['type', 'name', 'args'])
  return isNode(node['args']) && node['args']['value'] !== undefined ? nodes(node['args']['value']) : []
}

function readCall(reader: Reader, { name, distinct, star, filtered }: Extract<Meaning, { kind: 'call' }>, node: SyntaxNode, at: number): Call {
  const all = argumentsOf(reader, node).map((arg) => readExpression(reader, arg))
  return { kind: 'call', name, args: filtered ? all.slice(0, -1) : all, distinct, star, filter: filtered ? all.at(-1) : undefined, at }
}

function readOperator(reader: Reader, { operator, negated }: Extract<Meaning, { kind: 'operator' }>, node: SyntaxNode, at: number): Expression {
  const args = argumentsOf(reader, node)
  const arg = (index: number): Expression => readExpression(reader, args[index])
  switch (operator) {
    case 'not':
      return { kind: 'not', operand: arg(0), at }
    case 'is null':
      return { kind: 'is', test: 'null', negated, operand: arg(0), at }
    case 'is true':
      return { kind: 'is', test: 'true', negated, operand: arg(0), at }
    case 'is false':
      return { kind: 'is', test: 'false', negated, operand: arg(0), at }
    case 'is unknown':
      return { kind: 'is', test: 'unknown', negated, operand: arg(0), at }
    case 'distinct':
      return { kind: 'distinct', negated, left: arg(0), right: arg(1), at }
    case 'like':
    case 'ilike':
      return { kind: 'like', caseless: operator === 'ilike', negated, left: arg(0), right: arg(1), escape: args.length > 2 ? arg(2) : undefined, at }
    case 'between symmetric':
      return { kind: 'between', negated, symmetric: true, operand: arg(0), low: arg(1), high: arg(2), at }
    case 'power':
      return { kind: 'binary', operator: '^', left: arg(0), right: arg(1), at }
    case 'interval':
      return { kind: 'interval', operand: readOperand(reader.reading, args[0]), at }
    case 'exists':
      return readExists(reader, args[0], at)
  }
}

function readExists(reader: Reader, query: unknown, at: number): Expression {
  return { kind: 'exists', query: queryIn(reader, query), at }
}

function queryIn(reader: Reader, value: unknown): Query {
  const part = partOf(reader.reading, value)
  invariant(part !== undefined, 'a part of the statement is no query')
  return reader.query(reader, part)
}

/** `= ANY` is IN, and `<> ALL` is NOT IN. */
function readQuantified(reader: Reader, { comparison, all }: Extract<Meaning, { kind: 'quantified' }>, node: SyntaxNode, at: number): Expression {
  const [left, right] = argumentsOf(reader, node)
  const operand = readExpression(reader, left)
  const query = queryIn(reader, right)
  if (comparison === (all ? '<>' : '=')) return { kind: 'inQuery', negated: all, operand, query, at }
  return { kind: 'quantified', comparison, all, operand, query, at }
}

/** LIMIT and OFFSET. */
export function readCount(reader: Reader, value: unknown): Operand {
  return readOperand(reader.reading, value)
}
