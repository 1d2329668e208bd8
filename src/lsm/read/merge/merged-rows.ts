/**
 * Several runs as one: for each key the newest run's row, without the rows that tombstones and range tombstones hide.
 * Scans over overlapping runs and compactions both read through this. Runs are given newest first.
 */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { Vector } from '../../page.ts'
import { bitAt, bitmapBytes } from '../read-context.ts'
import type { ReadContext } from '../read-context.ts'
import type { Reading } from '../direct/reading.ts'
import { valueColumnVector } from './memtable-source.ts'
import type { RunPage, RunSource } from './run-page.ts'

export interface MergedRows {
  readonly count: number
  /** Keys of the rows: i64 values for key form 'i64', otherwise refs. */
  keys(): Pointer
  /** Bitmap of the rows that are tombstones; 0 = none. Scans never see any. */
  tombstones(): Pointer
  column(ordinal: number): Vector
}

export interface RowMerge {
  /** Starts a stretch, over all sources or those whose index is in `among`. */
  open(lower: Uint8Array, upper: Boundary, among?: readonly number[]): void
  /** The next rows in the direction of the scan, never none, at most `wanted`; valid until the next call. At once where nothing must be read. */
  next(wanted?: number): MergedRows | undefined | Promise<MergedRows | undefined>
  close(): void
}

export interface RowMergeOptions {
  readonly sources: readonly RunSource[]
  /** Whether tombstones are given out, as compactions need them, or hide themselves. */
  readonly keepTombstones: boolean
  /** Rows given out at once; background work asks for few, to take its pauses between. */
  readonly rowsMax?: number
  /** Rows given out the first time. */
  readonly firstRowsMax?: number
}

const rowsMaxDefault = 4096
const runRecordBytes = 32
const finalFlag = 1, descendingFlag = 2

/** One source in the stretch under way. */
interface Lane {
  readonly source: RunSource
  page: RunPage | undefined
  /** Next position of the page, and what it was before the last merge. */
  position: number
  passedFrom: number
  ended: boolean
}

interface MergeState {
  readonly context: ReadContext
  readonly options: RowMergeOptions
  /** Three parts of one allocation, made when the first stretch is opened; 0 until then. */
  winners: Pointer
  records: Pointer
  addresses: Pointer
  readonly arena: Arena
  lanes: Lane[]
  /** How many rows are given out next. */
  rowsNow: number
  /** Nothing was given out yet: of a read that ends early, as few rows are decoded as are given. */
  isFirst: boolean
}

export function createRowMerge(context: ReadContext, options: RowMergeOptions): RowMerge {
  const { heap } = context.kernel
  const state: MergeState = { context, options, winners: 0, records: 0, addresses: 0, arena: createArena(heap), lanes: [], rowsNow: options.firstRowsMax ?? options.rowsMax ?? rowsMaxDefault, isFirst: true }
  return {
    open(lower, upper, among) {
      if (state.winners === 0) allocate(state)
      const sources = among === undefined ? options.sources : among.map((i) => options.sources[i]!)
      for (const source of sources) source.open(lower, upper)
      state.lanes = sources.map((source) => ({ source, page: undefined, position: 0, passedFrom: 0, ended: false }))
    },
    next: (wanted = Number.POSITIVE_INFINITY) => nextRows(state, wanted),
    close() {
      for (const source of options.sources) source.close()
      if (state.winners !== 0) heap.free(state.winners)
      state.arena.free()
    },
  }
}

function allocate(state: MergeState): void {
  const { context: { kernel: { heap } }, options: { rowsMax = rowsMaxDefault, sources } } = state
  state.winners = heap.allocate(8 * rowsMax + (runRecordBytes + 4) * sources.length)
  state.records = state.winners + 8 * rowsMax
  state.addresses = state.records + runRecordBytes * sources.length
}

function nextRows(state: MergeState, wanted: number): MergedRows | undefined | Promise<MergedRows | undefined> {
  for (;;) {
    state.arena.reset()
    const reading = refill(state.lanes, 0)
    if (reading !== undefined) return reading.then(() => nextRows(state, wanted))
    if (state.lanes.every((lane) => lane.page === undefined)) return undefined
    const isFirst = state.isFirst
    const count = dropHidden(state, merge(state, Math.min(state.rowsNow, wanted)))
    if (count === 0) continue
    state.rowsNow = state.options.rowsMax ?? rowsMaxDefault
    state.isFirst = false
    return mergedRows(state, count, isFirst)
  }
}

/** Every lane from `from` on gets its next page when it has read the one before. */
function refill(lanes: readonly Lane[], from: number): Reading {
  for (let i = from; i < lanes.length; i++) {
    const lane = lanes[i]!
    if (lane.ended || (lane.page !== undefined && lane.position < lane.page.to)) continue
    const page = lane.page?.last === true ? undefined : lane.source.next()
    if (page instanceof Promise) {
      return page.then((read) => {
        enterPage(lane, read)
        return refill(lanes, i + 1)
      })
    }
    enterPage(lane, page)
  }
  return undefined
}

function enterPage(lane: Lane, page: RunPage | undefined): void {
  lane.page = page
  lane.position = page?.from ?? 0
  lane.ended = page === undefined
}

