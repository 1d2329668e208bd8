/**
 * Count, minimum, maximum and sum of the active rows of a vector, 64 rows (one word of the bitmaps) at a time:
 * whole words two values at once, half-empty ones the same under a mask, sparse ones and the last by their bits.
 */
import { accumulateBiased, accumulateF64, activeRows, addDoubleDouble, greaterF64, lesserF64 } from './accumulator'

/** Below this many active rows in a word, walking its bits beats masking all of them. */
const sparseRows: i32 = 12

export function aggregateVectorI64(values: usize, nulls: usize, selection: usize, count: u32, to: usize): void {
  const sign = i64x2.splat(i64.MIN_VALUE), lowHalf = i64x2.splat(0xffffffff)
  let least = i64x2.splat(i64.MAX_VALUE), greatest = sign
  // Sums of the lower and upper halves of value + 2^63: no carries, and exact for 2^31 rows.
  let lows = i64x2.splat(0), highs = lows
  let least1: i64 = i64.MAX_VALUE, greatest1: i64 = i64.MIN_VALUE
  let low: u64 = 0, high: u64 = 0
  let active: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let mask = activeRows(nulls, selection, count, word)
    const rows = <i32>popcnt(mask)
    let at = values + (<usize>word << 9)
    active += rows
    if (rows == 64) {
      for (const end = at + 512; at < end; at += 16) {
        const value = v128.load(at), biased = v128.xor(value, sign)
        least = v128.bitselect(value, least, i64x2.lt_s(value, least))
        greatest = v128.bitselect(value, greatest, i64x2.gt_s(value, greatest))
        lows = i64x2.add(lows, v128.and(biased, lowHalf))
        highs = i64x2.add(highs, i64x2.shr_u(biased, 32))
      }
    } else if (rows > sparseRows && (word << 6) + 64 <= count) {
      const masks = i64x2.splat(mask)
      let bits = i64x2(1, 2)
      for (const end = at + 512; at < end; at += 16) {
        const chosen = i64x2.eq(v128.and(masks, bits), bits)
        bits = i64x2.shl(bits, 2)
        const value = v128.load(at), biased = v128.and(v128.xor(value, sign), chosen)
        least = v128.bitselect(value, least, v128.and(chosen, i64x2.lt_s(value, least)))
        greatest = v128.bitselect(value, greatest, v128.and(chosen, i64x2.gt_s(value, greatest)))
        lows = i64x2.add(lows, v128.and(biased, lowHalf))
        highs = i64x2.add(highs, i64x2.shr_u(biased, 32))
      }
    } else {
      for (; mask != 0; mask &= mask - 1) {
        const value = load<i64>(at + (<usize>ctz(mask) << 3)), biased = <u64>value ^ (<u64>1 << 63)
        least1 = min(least1, value)
        greatest1 = max(greatest1, value)
        low += biased & 0xffffffff
        high += biased >> 32
      }
    }
  }
  if (active == 0) return
  low += <u64>i64x2.extract_lane(lows, 0) + <u64>i64x2.extract_lane(lows, 1)
  high += <u64>i64x2.extract_lane(highs, 0) + <u64>i64x2.extract_lane(highs, 1)
  least1 = min(least1, min(i64x2.extract_lane(least, 0), i64x2.extract_lane(least, 1)))
  greatest1 = max(greatest1, max(i64x2.extract_lane(greatest, 0), i64x2.extract_lane(greatest, 1)))
  accumulateBiased(to, active, least1, greatest1, low, high)
}

/**
 * Row r adds to lane r & 3 of four running double-doubles, which are combined at the end: part of the meaning, since
 * it decides the last bits of the sum.
 */
export function aggregateVectorF64(values: usize, nulls: usize, selection: usize, count: u32, to: usize): void {
  let least = f64x2.splat(Infinity), greatest = f64x2.splat(-Infinity)
  let sumA = f64x2.splat(0), sumB = sumA, errorA = sumA, errorB = sumA
  let nans = i64x2.splat(0)
  let active: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let mask = activeRows(nulls, selection, count, word)
    const rows = <i32>popcnt(mask)
    const at = values + (<usize>word << 9)
    active += rows
    if (rows > sparseRows && (word << 6) + 64 <= count) {
      const masks = i64x2.splat(mask)
      let bitsA = i64x2(1, 2), bitsB = i64x2(4, 8)
      for (let from = at, end = at + 512; from < end; from += 32) {
        const chosenA = i64x2.eq(v128.and(masks, bitsA), bitsA), chosenB = i64x2.eq(v128.and(masks, bitsB), bitsB)
        bitsA = i64x2.shl(bitsA, 4)
        bitsB = i64x2.shl(bitsB, 4)
        const a = v128.and(v128.load(from), chosenA), b = v128.and(v128.load(from, 16), chosenB)
        least = f64x2.pmin(f64x2.pmin(least, v128.bitselect(a, least, chosenA)), v128.bitselect(b, least, chosenB))
        greatest = f64x2.pmax(f64x2.pmax(greatest, v128.bitselect(a, greatest, chosenA)), v128.bitselect(b, greatest, chosenB))
        nans = i64x2.sub(nans, i64x2.add(f64x2.ne(a, a), f64x2.ne(b, b)))
        const nextA = f64x2.add(sumA, a), nextB = f64x2.add(sumB, b)
        errorA = f64x2.add(errorA, twoSumError(sumA, a, nextA))
        errorB = f64x2.add(errorB, twoSumError(sumB, b, nextB))
        sumA = nextA
        sumB = nextB
      }
      continue
    }
    for (; mask != 0; mask &= mask - 1) {
      const row = <i32>ctz(mask)
      const value = load<f64>(at + (<usize>row << 3))
      const both = f64x2.splat(value)
      least = f64x2.pmin(least, both)
      greatest = f64x2.pmax(greatest, both)
      nans = i64x2.add(nans, i64x2(<i64>(value != value), 0))
      const lane = row & 1 ? f64x2(0, value) : f64x2(value, 0)
      if (row & 2) {
        const next = f64x2.add(sumB, lane)
        errorB = f64x2.add(errorB, twoSumError(sumB, lane, next))
        sumB = next
      } else {
        const next = f64x2.add(sumA, lane)
        errorA = f64x2.add(errorA, twoSumError(sumA, lane, next))
        sumA = next
      }
    }
  }
  if (active == 0) return
  const nanCount = <u32>(i64x2.extract_lane(nans, 0) + i64x2.extract_lane(nans, 1))
  const least1 = nanCount == active ? NaN : lesserF64(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1))
  const greatest1 = nanCount != 0 ? NaN : greaterF64(f64x2.extract_lane(greatest, 0), f64x2.extract_lane(greatest, 1))
  accumulateF64(to, <f64>active, least1, greatest1, f64x2.extract_lane(sumA, 0), f64x2.extract_lane(errorA, 0))
  addDoubleDouble(to + 24, f64x2.extract_lane(sumA, 1), f64x2.extract_lane(errorA, 1))
  addDoubleDouble(to + 24, f64x2.extract_lane(sumB, 0), f64x2.extract_lane(errorB, 0))
  addDoubleDouble(to + 24, f64x2.extract_lane(sumB, 1), f64x2.extract_lane(errorB, 1))
}

/** What rounding lost when `sum` + `value` gave `next` (Knuth). */
function twoSumError(sum: v128, value: v128, next: v128): v128 {
  const back = f64x2.sub(next, sum)
  return f64x2.add(f64x2.sub(sum, f64x2.sub(next, back)), f64x2.sub(value, back))
}
