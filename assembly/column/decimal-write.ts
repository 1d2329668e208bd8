/* Encoding f64 chunks: the exponent is chosen on a sample, then sizes are measured exactly against plain. */
import { allEqual64, beginChunk, CODES_BYTES, fillNullSlots, finishChunk, padTo8, writeLineCodes } from './chunk-write'
import { decimalValue, INTEGER_MAX, MAGIC } from './decimal'
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

/** Integers of one block at `integers` (exceptions: the block's minimum) and its planned entry; returns the payload's bytes. */
function planDecimal(values: usize, rows: i32, exponent: i32, integers: usize, entry: usize): i32 {
  let exceptions = 0
  let low = i64.MAX_VALUE
  let high = i64.MIN_VALUE
  for (let i = 0; i < rows; i++) {
    const n = integerOf(load<f64>(values + (<usize>i << 3)), exponent)
    if (n != n) {
      exceptions++
      store<i64>(integers + (<usize>i << 3), i64.MIN_VALUE)
      continue
    }
    const integer = <i64>n
    store<i64>(integers + (<usize>i << 3), integer)
    low = integer < low ? integer : low
    high = integer > high ? integer : high
  }
  if (exceptions == rows) low = high = 0
  memory.fill(entry, 0, ENTRY_BYTES)
  const width = bitWidth64(<u64>(high - low))
  store<i64>(entry, low)
  store<u16>(entry, <u16>exceptions, 26)
  store<u8>(entry, <u8>width, 28)
  return packedBytes(rows, width) + exceptionBytes(exceptions)
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
