/** The tree as the engine sees it, over its state. */
import { LsmtError } from '../../errors.ts'
import { partialOfNothing } from '../aggregate.ts'
import type { TableLayout } from '../layout.ts'
import { admit } from './back-pressure.ts'
import { canWork } from './background.ts'
import { compactTree, startCompaction } from '../compaction/compact-tree.ts'
import { openIngest } from '../ingest/tree-ingest.ts'
import { startFlush } from './flush.ts'
import { aggregateFiles } from '../read/aggregate/aggregate-files.ts'
import { aggregateRows } from '../read/aggregate/aggregate-rows.ts'
import { groupRows } from '../read/group-rows.ts'
import { isEmptySpan } from '../read/point/key-span.ts'
import type { TableRuns } from '../read/point/table-runs.ts'
import { openScan } from '../read/scan.ts'
import { isWalkable } from '../read/walk/walk.ts'
import { offerRows } from '../read/top/offer-rows.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import { dropFile, refuseWhenClosed, waitFor } from './tree-state.ts'
import type { TreeState } from './tree-state.ts'
import { treeStats } from './tree-stats.ts'
import type { AggregateRequest, PointFetch, ScanCursor, ScanRequest, Snapshot, Tree, TreeStats, WalkPart, WalkRequest } from '../tree.ts'
import { releaseView, retainView } from './view.ts'
import type { View } from './view.ts'
import { takeCheckpoint } from './snapshot/checkpoint.ts'
import { openOverlay } from './snapshot/overlay.ts'
import { takeSnapshot, TreeSnapshot, viewOf } from './snapshot/tree-snapshot.ts'
import { appendBatch, appendBatchAtOnce, applyLoggedBatch, freeze, logBatchAtOnce } from './write-path.ts'

/** Flushes what is frozen, and then compacts what is to be compacted, in the background. */
export function flushSoonOf(state: TreeState): () => void {
  return () => startFlush(state, () => startCompaction(state))
}

/** `append`: where batches come by other ways, what those of this one are told. */
export function createTree(state: TreeState, append?: Tree['append']): Tree {
  const flushSoon = flushSoonOf(state)
  state.log.onFlushWanted?.(() => {
    if (canWork(state) && freeze(state)) flushSoon()
  })
  // A memtable may have been frozen, and level 0 may have been left full, before this process.
  flushSoon()
  startCompaction(state)
  return Object.assign(new TreeNumbers(state), treeReads(state), {
    append: append ?? ((batch, gate) => appendBatch(state, batch, gate, flushSoon)),
    ...(append === undefined && state.log.appendAtOnce !== undefined && {
      appendAtOnce: (batch: Uint8Array) => appendBatchAtOnce(state, batch, flushSoon),
      logAtOnce: (batch: Uint8Array) => logBatchAtOnce(state, batch),
      applyLogged: (batch: Uint8Array) => applyLoggedBatch(state, batch, flushSoon),
    }),
    admit: (byteLength: number) => admit(state, byteLength),
    // Copies of a shard are what their log says, and who follows a bucket reads its log.
    ...(append === undefined && state.options.claim === undefined && {
      ingest: (tableId: number, treeCount: number) => openIngest(state, tableId, treeCount),
      expectIngest: () => state.options.jobs.prepare?.(state.options.shard),
    }),
    sync: () => state.log.sync(),
    flush: () => flush(state, flushSoon),
    checkpoint: () => takeCheckpoint(state, flushSoon),
    async compact() {
      await flush(state, flushSoon)
      await compactTree(state)
    },
    close: () => closeTree(state),
  })
}

/** A class, since point reads ask one shard after another: accessors of an object literal would make every tree an object of its own kind. */
class TreeNumbers {
  private readonly state: TreeState

  constructor(state: TreeState) {
    this.state = state
  }

  get visibleSequence(): number {
    return this.state.visibleSequence
  }

  get nextSequence(): number {
    return this.state.nextSequence
  }

  get stats(): TreeStats {
    return treeStats(this.state)
  }
}

/** What is the same whoever writes. */
export function treeReads(state: TreeState): Pick<Tree, 'layouts' | 'snapshot' | 'overlay' | 'get' | 'getValue' | 'askNewest' | 'isEmptySpan' | 'scan' | 'walkPart' | 'aggregate' | 'groupedAggregate' | 'topRows'> {
  const layouts: ReadonlyMap<number, TableLayout> = state.layouts
  return {
    layouts,
    snapshot: () => takeSnapshot(state),
    overlay: (below) => openOverlay(state, below),
    get(snapshot, tableId, key, keyBytes, stats, hints) {
      const read = snapshot instanceof TreeSnapshot ? snapshot : undefined
      const found = state.pointReader.get(read === undefined ? state.view : read.view, read === undefined ? state.visibleSequence : read.sequence, tableId, key, keyBytes, stats, hints)
      // Asking again would find no more.
      if (found !== undefined && (found as PointFetch).fetch !== undefined) refuseWhenClosed(state)
      return found
    },
    getValue(snapshot, tableId, key, keyBytes, hints) {
      const read = snapshot instanceof TreeSnapshot ? snapshot : undefined
      return state.pointReader.getValue(read === undefined ? state.view : read.view, read === undefined ? state.visibleSequence : read.sequence, tableId, key, keyBytes, hints)
    },
    askNewest(snapshot, tableId, asked) {
      const read = snapshot instanceof TreeSnapshot ? snapshot : undefined
      return state.pointReader.ask(read === undefined ? state.view : read.view, read === undefined ? state.visibleSequence : read.sequence, tableId, asked)
    },
    isEmptySpan(snapshot, tableId, span) {
      return isEmptySpan(state.options.kernel, viewOf(state, snapshot).view, tableId, span)
    },
    scan: (snapshot, request, stats) => scan(state, snapshot, request, stats),
    walkPart: (snapshot, request) => walkPart(state, snapshot, request),
    aggregate: (snapshot, request, aggregates, stats) => aggregate(state, snapshot, request, aggregates, stats),
    groupedAggregate: (snapshot, request, groups, stats) => visit(state, snapshot, request, (view, sequence, shape) => groupRows(state.options.kernel, view, sequence, shape, request, groups, stats)),
    topRows: (snapshot, request, top, stats) => visit(state, snapshot, request, (view, sequence, shape) => offerRows(state.options.kernel, view, sequence, shape, request, top, stats)),
  }
}

