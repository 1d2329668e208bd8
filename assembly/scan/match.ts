/**
 * Comparisons of 64 rows at a time, as words of a bitmap. Six operators need only three tests, each the complement of
 * another; with f64's NaN above all numbers the complements are right for NaN too (>= is 'not <', > is 'not <=').
 */
import { EQ, GE, GT, LE, LT, NE } from '../compare/interval'

export function matchWordI64(values: usize, op: u32, constant: i64): u64 {
  const wanted = i64x2.splat(constant)
  let word: u64 = 0
  if (op == EQ || op == NE) {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = values + (i << 3)
      word |= fourBits(i64x2.eq(v128.load(at), wanted), i64x2.eq(v128.load(at, 16), wanted)) << i
    }
  } else if (op == LT || op == GE) {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = values + (i << 3)
      word |= fourBits(i64x2.gt_s(wanted, v128.load(at)), i64x2.gt_s(wanted, v128.load(at, 16))) << i
    }
  } else {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = values + (i << 3)
      word |= fourBits(i64x2.gt_s(v128.load(at), wanted), i64x2.gt_s(v128.load(at, 16), wanted)) << i
    }
  }
  return op == NE || op == GE || op == LE ? ~word : word
}

export function matchWordF64(values: usize, op: u32, constant: f64): u64 {
  const wanted = f64x2.splat(constant)
  let word: u64 = 0
  if (constant != constant) return matchWordNaN(values, op)
  if (op == EQ || op == NE) {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = values + (i << 3)
      word |= fourBits(f64x2.eq(v128.load(at), wanted), f64x2.eq(v128.load(at, 16), wanted)) << i
    }
  } else if (op == LT || op == GE) {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = values + (i << 3)
      word |= fourBits(f64x2.lt(v128.load(at), wanted), f64x2.lt(v128.load(at, 16), wanted)) << i
    }
  } else {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = values + (i << 3)
      word |= fourBits(f64x2.le(v128.load(at), wanted), f64x2.le(v128.load(at, 16), wanted)) << i
    }
  }
  return op == NE || op == GE || op == GT ? ~word : word
}

/** Everything is <= NaN, and only NaN is not below it. */
function matchWordNaN(values: usize, op: u32): u64 {
  if (op == LE) return ~(<u64>0)
  if (op == GT) return 0
  let nans: u64 = 0
  for (let i: usize = 0; i < 64; i += 4) {
    const low = v128.load(values + (i << 3)), high = v128.load(values + (i << 3), 16)
    nans |= fourBits(f64x2.ne(low, low), f64x2.ne(high, high)) << i
  }
  return op == NE || op == LT ? ~nans : nans
}

/** One bit for each of the four 64-bit lanes. */
export function fourBits(low: v128, high: v128): u64 {
  return <u64>i32x4.bitmask(v128.shuffle<i32>(low, high, 0, 2, 4, 6))
}

export function matchI64(value: i64, op: u32, constant: i64): bool {
  switch (op) {
    case EQ: return value == constant
    case NE: return value != constant
    case LT: return value < constant
    case LE: return value <= constant
    case GT: return value > constant
    default: return value >= constant
  }
}

export function matchF64(value: f64, op: u32, constant: f64): bool {
  if (constant != constant) {
    const nan = value != value
    return op == LE || (op == LT || op == NE ? !nan : (op == EQ || op == GE) && nan)
  }
  switch (op) {
    case EQ: return value == constant
    case NE: return value != constant
    case LT: return value < constant
    case LE: return value <= constant
    case GT: return !(value <= constant)
    default: return !(value < constant)
  }
}

/** Whether an order (below, at or above 0) satisfies the operator. */
export function matchOrder(order: i32, op: u32): bool {
  return matchI64(<i64>order, op, 0)
}
