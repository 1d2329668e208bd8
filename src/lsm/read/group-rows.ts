/** Brings a scan's rows into groups: direct row groups with their chunks as they are encoded, merged rows as vectors. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Groups } from '../groups/group-rows.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import { createArena } from '../state/arena.ts'
import type { View } from '../state/view.ts'
import type { ReadStats, ScanRequest } from '../tree.ts'
import { createDirectReader } from './direct-rows.ts'
import type { DirectRowGroup } from './direct-rows.ts'
import type { MergedRows } from './merge/merged-rows.ts'
import { onceEach, selectMerged } from './pages.ts'
import { decodeColumn } from './row-group-columns.ts'
import { openScanSources } from './scan-sources.ts'
import { visitRows } from './visit-rows.ts'

/** Over `view`, which the caller keeps pinned until all rows are added. */
export async function groupRows(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, groups: Groups, stats?: ReadStats): Promise<void> {
  const read = [...new Set([...groups.ordinals, ...request.predicate.map(({ ordinal }) => ordinal)])]
  const sources = openScanSources(kernel, view, sequence, shape, { ...request, reverse: false }, read, stats)
  const { context, predicate } = sources
  const direct = createDirectReader(context, { predicate, wanted: groups.ordinals })
  const arena = createArena(kernel.heap)

  function addRowGroup({ rowCount, selection, chunk }: DirectRowGroup): void {
    arena.reset()
    groups.add({ rowCount, selection, chunk, vector: onceEach((ordinal) => decodeColumn(context, chunk(ordinal), ordinal, 0, rowCount, arena)) })
  }

  function addMerged(rows: MergedRows): void {
    arena.reset()
    const vector = onceEach(rows.column)
    const { selection, selectedCount } = selectMerged({ context, columns: [], predicate, arena }, rows.count, vector)
    if (selectedCount > 0) groups.add({ rowCount: rows.count, selection, chunk: () => 0, vector })
  }

  try {
    await visitRows(sources, direct, request.pace, { rowGroup: addRowGroup, merged: addMerged })
  } finally {
    direct.close()
    sources.close()
    arena.free()
  }
}
