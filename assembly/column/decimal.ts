/*
 * Doubles as decimals in integers (after ALP: Afroozeh, Kuffo, Boncz, SIGMOD 2023), with one signed exponent and
 * a division: n / 10^e is correctly rounded for e <= 22 and |n| <= 2^53, so it gives the very double that the
 * decimal text means. What does not come back bit for bit is an exception.
 */
import { blockEntry, blockRows, chunkData, chunkEncoding, chunkExponent, entryAux, entryBase, entryExceptionCount, entryPacked, entryWidth, exceptionValues, ENCODING_PLAIN } from './layout'
import { unpackAdd } from './integers'
import { packedGet32, packedGet64, unpack32 } from './packing'
import { isShortQuotient, powerOfTen, quotientFactor, quotientRest, quotients } from './quotient'

/** 1.5 × 2^52: adding it rounds a double below 2^51 to an integer and leaves that integer in the low bits. */
export const MAGIC: f64 = 6755399441055744.0
/** Added to such an integer it makes the bits of that sum. */
export const MAGIC_BITS: i64 = 0x4338000000000000
export const INTEGER_MAX: f64 = 2251799813685248.0

/** Value of the integer `n` (as a double) under a signed exponent. */
export function decimalValue(n: f64, exponent: i32): f64 {
  return exponent >= 0 ? n / powerOfTen(exponent) : n * powerOfTen(-exponent)
}

/** The double of an integer within ±2^51. */
export function integerToDouble(n: i64): f64 { return reinterpret<f64>(n + MAGIC_BITS) - MAGIC }

function scale(values: usize, count: i32, exponent: i32): void {
  const magicBits = i64x2.splat(MAGIC_BITS)
  const magic = f64x2.splat(MAGIC)
  const power = f64x2.splat(powerOfTen(abs(exponent)))
  const whole = count & ~1
  if (whole != 0) {
    let at = values
    const end = values + (<usize>whole << 3)
    do {
      const n = f64x2.sub(i64x2.add(v128.load(at), magicBits), magic)
      v128.store(at, exponent >= 0 ? f64x2.div(n, power) : f64x2.mul(n, power))
      at += 16
    } while (at != end)
  }
  if (whole < count) {
    const at = values + (<usize>whole << 3)
    store<f64>(at, decimalValue(integerToDouble(load<i64>(at)), exponent))
  }
}

/** base + code under the exponent where that is a short quotient, in one pass. Codes come to the second half of their place first, as in unpackNarrow. */
function unpackQuotients(packed: usize, width: i32, first: i32, count: i32, base: i64, exponent: i32, out: usize): void {
  const bases = i64x2.splat(base + MAGIC_BITS), magic = f64x2.splat(MAGIC)
  const factor = quotientFactor(exponent, true), rest = quotientRest(exponent, true)
  const whole = count & ~3, end = out + (<usize>whole << 3)
  let codesAt = out + (<usize>whole << 2)
  unpack32(packed, width, first >> 2, whole >> 2, codesAt)
  if (whole != 0) {
    let at = out
    do {
      const codes = v128.load(codesAt)
      const a = f64x2.sub(i64x2.add(i64x2.extend_low_i32x4_u(codes), bases), magic)
      const b = f64x2.sub(i64x2.add(i64x2.extend_high_i32x4_u(codes), bases), magic)
      v128.store(at, quotients(a, exponent, true, factor, rest))
      v128.store(at, quotients(b, exponent, true, factor, rest), 16)
      at += 32
      codesAt += 16
    } while (at != end)
  }
  for (let i = whole; i < count; i++) {
    store<f64>(out + (<usize>i << 3), decimalValue(integerToDouble(base + <i64>packedGet32(packed, width, first + i)), exponent))
  }
}

/** Index of the first exception at or after row `row`. */
function exceptionFrom(positions: usize, exceptionCount: i32, row: i32): i32 {
  let low = 0
  let high = exceptionCount
  while (low < high) {
    const middle = (low + high) >> 1
    if (<i32>load<u16>(positions + (<usize>middle << 1)) < row) low = middle + 1
    else high = middle
  }
  return low
}

/** Decodes rows [first, first + count) of one block of a decimal chunk. */
export function decodeDecimalBlock(chunk: usize, block: i32, first: i32, count: i32, out: usize): void {
  const entry = blockEntry(chunk, block)
  const packed = entryPacked(chunk, entry), width = entryWidth(entry), base = entryBase(entry), exponent = chunkExponent(chunk)
  if (isShortQuotient(base, width, exponent)) {
    unpackQuotients(packed, width, first, count, base, exponent, out)
  } else {
    unpackAdd(packed, width, blockRows(chunk, block), first, count, base, out)
    scale(out, count, exponent)
  }
  const exceptionCount = entryExceptionCount(entry)
  if (exceptionCount == 0) return
  const positions = entryAux(chunk, entry)
  const values = exceptionValues(positions, exceptionCount)
  for (let k = exceptionFrom(positions, exceptionCount, first); k < exceptionCount; k++) {
    const row = <i32>load<u16>(positions + (<usize>k << 1)) - first
    if (row >= count) return
    store<u64>(out + (<usize>row << 3), load<u64>(values + (<usize>k << 3)))
  }
}

/** Bits of one value of an f64 chunk of any encoding. As in `Integer`, the usual reads call nothing. */
export class Double {
  @inline
  static bitsAt(chunk: usize, row: i32): u64 {
    const encoding = chunkEncoding(chunk)
    if (encoding <= ENCODING_PLAIN) return load<u64>(chunkData(chunk) + (encoding == ENCODING_PLAIN ? <usize>row << 3 : 0))
    const entry = blockEntry(chunk, row >> 10)
    const i = row & 1023, width = entryWidth(entry), exponent = chunkExponent(chunk)
    if (entryExceptionCount(entry) != 0 || width > 32) return wideOrExceptionAt(chunk, entry, row)
    const n = integerToDouble(entryBase(entry) + <i64>packedGet32(entryPacked(chunk, entry), width, i))
    return reinterpret<u64>(exponent >= 0 ? n / powerOfTen(exponent) : n * powerOfTen(-exponent))
  }
}

function wideOrExceptionAt(chunk: usize, entry: usize, row: i32): u64 {
  const i = row & 1023, exceptionCount = entryExceptionCount(entry)
  const positions = entryAux(chunk, entry)
  const k = exceptionFrom(positions, exceptionCount, i)
  if (k < exceptionCount && <i32>load<u16>(positions + (<usize>k << 1)) == i) {
    return load<u64>(exceptionValues(positions, exceptionCount) + (<usize>k << 3))
  }
  const n = entryBase(entry) + packedGet64(entryPacked(chunk, entry), entryWidth(entry), blockRows(chunk, row >> 10), i)
  return reinterpret<u64>(decimalValue(integerToDouble(n), chunkExponent(chunk)))
}

export function doubleBitsAt(chunk: usize, row: i32): u64 { return Double.bitsAt(chunk, row) }
