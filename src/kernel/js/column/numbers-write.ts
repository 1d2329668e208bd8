/** Twin of assembly/column/{integers-write,decimal-write}.ts: the same choices, hence the same bytes. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { codesBytes } from './chunk-write.ts'
import type { ChunkWriter, PlanBlock } from './chunk-write.ts'
import { bitWidth64, blockCount, blockRows, columnKinds, encodings, entryBytes, exceptionBytes, exponentMax, isDelta, packedBytes, padded8 } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import { decimalValue, powerOfTen } from './numbers.ts'

const sampleMax = 64
const exceptionBits = 80
/** 1.5 × 2^52: adding it rounds a double below 2^51 to an integer. */
const magic = 6755399441055744
const integerMax = 2 ** 51
const two32 = 0x1_0000_0000

export function createIntegerWriter({ u8, u32 }: LinearMemory, layout: ChunkLayout, writer: ChunkWriter) {
  const writeFixed = (out: Pointer, start: number, values: Pointer, count: number, encoding: number): number => {
    u32[(out >>> 2) + 5] = start
    if (encoding === encodings.constant) {
      for (const half of [0, 1]) u32[((out + start) >>> 2) + half] = count === 0 ? 0 : u32[(values >>> 2) + half]!
      return writer.finish(out, encoding, start + 8)
    }
    u8.copyWithin(out + start, values, values + count * 8)
    return writer.finish(out, encoding, start + count * 8)
  }

  /** `onPlanned` sees each block's entry. */
  const measure = (plan: PlanBlock, values: Pointer, count: number, entry: Pointer, onPlanned?: () => void): number => {
    let bytes = 0
    for (let block = 0; block < blockCount(count); block++) {
      bytes += entryBytes + plan(values + (block << 13), Math.min(count - (block << 10), blockRows), entry)
      onPlanned?.()
    }
    return bytes
  }

  const choose = (values: Pointer, count: number, entry: Pointer): number => {
    if (writer.allEqual64(values, count)) return encodings.constant
    const frame = measure(writer.planFrame, values, count, entry)
    const linear = measure(writer.planLinear, values, count, entry)
    let isStepped = false
    const delta = measure(writer.planDelta, values, count, entry, () => {
      isStepped ||= layout.slopeLow(entry) !== 1
    })
    const best = Math.min(count * 8, frame, linear)
    if (delta <= best - (best >> 3) && delta < best) return isStepped ? encodings.steppedDelta : encodings.delta
    if (best === count * 8) return encodings.plain
    return best === frame ? encodings.frame : encodings.linear
  }

  const columnEncodeI64 = (values: Pointer, nulls: Pointer, count: number, out: Pointer, scratch: Pointer): number => {
    const filled = writer.fillNullSlots(values, nulls, count, scratch + codesBytes)
    const start = writer.begin(out, columnKinds.i64, count, nulls)
    const encoding = choose(filled, count, out + start)
    if (encoding <= encodings.plain) return writeFixed(out, start, filled, count, encoding)
    const plan = encoding === encodings.frame ? writer.planFrame : encoding === encodings.linear ? writer.planLinear : writer.planDelta
    const write = isDelta(encoding) ? writer.writeDeltaCodes : writer.writeLineCodes
    u32[(out >>> 2) + 4] = start
    let end = start + blockCount(count) * entryBytes
    for (let block = 0; block < blockCount(count); block++) {
      const from = filled + (block << 13), rows = Math.min(count - (block << 10), blockRows), entry = out + start + block * entryBytes
      plan(from, rows, entry)
      end = write(from, rows, entry, out, end, scratch)
    }
    return writer.finish(out, encoding, end)
  }

  return { columnEncodeI64, writeFixed }
}

/** Rounded integer of `value` under `exponent`, or NaN where it would not come back bit for bit. */
function integerOf(value: number, exponent: number): number {
  const scaled = exponent >= 0 ? value * powerOfTen(exponent) : value / powerOfTen(-exponent)
  if (!(scaled >= -integerMax && scaled <= integerMax)) return Number.NaN
  const n = scaled + magic - magic
  return Object.is(decimalValue(n, exponent), value) ? n : Number.NaN
}

const bitWidthOf = (range: number): number => bitWidth64(range >>> 0, Math.floor(range / two32))

