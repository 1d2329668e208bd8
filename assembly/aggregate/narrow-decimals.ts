/**
 * Decimals n / 10^e with |n| < 2^20 and e from 0 to 5 as two parts that are summed exactly, with nothing carried from one
 * to the other by row: with U, 1 / 10^e rounded to 33 bits, n · U is exact, and summed by summing n. What is left of the
 * value v, v - n · U, is exact too, as the lesser of two numbers whose sum was rounded to v (Dekker 1971). It is a multiple
 * of 2^(a - 52), where 2^a is the greatest power of two up to 10^-e, and less than 2^39 times that: as for n · U, half the
 * last place of U and of v are the most it can be. So sums of 2^13 values are exact.
 *
 * v is n · U + n · (1 / 10^e - U), which comes to the same double as n / 10^e for all such n and e.
 */
import { blockCount, blockEntry, chunkCount, chunkEncoding, chunkExponent, chunkKind, chunkNulls, entryBase, entryExceptionCount, entryWidth, ENCODING_DECIMAL, KIND_F64 } from '../column/layout'

const INTEGER_LIMIT: i64 = 1 << 20
const WIDTH_MAX: i32 = 20
const EXPONENT_MAX: i32 = 5

/** Of so many values sums are exact. */
export const NARROW_ROWS_SHIFT: i32 = 13
/** Added to each integer, so that a sum tells how many it is of. */
const BIAS: f64 = 17179869184.0
/** An integers' sum of up to 40 bits is taken apart at a multiple of this. */
const LOW_PART: f64 = 1048576.0
/** 1.5 × 2^a: a lower part added to it becomes an integer in its last bits. */
const magics = memory.data<f64>([1.5, 0.09375, 0.01171875, 0.00146484375, 0.000091552734375, 0.000011444091796875])

const factors = memory.data<f64>([1, 0.10000000000582077, 0.010000000000218279, 0.0009999999999763531, 0.00010000000000331966, 0.000009999999999621423])
const rests = memory.data<f64>([0, -5.820766091346741e-12, -2.1827872842550277e-13, 2.3646862246096133e-14, -3.319655661471188e-15, 3.785771696129814e-16])

export function narrowFactor(exponent: i32): f64 { return load<f64>(factors + (<usize>exponent << 3)) }
export function narrowMagic(exponent: i32): f64 { return load<f64>(magics + (<usize>exponent << 3)) }
export function narrowRest(exponent: i32): f64 { return load<f64>(rests + (<usize>exponent << 3)) }

/** e, where all values of a chunk are such decimals, none of them null; otherwise -1. */
export function narrowExponent(chunk: usize): i32 {
  if (chunkKind(chunk) != KIND_F64 || chunkEncoding(chunk) != ENCODING_DECIMAL || chunkNulls(chunk) != 0) return -1
  if (chunkExponent(chunk) > EXPONENT_MAX) return -1
  for (let block = 0, blocks = blockCount(chunkCount(chunk)); block < blocks; block++) {
    const entry = blockEntry(chunk, block), width = entryWidth(entry), base = entryBase(entry)
    if (entryExceptionCount(entry) != 0 || width > WIDTH_MAX || base <= -INTEGER_LIMIT || base + (<i64>1 << width) > INTEGER_LIMIT) return -1
  }
  return max(chunkExponent(chunk), -1)
}

/** n + BIAS of two integers, given as doubles. */
export function biased(n: v128): v128 { return f64x2.add(n, f64x2.splat(BIAS)) }

/** What is left of their values beside n · U. */
export function narrowLower(n: v128, factor: v128, rest: v128): v128 {
  const upper = f64x2.mul(n, factor)
  return f64x2.sub(f64x2.add(upper, f64x2.mul(n, rest)), upper)
}

/** How many integers a sum of biased ones is of. */
export function countOfBiased(sum: f64): f64 { return nearest(sum / BIAS) }

/** The integers' sum. */
export function sumOfBiased(sum: f64, count: f64): f64 { return sum - count * BIAS }

/** The part of an integers' sum whose product with U is exact, as that of the rest is. */
export function highPart(sum: f64): f64 { return floor(sum / LOW_PART) * LOW_PART }
