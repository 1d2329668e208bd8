/** What one open tree holds, and how its view is replaced. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Durability, TreeSettings } from '../../settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { JobRunner } from '../compaction/job.ts'
import type { DiskRoom } from '../disk-room.ts'
import type { TableLayout } from '../layout.ts'
import type { ListedShard } from '../claim/listed-shards.ts'
import type { WriterClaim } from '../claim/writer-claim.ts'
import type { Log } from '../log/log.ts'
import type { LogSource } from '../log/log-source.ts'
import type { LogRounds } from '../log/rounds/log-rounds.ts'
import { outcomeOf } from '../log/outcome.ts'
import type { ManifestState } from '../manifest.ts'
import type { Memtable, MemtableOptions } from './memtable.ts'
import { deleteUnpinned } from '../pins/file-pins.ts'
import type { FilePins } from '../pins/file-pins.ts'
import type { MemtableMemory } from './memtable-memory.ts'
import type { PointReader } from '../read/point/point-read.ts'
import { createRowLayout } from '../keys/row-layout.ts'
import type { RowLayout } from '../keys/row-layout.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'
import { tableFileName } from '../table/table-file-name.ts'
import type { CommitGate } from '../tree.ts'
import type { TableFile, Version } from './version.ts'
import { createView, releaseView } from './view.ts'
import type { View } from './view.ts'

export interface TreeOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly settings: TreeSettings
  readonly shard: number
  readonly durability: Durability
  readonly syncIntervalMs: number
  readonly clock: Clock
  readonly jobs: JobRunner
  /** Shared by the trees on one disk. */
  readonly room: DiskRoom
  /** Shared by the trees of one database. By default a tree's log keeps its own. */
  readonly rounds?: LogRounds | undefined
  /** Shared by the trees of one linear memory. */
  readonly memtableMemory: MemtableMemory
  /**
   * Awaited before a manifest that advances `flushedSequence` is published: the engine syncs all shards' logs here, so
   * that no part of a multi-shard statement stands in a table file while another is not durable.
   */
  readonly beforePublish: () => Promise<void>
  /** Where its log is; absent: segments in `storage`. */
  readonly log?: LogSource
  /** By which this process is the writer; absent where storage lets only one process open it. */
  readonly claim?: WriterClaim
  /** What was listed of the shard after the claim, for its opening. */
  readonly listed?: ListedShard
  /** Table files that must stay though no version names them; absent: none. */
  readonly pins?: FilePins
  /** Called once, when writes end for good. */
  readonly onFailure?: (error: Error) => void
  /** Whoever only reads deletes nothing: the files are those of a writer elsewhere. */
  readonly keepsFiles?: true
}

/** A memtable that waits for its flush, with the tables as they were when it was frozen. */
export interface FrozenMemtable {
  readonly memtable: Memtable
  readonly minSequence: number
  readonly maxSequence: number
  readonly layouts: readonly TableLayout[]
  readonly maxTableId: number
}

/** An appended batch on its way to the memtable. */
export interface PendingBatch {
  readonly batch: Uint8Array
  readonly baseSequence: number
  readonly gate: CommitGate | undefined
  isReady: boolean
  isApplied: boolean
  /** Set for batches that became ready before those ahead of them. */
  applied: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
}

