/**
 * The engine of one node: tables by schema over the shards' trees, all dispatched by this thread.
 *
 * A statement that writes is appended to all its shards in one synchronous step, and that step looks last whether the
 * database is open and the table still there; so DDL needs no lock: a DROP marks the table first, and what was
 * appended before it stands before it in every log.
 */
import { LsmtError } from '../errors.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { HeapBudget } from '../kernel/grouping/limited-heap.ts'
import type { DiskRoom } from '../lsm/disk-room.ts'
import type { LogRounds } from '../lsm/log/rounds/log-rounds.ts'
import { createReaders } from '../lsm/readers/readers.ts'
import type { Readers } from '../lsm/readers/readers.ts'
import type { Tree } from '../lsm/tree.ts'
import { systemClock } from '../runtime/clock.ts'
import type { Clock } from '../runtime/clock.ts'
import { systemTurns } from '../runtime/pace.ts'
import type { Turns } from '../runtime/pace.ts'
import type { Random } from '../runtime/random.ts'
import { defaultDatabaseSettings } from '../settings.ts'
import { zeroCounts } from '../storage/storage-counts.ts'
import type { StorageUse } from '../storage/storage-counts.ts'
import type { Storage } from '../storage/storage.ts'
import { createTextReader } from './codec/text-reader.ts'
import type { Engine } from './engine.ts'
import type { CacheCounts, EngineStats } from './engine-stats.ts'
import { createRequests } from './requests/requests.ts'
import type { RequestLimits } from './requests/requests.ts'
import { createReads } from './session/reads.ts'
import { takeRequest } from './session/recording.ts'
import type { RecordingFloor } from './session/recording.ts'
import { beginTransaction } from './session/transaction.ts'
import { createWrites } from './session/writes.ts'
import type { Admission } from './shards/admission.ts'
import { createSpillFile } from './spill/spill-file.ts'
import type { CreateTemporary } from './spill/spill-file.ts'
import { storeEngineCheckpoint, takeEngineCheckpoint } from './shards/checkpoint.ts'
import { createCommitter } from './shards/commit.ts'
import type { Committer } from './shards/commit.ts'
import type { WriterLogs } from './shards/writer-logs.ts'
import type { TableSchema } from './schema.ts'
import { createKeyScratch } from './shards/key-scratch.ts'
import { takeShardSnapshot } from './shards/shard-snapshot.ts'
import type { ShardSnapshot } from './shards/shard-snapshot.ts'
import type { Shards } from './shards/shards.ts'
import { openTables } from './tables/tables.ts'
import type { Tables } from './tables/tables.ts'
import { createColumnInserter } from './write/columns/insert-columns.ts'
import { commitAdmitted, decidedLocks, releaseDecided } from './write/commit-admitted.ts'
import type { CommitFloor } from './write/commit-admitted.ts'
import { createQuickPuts } from './write/quick-put.ts'
import { createStatementBuilder } from './write/statement.ts'
import type { Writer } from './write/writer.ts'

/** What an engine stands on. */
export interface LocalEngineParts {
  readonly kernel: Kernel
  /** By shard, recovered. */
  readonly trees: readonly Tree[]
  readonly random: Random
  /** How a view of all shards is taken; by default in one synchronous step, of trees that all are written here. */
  readonly snapshot?: () => ShardSnapshot
  /** Of the trees' logs, where writes wait for them. By default every statement is appended by itself. */
  readonly rounds?: LogRounds | undefined
  readonly admission: Admission
  readonly room: DiskRoom
  /** By default on a disk, where every write tells what came of it. */
  readonly logs?: Pick<WriterLogs, 'logOn' | 'journal' | 'doubt' | 'assertStillMine'>
  /** A row with more bytes is 54000: background work could not rewrite it. */
  readonly rowBytesMax?: number
  /** A statement with more bytes is 54000; by default an eighth of the kernel's memory. */
  readonly statementBytesMax?: number
  readonly cacheBytes: () => number
  readonly cacheCounts: CacheCounts
  readonly createTemporary: CreateTemporary
  /** By default there are none. */
  readonly readers?: Readers
  /** Where the trees' files are; without it there are no checkpoints. */
  readonly storage?: Storage
  /** By default nothing is counted. */
  readonly storageUse?: () => StorageUse
  /** By default the event loop's. */
  readonly turns?: Turns
  /** By default the system's; it tells how old records of requests are. */
  readonly clock?: Clock
  readonly requestLimits?: RequestLimits
  /** What all aggregations by group of the process may use together; by default a sixth of the kernel's memory for this engine alone. */
  readonly groupBudget?: HeapBudget
  /** Why nothing is written now, while what is under way goes on; undefined: it is. */
  readonly refusal?: () => LsmtError | undefined
  /** What calls get once it is closed; by default 55000. */
  readonly closed?: () => LsmtError | undefined
  /** Closes the trees and what they stand on. */
  readonly close: () => Promise<void>
}

