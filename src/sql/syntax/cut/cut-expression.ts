/**
 * Operators by how strongly they bind, as PostgreSQL's table has it: what binds more strongly becomes a part of its own
 * within what binds less, so that each part has operators of one level only. Left associativity is the parser's as well.
 * Comparisons, and BETWEEN, IN, LIKE among themselves, do not associate: `a < b < c` is no SQL.
 */
import { token } from '../../scan/lexer.ts'
import { syntaxErrorAt } from '../../origin.ts'
import { accept, peek, unsupportedAt } from '../token-cursor.ts'
import { castOf, cutOperand, cutQueryInParentheses, operatorSymbol, refuseSymbol } from './cut-operand.ts'
import { callElements, cutList, level, nest, operandOf, operatorCut, take, taken } from './cutter.ts'
import type { Cut, Cutter } from './cutter.ts'
import { partElement, textElement } from './part.ts'
import type { Element } from './part.ts'

export function cutExpression(cutter: Cutter, least: number = level.or, plain = false): Cut {
  const { depth } = cutter
  if (least === level.or) nest(cutter)
  let left = cutPrefix(cutter, plain)
  for (;;) {
    const found = infixAt(cutter, plain)
    if (found === undefined || found.level < least) break
    if (found.single && left.level === found.level && !left.closed) throw syntaxErrorAt(cutter.origin, cutter.at)
    left = found.cut(cutter, left, plain)
  }
  cutter.depth = depth
  return left
}

function cutPrefix(cutter: Cutter, plain: boolean): Cut {
  const { at } = cutter
  const next = cutter.tokens[at]
  if (next?.kind === token.word && next.text === 'not' && !plain) {
    cutter.at++
    nest(cutter)
    return operatorCut('not', false, [operandOf(cutter, cutExpression(cutter, level.not))], at, level.not)
  }
  if (next?.kind !== token.symbol || (next.text !== '-' && next.text !== '+')) return cutOperand(cutter)
  const sign = taken(cutter, next.text)
  nest(cutter)
  return { level: level.sign, meaning: { kind: 'tree' }, elements: [sign, ...operandOf(cutter, cutExpression(cutter, level.sign, plain))], closed: false }
}

interface Infix {
  readonly level: number
  /** Two of them do not follow one another. */
  readonly single: boolean
  readonly cut: (cutter: Cutter, left: Cut, plain: boolean) => Cut
}

function chained(ofLevel: number, single = false): Infix {
  return {
    level: ofLevel,
    single,
    cut: (cutter, left, plain) => {
      const elements = left.level === ofLevel && left.meaning.kind === 'tree' ? left.elements : [...operandOf(cutter, left)]
      const operator = taken(cutter, peek(cutter))
      elements.push(operator, ...operandOf(cutter, cutExpression(cutter, ofLevel + 1, plain)))
      return { level: ofLevel, meaning: { kind: 'tree' }, elements, closed: false }
    },
  }
}

const plainComparison = chained(level.comparison, true)
const comparison: Infix = { ...plainComparison, cut: (cutter, left, plain) => cutQuantified(cutter, left) ?? plainComparison.cut(cutter, left, plain) }
const sum = chained(level.sum)
const product = chained(level.product)

const power: Infix = {
  level: level.power,
  single: false,
  cut: (cutter, left, plain) => {
    const base = operandOf(cutter, left)
    cutter.at++
    return operatorCut('power', false, [base, operandOf(cutter, cutExpression(cutter, level.power + 1, plain))], base[0]!.at, level.power)
  },
}

const cast: Infix = {
  level: level.cast,
  single: false,
  cut: (cutter, left) => {
    const operand = operandOf(cutter, left)
    cutter.at++
    return castOf(cutter, operand, operand[0]!.at)
  },
}

const symbols: Readonly<Record<string, Infix>> = {
  '=': comparison, '<>': comparison, '!=': comparison, '==': comparison, '<': comparison, '<=': comparison, '>': comparison, '>=': comparison,
  '||': chained(level.other), '+': sum, '-': sum, '*': product, '/': product, '%': product, '^': power, '::': cast,
}

const or = chained(level.or)
const and = chained(level.and)
const is: Infix = { level: level.is, single: true, cut: cutIs }
const range: Infix = { level: level.range, single: true, cut: cutRange }

/** The operator that stands here, after an expression. */
function infixAt(cutter: Cutter, plain: boolean): Infix | undefined {
  const next = cutter.tokens[cutter.at]
  if (next?.kind === token.symbol) {
    const found = symbols[next.text]
    if (found === undefined && next.text === '[') throw unsupportedAt(cutter, cutter.at, 'an element of an array')
    if (found === undefined && operatorSymbol.test(next.text)) refuseSymbol(cutter, next.text)
    return found
  }
  if (next?.kind !== token.word) return undefined
  if (next.text === 'at' && peek(cutter, 1) === 'time') throw unsupportedAt(cutter, cutter.at, 'AT TIME ZONE')
  if (!plain) return wordInfix(next.text, peek(cutter, 1))
  return next.text === 'is' && (peek(cutter, 1) === 'distinct' || peek(cutter, 2) === 'distinct') ? is : undefined
}

