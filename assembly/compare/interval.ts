/**
 * Comparisons as intervals. Over an order of 64-bit integer keys every comparison with a constant is 'the key lies in
 * [low, high]' (or, for <>, outside of it), so that zone maps and scans have one test for all operators.
 * Keys: i64 as it is; f64 by `orderedF64`; the first 8 bytes of a text, big-endian, with the sign bit flipped.
 */
export const EQ: u32 = 0
export const NE: u32 = 1
export const LT: u32 = 2
export const LE: u32 = 3
export const GT: u32 = 4
export const GE: u32 = 5
export const IS_NULL: u32 = 6
export const IS_NOT_NULL: u32 = 7

/** Key of the only NaN: above that of Infinity, as PostgreSQL orders it. */
export const NAN_BITS: i64 = 0x7ff8000000000000

/** Order of f64 as integers: -0 equals 0, all NaN are equal and above all numbers. */
export function orderedF64(value: f64): i64 {
  if (value != value) return NAN_BITS
  const bits = reinterpret<i64>(value + 0.0)
  return bits ^ ((bits >> 63) & i64.MAX_VALUE)
}

/** No key satisfies the comparison: nothing is below the least or above the greatest. */
export function intervalEmpty(op: u32, key: i64): bool {
  return (op == LT && key == i64.MIN_VALUE) || (op == GT && key == i64.MAX_VALUE)
}

export function intervalLow(op: u32, key: i64): i64 {
  if (op == LT || op == LE) return i64.MIN_VALUE
  return op == GT ? key + 1 : key
}

export function intervalHigh(op: u32, key: i64): i64 {
  if (op == GT || op == GE) return i64.MAX_VALUE
  return op == LT ? key - 1 : key
}
