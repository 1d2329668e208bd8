/**
 * A run of table files as pages. Mostly a page is a row group, kept decoded while a later stretch may need the same one again. Who will
 * perhaps read few rows begins with a few that are searched for in the encoded keys; pages grow from there.
 */
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import { compareBoundaries, compareBytes, firstBoundary } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { rowGroupBytesOf } from '../../table/table.ts'
import type { ChunkName, PinnedChunks, TableMeta, TableReader } from '../../table/table.ts'
import type { ReadContext } from '../read-context.ts'
import type { Reading } from '../direct/reading.ts'
import { firstRowFrom, keyChunk } from '../row-group-columns.ts'
import { decodeRows, pageOf } from './loaded-rows.ts'
import type { LoadedRows, PinnedRowGroup } from './loaded-rows.ts'
import { positionOf } from './run-page.ts'
import type { RunPage, RunSource } from './run-page.ts'

/** A file of a run, opened when its turn comes: compactions of large tables do not hold all tails at once. */
export interface RunFile {
  readonly meta: TableMeta
  readonly open: () => TableReader | Promise<TableReader>
  /** Takes the reader back when its last page is void; absent for readers that others own. */
  readonly done?: (reader: TableReader) => Promise<void>
  /** The same where that takes no time: also called when the source is opened anew, or closed, in the middle of the file. */
  readonly leave?: () => void
}

export interface TableSourceOptions {
  /** The run's files in key order. */
  readonly files: readonly RunFile[]
  /** Ordinals that will be asked for. */
  readonly columns: readonly number[]
  /** What newer runs delete. */
  readonly cover: RangeCover
  /** Row groups fetched at once. */
  readonly readAhead: number
  /** Absent: each page is a row group. */
  readonly startsSmall?: SmallStart
}

/** Of a source that is opened once. */
export interface SmallStart {
  readonly firstPageRows: number
  /** Has the first page, so that a short read of many runs allocates once. Not reset before the source is closed. */
  readonly shared: Arena
}

/** Row groups of one file, pinned together. */
interface PinnedRowGroups {
  readonly reader: TableReader
  readonly from: number
  readonly to: number
  readonly chunks: PinnedChunks
}

interface SourceState {
  readonly context: ReadContext
  readonly options: TableSourceOptions
  readonly arena: Arena
  readonly chunkNames: readonly ChunkName[]
  lower: Uint8Array
  upper: Boundary
  /** Files still to come in the stretch; the next one is the last element. */
  files: RunFile[]
  current: { readonly file: RunFile; readonly reader: TableReader } | undefined
  /** Row groups of the current file still to come, [from, to). */
  pending: { from: number; to: number }
  /** Rows of a row group still to come, where pages are smaller. */
  rest: RestOfRowGroup | undefined
  pinned: PinnedRowGroups | undefined
  loaded: LoadedRows | undefined
  /** Of the next page, where it may be smaller than a row group. */
  pageRows: number
  isFirstPage: boolean
  /** The next row group is the first of the stretch. */
  isNear: boolean
}

interface RestOfRowGroup {
  readonly rowGroup: number
  from: number
  to: number
}

const nothingPending = { from: 0, to: 0 }

export function createTableSource(context: ReadContext, options: TableSourceOptions): RunSource {
  const state: SourceState = {
    context, options,
    arena: createArena(context.kernel.heap),
    chunkNames: chunkNames(context, options.columns),
    lower: firstBoundary, upper: undefined,
    files: [], current: undefined, pending: nothingPending, rest: undefined, pinned: undefined, loaded: undefined,
    pageRows: options.startsSmall?.firstPageRows ?? 0, isFirstPage: true, isNear: true,
  }
  return {
    open(lower, upper) {
      state.lower = lower
      state.upper = upper
      state.files = filesIn(state)
      leaveFile(state)
      state.pending = nothingPending
      state.rest = undefined
      state.isNear = true
    },
    next: () => nextPage(state),
    close() {
      releasePinned(state)
      leaveFile(state)
      state.arena.free()
    },
  }
}

