/** Comparisons and truths. A NOT is brought down to what it negates, where zone maps and encoded columns can answer it. */
import type { EngineExpression } from '../../engine/engine.ts'
import { compared } from './arithmetic.ts'
import { int64Max, integer } from './lowered.ts'
import type { Lowered } from './lowered.ts'

type Comparison = Extract<EngineExpression, { kind: 'compare' }>['comparison']

export const comparisons: Readonly<Record<string, Comparison>> = { '=': 'eq', '<>': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' }
const opposites: Readonly<Record<Comparison, Comparison>> = { eq: 'ne', ne: 'eq', lt: 'ge', le: 'gt', gt: 'le', ge: 'lt' }
/** With the sides exchanged. */
export const flipped: Readonly<Record<Comparison, Comparison>> = { eq: 'eq', ne: 'ne', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le' }

export const truth = (expression: EngineExpression): Lowered => ({ expression, limit: 1n })
export const fixed = (value: boolean): EngineExpression => ({ kind: 'constant', of: 'boolean', value })

export function negated(expression: EngineExpression): EngineExpression {
  const { kind } = expression
  if (kind === 'compare') return { ...expression, comparison: opposites[expression.comparison] }
  if (kind === 'and' || kind === 'or') return { kind: kind === 'and' ? 'or' : 'and', items: expression.items.map(negated) }
  if (kind === 'isNull') return { ...expression, negated: !expression.negated }
  return kind === 'not' ? expression.operand : { kind: 'not', operand: expression }
}

/** A constant goes to the right, but for NULL, after which nothing is evaluated. */
export function lowerComparison(comparison: Comparison, left: EngineExpression, right: EngineExpression): EngineExpression {
  return left.kind === 'constant' && left.value !== null ? compared(flipped[comparison], right, left) : compared(comparison, left, right)
}

/** Never true, and null where the operand is. */
const never = (operand: EngineExpression): EngineExpression => ({ kind: 'in', operand, values: [], hasNull: false })

/**
 * `operand × factor <comparison> constant` without the product: an integer compared with 2.5 is compared with 2, so that
 * columns are compared as they are stored, and nothing overflows.
 */
export function compareScaled(comparison: Comparison, operand: EngineExpression, factor: bigint, constant: bigint): EngineExpression {
  const remainder = ((constant % factor) + factor) % factor
  const floor = (constant - remainder) / factor
  if (remainder !== 0n && (comparison === 'eq' || comparison === 'ne')) return comparison === 'eq' ? never(operand) : negated(never(operand))
  const isBelow = comparison === 'lt' || comparison === 'le'
  if (floor > int64Max || floor < -int64Max - 1n) return comparison === 'ne' || isBelow === floor > 0n ? negated(never(operand)) : never(operand)
  const whole = remainder === 0n ? comparison : isBelow ? 'le' : 'gt'
  return compared(whole, operand, integer(floor))
}

/** `a IS [NOT] DISTINCT FROM b`, of operands that cannot fail. */
export function lowerDistinct(a: EngineExpression, b: EngineExpression, isSame: boolean): EngineExpression {
  const isNull = (operand: EngineExpression, no: boolean): EngineExpression => ({ kind: 'isNull', operand, negated: no })
  const same: EngineExpression = { kind: 'or', items: [{ kind: 'and', items: [isNull(a, false), isNull(b, false)] }, { kind: 'and', items: [isNull(a, true), isNull(b, true), lowerComparison('eq', a, b)] }] }
  return isSame ? same : negated(same)
}

/** IS [NOT] TRUE and IS [NOT] FALSE. */
export function lowerIs(operand: EngineExpression, test: boolean, isWanted: boolean): EngineExpression {
  const is: EngineExpression = { kind: 'coalesce', items: [test ? operand : negated(operand), fixed(false)] }
  return isWanted ? is : negated(is)
}

