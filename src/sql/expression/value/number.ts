/**
 * Numbers as expressions compute them. Integers and unscaled NUMERICs are JavaScript numbers while safe and bigints
 * beyond, always in the one form that fits, so that equal values are equal as keys too.
 */
import { digitsMax } from '../../../engine/decimal.ts'
import { LsmtError } from '../../../errors.ts'
import { valueTypeName } from '../type.ts'
import type { ValueType } from '../type.ts'

export type Integer = number | bigint

/** A bigint in the form that fits. */
export function normal(value: bigint): Integer {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

export function outOfRange(type: ValueType): LsmtError {
  return new LsmtError('22003', `${valueTypeName(type)} out of range`)
}

export function divisionByZero(): LsmtError {
  return new LsmtError('22012', 'division by zero')
}

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n

/** The value as the type holds it; 22003 beyond its range. */
export function integerOf(type: ValueType, value: Integer): Integer {
  const max = type.kind === 'smallint' ? 32_767 : type.kind === 'integer' ? 2_147_483_647 : undefined
  if (max !== undefined) {
    if (value > max || value < -max - 1) throw outOfRange(type)
    return typeof value === 'bigint' ? Number(value) : value
  }
  if (typeof value === 'number') return value
  if (value > int64Max || value < int64Min) throw outOfRange(type)
  return normal(value)
}

/** Products of products would take all memory and time; sums hardly grow. Comparing it with another one looks at their lengths alone. */
const unscaledMax = 1n << BigInt(Math.floor(digitsMax * Math.log2(10)))

/** Exact sums, differences and products: in numbers when the result is safe, otherwise in bigints. */
export function add(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return normal(BigInt(a) + BigInt(b))
}

export function subtract(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return normal(BigInt(a) - BigInt(b))
}

export function multiply(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product
  }
  const product = BigInt(a) * BigInt(b)
  if (product > unscaledMax || product < -unscaledMax) throw new LsmtError('22003', `a number of more than ${digitsMax} digits is out of range`)
  return normal(product)
}

/** Truncates towards zero. */
export function divide(a: Integer, b: Integer): Integer {
  if (b === 0) throw divisionByZero()
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0
  return normal(BigInt(a) / BigInt(b))
}

/** Has the dividend's sign. */
export function remainder(a: Integer, b: Integer): Integer {
  if (b === 0) throw divisionByZero()
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0
  return normal(BigInt(a) % BigInt(b))
}

export function negate(a: Integer): Integer {
  return typeof a === 'number' ? 0 - a : normal(-a)
}

export function absolute(a: Integer): Integer {
  return a < 0 ? negate(a) : a
}

const powers = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent))

export function powerOf10(exponent: number): bigint {
  return powers[exponent] ?? 10n ** BigInt(exponent)
}

/** Quotient rounded half away from zero. */
export function divideRounded(value: bigint, divisor: bigint): bigint {
  const half = divisor / 2n
  return (value >= 0n === divisor > 0n ? value + half : value - half) / divisor
}

/** An unscaled NUMERIC at another scale, rounded half away from zero. */
export function rescale(value: Integer, from: number, to: number): Integer {
  if (from === to) return value
  if (to > from) return multiply(value, normal(powerOf10(to - from)))
  return normal(divideRounded(BigInt(value), powerOf10(from - to)))
}

/** 22003 for a result that is infinite although no argument was. */
export function finite(result: number, ...given: readonly number[]): number {
  if (Number.isFinite(result) || Number.isNaN(result) || given.some((value) => !Number.isFinite(value))) return result
  throw new LsmtError('22003', 'value out of range: overflow')
}
