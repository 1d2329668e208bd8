/**
 * Walks: all rows of a key range in key order, out of the runs of several trees by one merge. A scan of a tree looks first
 * for stretches that it need not merge, which pays where many rows are filtered or counted; who wants rows in order, of trees
 * that share a table by hashes of its keys, merges them all anyway, and mostly wants few of them.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import { boundaryAfter, firstBoundary } from '../../keys/key-bytes.ts'
import type { Vector } from '../../page.ts'
import { createArena } from '../../state/arena.ts'
import type { Arena } from '../../state/arena.ts'
import type { View } from '../../state/view.ts'
import type { ReadStats, RowWalk, WalkedRows, WalkPart, WalkRequest } from '../../tree.ts'
import { createRowMerge } from '../merge/merged-rows.ts'
import type { MergedRows, RowMerge } from '../merge/merged-rows.ts'
import type { RunSource } from '../merge/run-page.ts'
import type { ReadContext } from '../read-context.ts'
import { loadCovers, openTableSources, openViewRuns } from '../scan-sources.ts'
import { readShort } from './short-walk.ts'

/** Whether a view whose files are near is walked at once: others, which take a request each, are better read by a scan, which looks ahead. */
export function isWalkable(view: View, request: WalkRequest): boolean {
  return loadCovers(view, request, undefined) === undefined
}

/** Of all keys that trees are hashed to, so many more come from one of them than from others, now and then. */
const unevenRows = 8, firstPageRowsMax = 128, firstRowsGuess = 64

interface WalkState {
  readonly kernel: Kernel
  readonly parts: readonly WalkPart[]
  readonly request: WalkRequest
  /** How many rows will be asked for, where that is known. */
  readonly rowsWanted: number | undefined
  readonly stats: ReadStats | undefined
  /** What runs share: a short read of many allocates once. */
  readonly shared: Arena
  /** How many of `rowsWanted` were not given yet. */
  rowsLeft: number
  /** Rows are looked for as few are, until that is not possible. */
  isShort: boolean
  /** From where on rows are to be given; undefined: all are. */
  lower: Uint8Array | undefined
  merge: RowMerge | undefined
  isClosed: boolean
}

/** Over parts that are all walkable; they are the walk's to release. `rowsWanted`: how many will be asked for, where that is known. */
export function openWalk(kernel: Kernel, parts: readonly WalkPart[], request: WalkRequest, rowsWanted: number | undefined, stats?: ReadStats): RowWalk {
  const state: WalkState = { kernel, parts, request, rowsWanted, stats, shared: createArena(kernel.heap, 16 * 1024), rowsLeft: rowsWanted ?? 0, isShort: rowsWanted !== undefined, lower: request.lower ?? firstBoundary, merge: undefined, isClosed: false }
  return {
    next: (rowsMax) => nextRows(state, rowsMax),
    close() {
      if (state.isClosed) return
      state.isClosed = true
      state.merge?.close()
      state.shared.free()
      for (const part of parts) part.release()
    },
  }
}

/** As many rows of each run as it will give, if they are spread evenly, and some more. */
const firstPageRows = ({ parts, rowsWanted = firstRowsGuess }: WalkState): number => Math.min(firstPageRowsMax, Math.ceil(rowsWanted / parts.length) + (parts.length === 1 ? 1 : unevenRows))

function openMerge(state: WalkState, lower: Uint8Array): RowMerge {
  const { kernel, parts, stats, shared } = state, request = { ...state.request, lower }, reverse = request.reverse === true
  const startsSmall = { firstPageRows: firstPageRows(state), shared }
  const sources = parts.flatMap(({ view, sequence, shape }): readonly RunSource[] => {
    const context: ReadContext = { kernel, shape, reverse, stats }, runs = openViewRuns(context, view, sequence, request, startsSmall)
    return [...runs.memtables, ...openTableSources(context, runs, request.columns, startsSmall)]
  })
  const merge = createRowMerge({ kernel, shape: parts[0]!.shape, reverse, stats }, { sources, keepTombstones: false, rowsMax: 1024 })
  merge.open(lower, request.upper)
  return merge
}

function nextRows(state: WalkState, rowsMax: number): WalkedRows | undefined | Promise<WalkedRows | undefined> {
  const pause = state.request.pace?.turn()
  if (pause === undefined) return readRows(state, rowsMax)
  // Rows of a short read would not outlast the promise.
  state.isShort = false
  return pause.then(() => readRows(state, rowsMax))
}

function readRows(state: WalkState, rowsMax: number): WalkedRows | undefined | Promise<WalkedRows | undefined> {
  if (state.isClosed || state.lower === undefined) return undefined
  if (state.isShort) {
    const short = shortRows(state, state.lower, rowsMax)
    if (short !== undefined) return short
    state.isShort = false
  }
  const rows = (state.merge ??= openMerge(state, state.lower)).next(rowsMax)
  return rows instanceof Promise ? rows.then((read) => (state.isClosed ? undefined : shown(state, read))) : shown(state, rows)
}

/** What was given before is void: it need not be kept. */
function shortRows(state: WalkState, lower: Uint8Array, rowsMax: number): WalkedRows | undefined {
  const { kernel, parts, request, rowsLeft, shared } = state
  shared.reset()
  const rows = readShort(kernel, parts, request, lower, Math.min(rowsMax, rowsLeft), shared)
  if (rows === undefined) return undefined
  state.rowsLeft -= rows.rowCount
  state.lower = rows.isEnd || state.rowsLeft === 0 ? undefined : boundaryAfter(rows.lastKey())
  return rows
}

function shown({ request: { columns } }: WalkState, rows: MergedRows | undefined): WalkedRows | undefined {
  if (rows === undefined) return undefined
  const vectors: (Vector | undefined)[] = []
  for (const ordinal of columns) vectors[ordinal] ??= rows.column(ordinal)
  return { rowCount: rows.count, vectors }
}
