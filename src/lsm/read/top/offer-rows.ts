/**
 * Brings a scan's rows to the first ones of an order. Merged rows come first, since they cannot be passed over; of direct
 * stretches the few row groups that may hold the very first rows by their zone maps, so that the bound is tight early;
 * then all others in the order of the file, without those whose zone maps say that they come too late. What is read of a
 * row group is the predicate's columns and the order's.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { RowLayout } from '../../keys/row-layout.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import type { Vector } from '../../page.ts'
import type { View } from '../../state/view.ts'
import type { TableReader } from '../../table/table.ts'
import { compareRanked } from '../../top/rank.ts'
import type { RankValue } from '../../top/rank.ts'
import type { RowSource, TopRow, TopRows } from '../../top/top-rows.ts'
import type { ReadStats, ScanRequest } from '../../tree.ts'
import type { VectorRows } from '../../vector/node.ts'
import { createDirectReader } from '../direct/direct-rows.ts'
import type { DirectRowGroup, DirectStretch } from '../direct/direct-rows.ts'
import type { MergedRows } from '../merge/merged-rows.ts'
import { selectMerged } from '../pages.ts'
import { visitDirect } from '../visit-rows.ts'
import { decodeColumn, fewShare, gatherChunk, onceEach } from '../row-group-columns.ts'
import { loadCovers, openScanSources } from '../scan-sources.ts'
import type { ScanSources } from '../scan-sources.ts'
import { createBoundFilter } from './bound-filter.ts'
import type { BoundFilter, Selected } from './bound-filter.ts'
import { valueReader } from './read-values.ts'
import { storedRows } from './stored-rows.ts'
import { zoneRank } from './zone-rank.ts'
import type { ZoneRank } from './zone-rank.ts'

/** Row groups of a shard that are looked at before all others. */
const leadersMax = 4

interface TopState {
  readonly sources: ScanSources
  readonly top: TopRows
  readonly filter: BoundFilter
  readonly rank: ZoneRank
  readonly arena: Arena
}

/** Over `view`, which the caller keeps pinned until `top` was asked for its rows. */
export async function offerRows(kernel: Kernel, view: View, sequence: number, shape: RowLayout, request: ScanRequest, top: TopRows, stats?: ReadStats): Promise<void> {
  const keys = [...new Set(top.keys.map(({ ordinal }) => ordinal))]
  const covers = loadCovers(view, request, stats)
  if (covers !== undefined) await covers
  const sources = openScanSources(kernel, view, sequence, shape, { ...request, anyOrder: true, rowsOutliveScan: true }, [...keys, ...top.others], stats)
  const { context, predicate } = sources
  const first = top.keys[0]!
  const state: TopState = { sources, top, filter: createBoundFilter(context, top), rank: zoneRank(kernel.memory, first, shape), arena: createArena(kernel.heap) }
  const direct = createDirectReader(context, { predicate, wanted: keys, skip: (reader, rowGroup) => comesTooLate(state, reader, rowGroup) })
  try {
    const { stretches, leaders } = await visitMerged(state, request)
    const visit = (stretch: DirectStretch): Promise<void> => visitHeld(stretch, stats, () => visitDirect(direct, stretch, request.pace, (group) => addRowGroup(state, group)))
    for (const { stretch, rowGroup } of leaders) await visit({ ...stretch, from: rowGroup, to: rowGroup + 1 })
    for (const stretch of stretches) {
      for (const rest of without(stretch, leaders)) await visit(rest)
    }
  } finally {
    direct.close()
    sources.close()
    state.filter.free()
    state.arena.free()
  }
}

/** Holds the tail of a stretch that the plan has gone on from. */
async function visitHeld({ reader }: DirectStretch, stats: ReadStats | undefined, visit: () => Promise<void>): Promise<void> {
  const waiting = reader.hold(stats)
  if (waiting !== undefined) await waiting
  try {
    await visit()
  } finally {
    reader.release()
  }
}

/** Visits the merged stretches; returns the direct ones, and their row groups whose first possible values come first. */
async function visitMerged(state: TopState, { pace }: ScanRequest): Promise<{ readonly stretches: readonly DirectStretch[]; readonly leaders: readonly Leader[] }> {
  const { plan, merge, memtables } = state.sources
  const stretches: DirectStretch[] = []
  const leaders: Leader[] = []
  for (;;) {
    const coming = plan.next()
    const stretch = coming instanceof Promise ? await coming : coming
    if (stretch === undefined) break
    if (stretch.kind === 'direct') {
      stretches.push(stretch)
      addLeaders(state, leaders, stretch)
      continue
    }
    merge.open(stretch.lower, stretch.upper, stretch.memtablesOnly ? memtables : undefined)
    for (let rows = await merge.next(); rows !== undefined; rows = await merge.next()) {
      addMerged(state, rows)
      const pause = pace?.turn()
      if (pause !== undefined) await pause
    }
  }
  return { stretches, leaders }
}

interface Leader {
  readonly stretch: DirectStretch
  readonly rowGroup: number
  readonly rank: RankValue
}

/** Puts a stretch's row groups among the leaders, while its file's tail is held. */
function addLeaders({ top, rank }: TopState, leaders: Leader[], stretch: DirectStretch): void {
  const key = top.keys[0]!
  for (let rowGroup = stretch.from; rowGroup < stretch.to; rowGroup++) {
    const value = rank(stretch.reader, rowGroup)
    if (value === undefined) continue
    const last = leaders.at(-1)
    if (leaders.length === leadersMax && compareRanked(key, value, last!.rank) >= 0) continue
    if (leaders.length === leadersMax) leaders.pop()
    leaders.push({ stretch, rowGroup, rank: value })
    leaders.sort((a, b) => compareRanked(key, a.rank, b.rank))
  }
}