export function createDecimalWriter({ u8, u16, u32, i32, f64 }: LinearMemory, layout: ChunkLayout, writer: ChunkWriter, writeFixed: ReturnType<typeof createIntegerWriter>['writeFixed']): Pick<ColumnExports, 'columnEncodeF64'> {
  const sampleBits = (values: Pointer, count: number, exponent: number): { bits: number; exceptions: number } => {
    const sample = Math.min(count, sampleMax)
    let exceptions = 0, low = Infinity, high = -Infinity
    for (let k = 0; k < sample; k++) {
      const n = integerOf(f64[(values >>> 3) + Math.floor((k * count) / sample)]!, exponent)
      if (Number.isNaN(n)) exceptions++
      else {
        if (n < low) low = n
        if (n > high) high = n
      }
    }
    const width = exceptions === sample ? 0 : bitWidthOf(high - low)
    return { bits: width * (sample - exceptions) + exceptionBits * exceptions, exceptions }
  }

  const chooseExponent = (values: Pointer, count: number): number => {
    let best = 0, bestBits = Infinity
    for (let exponent = 0; exponent <= exponentMax; exponent++) {
      const { bits, exceptions } = sampleBits(values, count, exponent)
      if (bits < bestBits) {
        bestBits = bits
        best = exponent
      }
      if (exceptions === 0) break
    }
    if (best !== 0) return best
    for (let exponent = -1; exponent >= -exponentMax; exponent--) {
      const { bits } = sampleBits(values, count, exponent)
      if (bits >= bestBits) break
      bestBits = bits
      best = exponent
    }
    return best
  }

  /** Integers of a block at `integers`, -2^63 for exceptions, and its planned entry; returns the payload's bytes. */
  const plan = (values: Pointer, rows: number, exponent: number, integers: Pointer, entry: Pointer): number => {
    let exceptions = 0, low = Infinity, high = -Infinity
    for (let i = 0; i < rows; i++) {
      const n = integerOf(f64[(values >>> 3) + i]!, exponent), at = (integers >>> 2) + 2 * i
      u32[at] = n >>> 0
      i32[at + 1] = Math.floor(n / two32)
      if (Number.isNaN(n)) {
        exceptions++
        i32[at + 1] = -0x8000_0000
        continue
      }
      if (n < low) low = n
      if (n > high) high = n
    }
    if (exceptions === rows) low = high = 0
    u8.fill(0, entry, entry + entryBytes)
    const width = bitWidthOf(high - low)
    u32[entry >>> 2] = low >>> 0
    i32[(entry >>> 2) + 1] = Math.floor(low / two32)
    u16[(entry >>> 1) + 13] = exceptions
    u8[entry + 28] = width
    return packedBytes(rows, width) + exceptionBytes(exceptions)
  }

  const measure = (values: Pointer, count: number, exponent: number, integers: Pointer, entry: Pointer): number => {
    let bytes = 0
    for (let block = 0; block < blockCount(count) && bytes < count * 8; block++) {
      bytes += entryBytes + plan(values + (block << 13), Math.min(count - (block << 10), blockRows), exponent, integers, entry)
    }
    return bytes
  }

  const writeExceptions = (values: Pointer, rows: number, integers: Pointer, entry: Pointer, out: Pointer, offset: number): number => {
    const exceptions = layout.exceptionCount(entry)
    if (exceptions === 0) return offset
    const bits = (out + offset + padded8(exceptions * 2)) >>> 2
    u32[(entry >>> 2) + 5] = offset
    for (let i = 0, k = 0; i < rows; i++) {
      const at = (integers >>> 2) + 2 * i, from = (values >>> 2) + 2 * i
      if (i32[at + 1] !== -0x8000_0000) continue
      u32[at] = u32[entry >>> 2]!
      u32[at + 1] = u32[(entry >>> 2) + 1]!
      u16[((out + offset) >>> 1) + k] = i
      u32[bits + 2 * k] = u32[from]!
      u32[bits + 2 * k + 1] = u32[from + 1]!
      k++
    }
    writer.padTo8(out, offset + exceptions * 2)
    return offset + exceptionBytes(exceptions)
  }

  const write = (out: Pointer, start: number, values: Pointer, count: number, exponent: number, scratch: Pointer): number => {
    const integers = scratch + codesBytes
    u8[out + 3] = exponent
    u32[(out >>> 2) + 4] = start
    let end = start + blockCount(count) * entryBytes
    for (let block = 0; block < blockCount(count); block++) {
      const from = values + (block << 13), rows = Math.min(count - (block << 10), blockRows), entry = out + start + block * entryBytes
      plan(from, rows, exponent, integers, entry)
      end = writeExceptions(from, rows, integers, entry, out, end)
      end = writer.writeLineCodes(integers, rows, entry, out, end, scratch)
    }
    return writer.finish(out, encodings.decimal, end)
  }

  const columnEncodeF64 = (values: Pointer, nulls: Pointer, count: number, out: Pointer, scratch: Pointer): number => {
    const filled = writer.fillNullSlots(values, nulls, count, scratch + codesBytes + blockRows * 8)
    const start = writer.begin(out, columnKinds.f64, count, nulls)
    if (writer.allEqual64(filled, count)) return writeFixed(out, start, filled, count, encodings.constant)
    const exponent = chooseExponent(filled, count)
    if (measure(filled, count, exponent, scratch + codesBytes, out + start) >= count * 8) return writeFixed(out, start, filled, count, encodings.plain)
    return write(out, start, filled, count, exponent, scratch)
  }

  return { columnEncodeF64 }
}