export interface Waiter {
  /** Waits for `flushedSequence` to reach it; -1 = for any change of files and memtables. */
  readonly sequence: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export interface TreeCounters {
  flushes: number
  compactions: number
  trivialMoves: number
  bytesFlushed: number
  bytesIngested: number
  bytesCompacted: number
  stalledSlowMs: number
  stalledStopMs: number
}

export interface TreeState {
  readonly options: TreeOptions
  readonly log: Log
  readonly pointReader: PointReader
  readonly counters: TreeCounters
  /** The tables as of the newest applied operation. */
  readonly layouts: Map<number, TableLayout>
  readonly shapes: Map<number, RowLayout>
  /** Every shape ever made: views keep using replaced ones. */
  readonly allShapes: RowLayout[]
  maxTableId: number
  view: View
  active: Memtable
  /** What the next ones are made with. */
  readonly memtables: MemtableOptions
  /** Oldest first. */
  frozen: FrozenMemtable[]
  manifest: ManifestState
  nextFileNumber: number
  nextSequence: number
  visibleSequence: number
  readonly pending: PendingBatch[]
  waiters: Waiter[]
  /** Ends writes; reads go on. */
  failure: Error | undefined
  /** See TreeStats. */
  background: string | undefined
  /** The last flush failed with this and is tried again. */
  flushFailure: Error | undefined
  readonly closing: AbortController
  /** That `closing` was aborted, which each read and write asks: the signal's accessors would take as long as a lookup. */
  isClosed: boolean
  /** Each settles when its kind of work has come to rest. */
  readonly lanes: { publish: Promise<unknown>; ingesting: boolean; flush: Promise<void> | undefined; compaction: Promise<unknown>; compacting: boolean; compactionWanted: boolean; background: Promise<unknown> }
  readonly deletions: Set<Promise<void>>
  /** Where batches are copied to for the kernel. */
  readonly batchScratch: { address: number; byteLength: number }
}

/** Makes a view of the tree's memtables, shapes and `version`, and lets go of the one before. */
export function replaceView(state: TreeState, version: Version = state.view.version): void {
  const memtables = [state.active, ...state.frozen.map(({ memtable }) => memtable).reverse()]
  const before = state.view
  state.view = createView({ memtables, version, shapes: new Map(state.shapes) })
  releaseView(before, (file) => dropFile(state, file))
}

/** A file that no version names any more. */
export function dropFile(state: TreeState, file: TableFile): void {
  const { storage, shard, pins, keepsFiles } = state.options
  // A closing tree lets go of files that its manifest names; what is obsolete goes when it is opened next.
  const isObsolete = !state.isClosed && keepsFiles !== true
  const name = tableFileName(shard, file.meta.fileNumber)
  const deletion = file.reader.close().then(() => (isObsolete ? deleteUnpinned(storage, pins, name) : undefined))
  track(state, deletion, `deleting table file ${file.meta.fileNumber}`)
}

/** Awaited by `close`; a failure is kept for the stats. */
export function track(state: TreeState, work: Promise<void>, what: string): void {
  const tracked: Promise<void> = work.catch((error: unknown) => noteTrouble(state, what, error)).finally(() => state.deletions.delete(tracked))
  state.deletions.add(tracked)
}

export function noteTrouble(state: TreeState, what: string, error: unknown): void {
  state.background = `${what}: ${error instanceof Error ? error.message : String(error)}`
}

/** Makes a table known, or known with more columns. */
export function defineTable(state: TreeState, layout: TableLayout): void {
  const shape = createRowLayout(state.options.kernel, layout)
  state.allShapes.push(shape)
  state.layouts.set(layout.tableId, layout)
  state.shapes.set(layout.tableId, shape)
  state.maxTableId = Math.max(state.maxTableId, layout.tableId)
}

export function dropTable(state: TreeState, tableId: number): void {
  state.layouts.delete(tableId)
  state.shapes.delete(tableId)
}

/** Ends writes for good: whoever waits is told why. */
export function poison(state: TreeState, cause: unknown): void {
  const isFirst = state.failure === undefined
  const failure = (state.failure ??= cause instanceof Error ? cause : new LsmtError('XX000', `internal error: ${String(cause)}`))
  if (isFirst) state.options.onFailure?.(failure)
  for (const entry of state.pending.splice(0)) entry.applied?.reject(outcomeOf(failure))
  for (const waiter of state.waiters.splice(0)) waiter.reject(failure)
}

/** Wakes those who wait for flushes or for relief. */
export function wake(state: TreeState): void {
  const woken = state.waiters.filter(({ sequence }) => sequence <= state.manifest.flushedSequence)
  state.waiters = state.waiters.filter((waiter) => !woken.includes(waiter))
  for (const waiter of woken) waiter.resolve()
}

export function waitFor(state: TreeState, sequence: number): Promise<void> {
  if (state.failure !== undefined) return Promise.reject(state.failure)
  return new Promise((resolve, reject) => {
    state.waiters.push({ sequence, resolve, reject })
  })
}

export function refuseWhenClosed(state: TreeState): void {
  if (state.isClosed) throw new LsmtError('55000', `the tree of shard ${state.options.shard} is closed`)
}
