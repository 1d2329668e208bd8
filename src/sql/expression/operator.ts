/** Operators by the types of their sides. */
import { LsmtError } from '../../errors.ts'
import type { EngineValue } from '../../engine/engine.ts'
import { looseCall, strictCall } from './bound.ts'
import type { Apply, Bound } from './bound.ts'
import { coerce, commonTypeOf, settled } from './coerce.ts'
import { booleanType, commonType, dateType, doubleType, integerType, intervalType, isFloat, isInteger, isNumber, numericType, refuseIntervals, scaleOf, textType, timestampType, valueTypeName } from './type.ts'
import type { ValueType } from './type.ts'
import { addInterval, intervalSince } from './value/calendar.ts'
import { addIntervals, timesInterval } from './value/interval.ts'
import { add, divide, divideRounded, divisionByZero, finite, integerOf, multiply, negate, normal, powerOf10, remainder, subtract } from './value/number.ts'
import type { Integer } from './value/number.ts'
import { comparer, keyOf } from './value/order.ts'
import { textForm } from './value/text-form.ts'
import { checkLength } from './value/text-limit.ts'

/** 42883 with the types, as every operator without a meaning is refused. */
function noOperator(operator: string, ...args: readonly Bound[]): LsmtError {
  const [left, right] = args.map(({ type }) => valueTypeName(type))
  const shown = right === undefined ? `${operator} ${left}` : `${left} ${operator} ${right}`
  return new LsmtError('42883', `there is no operator ${shown}`, { hint: 'there is no silent cast between types; say CAST(… AS …)' })
}

export function bindBinary(operator: string, left: Bound, right: Bound): Bound {
  switch (operator) {
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return bindArithmetic(operator, left, right)
    case '^':
      return bindPower(left, right)
    case '||':
      return bindConcatenation(left, right)
    default:
      return bindComparison(operator, left, right)
  }
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0, '<>': (order) => order !== 0, '<': (order) => order < 0, '<=': (order) => order <= 0, '>': (order) => order > 0, '>=': (order) => order >= 0,
}

export function bindComparison(operator: string, left: Bound, right: Bound): Bound {
  const type = commonType(left.type, right.type)
  if (type === undefined || comparisons[operator] === undefined) throw noOperator(operator, left, right)
  const args = [left, right].map((side) => settled(coerce(side, type)))
  return strictCall(operator, args, booleanType, comparisonOf(operator, type))
}

/** A comparison of two values of a type, neither null. */
export function comparisonOf(operator: string, type: ValueType): Apply {
  if (operator === '=' && isPlain(type)) return (a, b) => (a === b ? 1 : 0)
  if (operator === '<>' && isPlain(type)) return (a, b) => (a === b ? 0 : 1)
  const test = comparisons[operator]!
  const compare = comparer(type)
  return (a, b) => (test(compare(a, b)) ? 1 : 0)
}

/** Types whose equal values are identical. */
function isPlain(type: ValueType): boolean {
  return !isFloat(type) && type.kind !== 'bytea' && type.kind !== 'interval'
}

export function bindDistinct(left: Bound, right: Bound, negated: boolean): Bound {
  const type = commonType(left.type, right.type)
  if (type === undefined) throw noOperator('IS DISTINCT FROM', left, right)
  refuseIntervals([type], 'IS DISTINCT FROM')
  const args = [left, right].map((side) => settled(coerce(side, type)))
  const isSame = (a: EngineValue, b: EngineValue): boolean => keyOf(a) === keyOf(b) || (Number.isNaN(a) && Number.isNaN(b))
  return looseCall(negated ? 'not distinct' : 'distinct', args, booleanType, (a, b) => (isSame(a, b) === negated ? 1 : 0))
}