const noRows: ScanCursor = { next: () => Promise.resolve(undefined), close: () => undefined }

function scan(state: TreeState, snapshot: Snapshot, request: ScanRequest, stats: Parameters<Tree['scan']>[2]): ScanCursor {
  refuseWhenClosed(state)
  const { view, sequence } = viewOf(state, snapshot)
  const shape = view.shapes.get(request.tableId)
  if (shape === undefined) return noRows
  retainView(view)
  const cursor = openScan(state.options.kernel, view, sequence, shape, request, stats)
  let isClosed = false
  return {
    next: cursor.next,
    close() {
      if (isClosed) return
      isClosed = true
      cursor.close()
      releaseView(view, (file) => dropFile(state, file))
    },
  }
}

function walkPart(state: TreeState, snapshot: Snapshot, request: WalkRequest): WalkPart | 'nothing' | undefined {
  refuseWhenClosed(state)
  const { view, sequence } = viewOf(state, snapshot), { shape, isNear } = state.pointReader.runsOf(view, request.tableId)
  if (shape === undefined) return 'nothing'
  return isNear && isWalkable(view, request) ? new TreeWalkPart(state, retainView(view), sequence, shape) : undefined
}

/** A class, as snapshots are. */
class TreeWalkPart implements WalkPart {
  readonly view: View
  readonly sequence: number
  readonly shape: RowLayout
  private readonly state: TreeState

  /** Takes over one reference to `view`. */
  constructor(state: TreeState, view: View, sequence: number, shape: RowLayout) {
    this.view = view
    this.sequence = sequence
    this.shape = shape
    this.state = state
  }

  runs(): TableRuns | undefined {
    const { state: { pointReader }, view, shape } = this
    return pointReader.isFreed ? undefined : pointReader.runsOf(view, shape.layout.tableId)
  }

  release(): void {
    releaseView(this.view, (file) => dropFile(this.state, file))
  }
}

async function aggregate(state: TreeState, snapshot: Snapshot, request: ScanRequest, aggregates: readonly AggregateRequest[], stats: Parameters<Tree['aggregate']>[3]): ReturnType<Tree['aggregate']> {
  refuseWhenClosed(state)
  const { view, sequence } = viewOf(state, snapshot)
  const shape: RowLayout | undefined = view.shapes.get(request.tableId)
  // One that is not known, such as one that was dropped just now.
  if (shape === undefined) return aggregates.map(({ function: wanted }) => partialOfNothing(wanted))
  const { kernel } = state.options
  const known = aggregateFiles(kernel, view, sequence, shape, request, aggregates, stats)
  if (known !== undefined) return known
  retainView(view)
  try {
    return await aggregateRows(kernel, view, sequence, shape, request, aggregates, stats)
  } finally {
    releaseView(view, (file) => dropFile(state, file))
  }
}

/** Runs a read over a pinned view; of a table that is not known there is nothing to read. */
async function visit(state: TreeState, snapshot: Snapshot, request: ScanRequest, read: (view: View, sequence: number, shape: RowLayout) => Promise<void>): Promise<void> {
  refuseWhenClosed(state)
  const { view, sequence } = viewOf(state, snapshot)
  const shape = view.shapes.get(request.tableId)
  if (shape === undefined) return
  retainView(view)
  try {
    await read(view, sequence, shape)
  } finally {
    releaseView(view, (file) => dropFile(state, file))
  }
}

async function flush(state: TreeState, flushSoon: () => void): Promise<void> {
  refuseWhenClosed(state)
  const target = state.visibleSequence
  if (target <= state.manifest.flushedSequence) return
  freeze(state)
  const flushed = waitFor(state, target)
  flushSoon()
  await flushed
}

/** Stops background work, makes the log durable and lets go of everything. What was applied and not flushed is in the log. */
export async function closeTree(state: TreeState): Promise<void> {
  const { lanes, log, options: { kernel }, batchScratch } = state
  if (state.isClosed) return
  const closed = new LsmtError('55000', `the tree of shard ${state.options.shard} was closed`)
  state.isClosed = true
  state.closing.abort(closed)
  for (const waiter of state.waiters.splice(0)) waiter.reject(closed)
  await Promise.all([lanes.flush, lanes.background, lanes.compaction, lanes.publish, state.memtables.images.settled()])
  try {
    await log.close()
  } finally {
    releaseView(state.view, (file) => dropFile(state, file))
    while (state.deletions.size > 0) await Promise.all(state.deletions)
    state.active.release()
    for (const { memtable } of state.frozen) memtable.release()
    await state.memtables.images.settled()
    state.pointReader.free()
    for (const shape of state.allShapes) shape.free()
    if (batchScratch.address !== 0) kernel.heap.free(batchScratch.address)
  }
}
