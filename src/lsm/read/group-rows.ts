/** Brings a scan's rows into groups: direct row groups with their chunks as they are encoded, merged rows as vectors. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Groups } from '../groups/group-rows.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import { createArena } from '../state/arena.ts'
import type { View } from '../state/view.ts'
import type { ReadStats, ScanRequest } from '../tree.ts'
import { createDirectReader } from './direct/direct-rows.ts'
import type { SelectedRows } from './direct/select-rows.ts'
import { sharedRows } from './direct/share-window.ts'
import type { MergedRows } from './merge/merged-rows.ts'
import { selectMerged } from './pages.ts'
import { decodeColumn, onceEach } from './row-group-columns.ts'
import type { ReadContext } from './read-context.ts'
import { loadCovers, openScanSources } from './scan-sources.ts'
import { storedOrdinals } from '../vector/scan-columns.ts'
import type { ScanColumns } from '../vector/scan-columns.ts'
import type { VectorRows } from '../vector/node.ts'
import { visitRows } from './visit-rows.ts'

/** Over `view`, which the caller keeps pinned until all rows are added. */
export async function groupRows(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, groups: Groups, stats?: ReadStats): Promise<void> {
  const covers = loadCovers(view, request, stats)
  if (covers !== undefined) await covers
  const sources = openScanSources(kernel, view, sequence, shape, { ...request, anyOrder: true }, groups.ordinals, stats)
  const { context, predicate, columns } = sources
  const adder = createGroupAdder(context, columns, groups)
  const arena = createArena(kernel.heap)
  const direct = createDirectReader(context, { predicate, wanted: storedOrdinals(shape.layout.columns.length, request.computed, groups.ordinals), answer: undefined, expect: predicate.isEmpty ? groups.expect : undefined, skip: undefined, shared: sharedRows(request, adder.addRowGroup) })

  function addMerged(rows: MergedRows): void {
    arena.reset()
    const vector = onceEach(rows.column)
    const { selection, selectedCount } = selectMerged({ context, predicate, arena }, rows.count, vector)
    if (selectedCount > 0) adder.add({ rowCount: rows.count, chunk: () => 0, vector }, selection)
  }

  try {
    await visitRows(sources, direct, request.pace, { rowGroup: adder.addRowGroup, merged: addMerged })
  } finally {
    direct.close()
    sources.close()
    adder.free()
    arena.free()
  }
}

export interface GroupAdder {
  /** The selected rows (0 = all). */
  add(rows: VectorRows, selection: Pointer): void
  addRowGroup(rows: SelectedRows): void
  free(): void
}

export function createGroupAdder(context: ReadContext, columns: ScanColumns, groups: Groups): GroupAdder {
  const arena = createArena(context.kernel.heap)
  const columnCount = context.shape.layout.columns.length

  function add(rows: VectorRows, selection: Pointer): void {
    groups.add({
      rowCount: rows.rowCount, selection,
      chunk: (ordinal) => (ordinal < columnCount ? rows.chunk(ordinal) : 0),
      vector: onceEach(columns.of(rows, selection, arena)),
      steps: onceEach((ordinal) => columns.steps(ordinal, rows, selection, arena)),
    })
  }
  return {
    add(rows, selection) {
      arena.reset()
      add(rows, selection)
    },
    addRowGroup({ rowCount, selection, chunk }) {
      arena.reset()
      add({ rowCount, chunk, vector: onceEach((ordinal) => decodeColumn(context, chunk(ordinal), ordinal, 0, rowCount, arena)) }, selection)
    },
    free: arena.free,
  }
}