function bindArithmetic(operator: string, left: Bound, right: Bound): Bound {
  const temporal = bindTemporal(operator, left, right)
  if (temporal !== undefined) return temporal
  const type = commonType(left.type, right.type)
  if (type === undefined) throw noOperator(operator, left, right)
  if (type.kind === 'unknown') return bindArithmetic(operator, coerce(left, integerType), coerce(right, integerType))
  if (!isNumber(type)) throw noOperator(operator, left, right)
  if (isInteger(type)) return strictCall(operator, [coerce(left, type), coerce(right, type)], type, integerOperator(operator, type))
  if (isFloat(type)) return strictCall(operator, [coerce(left, type), coerce(right, type)], type, floatOperator(operator))
  return bindNumeric(operator, left, right, type)
}

const integerOperators: Readonly<Record<string, (a: Integer, b: Integer) => Integer>> = { '+': add, '-': subtract, '*': multiply, '/': divide, '%': remainder }

function integerOperator(operator: string, type: ValueType): Apply {
  const compute = integerOperators[operator]!
  return (a, b) => integerOf(type, compute(a as Integer, b as Integer))
}

function floatOperator(operator: string): Apply {
  const compute = floatOperators[operator]!
  return (a, b) => finite(compute(a as number, b as number), a as number, b as number)
}

const floatOperators: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => {
    if (b === 0 && !Number.isNaN(a)) throw divisionByZero()
    return a / b
  },
  '%': (a, b) => {
    if (b === 0) throw divisionByZero()
    return a % b
  },
}

/** Digits after the point of a product, at most, as of PostgreSQL's numeric. */
const scaleMax = 16_383

/** Digits after the point of a quotient, at least. */
export const quotientScaleMin = 16

/** Sides keep their own scales where the operation allows it. */
function bindNumeric(operator: string, left: Bound, right: Bound, type: ValueType): Bound {
  const atScale = (side: Bound): Bound => (side.type.kind === 'unknown' ? coerce(side, type) : side.type.kind === 'numeric' ? side : coerce(side, numericType(0)))
  if (operator === '*') {
    const [a, b] = [atScale(left), atScale(right)]
    const productScale = scaleOf(a.type) + scaleOf(b.type)
    if (productScale > scaleMax) throw new LsmtError('22003', `a product of ${productScale} digits after the point is out of range`)
    return strictCall('*', [a, b], numericType(productScale), (x, y) => multiply(x as Integer, y as Integer))
  }
  const scale = scaleOf(type)
  const args = [coerce(left, numericType(scale)), coerce(right, numericType(scale))]
  if (operator !== '/') return strictCall(operator, args, numericType(scale), (x, y) => integerOperators[operator]!(x as Integer, y as Integer))
  const quotientScale = Math.max(quotientScaleMin, scale)
  const factor = powerOf10(quotientScale)
  return strictCall('/', args, numericType(quotientScale), (x, y) => {
    if (y === 0) throw divisionByZero()
    return normal(divideRounded(BigInt(x as Integer) * factor, BigInt(y as Integer)))
  })
}

/** Dates and times with days and intervals. */
function bindTemporal(operator: string, left: Bound, right: Bound): Bound | undefined {
  const [a, b] = [left.type.kind, right.type.kind]
  if (operator === '+' && a === 'interval' && (b === 'timestamp' || b === 'date')) return bindTemporal('+', right, left)
  if (operator === '*' && isNumber(left.type) && b === 'interval') return bindTemporal('*', right, left)
  if ((operator === '*' || operator === '/') && a === 'interval' && isNumber(right.type)) return scaledInterval(operator, left, right)
  if (operator !== '+' && operator !== '-') return undefined
  const sign = operator === '+' ? 1 : -1
  if (a === 'interval' && b === 'interval') return strictCall(`${operator} intervals`, [left, right], intervalType, (x, y) => addIntervals(x as string, y as string, sign))
  if (sign < 0 && a === 'timestamp' && (b === 'timestamp' || b === 'date')) return strictCall('- times', [left, coerce(right, timestampType)], intervalType, (x, y) => intervalSince(x as Integer, y as Integer))
  if (sign < 0 && a === 'date' && b === 'timestamp') return bindTemporal('-', coerce(left, timestampType), right)
  if (b === 'interval' && (a === 'timestamp' || a === 'date')) return strictCall(`${operator} interval`, [coerce(left, timestampType), right], timestampType, (time, interval) => addInterval(time as Integer, interval as string, sign))
  if (a === 'date' && isInteger(right.type)) return strictCall(`${operator} days`, [left, right], dateType, (day, days) => integerOf(integerType, sign > 0 ? add(day as Integer, days as Integer) : subtract(day as Integer, days as Integer)))
  if (b === 'date' && isInteger(left.type) && sign > 0) return bindTemporal('+', right, left)
  if (a === 'date' && b === 'date' && sign < 0) return strictCall('- dates', [left, right], integerType, (x, y) => subtract(x as Integer, y as Integer))
  return undefined
}

