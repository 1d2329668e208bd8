/** Twin of assembly/column/{integers,decimal,numbers}.ts: i64 as pairs of 32-bit halves, so that no BigInt is made. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { columnKinds, encodings, isDelta, padded8 } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { ColumnNulls } from './nulls.ts'

const powers = Array.from({ length: 19 }, (_, exponent) => Number(`1e${exponent}`))
const two32 = 0x1_0000_0000

export const powerOfTen = (exponent: number): number => powers[exponent]!
/** Value of an integer under a signed exponent. */
export const decimalValue = (n: number, exponent: number): number => (exponent >= 0 ? n / powers[exponent]! : n * powers[-exponent]!)

export type NumberReaders = Pick<ColumnExports, 'columnDecodeI64' | 'columnDecodeF64' | 'columnGetI64' | 'columnGetF64' | 'columnLowerBoundI64'>

/** Sums wrap as i32; a carry is told by the unsigned sum being below its first term. */
function createBlockDecoder({ u32, i32, f64, u16 }: LinearMemory, layout: ChunkLayout) {
  /** Halves of the value last read by `readInteger`. */
  const value = new Int32Array(2)

  /** base + code for rows [first, first + count) of a block. */
  const unpackAdd = (packed: Pointer, width: number, rows: number, first: number, count: number, baseLow: number, baseHigh: number, out: Pointer): void => {
    const narrow = Math.min(width, 32), mask = narrow === 0 ? 0 : 0xffffffff >>> (32 - narrow) | 0
    const high = width > 32 ? packed + (((rows + 3) >> 2) << 4) : 0
    const start = packed >>> 2
    let to = out >>> 2
    for (let i = first, end = first + count; i < end; i++, to += 2) {
      let code = 0
      if (narrow !== 0) {
        const bit = (i >> 2) * narrow, shift = bit & 31
        const word = start + ((bit >> 5) << 2) + (i & 3)
        code = i32[word]! >>> shift
        if (shift + narrow > 32) code |= i32[word + 4]! << (32 - shift)
        code &= mask
      }
      const low = (code + baseLow) | 0
      i32[to] = low
      i32[to + 1] = (baseHigh + (high === 0 ? 0 : layout.packedBits(high, width - 32, i)) + (low >>> 0 < code >>> 0 ? 1 : 0)) | 0
    }
  }

  const addLine = (entry: Pointer, first: number, count: number, values: Pointer): void => {
    const slopeLow = layout.slopeLow(entry), slopeHigh = layout.slopeHigh(entry), fraction = layout.fraction(entry)
    let low = Math.imul(slopeLow, first), high = timesHigh(slopeLow, slopeHigh, first), part = fraction * first
    for (let i = 0, at = values >>> 2; i < count; i++, at += 2) {
      const before = i32[at]!, along = (before + low) | 0, sum = (along + (part >>> 16)) | 0
      i32[at] = sum
      i32[at + 1] = (i32[at + 1]! + high + (along >>> 0 < before >>> 0 ? 1 : 0) + (sum >>> 0 < along >>> 0 ? 1 : 0)) | 0
      low = (low + slopeLow) | 0
      high = (high + slopeHigh + (low >>> 0 < slopeLow >>> 0 ? 1 : 0)) | 0
      part += fraction
    }
  }

  /** Turns codes into differences, in place: base + step·code. */
  const scaleCodes = (entry: Pointer, count: number, values: Pointer): void => {
    const stepLow = layout.slopeLow(entry), stepHigh = layout.slopeHigh(entry), baseLow = layout.baseLow(entry), baseHigh = layout.baseHigh(entry)
    for (let i = 0, at = values >>> 2; i < count; i++, at += 2) {
      const codeLow = i32[at]!, low = (Math.imul(codeLow, stepLow) + baseLow) | 0
      i32[at + 1] = (productHigh(codeLow, i32[at + 1]!, stepLow, stepHigh) + baseHigh + (low >>> 0 < baseLow >>> 0 ? 1 : 0)) | 0
      i32[at] = low
    }
  }

  /** Sums differences in place from the value before them. */
  const prefixSum = (values: Pointer, count: number, low: number, high: number): void => {
    for (let i = 0, at = values >>> 2; i < count; i++, at += 2) {
      const step = i32[at]!
      low = (low + step) | 0
      high = (high + i32[at + 1]! + (low >>> 0 < step >>> 0 ? 1 : 0)) | 0
      i32[at] = low
      i32[at + 1] = high
    }
  }

  /** Differences of rows [first, first + count) are at `values`; `first` is a multiple of 128. */
  const sumGroups = (chunk: Pointer, entry: Pointer, first: number, count: number, values: Pointer): void => {
    for (let row = first; row < first + count; row += 128) {
      const checkpoint = (layout.aux(chunk, entry) >>> 2) + ((row >> 7) << 1)
      const at = (values >>> 2) + (row - first) * 2
      // The group's first difference is base + 0; its value is the checkpoint.
      i32[at] = i32[checkpoint]!
      i32[at + 1] = i32[checkpoint + 1]!
      prefixSum(values + (row - first) * 8, Math.min(128, first + count - row), 0, 0)
    }
  }

  const decodeIntegers = (chunk: Pointer, block: number, first: number, count: number, out: Pointer): void => {
    const entry = layout.entry(chunk, block), encoding = layout.encoding(chunk)
    const isStepped = encoding === encodings.steppedDelta
    unpackAdd(layout.packed(chunk, entry), layout.width(entry), layout.rowsOf(chunk, block), first, count, isStepped ? 0 : layout.baseLow(entry), isStepped ? 0 : layout.baseHigh(entry), out)
    if (isStepped) scaleCodes(entry, count, out)
    if (encoding === encodings.linear) addLine(entry, first, count, out)
    else if (isDelta(encoding)) sumPartial(chunk, entry, block, first, count, out)
  }

  /** Rows before the first whole group start from the row before them. */
  const sumPartial = (chunk: Pointer, entry: Pointer, block: number, first: number, count: number, out: Pointer): void => {
    const head = (first & 127) === 0 ? 0 : Math.min(count, 128 - (first & 127))
    if (head !== 0) {
      readDelta(chunk, entry, layout.rowsOf(chunk, block), first - 1)
      prefixSum(out, head, value[0]!, value[1]!)
    }
    if (head < count) sumGroups(chunk, entry, first + head, count - head, out + head * 8)
  }

  const readDelta = (chunk: Pointer, entry: Pointer, rows: number, row: number): void => {
    const packed = layout.packed(chunk, entry), width = layout.width(entry), narrow = Math.min(width, 32)
    const checkpoint = (layout.aux(chunk, entry) >>> 2) + ((row >> 7) << 1)
    const baseLow = layout.baseLow(entry), baseHigh = layout.baseHigh(entry)
    const highPlane = packed + (((rows + 3) >> 2) << 4)
    const isStepped = layout.encoding(chunk) === encodings.steppedDelta, stepLow = layout.slopeLow(entry), stepHigh = layout.slopeHigh(entry)
    let low = i32[checkpoint]!, high = i32[checkpoint + 1]!
    for (let i = (row & ~127) + 1; i <= row; i++) {
      const codeLow = layout.packedBits(packed, narrow, i), codeHigh = width > 32 ? layout.packedBits(highPlane, width - 32, i) : 0
      const partLow = isStepped ? Math.imul(codeLow, stepLow) : codeLow, partHigh = isStepped ? productHigh(codeLow, codeHigh, stepLow, stepHigh) : codeHigh
      const difference = (partLow + baseLow) | 0
      low = (low + difference) | 0
      high = (high + baseHigh + partHigh + (difference >>> 0 < partLow >>> 0 ? 1 : 0) + (low >>> 0 < difference >>> 0 ? 1 : 0)) | 0
    }
    value[0] = low
    value[1] = high
  }

  /** Reads one row of an i64 chunk into `value`. */
  const readInteger = (chunk: Pointer, row: number): void => {
    const encoding = layout.encoding(chunk)
    if (encoding <= encodings.plain) {
      const at = (layout.data(chunk) >>> 2) + (encoding === encodings.constant ? 0 : row * 2)
      value[0] = i32[at]!
      value[1] = i32[at + 1]!
      return
    }
    const entry = layout.entry(chunk, row >> 10), rows = layout.rowsOf(chunk, row >> 10), i = row & 1023
    if (isDelta(encoding)) return readDelta(chunk, entry, rows, i)
    const packed = layout.packed(chunk, entry), width = layout.width(entry)
    const code = layout.packedBits(packed, Math.min(width, 32), i), low = (code + layout.baseLow(entry)) | 0
    value[0] = low
    value[1] = layout.baseHigh(entry) + (width > 32 ? layout.packedBits(packed + (((rows + 3) >> 2) << 4), width - 32, i) : 0) + (low >>> 0 < code >>> 0 ? 1 : 0)
    if (encoding === encodings.linear) readLine(entry, i)
  }

  /** Adds the line at row `i` to `value`. */
  const readLine = (entry: Pointer, i: number): void => {
    const slopeLow = layout.slopeLow(entry), before = value[0]!
    const along = (before + Math.imul(slopeLow, i)) | 0, sum = (along + ((layout.fraction(entry) * i) >>> 16)) | 0
    value[0] = sum
    value[1] = value[1]! + timesHigh(slopeLow, layout.slopeHigh(entry), i) + (along >>> 0 < before >>> 0 ? 1 : 0) + (sum >>> 0 < along >>> 0 ? 1 : 0)
  }

  /** Index of the first exception at or after `row`. */
  const exceptionFrom = (positions: Pointer, exceptions: number, row: number): number => {
    let low = 0, high = exceptions
    while (low < high) {
      const middle = (low + high) >> 1
      if (u16[(positions >>> 1) + middle]! < row) low = middle + 1
      else high = middle
    }
    return low
  }

  const decodeDecimals = (chunk: Pointer, block: number, first: number, count: number, out: Pointer): void => {
    const entry = layout.entry(chunk, block), exponent = layout.exponent(chunk)
    unpackAdd(layout.packed(chunk, entry), layout.width(entry), layout.rowsOf(chunk, block), first, count, layout.baseLow(entry), layout.baseHigh(entry), out)
    const power = powers[Math.abs(exponent)]!
    for (let i = 0, at = out >>> 2; i < count; i++, at += 2) {
      const n = i32[at + 1]! * two32 + u32[at]!
      f64[at >>> 1] = exponent >= 0 ? n / power : n * power
    }
    const exceptions = layout.exceptionCount(entry), positions = layout.aux(chunk, entry)
    const bits = (positions + padded8(exceptions * 2)) >>> 2
    for (let k = exceptions === 0 ? 0 : exceptionFrom(positions, exceptions, first); k < exceptions; k++) {
      const row = u16[(positions >>> 1) + k]! - first
      if (row >= count) return
      u32[(out >>> 2) + 2 * row] = u32[bits + 2 * k]!
      u32[(out >>> 2) + 2 * row + 1] = u32[bits + 2 * k + 1]!
    }
  }

  return { decodeIntegers, decodeDecimals, readInteger, value }
}