/** An engine over open trees. Reads the catalog, or makes it the first time. */
export async function createLocalEngine(parts: LocalEngineParts): Promise<Engine> {
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw parts.closed?.() ?? new LsmtError('55000', 'the database is closed')
  }
  const { kernel, trees } = parts
  const keys = createKeyScratch(kernel, trees.length), strings = createTextReader(kernel)
  const readers = parts.readers ?? createReaders({ kernel, clock: systemClock, regions: [], rowsMin: 0, pinnedBytesMax: 0 })
  const groupBudget: HeapBudget = parts.groupBudget ?? { bytesMax: Math.floor(kernel.heap.byteLength / 6), usedBytes: 0 }
  const committer = createCommitter(trees, parts.random, parts.rounds)
  const shards: Shards = { kernel, trees, keys, texts: strings, snapshot: parts.snapshot ?? (() => takeShardSnapshot(trees, committer)), newest: () => undefined, assertOpen, groupBudget, turns: parts.turns ?? systemTurns, readers }
  const floor: CommitFloor = { trees, committer, admission: parts.admission, assertOpen, room: parts.room, doubt: parts.logs?.doubt, refusal: parts.refusal }
  const rowLengthMax = parts.rowBytesMax ?? kernel.heap.byteLength / 16
  const writer: Writer = {
    shards,
    builder: createStatementBuilder(kernel.memory, keys, trees.length, rowLengthMax),
    rowLengthMax,
    statementBytesMax: parts.statementBytesMax ?? kernel.heap.byteLength / 8,
    locksOf: (access) => decidedLocks(access.state.locks, parts.logs?.doubt),
    afterDoubt: (run) => releaseDecided(parts.logs?.doubt, run),
    commit: (access, statement, _rowCount) => commitAdmitted(floor, [access], statement),
  }
  const spillFile: Engine['spillFile'] = (use, stats) => {
    assertOpen()
    return createSpillFile(parts.createTemporary, kernel, use, stats)
  }
  const texts = createColumnInserter()
  const tables = await openTables(writer)

  const recording: RecordingFloor = { writer, floor, tables, texts, spillFile, requests: createRequests(writer, parts.clock ?? systemClock, parts.requestLimits ?? defaultDatabaseSettings), engine: () => engine }

  const engine: Engine = {
    ...catalogPart(tables),
    ...createReads(shards, tables),
    ...createWrites(writer, tables, texts, createQuickPuts(floor, { memory: kernel.memory, scratch: keys, rowLengthMax })),
    begin: (written) => beginTransaction(recording, written),
    request: (key) => takeRequest(recording, key),
    catalogVersion: tables.version,
    collectRows: (table, given) => texts.collect(shards, tables.access(table), given),
    ...(trees.every((tree) => tree.ingest !== undefined) && {
      ingestStaged: (staged: TableSchema) => texts.ingest(shards, tables.access(staged)),
      expectIngest: () => { for (const tree of trees) tree.expectIngest?.() },
    }),
    spillFile,
    ...filesPart(parts, committer, assertOpen),
    usdPerRead: parts.storageUse?.().usdPerRead ?? 0,
    ...(parts.logs !== undefined && { assertWriter: parts.logs.assertStillMine }),
    stats: () => engineStats(parts, readers),
    async close() {
      if (isClosed) return
      isClosed = true
      committer.flush()
      await parts.close()
      texts.free()
      keys.free()
      strings.free()
    },
  }
  return engine
}

function filesPart({ kernel, trees, storage, random, clock = systemClock }: LocalEngineParts, committer: Committer, assertOpen: () => void): Pick<Engine, 'flush' | 'compact' | 'checkpoint' | 'storeCheckpoint'> {
  const stored = (): Storage => {
    assertOpen()
    if (storage === undefined) throw new LsmtError('0A000', 'a checkpoint of what is in no storage is not supported')
    return storage
  }
  return {
    async flush() {
      assertOpen()
      await Promise.all(trees.map((tree) => tree.flush()))
    },
    async compact() {
      assertOpen()
      await Promise.all(trees.map((tree) => tree.compact()))
    },
    async checkpoint() {
      return await takeEngineCheckpoint(kernel, stored(), trees, committer)
    },
    async storeCheckpoint(options) {
      return await storeEngineCheckpoint({ kernel, storage: stored(), clock, random, trees, committer }, options)
    },
  }
}

function catalogPart(tables: Tables): Pick<Engine, 'tables' | 'table' | 'createTable' | 'dropTable' | 'alterTable' | 'truncateTable' | 'catalogSettled' | 'stageTable' | 'publishStaged' | 'dropStaged'> {
  return { tables: tables.list, table: tables.find, createTable: (table) => tables.create(table), dropTable: (name) => tables.drop(name), alterTable: (name, change) => tables.alter(name, change), truncateTable: (name) => tables.truncate(name), catalogSettled: tables.settled, stageTable: tables.stage, publishStaged: (staged, table, mode) => tables.publishStaged(staged, table, mode), dropStaged: tables.dropStaged }
}

function engineStats({ kernel, trees, cacheBytes, cacheCounts: { hits, misses, evictions }, admission, room, logs, storageUse }: LocalEngineParts, readers: Readers): EngineStats {
  return {
    shards: trees.map((tree) => tree.stats),
    cacheBytes: cacheBytes(),
    cache: { hits, misses, evictions },
    admission: { ...admission.counts },
    disk: { refusal: room.refusal?.message, ...room.counts },
    readers: readers.stats,
    ...(logs?.doubt?.refusal !== undefined && { doubt: logs.doubt.refusal.message }),
    ...(logs?.journal !== undefined && { journal: logs.journal }),
    logOn: logs?.logOn ?? 'disk',
    storage: storageUse?.() ?? { counts: zeroCounts(), estimatedUsd: 0, usdPerRead: 0 },
    kernelMemoryBytes: { reserved: kernel.memory.byteLength, used: kernel.heap.usedBytes },
  }
}
