/** The rows of one row group that a scan wants: without those that are deleted, outside of its keys, or no match. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { comparison } from '../../../kernel/zone-map.ts'
import type { Arena } from '../../state/arena.ts'
import type { StandingRows } from '../layers/key-lane.ts'
import type { ChunkName, RowGroupZones } from '../../table/table.ts'
import type { HiddenRows } from '../../table/read/kept-totals.ts'
import { setBits } from '../merge/run-page.ts'
import { filterRows } from '../predicate.ts'
import type { Predicate } from '../predicate.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { checkDecoded, decodeColumn, onceEach } from '../row-group-columns.ts'

/** Rows of a row group that stand together. */
export interface RowsWithin {
  readonly first: number
  readonly end: number
}

/** Rows of a row group, by its chunks. */
export interface RowGroupRows {
  readonly rowCount: number
  /** Whether the predicate is to be asked; otherwise all rows match. */
  readonly mustFilter: boolean
  /** Where newer runs may hide rows, those that they leave; its bitmap becomes the selection. */
  readonly standing?: StandingRows | undefined
  /** 0: all rows are null there. */
  chunk(name: ChunkName): Pointer
}

export interface SelectedRows {
  readonly rowCount: number
  /** Bitmap; 0 = all rows. */
  readonly selection: Pointer
  readonly selectedCount: number
  chunk(name: ChunkName): Pointer
}

/** With what zone maps say of all its rows. */
export interface SelectedRowGroup extends SelectedRows {
  readonly zones: RowGroupZones
  /** Where it is known that the selected rows are all that stand. */
  readonly hidden: HiddenRows | undefined
}

/** `within`: the rows that lie in the scan's range, where not all do. `arena` is for the selection, `scratch` is reset. */
export function selectRows(context: ReadContext, predicate: Predicate, rows: RowGroupRows, within: RowsWithin | undefined, arena: Arena, scratch: Arena): SelectedRows {
  const { memory: { i64 }, exports } = context.kernel
  const { rowCount, mustFilter, standing, chunk } = rows
  const selected = (selection: Pointer, selectedCount: number): SelectedRows => ({ rowCount, selection: selectedCount === rowCount ? 0 : selection, selectedCount, chunk })
  const tombstones = chunk('tombstones')
  if (tombstones === 0 && within === undefined && !mustFilter) return standing === undefined ? selected(0, rowCount) : selected(standing.selection, standing.selectedCount)
  const start = startingRows(context, rows, within, arena), { selection } = start
  let { selectedCount } = start
  if (tombstones !== 0 && selectedCount > 0) {
    const zero = arena.allocate(8)
    i64[zero >>> 3] = 0n
    selectedCount = checkDecoded(exports.scanFilterChunkI64(tombstones, comparison.eq, zero, selection, arena.allocate(exports.scanScratchBytes(tombstones))), 'i64')
  }
  if (mustFilter && selectedCount > 0) {
    scratch.reset()
    const vector = onceEach((ordinal) => decodeColumn(context, chunk(ordinal), ordinal, 0, rowCount, scratch))
    selectedCount = filterRows(context, predicate, { rowCount, vector, chunk }, selection, selectedCount, scratch)
  }
  return selected(selection, selectedCount)
}

/** The rows of the row group that stand and lie within the scan's range. */
function startingRows({ kernel: { memory: { u8, u32 }, exports } }: ReadContext, { rowCount, standing }: RowGroupRows, within: RowsWithin | undefined, arena: Arena): StandingRows {
  if (standing !== undefined && within === undefined) return standing
  const selection = arena.allocate(bitmapBytes(rowCount)), byteLength = bitmapBytes(rowCount)
  if (within === undefined) {
    exports.scanSelectAll(selection, rowCount)
    return { selection, selectedCount: rowCount }
  }
  u8.fill(0, selection, selection + byteLength)
  setBits(u8, selection, within.first, within.end)
  if (standing === undefined) return { selection, selectedCount: within.end - within.first }
  for (let word = 0; word < byteLength >>> 2; word++) u32[(selection >>> 2) + word]! &= u32[(standing.selection >>> 2) + word]!
  return { selection, selectedCount: exports.scanSelectedCount(selection, rowCount) }
}
