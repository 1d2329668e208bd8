/** Functions of numbers: exact for integers and NUMERIC, IEEE for DOUBLE. */
import { formatDecimal, parseDecimal } from '../../../engine/decimal.ts'
import { LsmtError, invariant } from '../../../errors.ts'
import { strictCall } from '../bound.ts'
import type { Apply, Bound } from '../bound.ts'
import { coerce, commonTypeOf } from '../coerce.ts'
import { bindBinary } from '../operator.ts'
import { bigintType, doubleType, isFloat, isInteger, isNumber, numericType, scaleOf } from '../type.ts'
import type { ValueType } from '../type.ts'
import { absolute, divide, divideRounded, divisionByZero, finite, integerOf, normal, powerOf10, rescale } from '../value/number.ts'
import type { Integer } from '../value/number.ts'
import { anyOf, fixed } from './signature.ts'
import type { Builder } from './signature.ts'

export const numberFunctions: Readonly<Record<string, Builder>> = {
  abs: ofNumber((type) => (isInteger(type) ? (value) => integerOf(type, absolute(value as Integer)) : (value) => absolute(value as Integer)), Math.abs),
  sign: (name, args) => {
    const arg = numberArgument(args, 1)
    if (arg === undefined) return undefined
    if (isFloat(arg.type)) return strictCall(name, [arg], arg.type, (value) => Math.sign(value as number))
    return strictCall(name, [arg], isInteger(arg.type) ? arg.type : numericType(0), (value) => ((value as Integer) > 0 ? 1 : (value as Integer) < 0 ? -1 : 0))
  },
  ceil: toWhole((value, unit) => -floorDivide(-value, unit), Math.ceil),
  ceiling: toWhole((value, unit) => -floorDivide(-value, unit), Math.ceil),
  floor: toWhole(floorDivide, Math.floor),
  round: anyOf(toWhole(divideRounded, roundHalfEven), toScale(divideRounded)),
  trunc: anyOf(toWhole((value, unit) => value / unit, Math.trunc), toScale((value, unit) => value / unit)),
  mod: (_, args) => (args.length === 2 ? bindBinary('%', args[0]!, args[1]!) : undefined),
  power: fixed([doubleType, doubleType], doubleType, power),
  pow: fixed([doubleType, doubleType], doubleType, power),
  sqrt: fixed([doubleType], doubleType, (value) => defined('sqrt', Math.sqrt(value as number), value as number)),
  exp: fixed([doubleType], doubleType, (value) => finite(Math.exp(value as number), value as number)),
  ln: fixed([doubleType], doubleType, (value) => logarithm(Math.log, value as number)),
  log: anyOf(
    fixed([doubleType], doubleType, (value) => logarithm(Math.log10, value as number)),
    fixed([doubleType, doubleType], doubleType, (base, value) => logarithmTo(base as number, value as number)),
  ),
  log10: fixed([doubleType], doubleType, (value) => logarithm(Math.log10, value as number)),
  sin: fixed([doubleType], doubleType, (value) => Math.sin(value as number)),
  cos: fixed([doubleType], doubleType, (value) => Math.cos(value as number)),
  tan: fixed([doubleType], doubleType, (value) => Math.tan(value as number)),
  cbrt: fixed([doubleType], doubleType, (value) => Math.cbrt(value as number)),
  asin: fixed([doubleType], doubleType, (value) => defined('asin', Math.asin(value as number), value as number)),
  acos: fixed([doubleType], doubleType, (value) => defined('acos', Math.acos(value as number), value as number)),
  atan: fixed([doubleType], doubleType, (value) => Math.atan(value as number)),
  atan2: fixed([doubleType, doubleType], doubleType, (y, x) => Math.atan2(y as number, x as number)),
  degrees: fixed([doubleType], doubleType, (value) => finite(((value as number) * 180) / Math.PI, value as number)),
  radians: fixed([doubleType], doubleType, (value) => ((value as number) / 180) * Math.PI),
  pi: fixed([], doubleType, () => Math.PI),
  div: wholeQuotient,
  gcd: ofIntegers((a, b) => greatestDivisor(a, b)),
  lcm: ofIntegers((a, b) => (a === 0n || b === 0n ? 0n : magnitude(a / greatestDivisor(a, b)) * magnitude(b))),
}

/** A function whose result has its argument's type. */
function ofNumber(exact: (type: ValueType) => Apply, float: (value: number) => number): Builder {
  return (name, args) => {
    const arg = numberArgument(args, 1)
    if (arg === undefined) return undefined
    return strictCall(name, [arg], arg.type, isFloat(arg.type) ? (value) => float(value as number) : exact(arg.type))
  }
}

/** Whole quotients, rounded towards zero. */
function wholeQuotient(name: string, args: readonly Bound[]): Bound | undefined {
  const type = args.length === 2 ? commonTypeOf(args) : undefined
  if (type === undefined || (!isInteger(type) && type.kind !== 'numeric')) return undefined
  const result = isInteger(type) ? type : numericType(0)
  return strictCall(name, args.map((arg) => coerce(arg, type)), result, (a, b) => {
    const quotient = divide(a as Integer, b as Integer)
    return isInteger(type) ? integerOf(type, quotient) : quotient
  })
}

