/**
 * Sums of decimals that are exact until they enter an accumulator, and therefore the same in any order.
 *
 * A value is cut in two doubles whose sums over 4,096 rows are exact: values are n / 10^exponent with |n| < 2^30, so with
 * 2^E the power of two that none reaches, the upper part is a multiple of 2^(E - 41), and the lower one, at most half of
 * that, a multiple of 2^(E - 83), the last bit of the least value but 0.
 */
import { ACTIVE_CODES_BYTES, ACTIVE_SCRATCH_BYTES, activeCodes } from './active-codes'
import { blockEntry, blockRows, chunkEncoding, chunkExponent, entryBase, entryExceptionCount, entryPacked, entryWidth, ENCODING_DECIMAL } from '../column/layout'
import { decimalValue, integerToDouble } from '../column/decimal'
import { isShortQuotient, quotientFactor, quotientRest, quotients } from '../column/quotient'
import { accumulateF64 } from './accumulator'
import { greatestLane, leastLane } from './lanes'

/** What taking out the codes of a block takes. */
export const DECIMAL_SCRATCH_BYTES: u32 = ACTIVE_CODES_BYTES + ACTIVE_SCRATCH_BYTES
const DIGITS_MAX: i64 = 1 << 30

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
  const entry = blockEntry(chunk, block), width = entryWidth(entry), base = entryBase(entry), exponent = chunkExponent(chunk)
  const count = activeCodes(entryPacked(chunk, entry), width, <u32>blockRows(chunk, block), nulls, selection, scratch, scratch + ACTIVE_CODES_BYTES)
  if (count == 0) return
  // Apart, so that no value is asked how it is divided.
  if (isShortQuotient(base, width, exponent)) Decimals.add(scratch, count, base, exponent, true, to)
  else Decimals.add(scratch, count, base, exponent, false, to)
}

class Decimals {
  @inline
  static add(codes: usize, count: u32, base: i64, exponent: i32, isShort: bool, to: usize): void {
    const factor = quotientFactor(exponent, isShort), rest = quotientRest(exponent, isShort)
    const bases = i32x4.splat(<i32>base), cut = cutOf(exponent), cuts = f64x2.splat(cut)
    let least = i32x4.splat(-1), greatest = i32x4.splat(0), least1: u32 = u32.MAX_VALUE, greatest1: u32 = 0
    let upperA = f64x2.splat(0), upperB = upperA, lowerA = upperA, lowerB = upperA, upper1: f64 = 0, lower1: f64 = 0
    let at = codes
    const end = codes + (<usize>count << 2), fours = codes + (<usize>(count >> 2) << 4)
    if (at != fours) do {
      const four = v128.load(at), n = i32x4.add(four, bases)
      least = i32x4.min_u(least, four)
      greatest = i32x4.max_u(greatest, four)
      const nA = f64x2.convert_low_i32x4_s(n), nB = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(n, n, 2, 3, 2, 3))
      const a = quotients(nA, exponent, isShort, factor, rest), b = quotients(nB, exponent, isShort, factor, rest)
      const cutA = f64x2.sub(f64x2.add(a, cuts), cuts), cutB = f64x2.sub(f64x2.add(b, cuts), cuts)
      upperA = f64x2.add(upperA, cutA)
      upperB = f64x2.add(upperB, cutB)
      lowerA = f64x2.add(lowerA, f64x2.sub(a, cutA))
      lowerB = f64x2.add(lowerB, f64x2.sub(b, cutB))
      at += 16
    } while (at != fours)
    for (; at < end; at += 4) {
      const code = load<u32>(at), value = valueOf(base, code, exponent), upper = value + cut - cut
      least1 = min(least1, code)
      greatest1 = max(greatest1, code)
      upper1 += upper
      lower1 += value - upper
    }
    least1 = min(least1, leastLane(least))
    greatest1 = max(greatest1, greatestLane(greatest))
    accumulateF64(to, <f64>count, valueOf(base, least1, exponent), valueOf(base, greatest1, exponent), upper1 + bothLanes(f64x2.add(upperA, upperB)), lower1 + bothLanes(f64x2.add(lowerA, lowerB)))
  }
}

function valueOf(base: i64, code: u32, exponent: i32): f64 {
  return decimalValue(integerToDouble(base + <i64>code), exponent)
}

function bothLanes(lanes: v128): f64 {
  return f64x2.extract_lane(lanes, 0) + f64x2.extract_lane(lanes, 1)
}
