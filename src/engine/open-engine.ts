/**
 * Opens the engine over a storage. In this order: the kernels' memory; the format file; all shards' logs and manifests
 * read, nothing changed; the parts of statements judged over all of them; the trees opened with those that count; abort
 * records for the others made durable. Only then is anything flushed, written or served.
 */
import type { Kernel } from '../kernel/kernel.ts'
import { reserveLinearMemory } from '../kernel/linear-memory.ts'
import { openKernel } from '../kernel/open-kernel.ts'
import type { HeapRegion } from '../kernel/open-kernel.ts'
import { abortBatch } from '../lsm/batch-builder.ts'
import { isOvertaken } from '../lsm/claim/writer-claim.ts'
import { createInlineRunner } from '../lsm/compaction/inline-runner.ts'
import { createDiskRoom } from '../lsm/disk-room.ts'
import type { DiskRoom } from '../lsm/disk-room.ts'
import type { JobRunner } from '../lsm/compaction/job.ts'
import { createRunnerPool } from '../lsm/compaction/runner-pool.ts'
import { createWorkerRunner } from '../lsm/compaction/worker-runner.ts'
import { createLogRounds } from '../lsm/log/rounds.ts'
import type { LogRounds } from '../lsm/log/rounds.ts'
import { createReaders } from '../lsm/readers/readers.ts'
import { recoverTree } from '../lsm/open-tree.ts'
import type { RecoveredTree } from '../lsm/open-tree.ts'
import { createMemtableMemory } from '../lsm/state/memtable-memory.ts'
import { createChunkCache } from '../lsm/table/chunk-cache.ts'
import type { TreeOptions } from '../lsm/state/tree-state.ts'
import type { Tree } from '../lsm/tree.ts'
import type { Clock } from '../runtime/clock.ts'
import { createDeferred } from '../runtime/deferred.ts'
import type { Random } from '../runtime/random.ts'
import type { DatabaseSettings, TreeSettings } from '../settings.ts'
import type { StorageAddress } from '../storage/open-storage.ts'
import { useOf } from '../storage/storage-counts.ts'
import type { Storage } from '../storage/storage.ts'
import { checkSettings } from './check-settings.ts'
import type { Engine } from './engine.ts'
import { createLocalEngine } from './local-engine.ts'
import { divideMemory, memoryBudget } from './memory-budget.ts'
import { createAdmission } from './shards/admission.ts'
import { checkShardCount, openFormat } from './shards/format-file.ts'
import { partsThatDoNotCount } from './shards/recovery.ts'
import { isLogInBucket, openWriterLogs } from './shards/writer-logs.ts'
import type { WriterLogs } from './shards/writer-logs.ts'

export interface EngineOptions {
  /** Stays open when the engine is closed. */
  readonly storage: Storage
  readonly settings: DatabaseSettings
  readonly clock: Clock
  readonly random: Random
  /** Where the storage is, so that worker threads can open their own; absent = no workers. */
  readonly storageAddress?: StorageAddress
  /** The number of shards was asked for, not a default: it must be the database's. */
  readonly isShardCountGiven?: boolean
  /**
   * A storage on a local disk for the log, where `storage` is a bucket: writes are acknowledged sooner, and what is not
   * flushed is lost with that disk. The database can be opened elsewhere once it was closed. Stays open.
   */
  readonly localLog?: Storage
  /** Closing leaves all in table files and nothing in the log. A writer with a local log does so in any case. */
  readonly leavesFlushed?: boolean
  /** false: 55006 when a bucket's last writer has not ended by itself, and so may still be there. Default true: it is taken over from. */
  readonly mayTakeOver?: boolean
}

