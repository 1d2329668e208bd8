/** Twin of assembly/column/{integers,decimal,numbers}.ts: i64 as pairs of 32-bit halves, so that no BigInt is made. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { columnKinds, encodings, padded8, widthMask } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { ColumnNulls } from './nulls.ts'

const powers = Array.from({ length: 19 }, (_, exponent) => Number(`1e${exponent}`))
const two32 = 0x1_0000_0000

export const powerOfTen = (exponent: number): number => powers[exponent]!
/** Value of an integer under a signed exponent. */
export const decimalValue = (n: number, exponent: number): number => (exponent >= 0 ? n / powers[exponent]! : n * powers[-exponent]!)

export type NumberReaders = Pick<ColumnExports, 'columnDecodeI64' | 'columnDecodeF64' | 'columnGetI64' | 'columnGetF64' | 'columnLowerBoundI64'>

function createBlockDecoder({ u32, i32, f64, u16 }: LinearMemory, layout: ChunkLayout) {
  /** base + code for rows [first, first + count) of a block. */
  const unpackAdd = (packed: Pointer, width: number, rows: number, first: number, count: number, baseLow: number, baseHigh: number, out: Pointer): void => {
    const narrow = Math.min(width, 32), mask = widthMask(narrow)
    const high = width > 32 ? packed + (((rows + 3) >> 2) << 4) : 0
    const start = packed >>> 2
    let to = out >>> 2
    for (let i = first, end = first + count; i < end; i++, to += 2) {
      let code = 0
      if (narrow !== 0) {
        const bit = (i >> 2) * narrow, shift = bit & 31
        const word = start + ((bit >> 5) << 2) + (i & 3)
        code = u32[word]! >>> shift
        if (shift + narrow > 32) code |= u32[word + 4]! << (32 - shift)
        code = (code & mask) >>> 0
      }
      const sum = code + baseLow
      i32[to] = sum | 0
      i32[to + 1] = baseHigh + (high === 0 ? 0 : layout.packedGet(high, width - 32, i)) + (sum >= two32 ? 1 : 0)
    }
  }

  const addLine = (entry: Pointer, first: number, count: number, values: Pointer): void => {
    const slopeLow = layout.slopeLow(entry), slopeHigh = layout.slopeHigh(entry), fraction = layout.fraction(entry)
    let [low, high] = timesSmall(slopeLow, slopeHigh, first)
    let part = fraction * first
    for (let i = 0, at = values >>> 2; i < count; i++, at += 2) {
      const sum = u32[at]! + low + (part >>> 16)
      i32[at] = sum | 0
      i32[at + 1] = i32[at + 1]! + high + Math.floor(sum / two32)
      low += slopeLow
      high = (high + slopeHigh + (low >= two32 ? 1 : 0)) | 0
      low = low >>> 0
      part += fraction
    }
  }

  /** Sums differences in place from the value before them. */
  const prefixSum = (values: Pointer, count: number, low: number, high: number): void => {
    for (let i = 0, at = values >>> 2; i < count; i++, at += 2) {
      low += u32[at]!
      high = (high + i32[at + 1]! + (low >= two32 ? 1 : 0)) | 0
      low = low >>> 0
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
    unpackAdd(layout.packed(chunk, entry), layout.width(entry), layout.rowsOf(chunk, block), first, count, layout.baseLow(entry), layout.baseHigh(entry), out)
    if (encoding === encodings.linear) addLine(entry, first, count, out)
    else if (encoding === encodings.delta) sumPartial(chunk, entry, block, first, count, out)
  }

  /** Rows before the first whole group start from the row before them. */
  const sumPartial = (chunk: Pointer, entry: Pointer, block: number, first: number, count: number, out: Pointer): void => {
    const head = (first & 127) === 0 ? 0 : Math.min(count, 128 - (first & 127))
    if (head !== 0) {
      const [low, high] = deltaAt(chunk, entry, layout.rowsOf(chunk, block), first - 1)
      prefixSum(out, head, low, high)
    }
    if (head < count) sumGroups(chunk, entry, first + head, count - head, out + head * 8)
  }

  /** Row `row` of a delta block as halves. */
  const deltaAt = (chunk: Pointer, entry: Pointer, rows: number, row: number): Halves => {
    const packed = layout.packed(chunk, entry), width = layout.width(entry)
    const checkpoint = (layout.aux(chunk, entry) >>> 2) + ((row >> 7) << 1)
    const baseLow = layout.baseLow(entry), baseHigh = layout.baseHigh(entry)
    const highPlane = packed + (((rows + 3) >> 2) << 4)
    let low = u32[checkpoint]!, high = i32[checkpoint + 1]!
    for (let i = (row & ~127) + 1; i <= row; i++) {
      low += baseLow + layout.packedGet(packed, Math.min(width, 32), i)
      high = (high + baseHigh + (width > 32 ? layout.packedGet(highPlane, width - 32, i) : 0) + Math.floor(low / two32)) | 0
      low = low >>> 0
    }
    return [low, high]
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

  return { decodeIntegers, decodeDecimals, deltaAt }
}

/** slope × i at 64 bits, as halves; i below 2^20. */
function timesSmall(low: number, high: number, i: number): [low: number, high: number] {
  const product = low * i
  return [product >>> 0, (Math.imul(high, i) + Math.floor(product / two32)) | 0]
}

export function createNumberReaders(memory: LinearMemory, layout: ChunkLayout, nulls: ColumnNulls): NumberReaders {
  const { u8, u32, i32 } = memory
  const { decodeIntegers, decodeDecimals, deltaAt } = createBlockDecoder(memory, layout)
  const isBelow = createProbe(memory, layout, deltaAt)

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
    if (layout.isNull(layout.nulls(chunk), row)) {
      u32[out >>> 2] = 0
      u32[(out >>> 2) + 1] = 0
      return 0
    }
    decodeRange(chunk, row, 1, out)
    return 1
  }

  const columnLowerBoundI64 = (chunk: Pointer, value: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.i64) return -1
    const wantedLow = u32[value >>> 2]!, wantedHigh = i32[(value >>> 2) + 1]!
    const count = layout.count(chunk)
    const firstNotBelow = (low: number, high: number, shift: number): number => {
      while (low < high) {
        const middle = (low + high) >> 1
        if (isBelow(chunk, middle << shift, wantedLow, wantedHigh)) low = middle + 1
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

type Halves = readonly [low: number, high: number]

/** Whether a row of an i64 chunk is below the wanted value, without writing it anywhere. */
function createProbe({ u32, i32 }: LinearMemory, layout: ChunkLayout, deltaAt: (chunk: Pointer, entry: Pointer, rows: number, row: number) => Halves) {
  const valueAt = (chunk: Pointer, row: number): Halves => {
    const encoding = layout.encoding(chunk)
    if (encoding === encodings.constant || encoding === encodings.plain) {
      const at = (layout.data(chunk) >>> 2) + (encoding === encodings.constant ? 0 : row * 2)
      return [u32[at]!, i32[at + 1]!]
    }
    const entry = layout.entry(chunk, row >> 10), rows = layout.rowsOf(chunk, row >> 10), i = row & 1023
    if (encoding === encodings.delta) return deltaAt(chunk, entry, rows, i)
    const packed = layout.packed(chunk, entry), width = layout.width(entry)
    const [lineLow, lineHigh] = encoding === encodings.linear ? timesSmall(layout.slopeLow(entry), layout.slopeHigh(entry), i) : [0, 0]
    const part = encoding === encodings.linear ? (layout.fraction(entry) * i) >>> 16 : 0
    const low = layout.baseLow(entry) + lineLow + part + layout.packedGet(packed, Math.min(width, 32), i)
    const codeHigh = width > 32 ? layout.packedGet(packed + (((rows + 3) >> 2) << 4), width - 32, i) : 0
    return [low >>> 0, (layout.baseHigh(entry) + lineHigh + codeHigh + Math.floor(low / two32)) | 0]
  }
  return (chunk: Pointer, row: number, wantedLow: number, wantedHigh: number): boolean => {
    const [low, high] = valueAt(chunk, row)
    return high < wantedHigh || (high === wantedHigh && low < wantedLow)
  }
}
