/**
 * Direct stretches: row groups of one file read without a merge (see stretches.ts for when that is right). Row groups
 * that zone maps prune are never read; the others are fetched a window at a time, the predicate's columns first and
 * the wanted ones only where rows are left. Where storage is far away, windows are longer, and the next one is fetched
 * while this one is worked on.
 */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import { boundaryAfter, compareBoundaries } from '../../keys/key-bytes.ts'
import { rowGroupBytesOf, rowGroupRowsOf } from '../../table/table.ts'
import type { ChunkName, PinnedChunks, TableReader } from '../../table/table.ts'
import type { HiddenRows } from '../../table/read/kept-totals.ts'
import type { Predicate } from '../predicate.ts'
import type { ReadContext } from '../read-context.ts'
import { chunkOrMissing, firstKeyOf, firstRowFrom, keyChunk, rowGroupEnd } from '../row-group-columns.ts'
import type { Stretch } from '../stretches.ts'
import { createMorselWork } from './morsel-work.ts'
import type { MorselWork } from './morsel-work.ts'
import { after } from './reading.ts'
import type { Reading } from './reading.ts'
import { selectRows } from './select-rows.ts'
import type { RowsWithin, SelectedRowGroup } from './select-rows.ts'
import { standingRows } from './standing-rows.ts'
import type { StandingWindow } from './standing-rows.ts'
import { shareWindow } from './share-window.ts'
import type { SharedRows } from './share-window.ts'

export type DirectStretch = Extract<Stretch, { readonly kind: 'direct' }>

/** One row group with the rows that are selected in it; valid until the next window. */
export interface DirectRowGroup extends SelectedRowGroup {
  readonly reader: TableReader
  readonly rowGroup: number
  /** Where given, no row outside of [first, end) is selected. */
  readonly within: RowsWithin | undefined
}

export interface DirectOptions {
  readonly predicate: Predicate
  /** Chunks wanted of row groups that have selected rows. */
  readonly wanted: readonly ChunkName[]
  /** Takes row groups that lie wholly in the stretch and match wholly, so that they need not be read. */
  readonly answer?: Answers | undefined
  /** Told of each stretch how many rows all scans of the request are likely to read. */
  readonly expect?: ((rowCount: number) => void) | undefined
  /** Row groups that are of no use any more; what it says of one may become true, never false again. */
  readonly skip?: ((reader: TableReader, rowGroup: number) => boolean) | undefined
  /** For scans of no order: row groups that lie wholly in the stretch may go to it, on any thread, and do not come out of `next` then. */
  readonly shared?: SharedRows | undefined
}

/** What answers for row groups of which all rows are wanted, but those that are hidden, where there are such. */
export interface Answers {
  /** Whether what is asked of rows that stand is kept once they were read here. */
  readonly keepsTotals: boolean
  canAnswer(reader: TableReader, rowGroup: number, hidden: HiddenRows | undefined): boolean
  /** Where it can. */
  answer(reader: TableReader, rowGroup: number, hidden: HiddenRows | undefined): void
}

export interface DirectReader {
  open(stretch: DirectStretch): void
  /** The next row group with selected rows, in the direction of the scan; the one before is void then. At once where nothing must be read. */
  next(): DirectRowGroup | undefined | Promise<DirectRowGroup | undefined>
  /** After the last one: does what is left of what was shared. */
  finish(): Reading
  close(): void
}

/** Windows grow, so that a scan that stops early reads little (those that are shared never do); of large row groups they have fewer, since all shards may be scanned at a time and what they pin must fit into the cache. */
const windowRowGroupsMax = 8, farWindowRowGroupsMax = 64, windowBytesMax = 2 * 1024 * 1024

interface DirectState {
  readonly context: ReadContext
  readonly options: DirectOptions
  /** The chunks that are needed of all row groups, and those of row groups that have selected rows. */
  readonly first: readonly ChunkName[]
  readonly rest: readonly ChunkName[]
  /** What lives as long as the window. */
  readonly arena: Arena
  /** What filtering one row group needs. */
  readonly scratch: Arena
  /** For row groups that are shared; it may be asked for by another shard's scan. */
  readonly morsels: MorselWork | undefined
  readonly prunings: Map<TableReader, Uint8Array>
  readonly pins: PinnedChunks[]
  /** Of the window, once it is known. */
  standing: StandingWindow | undefined
  stretch: DirectStretch | undefined
  cut: ReturnType<typeof cutOf> | undefined
  /** Row groups of the stretch still to be looked at: [from, to). */
  from: number
  to: number
  /** Whether the rows that are to be read of the stretch were counted. */
  isCounted: boolean
  windowRowGroups: number
  /** The window after this one, on its way. */
  ahead: WindowAhead | undefined
  /** Filtered row groups of the window; the next one is the last element. */
  ready: DirectRowGroup[]
}

