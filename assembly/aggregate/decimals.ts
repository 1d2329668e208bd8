/**
 * Sums of decimals that are exact until they enter an accumulator, and therefore the same in any order.
 *
 * A value is cut in two doubles whose sums over 4,096 rows are exact: values are n / 10^exponent with |n| < 2^30, so with
 * 2^E the power of two that none reaches, the upper part is a multiple of 2^(E - 41), and the lower one, at most half of
 * that, a multiple of 2^(E - 83), the last bit of the least value but 0.
 */
import { blockEntry, blockRows, chunkEncoding, chunkExponent, entryBase, entryExceptionCount, entryPacked, entryWidth, ENCODING_DECIMAL } from '../column/layout'
import { decimalValue, integerToDouble } from '../column/decimal'
import { packedGet32, unpack32 } from '../column/packing'
import { isShortQuotient, quotientFactor, quotientRest, quotients } from '../column/quotient'
import { accumulateF64, activeRows } from './accumulator'

/** What unpacking the codes of a block takes. */
export const DECIMAL_SCRATCH_BYTES: u32 = 4096
const DIGITS_MAX: i64 = 1 << 30
/** Below this many active rows in a word, single codes are fetched. */
const sparseRows: i32 = 8

/** Whether a block is of numbers below 2^30 under the exponent of its chunk, without exceptions. */
export function isPlainDecimalBlock(chunk: usize, block: i32): bool {
  if (chunkEncoding(chunk) != ENCODING_DECIMAL) return false
  const entry = blockEntry(chunk, block), base = entryBase(entry), width = entryWidth(entry)
  return entryExceptionCount(entry) == 0 && width <= 30 && base > -DIGITS_MAX && base + (<i64>1 << width) <= DIGITS_MAX
}

/** 1.5 × 2^(E + 11): adding it leaves multiples of 2^(E - 41). */
export function cutOf(exponent: i32): f64 {
  const bits = <i64>ceil<f64>(30.0 - <f64>exponent * 3.321928094887362)
  return 1.5 * reinterpret<f64>((bits + 11 + 1023) << 52)
}

/** Adds the active rows of a plain block of an f64 chunk to an accumulator; `scratch` holds DECIMAL_SCRATCH_BYTES. */
export function aggregateDecimals(chunk: usize, block: i32, nulls: usize, selection: usize, scratch: usize, to: usize): void {
  const entry = blockEntry(chunk, block), packed = entryPacked(chunk, entry), width = entryWidth(entry), base = entryBase(entry), exponent = chunkExponent(chunk), rows = <u32>blockRows(chunk, block)
  const isShort = isShortQuotient(base, width, exponent), factor = quotientFactor(exponent, isShort), rest = quotientRest(exponent, isShort)
  const bases = i32x4.splat(<i32>base), cut = cutOf(exponent), cuts = f64x2.splat(cut)
  let least = i32x4.splat(-1), greatest = i32x4.splat(0), least1: u32 = u32.MAX_VALUE, greatest1: u32 = 0
  let upperA = f64x2.splat(0), upperB = upperA, lowerA = upperA, lowerB = upperA, upper1: f64 = 0, lower1: f64 = 0
  let active: u32 = 0, isUnpacked = false
  for (let word: u32 = 0, words = (rows + 63) >> 6; word < words; word++) {
    let bits = activeRows(nulls, selection, rows, word)
    const count = <i32>popcnt(bits)
    active += count
    if (count > sparseRows) {
      if (!isUnpacked) unpack32(packed, width, 0, <i32>(rows + 3) >> 2, scratch)
      isUnpacked = true
      const codesAt = scratch + (<usize>word << 8), end = codesAt + (<usize>min(rows - (word << 6) + 3, 64) >> 2 << 4)
      const places = i32x4(1, 2, 4, 8)
      // What nearly all words are, without a mask and without asking for each value how it is divided.
      if (count == 64 && isShort) {
        for (let at = codesAt; at < end; at += 16) {
          const codes = v128.load(at), n = i32x4.add(codes, bases)
          least = i32x4.min_u(least, codes)
          greatest = i32x4.max_u(greatest, codes)
          const nA = f64x2.convert_low_i32x4_s(n), nB = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(n, n, 2, 3, 2, 3))
          const a = f64x2.add(f64x2.mul(nA, factor), f64x2.mul(nA, rest)), b = f64x2.add(f64x2.mul(nB, factor), f64x2.mul(nB, rest))
          const cutA = f64x2.sub(f64x2.add(a, cuts), cuts), cutB = f64x2.sub(f64x2.add(b, cuts), cuts)
          upperA = f64x2.add(upperA, cutA)
          upperB = f64x2.add(upperB, cutB)
          lowerA = f64x2.add(lowerA, f64x2.sub(a, cutA))
          lowerB = f64x2.add(lowerB, f64x2.sub(b, cutB))
        }
        continue
      }
      for (let at = codesAt; at < end; at += 16, bits >>= 4) {
        const chosen = i32x4.eq(v128.and(i32x4.splat(<i32>bits), places), places), codes = v128.and(v128.load(at), chosen), n = i32x4.add(codes, bases)
        least = i32x4.min_u(least, v128.or(codes, v128.not(chosen)))
        greatest = i32x4.max_u(greatest, codes)
        const a = v128.and(quotients(f64x2.convert_low_i32x4_s(n), exponent, isShort, factor, rest), i64x2.extend_low_i32x4_s(chosen))
        const b = v128.and(quotients(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(n, n, 2, 3, 2, 3)), exponent, isShort, factor, rest), i64x2.extend_high_i32x4_s(chosen))
        const cutA = f64x2.sub(f64x2.add(a, cuts), cuts), cutB = f64x2.sub(f64x2.add(b, cuts), cuts)
        upperA = f64x2.add(upperA, cutA)
        upperB = f64x2.add(upperB, cutB)
        lowerA = f64x2.add(lowerA, f64x2.sub(a, cutA))
        lowerB = f64x2.add(lowerB, f64x2.sub(b, cutB))
      }
      continue
    }
    for (; bits != 0; bits &= bits - 1) {
      const code = packedGet32(packed, width, <i32>(word << 6) + <i32>ctz(bits)), value = valueOf(base, code, exponent), upper = value + cut - cut
      least1 = min(least1, code)
      greatest1 = max(greatest1, code)
      upper1 += upper
      lower1 += value - upper
    }
  }
  if (active == 0) return
  least1 = min(least1, leastLane(least))
  greatest1 = max(greatest1, greatestLane(greatest))
  accumulateF64(to, <f64>active, valueOf(base, least1, exponent), valueOf(base, greatest1, exponent), upper1 + bothLanes(f64x2.add(upperA, upperB)), lower1 + bothLanes(f64x2.add(lowerA, lowerB)))
}

function valueOf(base: i64, code: u32, exponent: i32): f64 {
  return decimalValue(integerToDouble(base + <i64>code), exponent)
}

function bothLanes(lanes: v128): f64 {
  return f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1)
}

function leastLane(lanes: v128): u32 {
  return min(min(<u32>i32x4.extract_lane(lanes, 0), <u32>i32x4.extract_lane(lanes, 1)), min(<u32>i32x4.extract_lane(lanes, 2), <u32>i32x4.extract_lane(lanes, 3)))
}

function greatestLane(lanes: v128): u32 {
  return max(max(<u32>i32x4.extract_lane(lanes, 0), <u32>i32x4.extract_lane(lanes, 1)), max(<u32>i32x4.extract_lane(lanes, 2), <u32>i32x4.extract_lane(lanes, 3)))
}
