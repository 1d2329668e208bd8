/**
 * Arithmetic by the types of src/sql/expression/operator.ts. NUMERIC has no bound there; here it is 64 bits, which the
 * operands' types may or may not keep it within.
 */
import type { EngineExpression } from '../../engine/engine.ts'
import type { Bound } from '../expression/bound.ts'
import { isFloat, isInteger, scaleOf } from '../expression/type.ts'
import type { ValueType } from '../expression/type.ts'
import { everyInteger, int64Max, integer, narrowed, rangeOf } from './lowered.ts'
import type { Lowered, Range } from './lowered.ts'

type IntegerOperator = Extract<EngineExpression, { kind: 'integers' }>['operator']

const operators: Readonly<Record<string, IntegerOperator>> = { '+': 'add', '-': 'subtract', '*': 'multiply', '/': 'quotient', '%': 'remainder', '+ days': 'add', '- days': 'subtract' }

/** `a <operator> b`; undefined when it is no arithmetic of numbers and days, or a quotient of NUMERIC, whose digits rarely fit. */
export function lowerArithmetic(name: string, type: ValueType, a: Lowered, b: Lowered): Lowered | undefined {
  const operator = operators[name]
  if (operator === undefined) return undefined
  if (isFloat(type)) return doubles(operator, a.expression, b.expression)
  if (isInteger(type)) return integers(operator, a, b, rangeOf(type))
  if (type.kind === 'date') return integers(operator, a, b, rangeOf({ kind: 'integer' }))
  return type.kind === 'numeric' && operator !== 'quotient' ? unbounded(operator, a, b) : undefined
}

/** Furthest from 0 that a result can be. */
const limits: Readonly<Record<IntegerOperator, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a + b,
  multiply: (a, b) => a * b,
  quotient: (a) => a,
  remainder: (a, b) => (a < b ? a : b),
  roundedQuotient: (a) => a,
  floorQuotient: (a) => a,
}

export function integers(operator: IntegerOperator, a: Lowered, b: Lowered, range: Range): Lowered {
  const limit = limits[operator](a.limit, b.limit)
  const isDivisionByConstant = b.expression.kind === 'constant' && b.expression.value !== 0n
  const cannotFail = limit <= range.high && (operator === 'add' || operator === 'subtract' || operator === 'multiply' || isDivisionByConstant)
  return { expression: { kind: 'integers', operator, left: a.expression, right: b.expression, range, safe: cannotFail }, limit: limit <= range.high ? limit : range.high + 1n }
}

/** With all of 64 bits, and no more. */
export function unbounded(operator: IntegerOperator, a: Lowered, b: Lowered): Lowered {
  return integers(operator, a, b, limits[operator](a.limit, b.limit) > int64Max ? narrowed : everyInteger)
}

export function doubles(operator: IntegerOperator, left: EngineExpression, right: EngineExpression): Lowered {
  return { expression: { kind: 'doubles', operator, left, right, message: 'value out of range: overflow' }, limit: 0n }
}

const zero: Lowered = { expression: integer(0n), limit: 0n }
const minusOne: EngineExpression = { kind: 'constant', of: 'f64', value: -1 }

export function lowerNegation(type: ValueType, operand: Lowered): Lowered {
  if (isFloat(type)) return doubles('multiply', operand.expression, minusOne)
  return isInteger(type) ? integers('subtract', zero, operand, rangeOf(type)) : unbounded('subtract', zero, operand)
}

const roundings: Readonly<Record<string, Extract<EngineExpression, { kind: 'rounded' }>['rounding']>> = { floor: 'floor', ceil: 'ceil', ceiling: 'ceil', trunc: 'trunc', round: 'nearest' }

/** Rounded to whole numbers, by the name of the function; undefined for other functions. NUMERIC is divided by 10 to its scale. */
export function lowerRounding(name: string, type: ValueType, operand: Lowered): Lowered | undefined {
  const rounding = Object.hasOwn(roundings, name) ? roundings[name] : undefined
  if (rounding === undefined) return undefined
  if (isFloat(type)) return { expression: { kind: 'rounded', rounding, operand: operand.expression }, limit: 0n }
  const scale = scaleOf(type), value = 10n ** BigInt(scale)
  if (type.kind !== 'numeric' || value > int64Max) return undefined
  const unit: Lowered = { expression: integer(value), limit: value }
  if (rounding === 'ceil') return unbounded('subtract', zero, integers('floorQuotient', unbounded('subtract', zero, operand), unit, everyInteger))
  return integers(rounding === 'floor' ? 'floorQuotient' : rounding === 'trunc' ? 'quotient' : 'roundedQuotient', operand, unit, everyInteger)
}

/** Of what is cheap to evaluate several times. */
export function lowerAbsolute({ type }: Bound, operand: Lowered): Lowered | undefined {
  const negated = lowerNegation(type, operand)
  if (operand.expression.kind !== 'column') return undefined
  const none: EngineExpression = isFloat(type) ? { kind: 'constant', of: 'f64', value: 0 } : integer(0n)
  const branches = [{ when: compared('lt', operand.expression, none), result: negated.expression }]
  // Of -0 it is 0.
  if (isFloat(type)) branches.push({ when: compared('eq', operand.expression, none), result: none })
  return { expression: { kind: 'case', branches, otherwise: operand.expression }, limit: negated.limit }
}

export function compared(comparison: Extract<EngineExpression, { kind: 'compare' }>['comparison'], left: EngineExpression, right: EngineExpression): EngineExpression {
  return { kind: 'compare', comparison, left, right }
}
