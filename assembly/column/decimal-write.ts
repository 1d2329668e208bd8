/* Encoding f64 chunks: the exponent is chosen on a sample, then sizes are measured exactly against plain. */
import { allEqual64, beginChunk, CODES_BYTES, fillNullSlots, finishChunk, padTo8, writeLineCodes } from './chunk-write'
import { decimalValue, INTEGER_MAX, MAGIC, MAGIC_BITS } from './decimal'
import { powerOfTen } from './quotient'
import { writeFixed } from './integers-write'
import { BLOCK_ROWS, blockCount, ENCODING_CONSTANT, ENCODING_DECIMAL, ENCODING_PLAIN, ENTRY_BYTES, EXPONENT_MAX, exceptionValues, KIND_F64 } from './layout'
import { bitWidth64, packedBytes } from './packing'

const SAMPLE_MAX: i32 = 64
const EXCEPTION_BITS: i32 = 80

export function columnEncodeF64(values: usize, nulls: usize, count: i32, out: usize, scratch: usize): i32 {
  const filled = fillNullSlots(values, nulls, count, scratch + CODES_BYTES + BLOCK_ROWS * 8)
  const start = beginChunk(out, KIND_F64, count, nulls)
  if (allEqual64(filled, count)) return writeFixed(out, start, filled, count, ENCODING_CONSTANT)
  const exponent = chooseExponent(filled, count)
  if (measure(filled, count, exponent, scratch + CODES_BYTES, out + <usize>start) >= count << 3) {
    return writeFixed(out, start, filled, count, ENCODING_PLAIN)
  }
  return writeDecimal(out, start, filled, count, exponent, scratch)
}

/** Rounded integer of `value` under `exponent`, or NaN where it would not come back bit for bit. */
function integerOf(value: f64, exponent: i32): f64 {
  const scaled = exponent >= 0 ? value * powerOfTen(exponent) : value / powerOfTen(-exponent)
  if (!(scaled >= -INTEGER_MAX && scaled <= INTEGER_MAX)) return NaN
  const n = scaled + MAGIC - MAGIC
  return reinterpret<u64>(decimalValue(n, exponent)) == reinterpret<u64>(value) ? n : NaN
}

/** Bits a sample costs under `exponent`; `-1 - bits` when some of it are exceptions. */
function sampleBits(values: usize, count: i32, exponent: i32): i32 {
  const sample = min(count, SAMPLE_MAX)
  let exceptions = 0
  let low: f64 = Infinity
  let high: f64 = -Infinity
  for (let k = 0; k < sample; k++) {
    const n = integerOf(load<f64>(values + (<usize>(k * count / sample) << 3)), exponent)
    if (n != n) exceptions++
    else {
      low = n < low ? n : low
      high = n > high ? n : high
    }
  }
  const width = exceptions == sample ? 0 : bitWidth64(<u64>(high - low))
  const bits = width * (sample - exceptions) + EXCEPTION_BITS * exceptions
  return exceptions == 0 ? bits : -1 - bits
}

/** The cheapest exponent of the sample: from 0 up to the first that has no exceptions, or down if 0 has none. */
function chooseExponent(values: usize, count: i32): i32 {
  let best = 0
  let bestBits = i32.MAX_VALUE
  for (let exponent = 0; exponent <= EXPONENT_MAX; exponent++) {
    const signed = sampleBits(values, count, exponent)
    const bits = signed < 0 ? -1 - signed : signed
    if (bits < bestBits) {
      bestBits = bits
      best = exponent
    }
    if (signed >= 0) break
  }
  if (best != 0) return best
  for (let exponent = -1; exponent >= -EXPONENT_MAX; exponent--) {
    const signed = sampleBits(values, count, exponent)
    const bits = signed < 0 ? -1 - signed : signed
    if (bits >= bestBits) break
    bestBits = bits
    best = exponent
  }
  return best
}

/** Integers of one block at `integers` (exceptions: the least integer) and its planned entry; returns the payload's bytes. */
function planDecimal(values: usize, rows: i32, exponent: i32, integers: usize, entry: usize): i32 {
  store<f64>(entry, Infinity)
  store<f64>(entry, -Infinity, 8)
  const pairs = rows & ~1
  let good = pairs == 0 ? 0 : integerPairs(values, pairs, exponent, integers, entry)
  if (pairs < rows) {
    const n = integerOf(load<f64>(values + (<usize>pairs << 3)), exponent), isGood = n == n
    store<i64>(integers + (<usize>pairs << 3), isGood ? <i64>n : i64.MIN_VALUE)
    if (isGood) addExtremes(entry, n, n)
    good += <i32>isGood
  }
  const low = good == 0 ? 0 : <i64>load<f64>(entry), high = good == 0 ? 0 : <i64>load<f64>(entry, 8)
  const exceptions = rows - good, width = bitWidth64(<u64>(high - low))
  memory.fill(entry, 0, ENTRY_BYTES)
  store<i64>(entry, low)
  store<u16>(entry, <u16>exceptions, 26)
  store<u8>(entry, <u8>width, 28)
  return packedBytes(rows, width) + exceptionBytes(exceptions)
}

