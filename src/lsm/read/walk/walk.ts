/**
 * Walks: all rows of a key range in key order, out of the runs of several trees by one merge. A scan of a tree looks first
 * for stretches that it need not merge, which pays where many rows are filtered or counted; who wants rows in order, of trees
 * that share a table by hashes of its keys, merges them all anyway, and mostly wants few of them.
 */
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pace } from '../../../runtime/pace.ts'
import { firstBoundary } from '../../keys/key-bytes.ts'
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

/** Whether a view is walked at once, or far from it: files that take a request each are better read by a scan, which looks ahead. */
export function isWalkable(view: View, request: WalkRequest): boolean {
  const levels = view.version.tables.get(request.tableId) ?? []
  return levels.every((files) => files.every(({ reader }) => !reader.isFar)) && loadCovers(view, request, undefined) === undefined
}

/** Of all keys that trees are hashed to, so many more come from one of them than from others, now and then. */
const unevenRows = 8, firstPageRowsMax = 128, firstRowsGuess = 64

interface WalkState {
  readonly merge: RowMerge
  readonly pace: Pace | undefined
  readonly columns: readonly number[]
  isClosed: boolean
}

/** Over parts that are all walkable; they are the walk's to release. `rowsWanted`: how many will be asked for, where that is known. */
export function openWalk(kernel: Kernel, parts: readonly WalkPart[], request: WalkRequest, rowsWanted: number | undefined, stats?: ReadStats): RowWalk {
  const shared = createArena(kernel.heap, 16 * 1024)
  const sources = openSources(kernel, parts, request, shared, rowsWanted, stats)
  const merge = createRowMerge({ kernel, shape: parts[0]!.shape, reverse: request.reverse === true, stats }, { sources, keepTombstones: false, rowsMax: 1024 })
  const state: WalkState = { merge, pace: request.pace, columns: request.columns, isClosed: false }
  merge.open(request.lower ?? firstBoundary, request.upper)
  return {
    next: (rowsMax) => nextRows(state, rowsMax),
    close() {
      if (state.isClosed) return
      state.isClosed = true
      merge.close()
      shared.free()
      for (const part of parts) part.release()
    },
  }
}

function openSources(kernel: Kernel, parts: readonly WalkPart[], request: WalkRequest, shared: Arena, rowsWanted = firstRowsGuess, stats?: ReadStats): readonly RunSource[] {
  const firstPageRows = Math.min(firstPageRowsMax, Math.ceil(rowsWanted / parts.length) + (parts.length === 1 ? 1 : unevenRows))
  return parts.flatMap(({ view, sequence, shape }): readonly RunSource[] => {
    const context: ReadContext = { kernel, shape, reverse: request.reverse === true, stats }
    const startsSmall = { firstPageRows, shared }, runs = openViewRuns(context, view, sequence, request, startsSmall)
    return [...runs.memtables, ...openTableSources(context, runs, request.columns, startsSmall)]
  })
}

function nextRows(state: WalkState, rowsMax: number): WalkedRows | undefined | Promise<WalkedRows | undefined> {
  const pause = state.pace?.turn()
  return pause === undefined ? readRows(state, rowsMax) : pause.then(() => readRows(state, rowsMax))
}

function readRows(state: WalkState, rowsMax: number): WalkedRows | undefined | Promise<WalkedRows | undefined> {
  if (state.isClosed) return undefined
  const rows = state.merge.next(rowsMax)
  return rows instanceof Promise ? rows.then((read) => (state.isClosed ? undefined : shown(state, read))) : shown(state, rows)
}

function shown({ columns }: WalkState, rows: MergedRows | undefined): WalkedRows | undefined {
  if (rows === undefined) return undefined
  const vectors: (Vector | undefined)[] = []
  for (const ordinal of columns) vectors[ordinal] ??= rows.column(ordinal)
  return { rowCount: rows.count, vectors }
}