export function createDirectReader(context: ReadContext, options: DirectOptions): DirectReader {
  const { predicate, wanted } = options, filter = filterNames(options)
  const first = predicate.isEmpty ? [...filter, ...wanted] : filter
  const state: DirectState = { context, options, first, rest: wanted.filter((name) => !first.includes(name)), arena: createArena(context.kernel.heap), scratch: createArena(context.kernel.heap), morsels: options.shared && createMorselWork(context, options.predicate, options.shared.visit), prunings: new Map(), pins: [], standing: undefined, stretch: undefined, cut: undefined, from: 0, to: 0, isCounted: false, windowRowGroups: options.shared === undefined ? 1 : windowRowGroupsMax, ahead: undefined, ready: [] }
  let isFinished = false
  options.shared?.share.enter()
  return {
    open(stretch) {
      state.stretch?.shadow?.rewind()
      state.stretch = stretch
      state.cut = cutOf(context, stretch)
      state.from = stretch.from
      state.to = stretch.to
      state.isCounted = false
      if (context.stats !== undefined) context.stats.rowGroupsTotal += stretch.to - stretch.from
    },
    next: () => nextGroup(state),
    finish: () => {
      if (options.shared === undefined) return undefined
      isFinished = true
      return options.shared.share.finish(options.shared.pace)
    },
    close() {
      if (!isFinished) options.shared?.share.leave()
      letGo(state)
      dropAhead(state)
      state.stretch?.shadow?.rewind()
      state.arena.free()
      state.scratch.free()
      state.morsels?.free()
    },
  }
}

/** Of what the window holds. */
function letGo(state: DirectState): void {
  unpin(state)
  state.standing?.free()
  state.standing = undefined
}

function unpin({ pins }: Pick<DirectState, 'pins'>): void {
  for (const pin of pins.splice(0)) pin.unpin()
}

function dropAhead(state: DirectState): void {
  const { ahead } = state
  state.ahead = undefined
  void ahead?.reading.then(() => unpin(ahead))
}

function nextGroup(state: DirectState): DirectRowGroup | undefined | Promise<DirectRowGroup | undefined> {
  while (state.ready.length === 0 && (state.ahead !== undefined || state.from < state.to)) {
    const reading = nextWindow(state)
    if (reading !== undefined) return reading.then(() => nextGroup(state))
  }
  return state.ready.pop()
}

/** Takes row groups off the stretch until a run of adjacent ones is to be read, and filters those. */
function nextWindow(state: DirectState): Reading {
  letGo(state)
  state.arena.reset()
  const { ahead } = state
  state.ahead = undefined
  const { reader } = state.stretch!
  const window = ahead?.window ?? takeWindow(state)
  if (window === undefined) return undefined
  state.windowRowGroups = Math.min(reader.isFar ? farWindowRowGroupsMax : windowRowGroupsMax, 2 * state.windowRowGroups)
  const read = (): Reading => {
    const reading = sharedWindow(state, window, () => readWindow(state, reader, window))
    // What came ahead is pinned by the window itself by now, or given away.
    if (ahead !== undefined) state.pins.push(...ahead.pins.splice(0))
    if (reader.isFar) lookAhead(state, reader)
    return reading
  }
  return after(ahead?.reading, read)
}

/** A window whose first chunks are being fetched. */
interface WindowAhead {
  readonly window: Window
  readonly pins: PinnedChunks[]
  /** Never fails: what could not be fetched ahead is fetched when its turn comes, which tells why. */
  readonly reading: Promise<void>
}

/** Windows that are still short belong to scans that may stop early, and the rows of an order's first ones tell which row groups are of no use. */
function lookAhead(state: DirectState, reader: TableReader): void {
  const { context, options, windowRowGroups } = state
  if (windowRowGroups < 4 || options.skip !== undefined) return
  const window = takeWindow(state)
  if (window === undefined) return
  const pins: PinnedChunks[] = []
  const reading = reader.pin(window.from, window.to, filterChunks(state, window), context.stats)
  state.ahead = { window, pins, reading: reading.then((pin) => void pins.push(pin), () => undefined) }
}

function readWindow(state: DirectState, reader: TableReader, window: Window): Reading {
  const { from, to } = window
  return after(pinMore(state, reader, from, to, filterChunks(state, window)), () => after(hideRows(state, window), () => filterWindow(state, reader, from, to)))
}

