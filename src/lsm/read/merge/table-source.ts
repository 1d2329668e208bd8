/** A run of table files as pages: one row group each, kept decoded while a later stretch may need the same one again. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import { compareBoundaries, compareBytes, firstBoundary } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { Vector } from '../../page.ts'
import type { RangeCover } from '../../keys/range-cover.ts'
import { rowGroupBytesOf } from '../../table/table.ts'
import type { ChunkName, PinnedChunks, TableMeta, TableReader } from '../../table/table.ts'
import { bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import type { Reading } from '../direct/reading.ts'
import { blockStart, decodeChunk, decodeColumn, keyChunk } from '../row-group-columns.ts'
import { coveredBits, positionOf } from './run-page.ts'
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
}

/** Row groups of one file, pinned together. */
interface PinnedRowGroups {
  readonly reader: TableReader
  readonly from: number
  readonly to: number
  readonly chunks: PinnedChunks
}

/** One decoded row group; keys by position. */
interface LoadedRowGroup {
  readonly reader: TableReader
  readonly rowGroup: number
  readonly rowCount: number
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
  /** Row groups of the current file still to come; the next one is the last element. */
  pending: number[]
  pinned: PinnedRowGroups | undefined
  loaded: LoadedRowGroup | undefined
}

export function createTableSource(context: ReadContext, options: TableSourceOptions): RunSource {
  const state: SourceState = {
    context, options,
    arena: createArena(context.kernel.heap),
    chunkNames: [...new Set([keyChunk(context).name, 'tombstones' as const, ...options.columns])],
    lower: firstBoundary, upper: undefined,
    files: [], current: undefined, pending: [], pinned: undefined, loaded: undefined,
  }
  return {
    open(lower, upper) {
      state.lower = lower
      state.upper = upper
      state.files = filesIn(state)
      leaveFile(state)
      state.pending = []
    },
    next: () => nextPage(state),
    close() {
      releasePinned(state)
      leaveFile(state)
      state.arena.free()
    },
  }
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
  state.pending = Array.from({ length: to - from }, (_, i) => (state.context.reverse ? from + i : to - 1 - i))
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
    const rowGroup = state.pending.pop()
    if (rowGroup === undefined) {
      const entered = enterFile(state)
      if (entered instanceof Promise) return entered.then((hasEntered) => (hasEntered ? nextPage(state) : undefined))
      if (entered) continue
      return undefined
    }
    const { reader } = state.current!
    const group = state.loaded?.reader === reader && state.loaded.rowGroup === rowGroup ? state.loaded : load(state, reader, rowGroup)
    if (group instanceof Promise) return group.then((loaded) => pageWithin(state, loaded) ?? nextPage(state))
    const page = pageWithin(state, group)
    if (page !== undefined) return page
  }
}

/** undefined where no row of the row group lies in the stretch. */
function pageWithin(state: SourceState, group: LoadedRowGroup): RunPage | undefined {
  const { context } = state
  const { rowCount, keys } = group
  const a = positionOf(context, keys, rowCount, state.lower), b = positionOf(context, keys, rowCount, state.upper)
  return a === b ? undefined : pageOf(state, group, Math.min(a, b), Math.max(a, b))
}

function pageOf(state: SourceState, group: LoadedRowGroup, from: number, to: number): RunPage {
  const { context, options, arena } = state
  const { rowCount, keys } = group
  const bounds = { lower: state.lower, upper: state.upper }
  return {
    rowCount, keys, from, to,
    last: state.pending.length === 0 && state.files.length === 0,
    tombstones: group.tombstones,
    covered: coveredBits(context, options.cover, keys, rowCount, bounds, arena),
    flipped: context.reverse,
    rows: 0,
    column(ordinal, first = 0, end = rowCount) {
      const known = group.vectors[ordinal]
      if (known !== undefined && known.first <= first && known.end >= end) return known.vector
      const from = blockStart(first)
      const vector = decodeColumn(context, chunkOf(state, group, ordinal), ordinal, from, end, arena)
      group.vectors[ordinal] = { vector, first: from, end }
      return vector
    },
  }
}

function load(state: SourceState, reader: TableReader, rowGroup: number): LoadedRowGroup | Promise<LoadedRowGroup> {
  state.loaded = undefined
  const pinning = pin(state, reader, rowGroup)
  return pinning === undefined ? decode(state, reader, rowGroup) : pinning.then(() => decode(state, reader, rowGroup))
}

function decode(state: SourceState, reader: TableReader, rowGroup: number): LoadedRowGroup {
  const { context, arena } = state
  arena.reset()
  const rowCount = reader.rowGroupRows(rowGroup)
  const { name, kind } = keyChunk(context)
  const vectors: LoadedRowGroup['vectors'] = []
  const vector = decodeChunk(context, chunkOf(state, { reader, rowGroup }, name), kind, 0, rowCount, arena)
  if (typeof name === 'number') vectors[name] = { vector, first: 0, end: rowCount }
  const ascending = vector.kind === 'bytes' ? vector.refs : vector.values
  const keys = context.reverse ? reversed(context, ascending, rowCount, arena) : ascending
  state.loaded = { reader, rowGroup, rowCount, keys, tombstones: tombstoneBits(state, reader, rowGroup, rowCount), vectors }
  return state.loaded
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
  const readAhead = reader.isFar ? Math.max(farReadAhead, options.readAhead) : options.readAhead
  const bytesMax = reader.isFar ? Math.min(readAheadBytesMax, reader.windowBytesMax) : readAheadBytesMax
  const ahead = Math.min(readAhead - 1, pending.length, Math.floor(bytesMax / rowGroupBytesOf(reader.meta)))
  const from = context.reverse ? rowGroup - ahead : rowGroup
  const to = context.reverse ? rowGroup + 1 : rowGroup + 1 + ahead
  const cached = reader.pinCached(from, to, chunkNames)
  if (cached === undefined) return reader.pin(from, to, chunkNames, context.stats).then((chunks) => void (state.pinned = { reader, from, to, chunks }))
  state.pinned = { reader, from, to, chunks: cached }
  return undefined
}

function chunkOf({ pinned }: SourceState, { rowGroup }: { readonly reader: TableReader; readonly rowGroup: number }, name: ChunkName): Pointer {
  return pinned!.chunks.chunk(rowGroup, name)
}

/** Eight-byte elements in the opposite order. */
export function reversed({ kernel: { memory: { u32 } } }: ReadContext, elements: Pointer, count: number, arena: Arena): Pointer {
  const out = arena.allocate(8 * count)
  for (let from = elements >>> 2, to = (out >>> 2) + 2 * (count - 1), i = 0; i < count; i++, from += 2, to -= 2) {
    u32[to] = u32[from]!
    u32[to + 1] = u32[from + 1]!
  }
  return out
}

/** Tombstones as a bitmap by position; 0 when the row group has none. */
function tombstoneBits(state: SourceState, reader: TableReader, rowGroup: number, rowCount: number): Pointer {
  const { context, arena } = state
  const chunk = chunkOf(state, { reader, rowGroup }, 'tombstones')
  if (chunk === 0) return 0
  const { kernel: { memory: { u8, u32 } }, reverse } = context
  const vector = decodeChunk(context, chunk, 'i64', 0, rowCount, arena)
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
