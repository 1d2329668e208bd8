/** Decoded rows of a row group, and the page that they are. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { Arena } from '../../state/arena.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import type { Vector } from '../../page.ts'
import type { PinnedChunks, TableReader } from '../../table/table.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { blockStart, decodeChunk, decodeColumn, keyChunk } from '../row-group-columns.ts'
import { coveredBits } from './run-page.ts'
import type { RunPage } from './run-page.ts'

/** A row group whose chunks are pinned. */
export interface PinnedRowGroup {
  readonly reader: TableReader
  readonly rowGroup: number
  readonly chunks: PinnedChunks
}

/** Rows from row `first` on, a multiple of 8: all of the row group, or those of a page. Their numbers count from `first`; keys and tombstones are by position. */
export interface LoadedRows {
  readonly of: PinnedRowGroup
  readonly first: number
  readonly rowCount: number
  readonly arena: Arena
  readonly keys: Pointer
  readonly tombstones: Pointer
  readonly vectors: (DecodedRows | undefined)[]
}

/** Of a column, rows [first, end). */
interface DecodedRows {
  readonly vector: Vector
  readonly first: number
  readonly end: number
}

export function decodeRows(context: ReadContext, of: PinnedRowGroup, first: number, end: number, arena: Arena): LoadedRows {
  const { name, kind } = keyChunk(context)
  const vectors: LoadedRows['vectors'] = []
  const rowCount = end - first
  const vector = decodeChunk(context, of.chunks.chunk(of.rowGroup, name), kind, 0, rowCount, arena, first)
  if (typeof name === 'number') vectors[name] = { vector, first: 0, end: rowCount }
  const ascending = vector.kind === 'bytes' ? vector.refs : vector.values
  const keys = context.reverse ? reversed(context, ascending, rowCount, arena) : ascending
  return { of, first, rowCount, arena, keys, tombstones: tombstoneBits(context, of, first, rowCount, arena), vectors }
}

/** What of a run a page is. */
export interface PagePlace {
  /** Positions among the rows. */
  readonly from: number
  readonly to: number
  readonly lower: Uint8Array
  readonly upper: Boundary
  readonly isLast: boolean
}

export function pageOf(context: ReadContext, cover: RangeCover, rows: LoadedRows, { from, to, lower, upper, isLast }: PagePlace): RunPage {
  const { of, rowCount, keys, arena, vectors } = rows
  return {
    rowCount, keys, from, to,
    last: isLast,
    tombstones: rows.tombstones,
    covered: coveredBits(context, cover, keys, rowCount, { lower, upper }, arena),
    flipped: context.reverse,
    rows: 0,
    column(ordinal, first = 0, end = rowCount) {
      const known = vectors[ordinal]
      if (known !== undefined && known.first <= first && known.end >= end) return known.vector
      const from = blockStart(first)
      const chunk = of.chunks.chunk(of.rowGroup, ordinal)
      notePartRead(context, of, chunk, ordinal, end - from)
      const vector = decodeColumn(context, chunk, ordinal, from, end, arena, rows.first)
      vectors[ordinal] = { vector, first: from, end }
      return vector
    },
  }
}

/** Of so small a share of a row group, reading compressed text costs what point reads of it cost. */
const partShare = 8

export function notePartRead({ kernel: { exports } }: Pick<ReadContext, 'kernel'>, { reader, rowGroup }: Pick<PinnedRowGroup, 'reader' | 'rowGroup'>, chunk: Pointer, ordinal: number, count: number): void {
  if (chunk !== 0 && partShare * count <= reader.rowGroupRows(rowGroup) && exports.columnDecodeScratchBytes(chunk) !== 0) reader.notePartRead(rowGroup, ordinal)
}

/** Eight-byte elements in the opposite order. */
function reversed({ kernel: { memory: { u32 } } }: ReadContext, elements: Pointer, count: number, arena: Arena): Pointer {
  const out = arena.allocate(8 * count)
  for (let from = elements >>> 2, to = (out >>> 2) + 2 * (count - 1), i = 0; i < count; i++, from += 2, to -= 2) {
    u32[to] = u32[from]!
    u32[to + 1] = u32[from + 1]!
  }
  return out
}

/** Tombstones as a bitmap by position; 0 when the row group has none. */
function tombstoneBits(context: ReadContext, of: PinnedRowGroup, first: number, rowCount: number, arena: Arena): Pointer {
  const chunk = of.chunks.chunk(of.rowGroup, 'tombstones')
  if (chunk === 0) return 0
  const { kernel: { memory: { u8, u32 } }, reverse } = context
  const vector = decodeChunk(context, chunk, 'i64', 0, rowCount, arena, first)
  const values = vector.kind === 'bytes' ? vector.refs : vector.values
  const bits = arena.allocate(bitmapBytes(rowCount))
  u8.fill(0, bits, bits + bitmapBytes(rowCount))
  for (let row = 0; row < rowCount; row++) {
    if (u32[(values >>> 2) + 2 * row] === 0) continue
    const position = reverse ? rowCount - 1 - row : row
    u8[bits + (position >>> 3)]! |= 1 << (position & 7)
  }
  return bits
}