/** `integerOf` of `count` values (an even number, not 0), two at a time; adds to the extremes and returns how many are no exceptions. */
function integerPairs(values: usize, count: i32, exponent: i32, integers: usize, extremes: usize): i32 {
  const power = f64x2.splat(powerOfTen(abs(exponent))), sizeMax = f64x2.splat(INTEGER_MAX)
  const magic = f64x2.splat(MAGIC), magicBits = i64x2.splat(MAGIC_BITS), exceptional = i64x2.splat(i64.MIN_VALUE)
  let least = f64x2.splat(Infinity), greatest = f64x2.splat(-Infinity), good = i64x2.splat(0)
  const end = values + (<usize>count << 3)
  do {
    const value = v128.load(values)
    const scaled = exponent >= 0 ? f64x2.mul(value, power) : f64x2.div(value, power)
    const moved = f64x2.add(scaled, magic), n = f64x2.sub(moved, magic)
    const back = exponent >= 0 ? f64x2.div(n, power) : f64x2.mul(n, power)
    const isGood = v128.and(f64x2.le(f64x2.abs(scaled), sizeMax), i64x2.eq(back, value))
    v128.store(integers, v128.bitselect(i64x2.sub(moved, magicBits), exceptional, isGood))
    least = f64x2.pmin(least, v128.bitselect(n, least, isGood))
    greatest = f64x2.pmax(greatest, v128.bitselect(n, greatest, isGood))
    good = i64x2.sub(good, isGood)
    values += 16
    integers += 16
  } while (values != end)
  addExtremes(extremes, min(f64x2.extract_lane(least, 0), f64x2.extract_lane(least, 1)), max(f64x2.extract_lane(greatest, 0), f64x2.extract_lane(greatest, 1)))
  return <i32>(i64x2.extract_lane(good, 0) + i64x2.extract_lane(good, 1))
}

/** `extremes`: least and greatest, f64 each. */
function addExtremes(extremes: usize, least: f64, greatest: f64): void {
  store<f64>(extremes, min(load<f64>(extremes), least))
  store<f64>(extremes, max(load<f64>(extremes, 8), greatest), 8)
}

function exceptionBytes(exceptions: i32): i32 { return ((exceptions * 2 + 7) & -8) + exceptions * 8 }

/** Bytes of the decimal form, or at least as much as plain. */
function measure(values: usize, count: i32, exponent: i32, integers: usize, entry: usize): i32 {
  let bytes = 0
  const blocks = blockCount(count)
  for (let block = 0; block < blocks && bytes < count << 3; block++) {
    const rows = min(count - (block << 10), BLOCK_ROWS)
    bytes += ENTRY_BYTES + planDecimal(values + (<usize>block << 13), rows, exponent, integers, entry)
  }
  return bytes
}

function writeDecimal(out: usize, start: i32, values: usize, count: i32, exponent: i32, scratch: usize): i32 {
  const integers = scratch + CODES_BYTES
  const blocks = blockCount(count)
  store<u8>(out, <u8>exponent, 3)
  store<u32>(out, start, 16)
  let end = start + blocks * ENTRY_BYTES
  for (let block = 0; block < blocks; block++) {
    const from = values + (<usize>block << 13)
    const rows = min(count - (block << 10), BLOCK_ROWS)
    const entry = out + <usize>(start + block * ENTRY_BYTES)
    planDecimal(from, rows, exponent, integers, entry)
    end = writeExceptions(from, rows, integers, entry, out, end)
    end = writeLineCodes(integers, rows, entry, out, end, scratch)
  }
  return finishChunk(out, ENCODING_DECIMAL, end)
}

/** Writes the exceptions at `offset` and puts the block's base in their place; returns the offset after them. */
function writeExceptions(values: usize, rows: i32, integers: usize, entry: usize, out: usize, offset: i32): i32 {
  const exceptions = <i32>load<u16>(entry, 26)
  if (exceptions == 0) return offset
  const base = load<i64>(entry)
  const positions = out + <usize>offset
  const bits = exceptionValues(positions, exceptions)
  store<u32>(entry, offset, 20)
  let k = 0
  for (let i = 0; i < rows; i++) {
    if (load<i64>(integers + (<usize>i << 3)) != i64.MIN_VALUE) continue
    store<i64>(integers + (<usize>i << 3), base)
    store<u16>(positions + (<usize>k << 1), <u16>i)
    store<u64>(bits + (<usize>k << 3), load<u64>(values + (<usize>i << 3)))
    k++
  }
  padTo8(out, offset + exceptions * 2)
  return offset + exceptionBytes(exceptions)
}
