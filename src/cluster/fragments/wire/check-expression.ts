/**
 * Whether the parts of an expression fit together. Here this is known of expressions when they are made; of one that came
 * from another node it is not, and kernels take what they are given for what it should be.
 */
import { patternParts } from '../../../bytes/like.ts'
import { LsmtError } from '../../../errors.ts'
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { VectorExpression, VectorKind } from '../../../lsm/vector/expression.ts'
import { violation } from '../../transport/frame/frame.ts'
import { kindOfValue } from './values.ts'

const conversions = {
  toDouble: { from: 'i64', to: 'f64' }, toInteger: { from: 'f64', to: 'i64' }, rounded: { from: 'f64', to: 'f64' }, fromBoolean: { from: 'boolean', to: 'i64' },
} as const

/** The kind of what it gives. 40001 for a column that the table does not have, 08P01 for what does not fit. */
export function checkExpression(columns: readonly PhysicalKind[], expression: VectorExpression): VectorKind {
  const kindOf = (part: VectorExpression): VectorKind => checkExpression(columns, part)
  const want = (part: VectorExpression, kind: VectorKind): void => expectKind(expression, kindOf(part), kind)
  switch (expression.kind) {
    case 'column':
      return columnKind(columns, expression.ordinal)
    case 'constant':
      if (expression.of !== 'boolean' && expression.value !== null) expectKind(expression, kindOfValue(expression.value as Exclude<typeof expression.value, boolean | null>), expression.of)
      return expression.of
    case 'compare':
      want(expression.right, valueKind(expression, kindOf(expression.left)))
      return 'boolean'
    case 'isNull':
      kindOf(expression.operand)
      return 'boolean'
    case 'and':
    case 'or':
      expectSome(expression, expression.items)
      for (const item of expression.items) want(item, 'boolean')
      return 'boolean'
    case 'not':
      want(expression.operand, 'boolean')
      return 'boolean'
    case 'in': {
      const wanted = valueKind(expression, kindOf(expression.operand))
      for (const value of expression.values) expectKind(expression, kindOfValue(value), wanted)
      return 'boolean'
    }
    case 'like':
      want(expression.operand, 'bytes')
      checkPattern(expression.pattern, expression.escape)
      return 'boolean'
    case 'integers':
      want(expression.left, 'i64')
      want(expression.right, 'i64')
      return 'i64'
    case 'doubles':
      if (expression.operator === 'roundedQuotient') throw violation(`an expression of doubles with the operator ${expression.operator}`)
      want(expression.left, 'f64')
      want(expression.right, 'f64')
      return 'f64'
    case 'toDouble':
    case 'toInteger':
    case 'rounded':
    case 'fromBoolean': {
      const { from, to } = conversions[expression.kind]
      want(expression.operand, from)
      return to
    }
    case 'case': {
      for (const { when } of expression.branches) want(when, 'boolean')
      return sameKind(columns, expression, [...expression.branches.map(({ result }) => result), ...(expression.otherwise === undefined ? [] : [expression.otherwise])])
    }
    case 'coalesce':
      return sameKind(columns, expression, expression.items)
  }
}

export function columnKind(columns: readonly PhysicalKind[], ordinal: number): PhysicalKind {
  const kind = columns[ordinal]
  if (kind === undefined) throw new LsmtError('40001', `the table has ${columns.length} columns here, and column ${ordinal} is asked for: it was changed meanwhile`)
  return kind
}

function sameKind(columns: readonly PhysicalKind[], whole: VectorExpression, parts: readonly VectorExpression[]): VectorKind {
  expectSome(whole, parts)
  const [kind, ...others] = parts.map((part) => checkExpression(columns, part))
  for (const other of others) expectKind(whole, other, kind!)
  return kind!
}

function valueKind(whole: VectorExpression, kind: VectorKind): PhysicalKind {
  if (kind === 'boolean') throw violation(`an expression (${whole.kind}) of truths, where values are wanted`)
  return kind
}

function expectSome({ kind }: VectorExpression, parts: readonly VectorExpression[]): void {
  if (parts.length === 0) throw violation(`an expression (${kind}) of no parts`)
}

function expectKind({ kind }: VectorExpression, actual: VectorKind, expected: VectorKind): void {
  if (actual !== expected) throw violation(`an expression (${kind}) with a part of kind ${actual} instead of ${expected}`)
}

function checkPattern(pattern: string, escape: string | undefined): void {
  if (escape !== undefined && Array.from(escape).length !== 1) throw violation('a LIKE with an escape of more than one character')
  try {
    patternParts(pattern, escape)
  } catch (error) {
    throw violation(`a LIKE with the pattern ${JSON.stringify(pattern.slice(0, 100))}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