/** Finds out which rows of the touched row groups stand, unless that is known. */
function hideRows(state: DirectState, { from, to, touched }: Window): Reading {
  const { context, stretch, standing, pins } = state
  if (standing !== undefined || stretch?.shadow === undefined || touched.length === 0) return undefined
  const { shadow, reader } = stretch, { name } = keyChunk(context)
  // Any pin of the file finds the chunks of all of them.
  state.standing = standingRows(context, { shadow, reader, rowGroups: touched, pinKeys: () => pinMore(state, reader, from, to, [name]), keys: (rowGroup) => pins[0]!.chunk(rowGroup, name) }, state.scratch)
  return state.standing.reading
}

function filterWindow(state: DirectState, reader: TableReader, from: number, to: number): Reading {
  const hits: DirectRowGroup[] = []
  for (let rowGroup = from; rowGroup < to; rowGroup++) {
    const group = selectGroup(state, reader, rowGroup)
    if (group.selectedCount > 0) hits.push(group)
  }
  const { rest } = state
  const reading = hits.length === 0 || rest.length === 0 ? undefined : pinMore(state, reader, hits[0]!.rowGroup, hits.at(-1)!.rowGroup + 1, rest)
  const ready = state.context.reverse ? hits : hits.reverse()
  if (reading !== undefined) return reading.then(() => void (state.ready = ready))
  state.ready = ready
  return undefined
}

/** Row groups [from, to). */
interface Window {
  readonly from: number
  readonly to: number
  /** Those of which newer runs may hide rows. */
  readonly touched: readonly number[]
  /** Whether it is likely that keys must be read to find out which. */
  readonly isUnsettled: boolean
}

/** Adjacent row groups that must be read, at the near end of what is left; pruned and answered ones are passed over. */
function takeWindow(state: DirectState): Window | undefined {
  const { context: { reverse, stats }, options } = state
  const { reader, shadow } = state.stretch!
  const prunings = pruningOf(state, reader)
  const touched: number[] = []
  const groupsMax = Math.max(1, Math.min(state.windowRowGroups, Math.floor((reader.isFar ? Math.min(windowBytesMax, reader.windowBytesMax) : windowBytesMax) / rowGroupBytesOf(reader.meta))))
  let from = -1, to = -1
  while (state.from < state.to && (from < 0 || to - from < groupsMax)) {
    const rowGroup = reverse ? state.to - 1 : state.from
    // Looked at again when the window before it has been read; an answer must be given once.
    const isPruned = prunings[rowGroup] === 0 || options.skip?.(reader, rowGroup) === true || shadow?.isCovered(reader, rowGroup) === true
    const isTouched = !isPruned && shadow !== undefined && !shadow.isClear(reader, rowGroup)
    const mayAnswer = options.answer !== undefined && !isPruned && prunings[rowGroup] === 2 && !isCut(state, rowGroup)
    const hidden = mayAnswer && isTouched ? shadow.hiddenRows(reader, rowGroup) : undefined
    const isAnswered = mayAnswer && isTouched === (hidden !== undefined) && options.answer?.canAnswer(reader, rowGroup, hidden) === true
    if (from >= 0 && (isPruned || isAnswered)) break
    if (reverse) state.to--
    else state.from++
    if (isAnswered) options.answer?.answer(reader, rowGroup, hidden)
    if (isPruned || isAnswered) {
      if (stats !== undefined) stats.rowGroupsPruned++
      continue
    }
    from = from < 0 ? rowGroup : Math.min(from, rowGroup)
    to = Math.max(to, rowGroup + 1)
    if (isTouched) touched.push(rowGroup)
  }
  return from < 0 ? undefined : { from, to, touched, isUnsettled: touched.some((rowGroup) => shadow?.isSettled(reader, rowGroup) === false) }
}

/** Offers a window to readers where there are any; `alone` reads it here. */
function sharedWindow(state: DirectState, window: Window, alone: () => Reading): Reading {
  const { from, to, touched, isUnsettled } = window
  const { context, options: { shared, predicate, answer }, morsels } = state
  const { reader } = state.stretch!
  if (!state.isCounted) countRows(state, reader, from)
  state.isCounted = true
  if (shared === undefined || morsels === undefined) return alone()
  shared.share.proceed(context.shape.layout, (to - from) * rowGroupRowsOf(reader.meta))
  if (isCut(state, from) || isCut(state, to - 1)) return alone()
  // What is kept of them answers the next time, as zone maps do.
  if (touched.length > 0 && predicate.isEmpty && answer?.keepsTotals === true) return alone()
  return shareWindow({
    context, shared, morsels, reader, from, to,
    onlyCached: !predicate.isEmpty,
    mustFilter: (rowGroup) => mustFilter(state, reader, rowGroup),
    more: isUnsettled ? [keyChunk(context).name] : [],
    hide: () => hideRows(state, window),
    standing: (rowGroup) => state.standing?.of(rowGroup),
    takeStanding() {
      const { standing } = state
      state.standing = undefined
      return standing
    },
  }, alone)
}

