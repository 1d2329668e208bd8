/** Filters and aggregates over encoded chunks; twin of assembly/scan/{filter-numbers,filter-texts,aggregate-chunks}.ts. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { comparison } from '../../zone-map.ts'
import type { VectorAggregates } from '../aggregate/vectors.ts'
import { blockRows, columnKinds, createChunkLayout, encodings } from '../column/layout.ts'
import type { ChunkLayout } from '../column/layout.ts'
import { decimalValue } from '../column/numbers.ts'
import type { VectorFilters } from './filter-vectors.ts'
import { createWordMatches, matchOrder, order64, orderF64 } from './match.ts'
import type { Selections } from './selection.ts'
import { createTextOrder } from '../compare/text.ts'

export type ChunkKernels = Pick<ScanExports, 'scanScratchBytes' | 'scanFilterChunkI64' | 'scanFilterChunkF64' | 'scanFilterChunkBytes' | 'scanAggregateChunkI64' | 'scanAggregateChunkF64'>

export interface ScanParts {
  readonly column: ColumnExports
  readonly selections: Selections
  readonly filters: VectorFilters
  readonly aggregates: VectorAggregates
}

const valuesBytes = 8 * blockRows
const blockScratchBytes = valuesBytes + blockRows / 8
const integerMax = 2 ** 51
const { eq, ne, lt, le, ge, isNull, isNotNull } = comparison

export const bitmapPart = (bitmap: Pointer, block: number): Pointer => (bitmap === 0 ? 0 : bitmap + (block << 7))

/** What is compared with the codes of a block: a place on their scale, or that all values lie to one side of it. */
type CodeTest = { readonly order: number } | { readonly code: number } | 'wide'

function createCodeFilters(memory: LinearMemory, layout: ChunkLayout, { filterAll, filterWords }: Selections) {
  const { u32, i32 } = memory
  const { wordCodes } = createWordMatches(memory)
  /** Where a 64-bit integer, as halves, stands against base + code of a block. */
  const codeTest = (entry: Pointer, low: number, high: number): CodeTest => {
    const baseLow = u32[entry >>> 2]!, baseHigh = i32[(entry >>> 2) + 1]!, width = layout.width(entry)
    if (order64(high, low, baseHigh, baseLow) < 0) return { order: 1 }
    const distanceHigh = (high - baseHigh - (low < baseLow ? 1 : 0)) >>> 0, distanceLow = (low - baseLow) >>> 0
    if (width <= 32 && (distanceHigh !== 0 || (width < 32 && distanceLow >>> width !== 0))) return { order: -1 }
    if (width > 32 && width < 64 && distanceHigh >>> (width - 32) !== 0) return { order: -1 }
    return width > 32 ? 'wide' : { code: distanceLow }
  }
  const filterCodes = (packed: Pointer, width: number, count: number, op: number, wanted: number, nulls: Pointer, selection: Pointer): void => {
    if (width === 0) filterAll(nulls, count, matchOrder(0 - wanted, op), selection)
    else filterWords(nulls, count, selection, (first, rows) => wordCodes(packed, width, first, rows, op, wanted))
  }
  /** Compares base + code in one block by codes alone; false when the codes are too wide. */
  const filterFrame = (chunk: Pointer, block: number, op: number, low: number, high: number, nulls: Pointer, selection: Pointer): boolean => {
    const entry = layout.entry(chunk, block), test = codeTest(entry, low, high)
    if (test === 'wide') return false
    if ('order' in test) filterAll(nulls, layout.rowsOf(chunk, block), matchOrder(test.order, op), selection)
    else filterCodes(layout.packed(chunk, entry), layout.width(entry), layout.rowsOf(chunk, block), op, test.code, nulls, selection)
    return true
  }
  return { filterCodes, filterFrame }
}