function scaledInterval(operator: '*' | '/', interval: Bound, number: Bound): Bound {
  const args = [interval, coerce(number, doubleType)]
  if (operator === '*') return strictCall('* interval', args, intervalType, (value, factor) => timesInterval(value as string, factor as number))
  return strictCall('/ interval', args, intervalType, (value, divisor) => {
    if (divisor === 0) throw divisionByZero()
    return timesInterval(value as string, 1 / (divisor as number))
  })
}

function bindPower(left: Bound, right: Bound): Bound {
  const [a, b] = [left, right].map((side) => {
    if (!isNumber(side.type) && side.type.kind !== 'unknown') throw noOperator('^', left, right)
    return coerce(side, doubleType)
  })
  return strictCall('^', [a!, b!], doubleType, (x, y) => finite((x as number) ** (y as number), x as number, y as number))
}

function bindConcatenation(left: Bound, right: Bound): Bound {
  if (left.type.kind === 'bytea' && right.type.kind === 'bytea') return strictCall('||', [left, right], left.type, joinedBytes)
  const isTextual = (side: Bound): boolean => side.type.kind === 'text' || side.type.kind === 'unknown'
  if (!isTextual(left) && !isTextual(right)) throw noOperator('||', left, right)
  const texts = [left, right].map(settled)
  const [a, b] = texts.map(({ type }) => textForm(type))
  return strictCall('||', texts, textType, (x, y) => {
    const first = a!(x), second = b!(y)
    checkLength(first.length + second.length)
    return first + second
  })
}

function joinedBytes(a: EngineValue, b: EngineValue): Uint8Array {
  const parts = [a as Uint8Array, b as Uint8Array]
  checkLength(parts[0]!.length + parts[1]!.length)
  return new Uint8Array(Buffer.concat(parts))
}

export function bindSign(operator: '-' | '+', operand: Bound): Bound {
  if (operand.type.kind === 'unknown') return bindSign(operator, coerce(operand, integerType))
  const { type } = operand
  if (operator === '-' && type.kind === 'interval') return strictCall('negate', [operand], type, (value) => timesInterval(value as string, -1))
  if (!isNumber(type)) throw noOperator(operator, operand)
  if (operator === '+') return operand
  if (isFloat(type)) return strictCall('negate', [operand], type, (value) => -(value as number))
  return strictCall('negate', [operand], type, isInteger(type) ? (value) => integerOf(type, negate(value as Integer)) : (value) => negate(value as Integer))
}

/** Conditions must be BOOLEAN. */
export function asCondition(bound: Bound, clause: string): Bound {
  if (bound.type.kind === 'boolean') return bound
  if (bound.type.kind === 'unknown') return coerce(bound, booleanType)
  throw new LsmtError('42804', `the argument of ${clause} must be of type BOOLEAN, not ${valueTypeName(bound.type)}`)
}

/** Several values brought to the type at which they meet. 42804 when there is none. */
export function unified(items: readonly Bound[], what: string): readonly Bound[] {
  const type = commonTypeOf(items)
  if (type === undefined) throw new LsmtError('42804', `${what} types ${[...new Set(items.map((item) => valueTypeName(item.type)))].join(' and ')} cannot be matched`)
  return items.map((item) => settled(coerce(item, type)))
}
