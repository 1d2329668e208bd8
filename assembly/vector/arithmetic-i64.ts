/**
 * Arithmetic of 64-bit integers. Whole words are computed two rows at a time while the marks of what may be wrong (a carry
 * beyond 64 bits, a result beyond the range, factors of more than 32 bits) are gathered; only a word that has one is gone
 * through row by row, since its rows need not be active. Quotients, two at a time as well, are taken of doubles where both sides are exact as such,
 * which is right (the error is less than the distance to the next whole number) and several times faster.
 */
import { rowsOfWord, selectionWord } from '../scan/selection'
import { MAGIC, MAGIC_BITS } from '../column/decimal'
import { ADD, FLOOR_QUOTIENT, MULTIPLY, QUOTIENT, REMAINDER, ROUNDED_QUOTIENT, SUBTRACT } from './operator'

/** So few rows of a word take less time one by one than all of them by two. */
const FEW_ROWS: i32 = 12

export function vectorArithmeticI64(operator: u32, left: usize, leftStep: usize, right: usize, rightStep: usize, active: usize, count: u32, range: usize, out: usize): u32 {
  const low = load<i64>(range), high = load<i64>(range, 8)
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const rows = selectionWord(active, word) & rowsOfWord(count, word)
    if (rows == 0) continue
    const first = <usize>word << 6, a = left + first * leftStep, b = right + first * rightStep, to = out + (first << 3)
    if ((word << 6) + 64 <= count && <i32>popcnt(rows) > FEW_ROWS) {
      if (operator <= MULTIPLY ? computeWord(operator, a, leftStep << 1, b, rightStep << 1, low, high, to) : operator != ROUNDED_QUOTIENT && divideWord(operator, a, leftStep << 1, b, rightStep << 1, low, high, to)) continue
    }
    const failed = computeRows(operator, a, leftStep, b, rightStep, rows, low, high, to)
    if (failed >= 0) return (word << 6) + failed
  }
  return count
}

/** 64 rows; false when any of them may have failed. Steps are those of two rows. */
function computeWord(operator: u32, a: usize, aStep: usize, b: usize, bStep: usize, low: i64, high: i64, out: usize): bool {
  const least = i64x2.splat(low), greatest = i64x2.splat(high)
  let marks = i64x2.splat(0)
  const end = out + 512
  do {
    const x = v128.load(a), y = v128.load(b)
    let result: v128
    if (operator == ADD) {
      result = i64x2.add(x, y)
      marks = v128.or(marks, v128.and(v128.xor(x, result), v128.xor(y, result)))
    } else if (operator == SUBTRACT) {
      result = i64x2.sub(x, y)
      marks = v128.or(marks, v128.and(v128.xor(x, y), v128.xor(x, result)))
    } else {
      const lowX = v128.shuffle<i32>(x, x, 0, 2, 0, 2), lowY = v128.shuffle<i32>(y, y, 0, 2, 0, 2)
      result = i64x2.extmul_low_i32x4_s(lowX, lowY)
      marks = v128.or(marks, v128.or(i64x2.ne(i64x2.extend_low_i32x4_s(lowX), x), i64x2.ne(i64x2.extend_low_i32x4_s(lowY), y)))
    }
    marks = v128.or(marks, v128.or(i64x2.gt_s(least, result), i64x2.gt_s(result, greatest)))
    v128.store(out, result)
    out += 16
    a += aStep
    b += bStep
  } while (out != end)
  return i64x2.bitmask(marks) == 0
}

/** The largest size of integers that adding MAGIC to a double, or its bits to an integer, takes from one to the other. */
const MAGIC_MAX: i64 = 1 << 51

/**
 * The same for quotients by one divisor, and remainders, where all 64 rows have the quotient of the first, as times and other
 * values that ascend slowly mostly have: then nothing is divided but the first.
 */
function divideAlike(operator: u32, a: usize, divisor: i64, low: i64, high: i64, out: usize): bool {
  const first = load<i64>(a)
  if (first < 0 || divisor <= 0) return false
  const whole = quotient(first, divisor), start = whole * divisor, isRemainder = operator == REMAINDER
  if (<u64>(load<i64>(a, 504) - start) >= <u64>divisor || (isRemainder ? low > 0 || high < divisor - 1 : whole < low || whole > high)) return false
  const starts = i64x2.splat(start), mosts = i64x2.splat(divisor - 1), wholes = i64x2.splat(whole)
  let marks = i64x2.splat(0)
  const end = out + 512
  do {
    const x = v128.load(a), rest = i64x2.sub(x, starts)
    // Below zero is none of these: only there could a difference wrap.
    marks = v128.or(marks, v128.or(v128.or(x, rest), i64x2.gt_s(rest, mosts)))
    v128.store(out, isRemainder ? rest : wholes)
    out += 16
    a += 16
  } while (out != end)
  return i64x2.bitmask(marks) == 0
}

