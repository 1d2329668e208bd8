/** Filters over encoded i64 and f64 chunks; twin of assembly/scan/filter-numbers.ts. */
import type { Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { comparison } from '../../zone-map.ts'
import { blockRows, columnKinds, encodings } from '../column/layout.ts'
import { decimalValue } from '../column/numbers.ts'
import { valuesBytes } from './codes.ts'
import type { ChunkParts } from './codes.ts'
import { matchOrder, order64, orderF64 } from './match.ts'

const integerMax = 2 ** 51
const { eq, ne, lt, le, ge, isNull } = comparison

export function createNumberFilters({ memory, layout, column, selections, filters, codes, eachBlock }: ChunkParts): Pick<ScanExports, 'scanFilterChunkI64' | 'scanFilterChunkF64'> {
  const { u8, u16, u32, i32, f64 } = memory
  const { filterAll, filterNulls, scanSelectedCount } = selections
  const { filterFrame } = codes

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

  return { scanFilterChunkI64, scanFilterChunkF64 }
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
