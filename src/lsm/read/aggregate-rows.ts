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
import { onceEach, selectMerged } from './pages.ts'
import { kindOf } from './predicate.ts'
import { decodeColumn } from './row-group-columns.ts'
import { openScanSources } from './scan-sources.ts'
import type { ScanSources } from './scan-sources.ts'
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
  for (const ordinal of ordinals) kindOf(shape.layout, ordinal)
  const read = [...new Set([...ordinals, ...request.predicate.map(({ ordinal }) => ordinal)])]
  const sources = openScanSources(kernel, view, sequence, shape, { ...request, reverse: false }, read, stats)
  const { context, predicate } = sources
  const state: AggregateState = { sources, columns: ordinals.map((ordinal) => createColumnAggregate(context, ordinal)), functions, arena: createArena(kernel.heap), rowCount: 0 }
  const direct = createDirectReader(context, { predicate, wanted: ordinals, answer: (reader, rowGroup) => answerFromZones(state, reader, rowGroup) })
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
  const { sources: { context }, arena } = state
  arena.reset()
  state.rowCount += group.selectedCount
  for (const column of state.columns) {
    const chunk = group.chunk(column.ordinal)
    if (chunk !== 0 && column.addChunk !== undefined) column.addChunk(chunk, group.selection, arena.allocate)
    else if (chunk !== 0) column.addVector(decodeColumn(context, chunk, column.ordinal, 0, group.rowCount, arena), group.rowCount, group.selection)
  }
}

function addMerged(state: AggregateState, rows: MergedRows): void {
  const { sources: { context, predicate }, arena } = state
  arena.reset()
  const column = onceEach(rows.column)
  const { selection, selectedCount } = selectMerged({ context, columns: [], predicate, arena }, rows.count, column)
  if (selectedCount === 0) return
  state.rowCount += selectedCount
  for (const each of state.columns) each.addVector(column(each.ordinal), rows.count, selection)
}