/** Each once. */
function chunkNames(context: ReadContext, columns: readonly number[]): readonly ChunkName[] {
  const key = keyChunk(context).name, names: ChunkName[] = [key, 'tombstones']
  for (const ordinal of columns) if (!names.includes(ordinal)) names.push(ordinal)
  return names
}

function filesIn({ context, options, lower, upper }: SourceState): RunFile[] {
  const files = options.files.filter(({ meta }) => compareBytes(meta.maxKey, lower) >= 0 && compareBoundaries(meta.minKey, upper) < 0)
  return context.reverse ? files : files.reverse()
}

/** Goes on to the run's next file in the stretch; false when there is none. */
function enterFile(state: SourceState): boolean | Promise<boolean> {
  const { current } = state
  if (current?.file.done === undefined) return enterNext(state)
  releasePinned(state)
  state.loaded = undefined
  return current.file.done(current.reader).then(() => enterNext(state))
}

function enterNext(state: SourceState): boolean | Promise<boolean> {
  leaveFile(state)
  const file = state.files.pop()
  if (file === undefined) return false
  const reader = file.open()
  return reader instanceof Promise ? reader.then((opened) => enter(state, file, opened)) : enter(state, file, reader)
}

function enter(state: SourceState, file: RunFile, reader: TableReader): true {
  state.current = { file, reader }
  const { from, to } = reader.rowGroupsIn(state.lower, state.upper)
  state.pending = { from, to }
  return true
}

function leaveFile(state: SourceState): void {
  state.current?.file.leave?.()
  state.current = undefined
}

function releasePinned(state: SourceState): void {
  state.pinned?.chunks.unpin()
  state.pinned = undefined
}

function nextPage(state: SourceState): RunPage | undefined | Promise<RunPage | undefined> {
  for (;;) {
    const rowGroup = state.rest?.rowGroup ?? nextRowGroup(state)
    if (rowGroup === undefined) {
      const entered = enterFile(state)
      if (entered instanceof Promise) return entered.then((hasEntered) => (hasEntered ? nextPage(state) : undefined))
      if (entered) continue
      return undefined
    }
    const { reader } = state.current!
    const rows = isLoaded(state, reader, rowGroup) ? state.loaded : load(state, reader, rowGroup)
    if (rows instanceof Promise) return rows.then((loaded) => pageWithin(state, loaded) ?? nextPage(state))
    const page = pageWithin(state, rows)
    if (page !== undefined) return page
  }
}

/** Of whole row groups the last one may be asked for again, by the next stretch. */
function isLoaded({ loaded, options }: SourceState, reader: TableReader, rowGroup: number): boolean {
  return loaded !== undefined && loaded.of.reader === reader && loaded.of.rowGroup === rowGroup && options.startsSmall === undefined
}

function nextRowGroup({ pending, context }: SourceState): number | undefined {
  if (pending.from >= pending.to) return undefined
  if (context.stats !== undefined) context.stats.rowGroupsTotal++
  return context.reverse ? --pending.to : pending.from++
}

/** undefined where none of the rows lies in the stretch. */
function pageWithin(state: SourceState, rows: LoadedRows | undefined): RunPage | undefined {
  if (rows === undefined) return undefined
  const { context, options, lower, upper } = state
  const { rowCount, keys } = rows
  const a = positionOf(context, keys, rowCount, lower), b = positionOf(context, keys, rowCount, upper)
  const from = Math.min(a, b), to = Math.max(a, b)
  if (to < rowCount) endStretch(state)
  if (from === to) return undefined
  const isLast = state.rest === undefined && state.pending.from >= state.pending.to && state.files.length === 0
  return pageOf(context, options.cover, rows, { from, to, lower, upper, isLast })
}

/** What follows lies behind the stretch. */
function endStretch(state: SourceState): void {
  state.pending = nothingPending
  state.rest = undefined
  state.files = []
}

function load(state: SourceState, reader: TableReader, rowGroup: number): LoadedRows | undefined | Promise<LoadedRows | undefined> {
  state.loaded = undefined
  const pinning = pin(state, reader, rowGroup)
  return pinning === undefined ? decode(state, reader, rowGroup) : pinning.then(() => decode(state, reader, rowGroup))
}

