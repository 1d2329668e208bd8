/**
 * Aggregates over a scan's rows. Row groups of direct stretches that lie wholly in the range and match wholly are
 * answered by their zone maps and never read; other direct rows are aggregated on encoded chunks; merged rows as
 * vectors.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { createArena } from '../state/arena.ts'
import type { Arena } from '../state/arena.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { TableReader } from '../table/table.ts'
import type { AggregateFunction, AggregatePartial, AggregateRequest, ReadStats, ScanRequest } from '../tree.ts'
import type { View } from '../state/view.ts'
import { createColumnAggregate } from './column-aggregate.ts'
import type { ColumnAggregate } from './column-aggregate.ts'
import { createDirectReader } from './direct-rows.ts'
import type { DirectRowGroup } from './direct-rows.ts'
import type { MergedRows } from './merge/merged-rows.ts'
import { selectMerged } from './pages.ts'
import { decodeColumn, onceEach } from './row-group-columns.ts'
import { openScanSources } from './scan-sources.ts'
import type { ScanSources } from './scan-sources.ts'
import { storedOrdinals } from '../vector/scan-columns.ts'
import { visitRows } from './visit-rows.ts'

interface AggregateState {
  readonly sources: ScanSources
  readonly columns: readonly ColumnAggregate[]
  readonly functions: ReadonlyMap<number, ReadonlySet<AggregateFunction>>
  readonly arena: Arena
  rowCount: number
}

/** Over `view`, which the caller keeps pinned until the answer is there. */
export async function aggregateRows(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, aggregates: readonly AggregateRequest[], stats?: ReadStats): Promise<readonly AggregatePartial[]> {
  const functions = functionsByOrdinal(aggregates)
  const ordinals = [...functions.keys()]
  const sources = openScanSources(kernel, view, sequence, shape, { ...request, reverse: false }, ordinals, stats)
  const { context, predicate } = sources
  const state: AggregateState = { sources, columns: ordinals.map((ordinal) => createColumnAggregate(context, ordinal, sources.columns.kinds)), functions, arena: createArena(kernel.heap), rowCount: 0 }
  const direct = createDirectReader(context, { predicate, wanted: storedOrdinals(shape.layout.columns.length, request.computed, ordinals), answer: (reader, rowGroup) => answerFromZones(state, reader, rowGroup) })
  try {
    await visitRows(sources, direct, request.pace, { rowGroup: (group) => addRowGroup(state, group), merged: (rows) => addMerged(state, rows) })
    return aggregates.map(({ function: wanted, ordinal }) => (ordinal === undefined ? { kind: 'count', count: state.rowCount } : columnOf(state, ordinal).partial(wanted)))
  } finally {
    direct.close()
    sources.close()
    for (const column of state.columns) column.free()
    state.arena.free()
  }
}

function functionsByOrdinal(aggregates: readonly AggregateRequest[]): Map<number, Set<AggregateFunction>> {
  const functions = new Map<number, Set<AggregateFunction>>()
  for (const { function: wanted, ordinal } of aggregates) {
    if (ordinal !== undefined) functions.set(ordinal, (functions.get(ordinal) ?? new Set()).add(wanted))
  }
  return functions
}

const columnOf = ({ columns }: AggregateState, ordinal: number): ColumnAggregate => columns.find((column) => column.ordinal === ordinal)!

/** All or nothing: a row group counts from its zone maps only when they answer every aggregate. */
function answerFromZones(state: AggregateState, reader: TableReader, rowGroup: number): boolean {
  const { memory } = state.sources.context.kernel
  if (!state.columns.every((column) => column.canAddZone(reader, rowGroup, state.functions.get(column.ordinal)!))) return false
  for (const column of state.columns) column.addZone(reader, rowGroup)
  state.rowCount += memory.u32[(reader.liveRowCounts >>> 2) + rowGroup]!
  return true
}

function addRowGroup(state: AggregateState, group: DirectRowGroup): void {
  const { sources: { context, columns }, arena } = state
  const { rowCount, selection, chunk } = group
  arena.reset()
  state.rowCount += group.selectedCount
  const stored = onceEach((ordinal) => decodeColumn(context, chunk(ordinal), ordinal, 0, rowCount, arena))
  const column = columns.of({ rowCount, vector: stored, chunk }, selection, arena)
  for (const each of state.columns) {
    const own = each.isStored ? chunk(each.ordinal) : 0
    if (own !== 0 && each.addChunk !== undefined) each.addChunk(own, selection, arena.allocate)
    else if (own !== 0 || !each.isStored) each.addVector(column(each.ordinal), rowCount, selection)
  }
}

function addMerged(state: AggregateState, rows: MergedRows): void {
  const { sources: { context, predicate, columns }, arena } = state
  arena.reset()
  const stored = onceEach(rows.column)
  const { selection, selectedCount } = selectMerged({ context, predicate, arena }, rows.count, stored)
  if (selectedCount === 0) return
  state.rowCount += selectedCount
  const column = columns.of({ rowCount: rows.count, vector: stored, chunk: () => 0 }, selection, arena)
  for (const each of state.columns) each.addVector(column(each.ordinal), rows.count, selection)
}
