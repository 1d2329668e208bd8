/** Casts between numbers, days and times, as src/sql/expression/value/cast.ts has them. */
import type { EngineExpression } from '../../engine/engine.ts'
import { isFloat, isInteger, scaleOf, valueTypeName } from '../expression/type.ts'
import type { ValueType } from '../expression/type.ts'
import { microsPerDay } from '../expression/value/cast.ts'
import { doubles, integers, unbounded } from './arithmetic.ts'
import { everyInteger, int64Max, integer, limitOf, rangeOf } from './lowered.ts'
import type { Lowered, Range } from './lowered.ts'

/** Of at most 64 bits; undefined beyond. */
function power(exponent: number): Lowered | undefined {
  const value = 10n ** BigInt(exponent)
  return value > int64Max ? undefined : { expression: integer(value), limit: value }
}

const day: Lowered = { expression: integer(BigInt(microsPerDay)), limit: BigInt(microsPerDay) }

export function lowerCast(operand: Lowered, from: ValueType, to: ValueType): Lowered | undefined {
  if (isInteger(to)) return toInteger(operand, from, to)
  if (to.kind === 'numeric') return isInteger(from) || from.kind === 'numeric' ? toNumeric(operand, scaleOf(from), to) : undefined
  if (isFloat(to)) return toDouble(operand, from)
  if (to.kind === 'boolean' && from.kind === 'integer') return { expression: { kind: 'compare', comparison: 'ne', left: operand.expression, right: integer(0n) }, limit: 1n }
  if (to.kind === 'timestamp' && from.kind === 'date') return unbounded('multiply', operand, day)
  if (to.kind === 'date' && from.kind === 'timestamp') return integers('floorQuotient', operand, day, everyInteger)
  return undefined
}

function toInteger(operand: Lowered, from: ValueType, to: ValueType): Lowered | undefined {
  const range = rangeOf(to)
  if (isInteger(from)) return operand.limit <= range.high || limitOf(from) <= limitOf(to) ? operand : integers('add', operand, { expression: integer(0n), limit: 0n }, range)
  const unit = power(scaleOf(from))
  if (from.kind === 'numeric') return unit && integers('roundedQuotient', operand, unit, range)
  if (isFloat(from)) return { expression: { kind: 'toInteger', operand: operand.expression, range }, limit: limitOf(to) }
  return from.kind === 'boolean' && to.kind === 'integer' ? { expression: { kind: 'fromBoolean', operand: operand.expression }, limit: 1n } : undefined
}

/** A declared precision is a range within 64 bits; without one the digits must fit by themselves. */
function toNumeric(operand: Lowered, from: number, to: Extract<ValueType, { kind: 'numeric' }>): Lowered | undefined {
  const operator = to.scale >= from ? 'multiply' : 'roundedQuotient'
  const factor = power(Math.abs(to.scale - from))
  if (factor === undefined) return undefined
  if (to.precision > 18) return to.scale === from ? operand : unbounded(operator, operand, factor)
  const limit = limitOf(to)
  const range: Range = { low: -limit, high: limit, message: `value out of range for type ${valueTypeName(to)}` }
  return to.scale === from && operand.limit <= limit ? operand : integers(operator, operand, factor, range)
}

/** Unscaled numbers and powers of ten below this are exact as doubles, and so their quotient is the nearest one. */
const exactMax = 2n ** 53n, exactScaleMax = 22

function toDouble(operand: Lowered, from: ValueType): Lowered | undefined {
  if (isFloat(from)) return operand
  const whole: EngineExpression = { kind: 'toDouble', operand: operand.expression }
  if (isInteger(from) || (from.kind === 'numeric' && from.scale === 0)) return { expression: whole, limit: 0n }
  if (from.kind !== 'numeric' || operand.limit > exactMax || from.scale > exactScaleMax) return undefined
  return doubles('quotient', whole, { kind: 'constant', of: 'f64', value: Number(`1e${from.scale}`) })
}
