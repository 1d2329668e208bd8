/**
 * Opens the engine over a storage. In this order: the kernels' memory; the format file; all shards' logs and manifests
 * read, nothing changed; the parts of statements judged over all of them; the trees opened with those that count; abort
 * records for the others made durable. Only then is anything flushed, written or served. A disk without room for what
 * has to be written ends the opening (53100).
 */
import { LsmtError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'
import { abortBatch } from '../lsm/batch-builder.ts'
import { isOvertaken } from '../lsm/claim/writer-claim.ts'
import { recoverTree } from '../lsm/open-tree.ts'
import type { RecoveredTree } from '../lsm/open-tree.ts'
import type { Tree } from '../lsm/tree.ts'
import { createDeferred } from '../runtime/deferred.ts'
import type { Random } from '../runtime/random.ts'
import { useOf } from '../storage/storage-counts.ts'
import type { Storage } from '../storage/storage.ts'
import type { Engine } from './engine.ts'
import { createLocalEngine } from './local-engine.ts'
import { checkSettings } from './open/check-settings.ts'
import { openFloor, openKernelFloor } from './open/open-floor.ts'
import type { FloorOptions, OpenFloor } from './open/open-floor.ts'
import { createAdmission } from './shards/admission.ts'
import { checkShardCount, openFormat } from './shards/format-file.ts'
import { partsThatDoNotCount } from './shards/recovery.ts'
import { isLogInBucket, openWriterLogs } from './shards/writer-logs.ts'
import type { WriterLogs } from './shards/writer-logs.ts'

export interface EngineOptions extends FloorOptions {
  readonly random: Random
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
  const kernelFloor = openKernelFloor(options)
  const { kernel } = kernelFloor
  // Each attempt looks first at what stands, and what stands counts.
  const { shards } = await openFormat(storage, kernel, random, settings.shards, options.clock)
  if (options.isShardCountGiven === true) checkShardCount(storage, shards, settings.shards)
  if (options.localLog !== undefined) await flushLogInBucket(options, kernel)
  const floor = openFloor(options, kernelFloor, shards)
  const { room, budget, cache } = floor
  const isOpened = room.beginOpening()
  const close = async (trees: readonly Tree[]): Promise<void> => {
    room.close()
    await logs.leave(trees, async () => {
      const outcomes = await Promise.allSettled(trees.map((tree) => tree.close()))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    })
    await floor.close()
  }
  const giveUp = async (error: unknown): Promise<never> => {
    await floor.close()
    throw error
  }
  const logs = await openWriterLogs({ ...options, kernel, room, shards, rounds: floor.rounds, memtableMemory: floor.memtableMemory }).catch(giveUp)
  const trees = await openTrees(shards, logs, floor, settings.durability === 'sync').catch(async (error: unknown) => {
    const cause = await causeOf(logs, error)
    return await giveUp(cause)
  })
  const admission = createAdmission({ trees, memory: floor.memtableMemory, bytesMax: budget.memtablesBytesMax, clock: options.clock })
  const parts = { kernel, trees, random, rounds: settings.durability === 'memory' ? undefined : floor.rounds, admission, room, logs, readers: floor.readers, statementBytesMax: budget.statementBytesMax, rowBytesMax: budget.rowBytesMax, cacheBytes: () => cache.counts.chunkBytes + cache.counts.scratchBytes, cacheCounts: cache.counts, createTemporary: storage.createTemporary, storage, storageUse: () => useOf(storage, settings, floor.jobs.storageCounts), clock: options.clock, requestLimits: settings, close: () => close(trees) }
  const engine = await createLocalEngine(parts).catch(async (error: unknown) => {
    // What went wrong first is told.
    await close(trees).catch(() => undefined)
    throw await causeOf(logs, error)
  })
  isOpened()
  return engine
}

/** The log of the writers before is in the bucket: before one on a disk begins, what it holds goes to table files. */
async function flushLogInBucket({ localLog, ...options }: EngineOptions, kernel: Kernel): Promise<void> {
  if (localLog === undefined || options.storage.appends || !(await isLogInBucket({ storage: options.storage, kernel }))) return
  const engine = await openEngine({ ...options, leavesFlushed: true })
  await engine.close()
}

/** Whatever else was found wrong, to have been overtaken explains it. What the log failed by is told, not that a write of the opening is in doubt: the next opening finds out. */
function causeOf(logs: WriterLogs, error: unknown): Promise<unknown> {
  const told = error instanceof LsmtError && error.code === '40003' ? error.cause ?? error : error
  return logs.assertStillMine().then(() => told, (found: unknown) => (isOvertaken(found) ? found : told))
}

/** `isSynced`: what is durable as set is on disk. */
async function openTrees(shardCount: number, logs: WriterLogs, floor: OpenFloor, isSynced: boolean): Promise<readonly Tree[]> {
  const trees: Tree[] = []
  // Resolved when the abort records are durable. Trees that publish nothing do not ask; a failure is thrown by the opening.
  const aborts = createDeferred()
  const beforePublish = async (): Promise<void> => {
    await aborts.promise
    // A part is applied once all are durable as set. Where that is less than on disk, the logs are synced before a
    // part stands in a table file: a manifest that has passed it says to recovery that all of them are there.
    if (!isSynced) await Promise.all(trees.map((tree) => tree.sync()))
  }
  const recovered = await Promise.all(Array.from({ length: shardCount }, (_, shard) => {
    const options = floor.treeOptions(shard)
    return recoverTree({ ...options, beforePublish, ...logs.treeOptions(options) })
  }))
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
