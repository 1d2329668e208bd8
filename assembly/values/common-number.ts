/**
 * Numbers as most are written, in one piece of code without a loop: up to 15 digits, a point and up to 7 more. Eight bytes are read at
 * a time; those from the first on that is no digit are shifted out, so that zeros come before the digits, and three
 * multiplications join them (after Lemire, "Number Parsing at a Gigabyte per Second", 2021).
 */
import { isWordPart } from './blank'
import { COLUMN_LIMIT, COLUMN_MAX, COLUMN_MIN, COLUMN_TYPE, TYPE_DOUBLE, TYPE_INTEGER, TYPE_NUMERIC, valueAt } from './layout'

const DIGITS_MAX: u32 = 18
const MANTISSA_EXACT_MAX: u64 = 1 << 53
const integerPowers = memory.data<u64>([
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000,
  100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000,
])
const doublePowers = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7])

/** Stores the number and returns where it ends; 0 for one that `./number` has to look at. */
export function scanCommonNumber(start: usize, column: usize, row: u32): usize {
  const isNegative = load<u8>(start) == 0x2d
  const first = start + <usize>isNegative
  let word = wordAt(first)
  let digits = digitsOf(word)
  if (digits == 0) return 0
  let value = valueOf(word, digits)
  if (digits == 8) {
    word = wordAt(first + 8)
    const more = digitsOf(word)
    if (more == 8) return 0
    if (more != 0) value = value * power10(more) + valueOf(word, more)
    digits += more
  }
  let end = first + digits
  let fraction: u32 = 0
  if (load<u8>(end) == 0x2e) {
    word = wordAt(end + 1)
    fraction = digitsOf(word)
    if (fraction == 8 || digits + fraction > DIGITS_MAX) return 0
    if (fraction != 0) value = value * power10(fraction) + valueOf(word, fraction)
    end += 1 + fraction
  }
  // An exponent, or the sign of a zero, is seldom.
  if (isWordPart(load<u8>(end)) || (isNegative && value == 0)) return 0
  return storeCommon(value, digits, fraction, end - first > digits, isNegative, column, row) ? end : 0
}

function wordAt(at: usize): u64 {
  return load<u64>(at) ^ 0x3030303030303030
}

/** How many of eight bytes are digits before the first that is none; what is beyond 9 carries into later ones only. */
function digitsOf(word: u64): u32 {
  return <u32>(ctz(((word + 0x7676767676767676) | word) & 0x8080808080808080) >> 3)
}

/** The number of the first 1 to 8 digits of a word. */
function valueOf(word: u64, digits: u32): u64 {
  const aligned = word << (64 - (<u64>digits << 3))
  const pairs = aligned * 10 + (aligned >> 8)
  return ((pairs & 0x000000ff000000ff) * 0x000f424000000064 + ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32
}

function power10(digits: u32): u64 {
  return load<u64>(integerPowers + (<usize>digits << 3))
}

function storeCommon(magnitude: u64, digits: u32, fraction: u32, hasPoint: bool, isNegative: bool, column: usize, row: u32): bool {
  const type = load<u32>(column, COLUMN_TYPE)
  if (type == TYPE_DOUBLE) {
    // Exact, so that one division rounds once (as in ./number).
    if (magnitude > MANTISSA_EXACT_MAX) return false
    const value = <f64><i64>magnitude / load<f64>(doublePowers + (<usize>fraction << 3))
    store<f64>(valueAt(column, row), isNegative ? -value : value)
    return true
  }
  if (type == TYPE_INTEGER) return !hasPoint && storeInteger(magnitude, isNegative, column, row)
  if (type != TYPE_NUMERIC) return false
  const scale = load<u32>(column, COLUMN_LIMIT)
  return fraction <= scale && digits + scale <= DIGITS_MAX && storeInteger(magnitude * power10(scale - fraction), isNegative, column, row)
}

function storeInteger(magnitude: u64, isNegative: bool, column: usize, row: u32): bool {
  const value = isNegative ? -<i64>magnitude : <i64>magnitude
  if (value < load<i64>(column, COLUMN_MIN) || value > load<i64>(column, COLUMN_MAX)) return false
  store<i64>(valueAt(column, row), value)
  return true
}