function ofIntegers(compute: (a: bigint, b: bigint) => bigint): Builder {
  return (name, args) => {
    if (args.length !== 2) return undefined
    const type = commonTypeOf(args)
    if (type === undefined || !isInteger(type)) return undefined
    return strictCall(name, args.map((arg) => coerce(arg, type)), type, (a, b) => integerOf(type, normal(compute(BigInt(a as Integer), BigInt(b as Integer)))))
  }
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value
}

/** Euclid's. */
function greatestDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [magnitude(a), magnitude(b)]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

/** Untyped texts are read as DOUBLE, as PostgreSQL prefers it among the numbers. */
function numberArgument(args: readonly Bound[], count: number): Bound | undefined {
  const [arg] = args
  if (arg === undefined || args.length !== count) return undefined
  if (arg.type.kind === 'unknown') return coerce(arg, doubleType)
  return isNumber(arg.type) ? arg : undefined
}

type Division = (value: bigint, unit: bigint) => bigint

function toWhole(exact: Division, float: (value: number) => number): Builder {
  return (name, args) => {
    const arg = numberArgument(args, 1)
    if (arg === undefined) return undefined
    const { type } = arg
    if (isInteger(type)) return arg
    if (isFloat(type)) return strictCall(name, [arg], type, (value) => float(value as number))
    const unit = powerOf10(scaleOf(type))
    return strictCall(name, [arg], numericType(0), (value) => normal(exact(BigInt(value as Integer), unit)))
  }
}

/**
 * `round(value, digits)`. Digits that stand in the statement are the result's scale; where they are computed, the scale
 * stays the value's, since a type cannot depend on a row, and digits beyond are zeros.
 */
function toScale(exact: Division): Builder {
  return (name, args, literals) => {
    const [arg, digits] = args
    const value = arg === undefined ? undefined : numberArgument([arg], 1)
    if (value === undefined || digits === undefined || args.length !== 2 || !(isInteger(digits.type) || digits.type.kind === 'unknown')) return undefined
    if (isFloat(value.type)) return strictCall(name, [value, coerce(digits, bigintType)], value.type, (number, count) => decimalDouble(number as number, Number(count), exact))
    const given = isInteger(value.type) ? coerce(value, numericType(0)) : value
    const scale = scaleOf(given.type)
    const known = digits.kind === 'literal' ? literals.wholeNumber(digits.operand) : undefined
    const to = known === undefined ? scale : Math.min(Math.max(known, 0), scaleMax)
    return strictCall(name, [given, coerce(digits, bigintType)], numericType(to), (number, count) => rescale(cutDigits(number as Integer, scale - Number(count), exact), scale, to))
  }
}

/** Digits after the point that PostgreSQL shows of a computed NUMERIC at most. */
const scaleMax = 1_000

function cutDigits(value: Integer, digits: number, exact: Division): Integer {
  if (digits <= 0) return value
  if (digits > 400) return 0
  const unit = powerOf10(digits)
  return normal(exact(BigInt(value), unit) * unit)
}

/** Doubles by their shortest decimal digits, which is what users see. */
function decimalDouble(value: number, digits: number, exact: Division): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21 || digits > 300) return value
  const scale = Math.max(0, Math.min(digits, 300))
  const [whole, fraction = ''] = plainDigits(value).split('.')
  const unscaled = BigInt(whole! + fraction)
  const cut = fraction.length - digits
  if (cut <= 0) return value
  const result = exact(unscaled, powerOf10(cut))
  const text = digits >= 0 ? `${result}e-${scale}` : `${result * powerOf10(-digits)}`
  return Number(text)
}

function plainDigits(value: number): string {
  const text = String(value)
  return text.includes('e') ? formatDecimal(...exact(text)) : text
}

function exact(text: string): [bigint, number] {
  const decimal = parseDecimal(text)
  invariant(decimal !== undefined, 'a number that is no decimal')
  return [decimal.unscaled, decimal.scale]
}

function floorDivide(value: bigint, unit: bigint): bigint {
  const quotient = value / unit
  return value < 0n && quotient * unit !== value ? quotient - 1n : quotient
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value)
  if (value - floor !== 0.5) return Math.round(value)
  // Of -0.5 it is -0.
  return floor % 2 === 0 ? floor : floor === -1 ? -0 : floor + 1
}

function power(base: unknown, exponent: unknown): number {
  const [a, b] = [base as number, exponent as number]
  // Where JavaScript has NaN and IEEE 754 has 1.
  if (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b))) return 1
  if (a === 0 && b < 0) throw new LsmtError('22012', 'zero to a negative power is undefined')
  return finite(defined('power', a ** b, a, b), a, b)
}

/** 22003 where a function of real numbers has no value. */
function defined(name: string, result: number, ...given: readonly number[]): number {
  if (Number.isNaN(result) && !given.some(Number.isNaN)) throw new LsmtError('22003', `${name} of ${given.join(', ')} is not a real number`)
  return result
}

function logarithmTo(base: number, value: number): number {
  const [dividend, divisor] = [logarithm(Math.log, value), logarithm(Math.log, base)]
  if (divisor === 0) throw divisionByZero()
  return dividend / divisor
}

function logarithm(log: (value: number) => number, value: number): number {
  if (value <= 0) throw new LsmtError('22003', `there is no logarithm of ${value}`)
  return log(value)
}