export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { storage, settings, random } = options
  checkSettings(settings)
  const memory = reserveLinearMemory(settings.kernelMemoryBytes)
  const regions = divideMemory(memory.byteLength, options.storageAddress === undefined ? 0 : settings.workers, settings.readers)
  const kernel = openKernel(settings.kernels, memory, regions.serving)
  // Each attempt looks first at what stands, and what stands counts.
  const { shards } = await openFormat(storage, kernel, random, settings.shards, options.clock)
  if (options.isShardCountGiven === true) checkShardCount(storage, shards, settings.shards)
  if (options.localLog !== undefined) await flushLogInBucket(options, kernel)
  const budget = memoryBudget(regions, settings, shards)
  const cache = createChunkCache(kernel.heap, budget.cacheBytes)
  const memtableMemory = createMemtableMemory(cache.evict)
  const room = createDiskRoom(storage, options.clock)
  const rounds = createLogRounds()
  // A scan's row groups that nobody is through with may hold an eighth of the cache.
  const readers = createReaders({ kernel, clock: options.clock, regions: regions.readers, rowsMin: settings.readerRowsMin, pinnedBytesMax: Math.floor(budget.cacheBytes / 8) })
  const jobs = openJobRunner(options, kernel, cache, regions.workers)
  const close = async (trees: readonly Tree[]): Promise<void> => {
    room.close()
    await logs.leave(trees, async () => void (await Promise.all(trees.map((tree) => tree.close()))))
    await Promise.all([jobs.close(), readers.close()])
  }
  const giveUp = async (error: unknown): Promise<never> => {
    room.close()
    await jobs.close()
    throw error
  }
  const logs = await openWriterLogs({ ...options, kernel, room, shards }).catch(giveUp)
  const trees = await openTrees(options, shards, logs, { kernel, cache, jobs, room, rounds, memtableMemory, settings: { ...settings.tree, memtableBytesMax: budget.memtableBytesMax } }).catch(async (error: unknown) => {
    const cause = await causeOf(logs, error)
    return await giveUp(cause)
  })
  const admission = createAdmission({ trees, memory: memtableMemory, bytesMax: budget.memtablesBytesMax, clock: options.clock })
  const parts = { kernel, trees, random, rounds: settings.durability === 'memory' ? undefined : rounds, admission, room, logs, readers, statementBytesMax: budget.statementBytesMax, rowBytesMax: budget.rowBytesMax, cacheBytes: () => cache.counts.chunkBytes + cache.counts.scratchBytes, cacheCounts: cache.counts, createTemporary: storage.createTemporary, storage, storageUse: () => useOf(storage, settings, jobs.storageCounts), clock: options.clock, requestLimits: settings, close: () => close(trees) }
  return createLocalEngine(parts).catch(async (error: unknown) => {
    // What went wrong first is told.
    await close(trees).catch(() => undefined)
    throw await causeOf(logs, error)
  })
}

/** The log of the writers before is in the bucket: before one on a disk begins, what it holds goes to table files. */
async function flushLogInBucket({ localLog, ...options }: EngineOptions, kernel: Kernel): Promise<void> {
  if (localLog === undefined || options.storage.appends || !(await isLogInBucket({ storage: options.storage, kernel }))) return
  const engine = await openEngine({ ...options, leavesFlushed: true })
  await engine.close()
}

/** Whatever else was found wrong, to have been overtaken explains it. */
function causeOf(logs: WriterLogs, error: unknown): Promise<unknown> {
  return logs.assertStillMine().then(() => error, (found: unknown) => (isOvertaken(found) ? found : error))
}

/** Workers, each on its own part of the memory, share the shards; without any, jobs run in slices on this thread. */
function openJobRunner({ storage, settings, clock, storageAddress }: EngineOptions, kernel: Kernel, cache: TreeOptions['cache'], regions: readonly HeapRegion[]): JobRunner {
  const inline = createInlineRunner({ storage, kernel, cache, clock, sliceMsMax: settings.tree.sliceMsMax })
  if (regions.length === 0 || storageAddress === undefined) return inline
  return createRunnerPool(regions.map((region) => createWorkerRunner({ memory: kernel.memory.wasm, region, kernelKind: kernel.kind, cacheBytesMax: Math.floor(region.byteLength / 2), storageAddress, fallback: inline, onKept: storage.noteKept })))
}