function countRows(state: DirectState, reader: TableReader, first: number): void {
  const { shared, expect } = state.options
  if (shared === undefined && expect === undefined) return
  const rowCount = rowsToRead(state, reader, first), ofAll = shared?.share.expect(rowCount) ?? rowCount
  expect?.(ofAll)
}

/** Of the stretch, once its first row group to be read is known: others of which zone maps say as much are not read either. */
function rowsToRead({ stretch, options, prunings }: DirectState, reader: TableReader, first: number): number {
  const pruning = prunings.get(reader)!, known = options.answer === undefined ? 2 : pruning[first]!
  let count = 0
  for (let rowGroup = stretch!.from; rowGroup < stretch!.to; rowGroup++) if (pruning[rowGroup]! > 0 && pruning[rowGroup]! <= known) count++
  return count * rowGroupRowsOf(reader.meta)
}

function mustFilter(state: DirectState, reader: TableReader, rowGroup: number): boolean {
  return !state.options.predicate.isEmpty && pruningOf(state, reader)[rowGroup] !== 2
}

function pruningOf({ options, prunings }: DirectState, reader: TableReader): Uint8Array {
  let pruning = prunings.get(reader)
  if (pruning === undefined) {
    pruning = options.predicate.prune(reader)
    prunings.set(reader, pruning)
  }
  return pruning
}

/** Whether the stretch ends inside a row group, which only its first and its last can be. */
const isCut = ({ stretch, cut }: DirectState, rowGroup: number): boolean => (rowGroup === stretch!.from && cut!.first) || (rowGroup === stretch!.to - 1 && cut!.last)

/** Whether its first and its last row group are; of one without bounds no key is looked at. */
function cutOf(context: ReadContext, { reader, lower, upper, from, to }: DirectStretch): { readonly first: boolean; readonly last: boolean } {
  const isCutBelow = lower.length > 0 && compareBoundaries(firstKeyOf(context.kernel.memory, reader, from), lower) < 0
  const isCutAbove = upper !== undefined && compareBoundaries(rowGroupEnd(context, reader, to - 1, boundaryAfter(reader.meta.maxKey)), upper) > 0
  return { first: isCutBelow, last: isCutAbove }
}

/** The chunks that selecting rows needs. */
function filterNames({ predicate }: DirectOptions): readonly ChunkName[] {
  return ['tombstones', ...predicate.ordinals]
}

/** What selecting rows of a window needs, and all that is wanted where no row can be left out. */
function filterChunks(state: DirectState, { from, to, isUnsettled }: Window): readonly ChunkName[] {
  const needsKeys = isUnsettled || isCut(state, from) || isCut(state, to - 1)
  return needsKeys ? [...state.first, keyChunk(state.context).name] : state.first
}

function pinMore({ pins, context: { stats } }: DirectState, reader: TableReader, from: number, to: number, names: readonly ChunkName[]): Reading {
  const cached = reader.pinCached(from, to, names)
  if (cached === undefined) return reader.pin(from, to, names, stats).then((read) => void pins.push(read))
  pins.push(cached)
  return undefined
}

function selectGroup(state: DirectState, reader: TableReader, rowGroup: number): DirectRowGroup {
  const { context, options, arena, scratch, pins } = state
  const rowCount = reader.rowGroupRows(rowGroup)
  // Any pin of the file finds the chunks of all of them.
  const chunk = (name: ChunkName): Pointer => chunkOrMissing(context, pins[0]!.chunk(rowGroup, name), name, rowCount)
  const within = isCut(state, rowGroup) ? rowsWithin(state, chunk(keyChunk(context).name), rowCount) : undefined
  const standing = state.standing?.of(rowGroup)
  const { selection, selectedCount } = selectRows(context, options.predicate, { rowCount, mustFilter: mustFilter(state, reader, rowGroup), standing, chunk }, within, arena, scratch)
  const hidden = options.answer === undefined || standing === undefined || within !== undefined || selectedCount < standing.selectedCount ? undefined : state.stretch?.shadow?.hiddenRows(reader, rowGroup)
  return { reader, rowGroup, zones: { rowGroup, maps: reader }, rowCount, selection, selectedCount, chunk, within, hidden: hidden?.hiddenCount === rowCount - selectedCount ? hidden : undefined }
}

/** Rows of a row group that lie in the stretch. */
function rowsWithin({ context, stretch, arena }: DirectState, keys: Pointer, rowCount: number): RowsWithin {
  const first = firstRowFrom(context, keys, rowCount, stretch!.lower, arena)
  return { first, end: Math.max(first, firstRowFrom(context, keys, rowCount, stretch!.upper, arena)) }
}