/** undefined: no row of the row group is left. */
function decode(state: SourceState, reader: TableReader, rowGroup: number): LoadedRows | undefined {
  const { context, arena, options: { startsSmall } } = state
  const of = { reader, rowGroup, chunks: state.pinned!.chunks }, rowCount = reader.rowGroupRows(rowGroup)
  if (startsSmall !== undefined) return decodeSome(state, startsSmall, of, rowCount)
  arena.reset()
  return (state.loaded = decodeRows(context, of, 0, rowCount, arena))
}

function decodeSome(state: SourceState, { shared }: SmallStart, of: PinnedRowGroup, rowCount: number): LoadedRows | undefined {
  const { context } = state
  const rest = (state.rest ??= searchRest(state, of, rowCount, shared))
  if (rest.from >= rest.to) {
    state.rest = undefined
    return undefined
  }
  const { first, end } = takeRows(rest, state.pageRows, context.reverse)
  if (rest.from >= rest.to) state.rest = undefined
  const arena = state.isFirstPage ? shared : state.arena
  if (!state.isFirstPage) arena.reset()
  state.isFirstPage = false
  state.pageRows = Math.max(state.pageRows, Math.min(rowCount, 4 * state.pageRows))
  return (state.loaded = decodeRows(context, of, first, end, arena))
}

/** About so many of the next rows. Decoding begins at multiples of 8. */
function takeRows(rest: RestOfRowGroup, count: number, reverse: boolean): { readonly first: number; readonly end: number } {
  const { from, to } = rest
  if (reverse) return { first: (rest.to = Math.max(from, (to - count) & ~7)), end: to }
  return { first: from & ~7, end: (rest.from = Math.min(to, (from + count + 7) & ~7)) }
}

/** Where a stretch begins in its first row group is searched for; where it ends is seen as pages are decoded. */
function searchRest(state: SourceState, { rowGroup, chunks }: PinnedRowGroup, rowCount: number, arena: Arena): RestOfRowGroup {
  const { context, lower, upper, isNear } = state
  const rest = { rowGroup, from: 0, to: rowCount }
  if (!isNear) return rest
  state.isNear = false
  const keys = chunks.chunk(rowGroup, keyChunk(context).name)
  if (context.reverse) rest.to = firstRowFrom(context, keys, rowCount, upper, arena)
  else if (lower.length > 0) rest.from = firstRowFrom(context, keys, rowCount, lower, arena)
  return rest
}

/** Row groups of long values are not read ahead: many runs are open at once, and what they pin must fit into the cache. */
const readAheadBytesMax = 512 * 1024

/** Row groups of a file that is far away, fetched at once. */
const farReadAhead = 16

/** Makes sure that a row group is pinned, with some that follow; at once where all of them are cached. */
function pin(state: SourceState, reader: TableReader, rowGroup: number): Reading {
  const { pinned, options, context, pending, chunkNames } = state
  if (pinned?.reader === reader && pinned.from <= rowGroup && rowGroup < pinned.to) return undefined
  releasePinned(state)
  // Who wants few rows has them in one row group.
  const isShort = options.startsSmall !== undefined && state.isFirstPage
  const readAhead = isShort ? 1 : reader.isFar ? Math.max(farReadAhead, options.readAhead) : options.readAhead
  const bytesMax = reader.isFar ? Math.min(readAheadBytesMax, reader.windowBytesMax) : readAheadBytesMax
  const ahead = Math.min(readAhead - 1, pending.to - pending.from, Math.floor(bytesMax / rowGroupBytesOf(reader.meta)))
  const from = context.reverse ? rowGroup - ahead : rowGroup
  const to = context.reverse ? rowGroup + 1 : rowGroup + 1 + ahead
  const cached = reader.pinCached(from, to, chunkNames)
  if (cached === undefined) return reader.pin(from, to, chunkNames, context.stats).then((chunks) => void (state.pinned = { reader, from, to, chunks }))
  state.pinned = { reader, from, to, chunks: cached }
  return undefined
}
