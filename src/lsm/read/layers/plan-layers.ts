/**
 * The plan of a scan whose rows may come in any order: run after run, the oldest first, each as if it were alone, with the
 * rows left out that newer runs hide; rows of memtables at the end, merged among themselves. So only keys are ever compared
 * where runs overlap, never rows merged: a few newer rows above large files cost what the few are, and the files are read as
 * encoded as without them. Zone maps may prune: a hidden row needs no older one brought back, since it is hidden by its key.
 *
 * A predicate is asked of the rows that stand; a row group of which newer runs have no key still answers by its zone maps.
 */
import { compareBoundaries } from '../../keys/key-bytes.ts'
import type { Boundary } from '../../keys/key-bytes.ts'
import type { TableReader } from '../../table/table.ts'
import type { ReadContext } from '../read-context.ts'
import type { FileRun, Stretch, StretchPlan } from '../stretches.ts'
import type { Shadow } from './shadow.ts'

export interface Layer extends FileRun {
  readonly shadow: Shadow | undefined
}

export interface Layers {
  /** Newest first. */
  readonly layers: readonly Layer[]
  /** Called when rows of memtables are about to be read one by one. */
  onMemtableRows(): void
  close(): void
}

interface LayerFile {
  readonly reader: TableReader
  readonly shadow: Shadow | undefined
  /** Whose tail is to be read ahead: a scan that has gone through one file mostly goes on through others. */
  readonly next: TableReader | undefined
}

interface LayersState {
  readonly context: ReadContext
  readonly lower: Uint8Array
  readonly upper: Boundary
  /** What is left, the next one last. */
  readonly files: LayerFile[]
  hasMemtableRows: boolean
  readonly onMemtableRows: () => void
  held: TableReader | undefined
  isClosed: boolean
}

/** The context is not a reverse one. */
export function planLayers(context: ReadContext, lower: Uint8Array, upper: Boundary, { layers, onMemtableRows, close }: Layers, hasMemtableRows: boolean): StretchPlan {
  const isEmpty = compareBoundaries(lower, upper) >= 0
  const files = isEmpty ? [] : filesOf(layers)
  const state: LayersState = { context, lower, upper, files, hasMemtableRows: !isEmpty && hasMemtableRows, onMemtableRows, held: undefined, isClosed: false }
  return {
    next: () => nextStretch(state),
    close() {
      state.isClosed = true
      state.files.length = 0
      state.hasMemtableRows = false
      leave(state)
      for (const { shadow } of layers) shadow?.rewind()
      close()
    },
  }
}

/** The newest run's last file first. */
function filesOf(layers: readonly Layer[]): LayerFile[] {
  const files: LayerFile[] = []
  for (const { readers, shadow } of layers) for (let i = readers.length - 1; i >= 0; i--) files.push({ reader: readers[i]!, shadow, next: i === 0 ? undefined : readers[i + 1] })
  return files
}

function nextStretch(state: LayersState): Stretch | undefined | Promise<Stretch | undefined> {
  leave(state)
  for (let file = state.files.pop(); file !== undefined; file = state.files.pop()) {
    const { reader } = file
    if (reader.meta.rowGroupCount === 0) continue
    const waiting = reader.hold(state.context.stats)
    if (waiting !== undefined) return waiting.then(() => enter(state, file) ?? nextStretch(state))
    const stretch = enter(state, file)
    if (stretch !== undefined) return stretch
  }
  return memtableRows(state)
}

function leave(state: LayersState): void {
  state.held?.release()
  state.held = undefined
}

/** Of a file whose tail is held from here on; undefined where no row group lies in the range. */
function enter(state: LayersState, { reader, shadow, next }: LayerFile): Stretch | undefined {
  state.held = reader
  if (state.isClosed) {
    leave(state)
    return undefined
  }
  next?.readAhead(state.context.stats)
  const { lower, upper } = state, { from, to } = reader.rowGroupsIn(lower, upper)
  if (from < to) return { kind: 'direct', reader, from, to, lower, upper, shadow }
  leave(state)
  return undefined
}

function memtableRows(state: LayersState): Stretch | undefined {
  const { hasMemtableRows, lower, upper } = state
  state.hasMemtableRows = false
  if (!hasMemtableRows) return undefined
  state.onMemtableRows()
  return { kind: 'merged', memtablesOnly: true, lower, upper }
}