/** Merges what the lanes hold; returns the number of winners. */
function merge({ context, records, winners, lanes }: MergeState, limit: number): number {
  const { kernel: { memory: { u32 }, exports }, shape, reverse } = context
  lanes.forEach(({ page, position }, i) => {
    const record = (records >>> 2) + 8 * i
    u32[record] = page?.keys ?? 0
    u32[record + 1] = position
    u32[record + 2] = page?.to ?? 0
    u32[record + 3] = (page?.last ?? true ? finalFlag : 0) | (reverse ? descendingFlag : 0)
  })
  const mergeRuns = shape.form === 'i64' ? exports.mergeI64 : exports.mergeRefs
  const count = mergeRuns(records, lanes.length, winners, limit)
  lanes.forEach((lane, i) => {
    lane.passedFrom = lane.position
    if (lane.page !== undefined) lane.position = u32[(records >>> 2) + 8 * i + 1]!
  })
  return count
}

/** Drops the winners that are hidden, and turns positions into rows. */
function dropHidden({ context, options, winners, lanes }: MergeState, count: number): number {
  const pages = lanes.map(({ page }) => page)
  const hides = (page: RunPage): boolean => page.covered !== 0 || (page.tombstones !== 0 && !options.keepTombstones)
  if (!pages.some((page) => page !== undefined && (page.flipped || hides(page)))) return count
  const { u8, u32 } = context.kernel.memory
  let kept = 0
  for (let i = 0; i < count; i++) {
    const pair = (winners >>> 2) + 2 * i
    const run = u32[pair]!, position = u32[pair + 1]!
    const page = pages[run]!
    if (bitAt(u8, page.covered, position) || (!options.keepTombstones && bitAt(u8, page.tombstones, position))) continue
    u32[(winners >>> 2) + 2 * kept] = run
    u32[(winners >>> 2) + 2 * kept + 1] = page.flipped ? page.rowCount - 1 - position : position
    kept++
  }
  return kept
}

interface RowSpan {
  readonly first: number
  readonly end: number
}

/** Between which of a lane's rows the winners lie: those that the merge has just passed. */
function rowSpan({ page, passedFrom, position }: Lane): RowSpan {
  if (page === undefined || passedFrom === position) return { first: 0, end: 0 }
  return page.flipped ? { first: page.rowCount - position, end: page.rowCount - passedFrom } : { first: passedFrom, end: position }
}

/** `isFirst`: columns are decoded only where rows are given out; later ones with all that comes after in their page. */
function mergedRows(state: MergeState, count: number, isFirst: boolean): MergedRows {
  const { lanes, context: { shape }, arena } = state
  const isByRow = lanes.every(({ page }) => page === undefined || page.rows !== 0)
  let rows: Pointer = 0
  function columnOf(lane: Lane, ordinal: number): Vector | undefined {
    const { page } = lane, { first, end } = rowSpan(lane)
    if (page === undefined || end === 0) return undefined
    return isFirst ? page.column(ordinal, first, end) : page.column(ordinal, page.flipped ? 0 : first, page.flipped ? end : page.rowCount)
  }
  return {
    count,
    keys: () => gather8(state, count, (page) => (page.flipped ? keysByRow(state, page) : page.keys)),
    tombstones: () => gatherBits(state, count, (page) => page.tombstones),
    column(ordinal) {
      if (isByRow && shape.valueIndexes[ordinal]! >= 0) return valueColumnVector(state.context, (rows ||= gather8(state, count, (page) => page.rows)), count, ordinal, arena)
      const vectors = lanes.map((lane) => columnOf(lane, ordinal))
      const values = gather8(state, count, (_, i) => (vectors[i] === undefined ? 0 : addressOf(vectors[i])))
      const nulls = gatherBits(state, count, (_, i) => vectors[i]?.nulls ?? 0)
      const kind = shape.layout.columns[ordinal]!
      return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
    },
  }
}

const addressOf = (vector: Vector): Pointer => (vector.kind === 'bytes' ? vector.refs : vector.values)

/** The keys of a flipped page, back in the order of its rows. */
function keysByRow({ context: { kernel: { memory: { u32 } } }, arena }: MergeState, { keys, rowCount }: RunPage): Pointer {
  const out = arena.allocate(8 * rowCount)
  for (let position = 0; position < rowCount; position++) {
    const from = (keys >>> 2) + 2 * position, to = (out >>> 2) + 2 * (rowCount - 1 - position)
    u32[to] = u32[from]!
    u32[to + 1] = u32[from + 1]!
  }
  return out
}

function setAddresses({ context: { kernel: { memory: { u32 } } }, addresses, lanes }: MergeState, address: (page: RunPage, lane: number) => Pointer): void {
  lanes.forEach(({ page }, i) => {
    u32[(addresses >>> 2) + i] = page === undefined ? 0 : address(page, i)
  })
}

function gather8(state: MergeState, count: number, address: (page: RunPage, lane: number) => Pointer): Pointer {
  setAddresses(state, address)
  const out = state.arena.allocate(8 * count)
  state.context.kernel.exports.mergeGather8(state.winners, count, state.addresses, out)
  return out
}

/** 0 when no bit is set. */
function gatherBits(state: MergeState, count: number, bitmap: (page: RunPage, lane: number) => Pointer): Pointer {
  setAddresses(state, bitmap)
  if (state.lanes.every((_, i) => state.context.kernel.memory.u32[(state.addresses >>> 2) + i] === 0)) return 0
  const out = state.arena.allocate(bitmapBytes(count))
  return state.context.kernel.exports.mergeGatherBits(state.winners, count, state.addresses, out) === 0 ? 0 : out
}
