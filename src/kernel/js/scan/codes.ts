/** Blocks of a chunk and their packed codes; twin of assembly/scan/codes.ts and of what filters over chunks share. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { VectorAggregates } from '../aggregate/vectors.ts'
import { blockRows, createChunkLayout } from '../column/layout.ts'
import type { ChunkLayout } from '../column/layout.ts'
import type { VectorFilters } from './filter-vectors.ts'
import { createWordMatches, matchOrder, order64 } from './match.ts'
import type { Selections } from './selection.ts'

export const valuesBytes = 8 * blockRows
/** Scratch: one block of values (or refs), then the selection of a block. */
export const blockScratchBytes = valuesBytes + blockRows / 8

/** What the kernels over chunks are made of. */
export interface ChunkParts {
  readonly memory: LinearMemory
  readonly layout: ChunkLayout
  readonly column: ColumnExports
  readonly selections: Selections
  readonly filters: VectorFilters
  readonly aggregates: VectorAggregates
  readonly codes: CodeFilters
  readonly eachBlock: EachBlock
}

/** Calls for each block in which a row is selected, with its part of the bitmaps, until a call returns false. */
export type EachBlock = (chunk: Pointer, selection: Pointer, call: (block: number, rows: number, nulls: Pointer, selection: Pointer) => boolean) => boolean

export function createChunkParts(memory: LinearMemory, parts: Pick<ChunkParts, 'column' | 'selections' | 'filters' | 'aggregates'>): ChunkParts {
  const layout = createChunkLayout(memory)
  const { scanSelectedCount } = parts.selections
  const eachBlock: EachBlock = (chunk, selection, call) => {
    const count = layout.count(chunk), nulls = layout.nulls(chunk)
    for (let block = 0; block << 10 < count; block++) {
      const rows = layout.rowsOf(chunk, block), part = bitmapPart(selection, block)
      if (scanSelectedCount(part, rows) > 0 && !call(block, rows, bitmapPart(nulls, block), part)) return false
    }
    return true
  }
  return { memory, layout, ...parts, codes: createCodeFilters(memory, layout, parts.selections), eachBlock }
}

function bitmapPart(bitmap: Pointer, block: number): Pointer {
  return bitmap === 0 ? 0 : bitmap + (block << 7)
}

/** What is compared with the codes of a block: a place on their scale, or that all values lie to one side of it. */
type CodeTest = { readonly order: number } | { readonly code: number } | 'wide'

export type CodeFilters = ReturnType<typeof createCodeFilters>

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