/** The same for quotients that are not rounded, and remainders. */
function divideWord(operator: u32, a: usize, aStep: usize, b: usize, bStep: usize, low: i64, high: i64, out: usize): bool {
  if (bStep == 0 && aStep != 0 && divideAlike(operator, a, load<i64>(b), low, high, out)) return true
  const least = i64x2.splat(low), greatest = i64x2.splat(high), magic = f64x2.splat(MAGIC), magicBits = i64x2.splat(MAGIC_BITS)
  const sizes = i64x2.splat(MAGIC_MAX - 1), negativeSizes = i64x2.splat(1 - MAGIC_MAX), zero = i64x2.splat(0)
  let marks = zero
  const end = out + 512
  do {
    const x = v128.load(a), y = v128.load(b)
    marks = v128.or(marks, v128.or(v128.or(i64x2.gt_s(x, sizes), i64x2.gt_s(negativeSizes, x)), v128.or(v128.or(i64x2.gt_s(y, sizes), i64x2.gt_s(negativeSizes, y)), i64x2.eq(y, zero))))
    const dividend = f64x2.sub(i64x2.add(x, magicBits), magic), divisor = f64x2.sub(i64x2.add(y, magicBits), magic), ratio = f64x2.div(dividend, divisor)
    const whole = operator == FLOOR_QUOTIENT ? f64x2.floor(ratio) : f64x2.trunc(ratio)
    const number = operator == REMAINDER ? f64x2.sub(dividend, f64x2.mul(whole, divisor)) : whole
    const result = i64x2.sub(f64x2.add(number, magic), magicBits)
    marks = v128.or(marks, v128.or(i64x2.gt_s(least, result), i64x2.gt_s(result, greatest)))
    v128.store(out, result)
    out += 16
    a += aStep
    b += bStep
  } while (out != end)
  return i64x2.bitmask(marks) == 0
}

/** The active rows of a word; the first that failed, or -1. */
function computeRows(operator: u32, a: usize, aStep: usize, b: usize, bStep: usize, rows: u64, low: i64, high: i64, out: usize): i32 {
  for (; rows != 0; rows &= rows - 1) {
    const row = <usize>ctz(rows)
    const x = load<i64>(a + row * aStep), y = load<i64>(b + row * bStep)
    let result: i64
    if (operator == ADD) {
      result = x + y
      if (((x ^ result) & (y ^ result)) < 0) return <i32>row
    } else if (operator == SUBTRACT) {
      result = x - y
      if (((x ^ y) & (x ^ result)) < 0) return <i32>row
    } else if (operator == MULTIPLY) {
      result = x * y
      if (isProductBeyond(x, y, result)) return <i32>row
    } else {
      if (y == 0 || (y == -1 && x == i64.MIN_VALUE && operator != REMAINDER)) return <i32>row
      result = operator == REMAINDER ? remainder(x, y) : operator == QUOTIENT ? quotient(x, y) : operator == ROUNDED_QUOTIENT ? roundedQuotient(x, y) : floorQuotient(x, y)
    }
    if (result < low || result > high) return <i32>row
    store<i64>(out + (row << 3), result)
  }
  return -1
}

/** Doubles tell products far from 2^63; those near it are divided. */
function isProductBeyond(x: i64, y: i64, product: i64): bool {
  if (y == -1) return x == i64.MIN_VALUE
  const about = abs(<f64>x * <f64>y)
  if (about < 9e18) return false
  return about > 1e19 || product / y != x
}

const exactMax: u64 = 1 << 53

function isExact(value: i64): bool {
  return <u64>(value + <i64>exactMax) <= exactMax * 2
}

function quotient(x: i64, y: i64): i64 {
  return isExact(x) && isExact(y) ? <i64>(<f64>x / <f64>y) : x / y
}

function remainder(x: i64, y: i64): i64 {
  return y == -1 ? 0 : x - quotient(x, y) * y
}

function roundedQuotient(x: i64, y: i64): i64 {
  const truncated = quotient(x, y), rest = x - truncated * y
  const restSize = rest < 0 ? 0 - <u64>rest : <u64>rest, size = y < 0 ? 0 - <u64>y : <u64>y
  if (restSize < size - restSize) return truncated
  return (x < 0) == (y < 0) ? truncated + 1 : truncated - 1
}

function floorQuotient(x: i64, y: i64): i64 {
  const truncated = quotient(x, y)
  return truncated * y != x && (x < 0) != (y < 0) ? truncated - 1 : truncated
}
