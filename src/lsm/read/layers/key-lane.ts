/**
 * The keys of one newer run on their way past the row groups of an older one, in order. What is read of the run is what lies
 * beside those row groups; whatever they skip is skipped here too.
 */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { Arena } from '../../state/arena.ts'
import { compareBytes } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import { after } from '../direct/reading.ts'
import type { Reading } from '../direct/reading.ts'
import { positionOf } from '../merge/run-page.ts'
import type { RunPage, RunSource } from '../merge/run-page.ts'
import type { ReadContext } from '../read-context.ts'

/** Rows of a row group, and which of them stand so far. */
export interface StandingRows {
  /** Bitmap. */
  readonly selection: Pointer
  selectedCount: number
}

/** The keys of all rows of a row group. */
export interface RowGroupKeys {
  /** As they are encoded. */
  readonly chunk: Pointer
  /** i64 values or refs, ascending. */
  decoded(): Pointer
  /** For what a look at them needs. */
  readonly arena: Arena
}

/** All rows of a row group by their keys, which lie in [low, high). */
export interface KeyedRows {
  readonly low: Uint8Array
  readonly high: Boundary
  readonly keys: RowGroupKeys
  readonly rowCount: number
}

/** Of what the run had after sequence number `since`, at least; -1: of all it has. */
export interface KeyLane {
  /** Whether the run is known to have no key in [low, high); nothing is read to find out. */
  isClear(low: Uint8Array, high: Boundary, since: number): boolean
  /** Takes the rows out whose keys the run has; calls ascend. */
  hide(rows: KeyedRows, standing: StandingRows, since: number): Reading
  close(): void
}

export interface KeyLaneOptions {
  readonly open: () => RunSource
  /** Whether the source's pages come without waiting. */
  readonly isInMemory: boolean
  /** Whether the run may have keys in [low, high), by what is known without reading; calls ascend. */
  mayHave(low: Uint8Array, high: Boundary): boolean
  /** None of its operations is later; absent: not known. */
  readonly maxSequence?: number
  /** Where the scan begins, and where the run need not be known any more. */
  readonly lower: Uint8Array
  readonly upper: Boundary
}

/** Of a run, as src/kernel/merge.ts says. */
export const recordBytes = 32

interface LaneState {
  readonly context: ReadContext
  readonly options: KeyLaneOptions
  readonly source: RunSource
  readonly record: Pointer
  /** Where it was opened: of keys before, it tells nothing. */
  from: Uint8Array
  /** Undefined after the last. */
  page: RunPage | undefined
  position: number
  /** The next page is on its way: nothing is known until it is there. */
  isReading: boolean
  isClosed: boolean
}

export function createKeyLane(context: ReadContext, options: KeyLaneOptions): KeyLane {
  const { heap } = context.kernel, { maxSequence = Infinity } = options
  let state: LaneState | undefined
  function openAt(low: Uint8Array): Reading {
    state ??= { context, options, source: options.open(), record: heap.allocate(recordBytes), from: low, page: undefined, position: 0, isReading: false, isClosed: false }
    state.from = low
    state.source.open(low, options.upper)
    return nextPage(state)
  }
  return {
    isClear(low, high, since) {
      if (since >= maxSequence) return true
      // Not behind where the scan begins: row groups before this one may still ask what is hidden of them, one also of keys before that.
      if (options.isInMemory && (state === undefined || compareBytes(low, state.from) < 0)) void openAt(compareBytes(low, options.lower) < 0 ? low : options.lower)
      return state === undefined ? !options.mayHave(low, high) : isClear(state, low, high)
    },
    hide(rows, standing, since) {
      if (since >= maxSequence) return undefined
      const isOpen = state !== undefined && compareBytes(rows.low, state.from) >= 0 && seek(state, rows.low)
      const reading = isOpen ? undefined : openAt(rows.low)
      return after(reading, () => (state === undefined ? undefined : hide(state, rows, standing)))
    },
    close() {
      if (state === undefined) return
      state.isClosed = true
      state.source.close()
      heap.free(state.record)
      state = undefined
    },
  }
}

/** The position of the first key at or after a boundary that is not passed yet, or the page's end. */
function firstAt({ context, position }: LaneState, { keys, to }: RunPage, boundary: Boundary): number {
  return Math.max(position, positionOf(context, keys, to, boundary))
}

function isClear(state: LaneState, low: Uint8Array, high: Boundary): boolean {
  const { page, options, isReading } = state
  if (isReading) return !options.mayHave(low, high)
  if (page === undefined) return true
  const first = firstAt(state, page, low)
  if (first < page.to) return firstAt(state, page, high) === first
  return page.last || !options.mayHave(low, high)
}

/** Moves on to the first key at or after a boundary; false where it is not on this page. */
function seek(state: LaneState, low: Uint8Array): boolean {
  const { page } = state
  if (page === undefined) return true
  state.position = firstAt(state, page, low)
  return state.position < page.to || page.last
}

function nextPage(state: LaneState): Reading {
  const enter = (page: RunPage | undefined): void => {
    state.page = state.isClosed ? undefined : page
    state.position = page?.from ?? 0
    state.isReading = false
  }
  const coming = state.source.next()
  state.isReading = true
  if (coming instanceof Promise) return coming.then(enter)
  enter(coming)
  return undefined
}

function hide(state: LaneState, rows: KeyedRows, standing: StandingRows): Reading {
  for (let { page } = state; page !== undefined; page = state.page) {
    state.position = takeOut(state.context, state.record, page.keys, state.position, page.to, rows, standing)
    if (state.position < page.to || page.last) return undefined
    const reading = nextPage(state)
    if (reading !== undefined) return reading.then(() => hide(state, rows, standing))
  }
  return undefined
}

/** Takes the rows out whose keys stand among positions [from, to) of a page; returns the position that was come to. */
export function takeOut({ kernel: { memory: { u32 }, exports }, shape }: ReadContext, record: Pointer, keys: Pointer, from: number, to: number, rows: KeyedRows, standing: StandingRows): number {
  const at = record >>> 2
  u32[at] = keys
  u32[at + 1] = from
  u32[at + 2] = to
  const hide = shape.form === 'i64' ? exports.mergeHideI64 : exports.mergeHideRefs
  standing.selectedCount -= hide(record, rows.keys.decoded(), rows.rowCount, standing.selection)
  return u32[at + 1]!
}