interface TreeFloor {
  readonly kernel: Kernel
  readonly cache: TreeOptions['cache']
  readonly jobs: JobRunner
  readonly room: DiskRoom
  readonly rounds: LogRounds
  readonly memtableMemory: TreeOptions['memtableMemory']
  readonly settings: TreeSettings
}

async function openTrees({ storage, settings, clock }: EngineOptions, shardCount: number, logs: WriterLogs, floor: TreeFloor): Promise<readonly Tree[]> {
  const trees: Tree[] = []
  // Resolved when the abort records are durable. Trees that publish nothing do not ask; a failure is thrown by the opening.
  const aborts = createDeferred()
  const beforePublish = async (): Promise<void> => {
    await aborts.promise
    // A part is applied once all are durable as set. Where that is less than on disk, the logs are synced before a
    // part stands in a table file: a manifest that has passed it says to recovery that all of them are there.
    if (settings.durability !== 'sync') await Promise.all(trees.map((tree) => tree.sync()))
  }
  const recovered = await Promise.all(Array.from({ length: shardCount }, (_, shard) =>
    recoverTree({ storage, kernel: floor.kernel, cache: floor.cache, jobs: floor.jobs, room: floor.room, rounds: floor.rounds, memtableMemory: floor.memtableMemory, settings: floor.settings, shard, durability: settings.durability, syncIntervalMs: settings.syncIntervalMs, clock, beforePublish, ...logs.treeOptions({ kernel: floor.kernel, shard, settings: floor.settings, durability: settings.durability, syncIntervalMs: settings.syncIntervalMs, clock, room: floor.room, rounds: floor.rounds }) })))
  await logs.assertStillMine()
  const lost = partsThatDoNotCount(recovered)
  try {
    trees.push(...(await openRecovered(recovered, lost, logs.logOn === 'bucket')))
    await writeAborts(trees, recovered, lost)
    aborts.resolve()
    return trees
  } catch (error) {
    aborts.reject(error)
    await closeAll(trees)
    throw error
  }
}

/** One after the other, but side by side where all read the same log, so that each object of it is read once. */
async function openRecovered(recovered: readonly RecoveredTree[], lost: readonly ReadonlySet<string>[], isLogShared: boolean): Promise<readonly Tree[]> {
  const open = (each: RecoveredTree, shard: number): Promise<Tree> => each.open((part) => !lost[shard]!.has(part.transactionId))
  const outcomes: PromiseSettledResult<Tree>[] = []
  const atOnce = isLogShared ? recovered.length : 1
  for (let shard = 0; shard < recovered.length && outcomes.at(-1)?.status !== 'rejected'; shard += atOnce) {
    outcomes.push(...(await Promise.allSettled(recovered.slice(shard, shard + atOnce).map((each, i) => open(each, shard + i)))))
  }
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  const trees = outcomes.filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value)
  if (failed === undefined) return trees
  await closeAll(trees)
  throw failed.reason
}

/** Makes an abort record durable in each log that holds parts that do not count and has none yet. */
async function writeAborts(trees: readonly Tree[], recovered: readonly RecoveredTree[], lost: readonly ReadonlySet<string>[]): Promise<void> {
  await Promise.all(trees.map(async (tree, shard) => {
    const missing = [...lost[shard]!].filter((transactionId) => !recovered[shard]!.aborted.has(transactionId))
    if (missing.length === 0) return
    await tree.append(abortBatch(missing.map((transactionId) => Buffer.from(transactionId, 'hex')))).applied
    await tree.sync()
  }))
}

async function closeAll(trees: readonly Tree[]): Promise<void> {
  await Promise.allSettled(trees.map((tree) => tree.close()))
}
