/** Functions of numbers: exact for integers and NUMERIC, IEEE for DOUBLE. */
import { formatDecimal, parseDecimal } from '../../../engine/decimal.ts'
import { LsmtError, invariant } from '../../../errors.ts'
import { strictCall } from '../bound.ts'
import type { Apply, Bound } from '../bound.ts'
import { coerce } from '../coerce.ts'
import { bindBinary } from '../operator.ts'
import { bigintType, doubleType, isFloat, isInteger, isNumber, numericType, scaleOf } from '../type.ts'
import type { ValueType } from '../type.ts'
import { absolute, divideRounded, finite, integerOf, normal, powerOf10, rescale } from '../value/number.ts'
import type { Integer } from '../value/number.ts'
import { anyOf, fixed } from './signature.ts'
import type { Builder } from './signature.ts'

export const numberFunctions: Readonly<Record<string, Builder>> = {
  abs: ofNumber((type) => (isInteger(type) ? (value) => integerOf(type, absolute(value as Integer)) : (value) => absolute(value as Integer)), Math.abs),
  sign: ofNumber((type) => (value) => rescale((value as Integer) > 0 ? 1 : (value as Integer) < 0 ? -1 : 0, 0, scaleOf(type)), Math.sign),
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
  log: fixed([doubleType], doubleType, (value) => logarithm(Math.log10, value as number)),
  log10: fixed([doubleType], doubleType, (value) => logarithm(Math.log10, value as number)),
  sin: fixed([doubleType], doubleType, (value) => Math.sin(value as number)),
  cos: fixed([doubleType], doubleType, (value) => Math.cos(value as number)),
  tan: fixed([doubleType], doubleType, (value) => Math.tan(value as number)),
  pi: fixed([], doubleType, () => Math.PI),
}

/** A function whose result has its argument's type. */
function ofNumber(exact: (type: ValueType) => Apply, float: (value: number) => number): Builder {
  return (name, args) => {
    const arg = numberArgument(args, 1)
    if (arg === undefined) return undefined
    return strictCall(name, [arg], arg.type, isFloat(arg.type) ? (value) => float(value as number) : exact(arg.type))
  }
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

/** `round(value, digits)`: the scale stays the argument's, since a type cannot depend on values; digits beyond are zeros. */
function toScale(exact: Division): Builder {
  return (name, args) => {
    const [arg, digits] = args
    const value = arg === undefined ? undefined : numberArgument([arg], 1)
    if (value === undefined || digits === undefined || args.length !== 2 || !isInteger(digits.type)) return undefined
    if (isFloat(value.type)) return strictCall(name, [value, coerce(digits, bigintType)], value.type, (number, count) => decimalDouble(number as number, Number(count), exact))
    const given = isInteger(value.type) ? coerce(value, numericType(0)) : value
    const scale = scaleOf(given.type)
    return strictCall(name, [given, coerce(digits, bigintType)], numericType(scale), (number, count) => cutDigits(number as Integer, scale - Number(count), exact))
  }
}

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
  return floor % 2 === 0 ? floor : floor + 1
}

function power(base: unknown, exponent: unknown): number {
  const [a, b] = [base as number, exponent as number]
  if (a === 0 && b < 0) throw new LsmtError('22012', 'zero to a negative power is undefined')
  return finite(defined('power', a ** b, a, b), a, b)
}

/** 22003 where a function of real numbers has no value. */
function defined(name: string, result: number, ...given: readonly number[]): number {
  if (Number.isNaN(result) && !given.some(Number.isNaN)) throw new LsmtError('22003', `${name} of ${given.join(', ')} is not a real number`)
  return result
}

function logarithm(log: (value: number) => number, value: number): number {
  if (value <= 0) throw new LsmtError('22003', `there is no logarithm of ${value}`)
  return log(value)
}