/** The parts of a stretch between its leaders. */
function without(stretch: DirectStretch, leaders: readonly Leader[]): readonly DirectStretch[] {
  const taken = leaders.filter((leader) => leader.stretch === stretch).map(({ rowGroup }) => rowGroup).toSorted((a, b) => a - b)
  const parts: DirectStretch[] = []
  let from = stretch.from
  for (const rowGroup of [...taken, stretch.to]) {
    if (rowGroup > from) parts.push({ ...stretch, from, to: rowGroup })
    from = rowGroup + 1
  }
  return parts
}

/** Whether the best row that a row group can have comes no sooner than the last of the best so far. */
function comesTooLate(state: TopState, reader: TableReader, rowGroup: number): boolean {
  const order = orderOfRowGroup(state, reader, rowGroup)
  return order !== undefined && (order > 0 || (order === 0 && state.top.keys.length === 1))
}

/** How the first value of a row group in the first column stands to that of the last of the best; undefined when that cannot be told. */
function orderOfRowGroup({ top: { keys, best }, rank }: TopState, reader: TableReader, rowGroup: number): number | undefined {
  const last = best.bound?.keys[0], value = last === undefined ? undefined : rank(reader, rowGroup)
  return last === undefined || value === undefined ? undefined : compareRanked(keys[0]!, value, last)
}

function addRowGroup(state: TopState, group: DirectRowGroup): void {
  const { sources: { context }, filter, arena } = state
  const { reader, rowGroup, rowCount, chunk } = group
  arena.reset()
  const rows = { rowCount, chunk, vector: onceEach((ordinal) => decodeColumn(context, chunk(ordinal), ordinal, 0, rowCount, arena)) }
  const selected = filter.narrow(rows, group, arena, orderOfRowGroup(state, reader, rowGroup) === 0)
  if (selected.selectedCount === 0) return
  let source: RowSource | undefined
  offer(state, rows, selected, (row) => ({ source: (source ??= storedRows(context, reader, rowGroup)), row }))
}

function addMerged(state: TopState, merged: MergedRows): void {
  const { sources: { context, predicate }, top, filter, arena } = state
  arena.reset()
  const rows = { rowCount: merged.count, chunk: () => 0, vector: onceEach(merged.column) }
  const matching = selectMerged({ context, predicate, arena }, merged.count, rows.vector)
  if (matching.selectedCount === 0) return
  const selected = filter.narrow(rows, matching, arena, false)
  offer(state, rows, selected, (row) => top.others.map((ordinal) => valueReader(context.kernel.memory, rows.vector(ordinal), true)(row)))
}

/** `others` says of a row that may stay what its other columns are. */
function offer(state: TopState, given: VectorRows, { selection, selectedCount }: Selected, others: (row: number) => TopRow['others']): void {
  const { sources: { context: { kernel: { exports, memory } } }, top, arena } = state
  const { keys, best } = top
  const rows = selection === 0 ? 0 : selectedRows(exports.scanSelectedRows, selection, given.rowCount, arena)
  // Most rows are told by the first column, or the first two: the others are decoded where they are asked for.
  const columns = keys.map(({ ordinal }) => onceOf(() => keyColumn(state, given, ordinal, rows, selectedCount)))
  const looks = columns.map((column) => keyReader(memory, column, false)), keeps = columns.map((column) => keyReader(memory, column, true))
  for (let i = 0; i < selectedCount; i++) {
    const row = rows === 0 ? i : memory.u32[(rows >>> 2) + i]!
    const { bound } = best
    if (bound !== undefined && !comesBefore(top, looks, row, i, bound.keys)) continue
    best.offer({ keys: keeps.map((read) => read(row, i)), others: others(row) })
  }
}

interface KeyColumn {
  readonly vector: Vector
  /** Whether the vector has the selected rows alone, one after the other. */
  readonly isFew: boolean
}

/** `rows`: the selected ones as u32; 0: all. */
function keyColumn({ sources: { context }, arena }: TopState, { rowCount, chunk, vector }: VectorRows, ordinal: number, rows: Pointer, selectedCount: number): KeyColumn {
  const encoded = rows === 0 || selectedCount * fewShare > rowCount ? 0 : chunk(ordinal)
  const few = encoded === 0 ? undefined : gatherChunk(context, encoded, context.shape.layout.columns[ordinal]!, rows, selectedCount, arena)
  return few === undefined ? { vector: vector(ordinal), isFew: false } : { vector: few, isFew: true }
}

/** Of a row by its number and its place among the selected ones. */
type KeyReader = (row: number, place: number) => RankValue

function keyReader(memory: LinearMemory, column: () => KeyColumn, isKept: boolean): KeyReader {
  const reader = onceOf((): KeyReader => {
    const { vector, isFew } = column(), valueAt = valueReader(memory, vector, isKept)
    return isFew ? (_, place) => valueAt(place) : valueAt
  })
  return (row, place) => reader()(row, place)
}

function onceOf<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

function selectedRows(select: (selection: Pointer, count: number, out: Pointer) => number, selection: Pointer, rowCount: number, arena: Arena): Pointer {
  const rows = arena.allocate(4 * rowCount)
  select(selection, rowCount, rows)
  return rows
}

function comesBefore({ keys }: TopRows, looks: readonly KeyReader[], row: number, place: number, bound: readonly RankValue[]): boolean {
  for (let i = 0; i < keys.length; i++) {
    const order = compareRanked(keys[i]!, looks[i]!(row, place), bound[i]!)
    if (order !== 0) return order < 0
  }
  return false
}
