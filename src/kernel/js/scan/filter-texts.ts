/** Filters over encoded text chunks; twin of assembly/scan/filter-texts.ts. */
import type { Pointer } from '../../linear-memory.ts'
import type { ScanExports } from '../../scan.ts'
import { comparison } from '../../zone-map.ts'
import { columnKinds, encodings } from '../column/layout.ts'
import { createTextOrder } from '../compare/text.ts'
import { blockScratchBytes } from './codes.ts'
import type { ChunkParts } from './codes.ts'
import { matchOrder } from './match.ts'

const { eq, ne, lt, le, ge, isNull, isNotNull } = comparison

export function createTextFilters({ memory, layout, column, selections, filters, codes, eachBlock }: ChunkParts): Pick<ScanExports, 'scanScratchBytes' | 'scanFilterChunkBytes'> {
  const { u8, u16, u32 } = memory
  const text = createTextOrder(memory)
  const { filterAll, filterNulls, scanSelectedCount } = selections
  const { filterCodes } = codes

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
    scanFilterChunkBytes,
    scanScratchBytes: (chunk) => blockScratchBytes + (layout.kind(chunk) === columnKinds.bytes ? column.columnDecodeScratchBytes(chunk) : 0),
  }
}
