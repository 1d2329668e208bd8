/**
 * Accumulators of 48 bytes: count, minimum, maximum and sum of values, mergeable across blocks, chunks and shards.
 *
 *    0  f64  count
 *    8  i64 | f64  minimum: starts as the greatest of the order (for f64 that is NaN)
 *   16  i64 | f64  maximum: starts as the least
 *   24  i128 | f64 high, f64 low  sum: exact for i64; for f64 a double-double, whose low part is 0 once the high one is not finite
 *   40  8 reserved
 *
 * A running f64 sum that overflows stays infinite (or becomes NaN), whatever follows.
 * Zeros are stored as +0 and NaN as the one quiet NaN, so that the bytes do not depend on the order of the rows.
 */
import { NAN_BITS } from '../compare/interval'

export function accumulatorInitI64(to: usize): void {
  store<f64>(to, 0)
  store<i64>(to, i64.MAX_VALUE, 8)
  store<i64>(to, i64.MIN_VALUE, 16)
  store<i64>(to, 0, 24)
  store<i64>(to, 0, 32)
}

export function accumulatorInitF64(to: usize): void {
  store<f64>(to, 0)
  store<i64>(to, NAN_BITS, 8)
  store<f64>(to, -Infinity, 16)
  store<i64>(to, 0, 24)
  store<i64>(to, 0, 32)
}

/** Adds `count` values whose extremes and sum (as i128) are known. */
export function accumulateI64(to: usize, count: u32, least: i64, greatest: i64, sumLow: u64, sumHigh: i64): void {
  store<f64>(to, load<f64>(to) + <f64>count)
  if (least < load<i64>(to, 8)) store<i64>(to, least, 8)
  if (greatest > load<i64>(to, 16)) store<i64>(to, greatest, 16)
  const low = load<u64>(to, 24) + sumLow
  store<u64>(to, low, 24)
  store<i64>(to, load<i64>(to, 32) + sumHigh + <i64>(low < sumLow), 32)
}

/** Adds a sum given as high · 2^32 + low of `count` values that were each 2^63 too large. */
export function accumulateBiased(to: usize, count: u32, least: i64, greatest: i64, low: u64, high: u64): void {
  const shifted = high << 32
  const sumLow = shifted + low
  const unbiasedLow = sumLow - (<u64>count << 63)
  const unbiasedHigh = <i64>(high >> 32) + <i64>(sumLow < shifted) - <i64>(count >> 1) - <i64>(unbiasedLow > sumLow)
  accumulateI64(to, count, least, greatest, unbiasedLow, unbiasedHigh)
}

export function accumulateF64(to: usize, count: f64, least: f64, greatest: f64, high: f64, low: f64): void {
  store<f64>(to, load<f64>(to) + count)
  storeF64(to + 8, lesserF64(load<f64>(to, 8), least))
  storeF64(to + 16, greaterF64(load<f64>(to, 16), greatest))
  addDoubleDouble(to + 24, high, low)
}

/** Adds a double-double to the one at `to`: TwoSum of the high parts (Knuth), the low parts with its error, renormalised. */
export function addDoubleDouble(to: usize, high: f64, low: f64): void {
  const mine = load<f64>(to)
  const sum = mine + high
  const back = sum - mine
  const error = (mine - (sum - back)) + (high - back) + (load<f64>(to, 8) + low)
  const total = sum + error
  const rest = error - (total - sum)
  // Infinity minus itself is NaN: what is not finite has no low part. A sum that overflowed has a NaN error.
  const finite = sum - sum == 0 && total - total == 0
  storeF64(to, finite ? total : sum)
  store<f64>(to, finite ? rest : 0, 8)
}

function storeF64(to: usize, value: f64): void {
  if (value != value) store<i64>(to, NAN_BITS)
  else store<f64>(to, value + 0.0)
}

/** Minimum where NaN is above all numbers. */
export function lesserF64(a: f64, b: f64): f64 {
  return a != a || b < a ? b : a
}

export function greaterF64(a: f64, b: f64): f64 {
  return b != b || b > a ? b : a
}

/** Rows of word `word` that are selected and not null, as bits; rows from `count` on are not. */
export function activeRows(nulls: usize, selection: usize, count: u32, word: u32): u64 {
  let mask: u64 = selection == 0 ? ~(<u64>0) : load<u64>(selection + (<usize>word << 3))
  if (nulls != 0) mask &= ~load<u64>(nulls + (<usize>word << 3))
  const left = count - (word << 6)
  return left >= 64 ? mask : mask & (((<u64>1) << left) - 1)
}

export function activeCount(nulls: usize, selection: usize, count: u32): u32 {
  if (nulls == 0 && selection == 0) return count
  let active: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) active += <u32>popcnt(activeRows(nulls, selection, count, word))
  return active
}
