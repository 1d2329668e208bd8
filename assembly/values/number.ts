/**
 * Numbers: a mantissa of at most 19 digits (which 64 bits hold), the count of those after the point, an exponent. What
 * has more digits, or meets a column that is no number's, is not known here; doubles of it are pending cells.
 */
import { isWordPart } from './blank'
import {
  COLUMN_LIMIT, COLUMN_MAX, COLUMN_MIN, COLUMN_TYPE, PLAN_PENDING, PLAN_PENDING_COUNT, PLAN_PENDING_MAX, TYPE_DOUBLE, TYPE_INTEGER, TYPE_NUMERIC, valueAt,
} from './layout'

const DIGITS_MAX: u32 = 19
const MANTISSA_EXACT_MAX: u64 = 1 << 53

// The number that was read last.
let mantissa: u64 = 0
let significant: u32 = 0
let fractionDigits: u32 = 0
let exponent: i32 = 0
let isPlain: bool = true

export function scanNumber(start: usize, plan: usize, column: usize, row: u32): usize {
  const isNegative = load<u8>(start) == 0x2d
  const end = readNumber(isNegative ? start + 1 : start)
  if (end == 0 || isWordPart(load<u8>(end))) return 0
  const type = load<u32>(column, COLUMN_TYPE)
  if (type == TYPE_DOUBLE) {
    // An integer has no sign when it is 0.
    const isBareZero = isPlain && mantissa == 0 && end - start < 16
    return storeDouble(start, end, plan, column, row, isNegative && !isBareZero) ? end : 0
  }
  if (significant > DIGITS_MAX || exponent != 0 || (type != TYPE_INTEGER && type != TYPE_NUMERIC)) return 0
  return storeDecimal(column, row, isNegative, type == TYPE_NUMERIC ? load<u32>(column, COLUMN_LIMIT) : 0) ? end : 0
}

/** A number as CSV has it: it is text of its column's type, so integers have no point, and a double has the sign that it shows. */
export function scanPlainNumber(start: usize, plan: usize, column: usize, row: u32): usize {
  const isNegative = load<u8>(start) == 0x2d
  const end = readNumber(isNegative ? start + 1 : start)
  if (end == 0) return 0
  const type = load<u32>(column, COLUMN_TYPE)
  if (type == TYPE_DOUBLE) return storeDouble(start, end, plan, column, row, isNegative) ? end : 0
  if (significant > DIGITS_MAX || exponent != 0 || (type == TYPE_INTEGER && !isPlain)) return 0
  return storeDecimal(column, row, isNegative, type == TYPE_NUMERIC ? load<u32>(column, COLUMN_LIMIT) : 0) ? end : 0
}

/** Digits with a point and an exponent; returns where they end, 0 when they are none. */
function readNumber(start: usize): usize {
  mantissa = 0
  significant = fractionDigits = 0
  exponent = 0
  isPlain = true
  let at = readDigits(start)
  let seen = at - start
  if (load<u8>(at) == 0x2e) {
    isPlain = false
    const point = at + 1
    at = readDigits(point)
    fractionDigits = <u32>(at - point)
    seen += fractionDigits
  }
  if (seen == 0) return 0
  return (load<u8>(at) | 0x20) == 0x65 ? readExponent(at) : at
}

function readDigits(start: usize): usize {
  let at = start
  let value = mantissa
  let count = significant
  for (let digit = <u32>load<u8>(at) - 0x30; digit < 10; digit = <u32>load<u8>(++at) - 0x30) {
    value = value * 10 + digit
    if (digit != 0 || count != 0) count++
  }
  mantissa = value
  significant = count
  return at
}

function readExponent(start: usize): usize {
  isPlain = false
  const sign = load<u8>(start, 1)
  let at = start + (sign == 0x2b || sign == 0x2d ? 2 : 1)
  const first = at
  for (let digit = <u32>load<u8>(at) - 0x30; digit < 10; digit = <u32>load<u8>(++at) - 0x30) {
    if (exponent < 100000) exponent = exponent * 10 + <i32>digit
  }
  if (sign == 0x2d) exponent = -exponent
  return at == first ? 0 : at
}

function power10(digits: u32): u64 {
  let power: u64 = 1
  for (let i: u32 = 0; i < digits; i++) power *= 10
  return power
}

/** The mantissa as an integer of 10^-scale, rounded half away from zero. */
function storeDecimal(column: usize, row: u32, isNegative: bool, scale: u32): bool {
  let magnitude = mantissa
  if (fractionDigits < scale) {
    if (scale - fractionDigits > 18) return false
    const factor = power10(scale - fractionDigits)
    if (magnitude > <u64>i64.MAX_VALUE / factor) return false
    magnitude *= factor
  } else if (fractionDigits > scale) {
    if (fractionDigits - scale > DIGITS_MAX) return false
    const divisor = power10(fractionDigits - scale)
    const rest = magnitude % divisor
    magnitude = magnitude / divisor + (rest >= divisor - rest ? 1 : 0)
  }
  if (magnitude > (isNegative ? 0x8000000000000000 : <u64>i64.MAX_VALUE)) return false
  const value = isNegative ? -<i64>magnitude : <i64>magnitude
  if (value < load<i64>(column, COLUMN_MIN) || value > load<i64>(column, COLUMN_MAX)) return false
  store<i64>(valueAt(column, row), value)
  return true
}

/**
 * Exact where the mantissa and the power of ten are, for then one operation rounds once (Clinger, "How to read
 * floating point numbers accurately", 1990); otherwise pending.
 */
function storeDouble(start: usize, end: usize, plan: usize, column: usize, row: u32, isNegative: bool): bool {
  const power = exponent - <i32>fractionDigits
  const at = valueAt(column, row)
  if (significant > DIGITS_MAX || mantissa > MANTISSA_EXACT_MAX || power > 22 || power < -22) return addPending(start, end, plan, at)
  let value = <f64>mantissa
  let factor: f64 = 1
  for (let i = power < 0 ? -power : power; i > 0; i--) factor *= 10
  value = power < 0 ? value / factor : value * factor
  store<f64>(at, isNegative ? -value : value)
  return true
}

function addPending(start: usize, end: usize, plan: usize, value: usize): bool {
  const count = load<u32>(plan, PLAN_PENDING_COUNT)
  if (count >= load<u32>(plan, PLAN_PENDING_MAX)) return false
  const cell = <usize>load<u32>(plan, PLAN_PENDING) + (<usize>count << 4)
  store<u32>(cell, <u32>value)
  store<u32>(cell, <u32>start, 4)
  store<u64>(cell, <u64>(end - start), 8)
  store<u32>(plan, count + 1, PLAN_PENDING_COUNT)
  store<u64>(value, 0)
  return true
}