/** High half of the product of two 64-bit numbers, modulo 2^64; all halves are i32. */
function productHigh(lowA: number, highA: number, lowB: number, highB: number): number {
  const upperA = lowA >>> 16, upperB = lowB >>> 16, lowerA = lowA & 0xffff, lowerB = lowB & 0xffff
  const middle = upperA * lowerB + ((lowerA * lowerB) >>> 16), other = lowerA * upperB + (middle & 0xffff)
  return (upperA * upperB + Math.floor(middle / 0x1_0000) + Math.floor(other / 0x1_0000) + Math.imul(highA, lowB) + Math.imul(lowA, highB)) | 0
}

/** High half of a 64-bit number times `i`, which is below 2^20. */
const timesHigh = (low: number, high: number, i: number): number => (Math.imul(high, i) + Math.floor(((low >>> 0) * i) / two32)) | 0

export function createNumberReaders(memory: LinearMemory, layout: ChunkLayout, nulls: ColumnNulls): NumberReaders {
  const { u8, u32, i32 } = memory
  const { decodeIntegers, decodeDecimals, readInteger, value } = createBlockDecoder(memory, layout)

  const fill = (chunk: Pointer, count: number, out: Pointer): void => {
    const low = i32[layout.data(chunk) >>> 2]!, high = i32[(layout.data(chunk) >>> 2) + 1]!
    for (let i = 0, at = out >>> 2; i < count; i++, at += 2) {
      i32[at] = low
      i32[at + 1] = high
    }
  }

  const decodeRange = (chunk: Pointer, first: number, count: number, out: Pointer): void => {
    const encoding = layout.encoding(chunk)
    if (encoding === encodings.constant) return fill(chunk, count, out)
    if (encoding === encodings.plain) {
      const from = layout.data(chunk) + first * 8
      u8.copyWithin(out, from, from + count * 8)
      return
    }
    const decode = encoding === encodings.decimal ? decodeDecimals : decodeIntegers
    for (let row = first; row < first + count; row = ((row >> 10) + 1) << 10) {
      const stop = Math.min(((row >> 10) + 1) << 10, first + count)
      decode(chunk, row >> 10, row & 1023, stop - row, out + (row - first) * 8)
    }
  }

  const decodeKind = (kind: number) => (chunk: Pointer, first: number, count: number, values: Pointer, bitmap: Pointer): number => {
    if (layout.kind(chunk) !== kind || first < 0 || count < 0 || (first & 7) !== 0 || first + count > layout.count(chunk)) return -1
    decodeRange(chunk, first, count, values)
    return nulls.apply(chunk, first, count, values, bitmap)
  }

  const getKind = (kind: number) => (chunk: Pointer, row: number, out: Pointer): number => {
    if (layout.kind(chunk) !== kind || row < 0 || row >= layout.count(chunk)) return -1
    const isNull = layout.isNull(layout.nulls(chunk), row)
    if (isNull) value.fill(0)
    else if (layout.encoding(chunk) === encodings.decimal) {
      decodeDecimals(chunk, row >> 10, row & 1023, 1, out)
      return 1
    } else readInteger(chunk, row)
    i32[out >>> 2] = value[0]!
    i32[(out >>> 2) + 1] = value[1]!
    return isNull ? 0 : 1
  }

  const columnLowerBoundI64 = (chunk: Pointer, wanted: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.i64) return -1
    const wantedLow = u32[wanted >>> 2]!, wantedHigh = i32[(wanted >>> 2) + 1]!
    const count = layout.count(chunk)
    const firstNotBelow = (low: number, high: number, shift: number): number => {
      while (low < high) {
        const middle = (low + high) >> 1
        readInteger(chunk, middle << shift)
        if (value[1]! < wantedHigh || (value[1] === wantedHigh && value[0]! >>> 0 < wantedLow)) low = middle + 1
        else high = middle
      }
      return low
    }
    const block = firstNotBelow(0, (count + 1023) >> 10, 10) - 1
    if (block < 0) return 0
    const blockStart = block << 10
    const groups = (Math.min(count - blockStart, 1024) + 127) >> 7
    const group = firstNotBelow(blockStart >> 7, (blockStart >> 7) + groups, 7) - 1
    const start = Math.max(group << 7, blockStart)
    return firstNotBelow(start, Math.min(start + 128, blockStart + 1024, count), 0)
  }

  return {
    columnDecodeI64: decodeKind(columnKinds.i64),
    columnDecodeF64: decodeKind(columnKinds.f64),
    columnGetI64: getKind(columnKinds.i64),
    columnGetF64: getKind(columnKinds.f64),
    columnLowerBoundI64,
  }
}
