/** The rows of one row group that a scan wants: without those that are deleted, outside of its keys, or no match. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { comparison } from '../../../kernel/zone-map.ts'
import type { Arena } from '../../state/arena.ts'
import type { ChunkName } from '../../table/table.ts'
import { setBits } from '../merge/run-page.ts'
import { filterRows } from '../predicate.ts'
import type { Predicate } from '../predicate.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import { checkDecoded, decodeColumn, onceEach } from '../row-group-columns.ts'

/** Rows of a row group, by its chunks. */
export interface RowGroupRows {
  readonly rowCount: number
  /** Whether the predicate is to be asked; otherwise all rows match. */
  readonly mustFilter: boolean
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

/** `within`: the rows that lie in the scan's range, where not all do. `arena` is for the selection, `scratch` is reset. */
export function selectRows(context: ReadContext, predicate: Predicate, { rowCount, mustFilter, chunk }: RowGroupRows, within: { readonly first: number; readonly end: number } | undefined, arena: Arena, scratch: Arena): SelectedRows {
  const { memory: { u8, i64 }, exports } = context.kernel
  const selected = (selection: Pointer, selectedCount: number): SelectedRows => ({ rowCount, selection: selectedCount === rowCount ? 0 : selection, selectedCount, chunk })
  const tombstones = chunk('tombstones')
  if (tombstones === 0 && within === undefined && !mustFilter) return selected(0, rowCount)
  const selection = arena.allocate(bitmapBytes(rowCount))
  const { first, end } = within ?? { first: 0, end: rowCount }
  if (within === undefined) exports.scanSelectAll(selection, rowCount)
  else {
    u8.fill(0, selection, selection + bitmapBytes(rowCount))
    setBits(u8, selection, first, end)
  }
  let selectedCount = end - first
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