function wordInfix(word: string, after: string): Infix | undefined {
  switch (word) {
    case 'or':
      return or
    case 'and':
      return and
    case 'is':
    case 'isnull':
    case 'notnull':
      return is
    case 'between':
    case 'in':
    case 'like':
    case 'ilike':
      return range
    case 'not':
      return ['between', 'in', 'like', 'ilike', 'similar'].includes(after) ? range : undefined
  }
  return undefined
}

const quantifiers = new Set(['any', 'some', 'all'])

/** `a < ANY (SELECT …)`. */
function cutQuantified(cutter: Cutter, left: Cut): Cut | undefined {
  const quantifier = peek(cutter, 1)
  if (!quantifiers.has(quantifier) || peek(cutter, 2) !== '(') return undefined
  const operand = operandOf(cutter, left)
  const symbol = peek(cutter)
  cutter.at += 2
  if (!cutter.queries.has(cutter.at)) throw unsupportedAt(cutter, cutter.at - 1, `${quantifier.toUpperCase()} of anything but a subquery`)
  const query = partElement(cutQueryInParentheses(cutter))
  const meaning = { kind: 'quantified', comparison: symbol === '!=' ? '<>' : symbol === '==' ? '=' : symbol, all: quantifier === 'all' } as const
  return { level: level.comparison, meaning, elements: callElements([operand, [query]], operand[0]!.at), closed: true }
}

const tests = { null: 'is null', true: 'is true', false: 'is false', unknown: 'is unknown' } as const

function cutIs(cutter: Cutter, left: Cut, plain: boolean): Cut {
  const operand = operandOf(cutter, left)
  const start = operand[0]!.at
  const { at } = cutter
  const word = peek(cutter)
  cutter.at++
  if (word !== 'is') return operatorCut('is null', word === 'notnull', [operand], start, level.is, true)
  const negated = accept(cutter, 'not')
  const test = peek(cutter)
  if (test === 'null' || test === 'true' || test === 'false' || test === 'unknown') {
    cutter.at++
    return operatorCut(tests[test], negated, [operand], start, level.is, true)
  }
  if (!accept(cutter, 'distinct', 'from')) throw unsupportedAt(cutter, at, `${negated ? 'IS NOT' : 'IS'} with anything but NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM`)
  return operatorCut('distinct', negated, [operand, operandOf(cutter, cutExpression(cutter, level.is + 1, plain))], start, level.is)
}

function cutRange(cutter: Cutter, left: Cut): Cut {
  const operand = operandOf(cutter, left)
  const negated = accept(cutter, 'not')
  const { at } = cutter
  const word = peek(cutter)
  const named = textElement(`${negated ? 'not ' : ''}${word}`, at)
  switch (word) {
    case 'between':
      cutter.at++
      if (accept(cutter, 'symmetric')) return operatorCut('between symmetric', negated, [operand, ...cutBounds(cutter)], operand[0]!.at, level.range)
      accept(cutter, 'asymmetric')
      return inRange([...operand, named, ...cutBounds(cutter).flatMap((bound, index) => (index === 0 ? bound : [textElement('and', bound[0]!.at), ...bound]))], false)
    case 'in':
      cutter.at++
      return inRange([...operand, named, ...cutMembers(cutter)], true)
    case 'like':
    case 'ilike': {
      cutter.at++
      const operands = [operand, operandOf(cutter, cutExpression(cutter, level.range + 1))]
      if (accept(cutter, 'escape')) operands.push(operandOf(cutter, cutExpression(cutter, level.range + 1)))
      return operatorCut(word, negated, operands, operand[0]!.at, level.range)
    }
  }
  throw unsupportedAt(cutter, at, 'SIMILAR TO')
}

function inRange(elements: Element[], closed: boolean): Cut {
  return { level: level.range, meaning: { kind: 'tree' }, elements, closed }
}

function cutBounds(cutter: Cutter): readonly (readonly Element[])[] {
  const low = operandOf(cutter, cutExpression(cutter, level.is, true))
  take(cutter, 'and')
  return [low, operandOf(cutter, cutExpression(cutter, level.range + 1))]
}

/** `(a, b)` or `(SELECT …)`. */
function cutMembers(cutter: Cutter): readonly Element[] {
  const { at } = cutter
  if (cutter.queries.has(at)) return [textElement('(', at), partElement(cutQueryInParentheses(cutter)), textElement(')', at)]
  take(cutter, '(')
  const items = cutList(cutter)
  take(cutter, ')')
  return [textElement('(', at), ...items, textElement(')', at)]
}