export function createChunkKernels(memory: LinearMemory, { column, selections, filters, aggregates }: ScanParts): ChunkKernels {
  const { u8, u16, u32, i32, f64 } = memory
  const layout = createChunkLayout(memory)
  const text = createTextOrder(memory)
  const { filterAll, filterNulls, scanSelectedCount } = selections
  const { filterCodes, filterFrame } = createCodeFilters(memory, layout, selections)

  /** Calls for each block in which a row is selected. */
  const eachBlock = (chunk: Pointer, selection: Pointer, call: (block: number, rows: number, nulls: Pointer, selection: Pointer) => boolean): boolean => {
    const count = layout.count(chunk), nulls = layout.nulls(chunk)
    for (let block = 0; block << 10 < count; block++) {
      const rows = layout.rowsOf(chunk, block), part = bitmapPart(selection, block)
      if (scanSelectedCount(part, rows) > 0 && !call(block, rows, bitmapPart(nulls, block), part)) return false
    }
    return true
  }

  const scanFilterChunkI64 = (chunk: Pointer, op: number, constant: Pointer, selection: Pointer, scratch: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.i64) return -1
    const nulls = layout.nulls(chunk), count = layout.count(chunk), encoding = layout.encoding(chunk), data = layout.data(chunk)
    if (op >= isNull) return filterNulls(nulls, count, op, selection)
    const low = u32[constant >>> 2]!, high = i32[(constant >>> 2) + 1]!
    if (encoding === encodings.constant) return filterAll(nulls, count, matchOrder(order64(i32[(data >>> 2) + 1]!, u32[data >>> 2]!, high, low), op), selection)
    if (encoding === encodings.plain) return filters.scanFilterI64(data, nulls, count, op, constant, selection)
    eachBlock(chunk, selection, (block, rows, nullPart, part) => {
      if (encoding === encodings.frame && filterFrame(chunk, block, op, low, high, nullPart, part)) return true
      column.columnDecodeI64(chunk, block << 10, rows, scratch, 0)
      filters.scanFilterI64(scratch, nullPart, rows, op, constant, part)
      return true
    })
    return scanSelectedCount(selection, count)
  }

  /** Decimals of one block as integers, then the rows that are none; false when the codes are too wide. */
  const filterDecimals = (chunk: Pointer, block: number, op: number, wanted: number, threshold: number, nulls: Pointer, selection: Pointer, before: Pointer): boolean => {
    const exact = decimalValue(threshold, layout.exponent(chunk)) === wanted
    u8.copyWithin(before, selection, selection + blockRows / 8)
    if (!exact && (op === eq || op === ne)) filterAll(nulls, layout.rowsOf(chunk, block), op === ne, selection)
    else if (!filterFrame(chunk, block, exact ? op : op === le || op === lt ? lt : ge, threshold >>> 0, Math.floor(threshold / 2 ** 32), nulls, selection)) return false
    const entry = layout.entry(chunk, block), exceptions = layout.exceptionCount(entry), positions = layout.aux(chunk, entry)
    const values = positions + ((2 * exceptions + 7) & -8)
    for (let i = 0; i < exceptions; i++) {
      const row = u16[(positions >>> 1) + i]!, byte = row >>> 3, bit = 1 << (row & 7)
      const keep = (u8[before + byte]! & bit) !== 0 && !layout.isNull(nulls, row) && matchOrder(orderF64(f64[(values >>> 3) + i]!, wanted), op)
      u8[selection + byte] = keep ? u8[selection + byte]! | bit : u8[selection + byte]! & ~bit
    }
    return true
  }
  const scanFilterChunkF64 = (chunk: Pointer, op: number, constant: Pointer, selection: Pointer, scratch: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.f64) return -1
    const nulls = layout.nulls(chunk), count = layout.count(chunk), encoding = layout.encoding(chunk), data = layout.data(chunk)
    if (op >= isNull) return filterNulls(nulls, count, op, selection)
    const wanted = f64[constant >>> 3]!
    if (encoding === encodings.constant) return filterAll(nulls, count, matchOrder(orderF64(f64[data >>> 3]!, wanted), op), selection)
    if (encoding === encodings.plain) return filters.scanFilterF64(data, nulls, count, op, constant, selection)
    const threshold = decimalThreshold(wanted, layout.exponent(chunk))
    eachBlock(chunk, selection, (block, rows, nullPart, part) => {
      if (filterDecimals(chunk, block, op, wanted, threshold, nullPart, part, scratch + valuesBytes)) return true
      column.columnDecodeF64(chunk, block << 10, rows, scratch, 0)
      filters.scanFilterF64(scratch, nullPart, rows, op, constant, part)
      return true
    })
    return scanSelectedCount(selection, count)
  }

  const compareEntry = (chunk: Pointer, code: number, constant: Pointer, constantBytes: number): number => {
    const at = (layout.entries(chunk) >>> 2) + code
    return text.compare(layout.text(chunk) + u32[at]!, u32[at + 1]! - u32[at]!, constant, constantBytes)
  }
  const lowerBoundEntry = (chunk: Pointer, constant: Pointer, constantBytes: number): number => {
    let low = 0, high = layout.entryCount(chunk)
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareEntry(chunk, middle, constant, constantBytes) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
  const filterRuns = (chunk: Pointer, op: number, place: number, nulls: Pointer, count: number, selection: Pointer): void => {
    const packed = layout.data(chunk), width = layout.codeWidth(chunk), ends = layout.runEnds(chunk) >>> 1
    let row = 0
    for (let run = 0; run < layout.runCount(chunk); run++) {
      const end = u16[ends + run]!
      if (matchOrder(layout.packedGet(packed, width, run) - place, op)) row = end
      else for (; row < end; row++) u8[selection + (row >>> 3)]! &= ~(1 << (row & 7))
    }
    filterNulls(nulls, count, isNotNull, selection)
  }
  const filterDictionary = (chunk: Pointer, op: number, constant: Pointer, constantBytes: number, selection: Pointer): void => {
    const nulls = layout.nulls(chunk), count = layout.count(chunk), entries = layout.entryCount(chunk)
    const place = lowerBoundEntry(chunk, constant, constantBytes)
    const found = place < entries && compareEntry(chunk, place, constant, constantBytes) === 0
    const codeOp = found ? op : op === le || op === lt ? lt : ge
    if (!found && (op === eq || op === ne)) filterAll(nulls, count, op === ne, selection)
    else if (place === entries) filterAll(nulls, count, codeOp === lt, selection)
    else if (layout.encoding(chunk) === encodings.textRuns) filterRuns(chunk, codeOp, place, nulls, count, selection)
    else filterCodes(layout.data(chunk), layout.codeWidth(chunk), count, codeOp, place, nulls, selection)
  }
  const scanFilterChunkBytes = (chunk: Pointer, op: number, constant: Pointer, constantBytes: number, selection: Pointer, scratch: Pointer): number => {
    if (layout.kind(chunk) !== columnKinds.bytes) return -1
    const nulls = layout.nulls(chunk), count = layout.count(chunk), encoding = layout.encoding(chunk)
    if (op >= isNull) return filterNulls(nulls, count, op, selection)
    if (encoding === encodings.textConstant) {
      return filterAll(nulls, count, matchOrder(text.compare(layout.text(chunk), layout.textBytes(chunk), constant, constantBytes), op), selection)
    }
    if (encoding === encodings.textDictionary || encoding === encodings.textRuns) filterDictionary(chunk, op, constant, constantBytes, selection)
    else {
      const whole = eachBlock(chunk, selection, (block, rows, nullPart, part) => {
        if (column.columnDecodeBytes(chunk, block << 10, rows, scratch, 0, scratch + blockScratchBytes) < 0) return false
        filters.scanFilterBytes(scratch, nullPart, rows, op, constant, constantBytes, part)
        return true
      })
      if (!whole) return -1
    }
    return scanSelectedCount(selection, count)
  }

  return {
    scanFilterChunkI64,
    scanFilterChunkF64,
    scanFilterChunkBytes,
    scanScratchBytes: (chunk) => blockScratchBytes + (layout.kind(chunk) === columnKinds.bytes ? column.columnDecodeScratchBytes(chunk) : 0),
    scanAggregateChunkI64(chunk, selection, accumulator, scratch) {
      if (layout.kind(chunk) !== columnKinds.i64) return -1
      eachBlock(chunk, selection, (block, rows, nullPart, part) => {
        column.columnDecodeI64(chunk, block << 10, rows, scratch, 0)
        aggregates.aggregateI64(scratch, nullPart, part, rows, accumulator)
        return true
      })
      return 0
    },
    scanAggregateChunkF64(chunk, selection, accumulator, scratch) {
      if (layout.kind(chunk) !== columnKinds.f64) return -1
      eachBlock(chunk, selection, (block, rows, nullPart, part) => {
        column.columnDecodeF64(chunk, block << 10, rows, scratch, 0)
        aggregates.aggregateF64(scratch, nullPart, part, rows, accumulator)
        return true
      })
      return 0
    },
  }
}

/** The least integer, within what chunks hold, whose decimal is not below `wanted`; one beyond them when all are (as for NaN). */
function decimalThreshold(wanted: number, exponent: number): number {
  let low = -integerMax, high = integerMax + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (decimalValue(middle, exponent) >= wanted) high = middle
    else low = middle + 1
  }
  return low
}
