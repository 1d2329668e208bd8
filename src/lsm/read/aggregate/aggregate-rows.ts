/**
 * Aggregates over a scan's rows. Row groups of direct stretches that lie wholly in the range and match wholly are
 * answered by their zone maps and never read; other direct rows are aggregated on encoded chunks; merged rows as
 * vectors.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import type { AggregateFunction, AggregatePartial, AggregateRequest, ReadStats, ScanRequest } from '../../tree.ts'
import type { View } from '../../state/view.ts'
import { storedAggregate } from './column-aggregate.ts'
import { computedAggregate } from './computed-aggregate.ts'
import { createDirectReader } from '../direct/direct-rows.ts'
import type { Answers } from '../direct/direct-rows.ts'
import type { SelectedRowGroup } from '../direct/select-rows.ts'
import { sharedRows } from '../direct/share-window.ts'
import type { MergedRows } from '../merge/merged-rows.ts'
import { selectMerged } from '../pages.ts'
import type { ReadContext } from '../read-context.ts'
import { decodeColumn, onceEach } from '../row-group-columns.ts'
import { loadCovers, openScanSources } from '../scan-sources.ts'
import { storedOrdinals } from '../../vector/scan-columns.ts'
import type { VectorExpression } from '../../vector/expression.ts'
import type { VectorRows } from '../../vector/node.ts'
import { visitRows } from '../visit-rows.ts'

/** Over `view`, which the caller keeps pinned until the answer is there. */
export async function aggregateRows(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, aggregates: readonly AggregateRequest[], stats?: ReadStats): Promise<readonly AggregatePartial[]> {
  const ordinals = [...functionsByOrdinal(aggregates).keys()]
  const covers = loadCovers(view, request, stats)
  if (covers !== undefined) await covers
  const sources = openScanSources(kernel, view, sequence, shape, { ...request, anyOrder: true }, ordinals, stats)
  const { context, predicate } = sources
  const rows = createRowAggregates(context, request.computed, aggregates)
  const arena = createArena(kernel.heap)
  const direct = createDirectReader(context, { predicate, wanted: storedOrdinals(shape.layout.columns.length, request.computed, ordinals), answer: rows, expect: undefined, skip: undefined, shared: sharedRows(request, rows.addRowGroup) })

  function addMerged(merged: MergedRows): void {
    arena.reset()
    const vector = onceEach(merged.column)
    const { selection, selectedCount } = selectMerged({ context, predicate, arena }, merged.count, vector)
    if (selectedCount > 0) rows.add({ rowCount: merged.count, vector, chunk: () => 0 }, selection, selectedCount)
  }

  try {
    await visitRows(sources, direct, request.pace, { rowGroup: rows.addRowGroup, merged: addMerged })
    return rows.partials()
  } finally {
    direct.close()
    sources.close()
    rows.free()
    arena.free()
  }
}

/** Aggregates as rows are added to them. */
export interface RowAggregates extends Answers {
  /** The selected rows (0 = all). */
  add(rows: VectorRows, selection: Pointer, selectedCount: number): void
  /** Where all its rows are selected, by zone maps as far as they tell. */
  addRowGroup(rows: SelectedRowGroup): void
  /** By request. */
  partials(): readonly AggregatePartial[]
  free(): void
}

export function createRowAggregates(context: ReadContext, computed: readonly VectorExpression[] | undefined, aggregates: readonly AggregateRequest[]): RowAggregates {
  const { shape: { layout: { columns: stored } }, kernel: { heap, memory } } = context
  const functions = functionsByOrdinal(aggregates)
  const columns = new Map([...functions.keys()].map((ordinal) => [ordinal, ordinal < stored.length ? storedAggregate(context, ordinal) : computedAggregate(context, computed![ordinal - stored.length]!)]))
  const arena = createArena(heap)
  let rowCount = 0

  return {
    add(rows, selection, selectedCount) {
      arena.reset()
      rowCount += selectedCount
      for (const column of columns.values()) column.add(rows, selection, selectedCount, arena)
    },
    addRowGroup({ rowCount: count, selection, selectedCount, chunk, zones: { maps, rowGroup }, hidden }) {
      arena.reset()
      rowCount += selectedCount
      const rows = { rowCount: count, chunk, vector: onceEach((ordinal) => decodeColumn(context, chunk(ordinal), ordinal, 0, count, arena)) }
      for (const [ordinal, column] of columns) {
        if (selection === 0 && column.canAddZone(maps, rowGroup, functions.get(ordinal)!)) column.addZone(maps, rowGroup)
        else if (hidden === undefined || column.kept === undefined) column.add(rows, selection, selectedCount, arena)
        else if (!column.kept.add(hidden)) column.kept.addAndKeep(rows, selection, arena, hidden)
      }
    },
    keepsTotals: [...columns.values()].every(({ kept }) => kept !== undefined),
    canAnswer(reader, rowGroup, hidden) {
      for (const [ordinal, column] of columns) if (hidden === undefined ? !column.canAddZone(reader, rowGroup, functions.get(ordinal)!) : column.kept?.has(hidden) !== true) return false
      return true
    },
    answer(reader, rowGroup, hidden) {
      for (const column of columns.values()) if (hidden === undefined || column.kept?.add(hidden) !== true) column.addZone(reader, rowGroup)
      rowCount += memory.u32[(reader.liveRowCounts >>> 2) + rowGroup]! - (hidden?.hiddenCount ?? 0)
    },
    partials: () => aggregates.map(({ function: wanted, ordinal }) => (ordinal === undefined ? { kind: 'count', count: rowCount } : columns.get(ordinal)!.partial(wanted))),
    free() {
      for (const column of columns.values()) column.free()
      arena.free()
    },
  }
}

function functionsByOrdinal(aggregates: readonly AggregateRequest[]): Map<number, Set<AggregateFunction>> {
  const functions = new Map<number, Set<AggregateFunction>>()
  for (const { function: wanted, ordinal } of aggregates) {
    if (ordinal !== undefined) functions.set(ordinal, (functions.get(ordinal) ?? new Set()).add(wanted))
  }
  return functions
}
