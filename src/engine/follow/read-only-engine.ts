/** The engine of a node that only reads: what the follower shows, and a refusal (25006) of all that writes. */
import { LsmtError } from '../../errors.ts'
import type { HeapBudget } from '../../kernel/grouping/limited-heap.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { DiskRoom } from '../../lsm/disk-room.ts'
import { readOnlyRefusal } from '../../lsm/follow/followed-tree.ts'
import type { Follower } from '../../lsm/follow/follower.ts'
import type { Readers } from '../../lsm/readers/readers.ts'
import type { Clock } from '../../runtime/clock.ts'
import { systemTurns } from '../../runtime/pace.ts'
import type { Engine, EngineSnapshot } from '../engine.ts'
import type { CacheCounts, EngineStats } from '../engine-stats.ts'
import { createReads } from '../session/reads.ts'
import type { EngineReads } from '../session/reads.ts'
import { beginTransaction } from '../session/transaction.ts'
import { createKeyScratch } from '../shards/key-scratch.ts'
import { catalogShard } from '../tables/catalog.ts'
import type { Shards } from '../shards/shards.ts'
import { createSpillFile } from '../spill/spill-file.ts'
import type { CreateTemporary } from '../spill/spill-file.ts'
import { createColumnInserter } from '../write/columns/insert-columns.ts'
import { createStatementBuilder } from '../write/statement.ts'
import type { Writer } from '../write/writer.ts'
import { readRenewing, scanRenewing, takeFollowedSnapshot } from './followed-snapshot.ts'
import type { Renewing } from './followed-snapshot.ts'
import { createFollowedTables } from './followed-tables.ts'
import type { SnapshotPins } from './snapshot-pins.ts'
import type { StorageUse } from '../../storage/storage-counts.ts'

export interface ReadOnlyParts {
  readonly kernel: Kernel
  readonly follower: Follower
  readonly pins: SnapshotPins
  readonly clock: Clock
  readonly readers: Readers
  readonly room: DiskRoom
  readonly createTemporary: CreateTemporary
  readonly cacheBytes: () => number
  readonly cacheCounts: CacheCounts
  readonly storageUse: () => StorageUse
  /** Closes what the follower stands on, after it. */
  readonly close: () => Promise<void>
}

const refuse = (): Promise<never> => Promise.reject(readOnlyRefusal())

/** Resolves when what the writer has written is visible. */
export async function openReadOnlyEngine(parts: ReadOnlyParts): Promise<Engine> {
  const { kernel, follower, readers, pins, clock } = parts
  const { trees } = follower
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw new LsmtError('55000', 'the database is closed')
  }
  const keys = createKeyScratch(kernel, trees.length)
  const floor = { trees, manifests: () => follower.manifests }
  const groupBudget: HeapBudget = { bytesMax: Math.floor(kernel.heap.byteLength / 6), usedBytes: 0 }
  const shards: Shards = { kernel, trees, keys, snapshot: () => takeFollowedSnapshot(floor, pins, clock.monotonicMs), newest: () => undefined, assertOpen, groupBudget, turns: systemTurns, readers }
  const { tables, prepare } = createFollowedTables(shards)
  await follower.open((next) => prepare(next[catalogShard]!))
  const texts = createColumnInserter()
  const spillFile: Engine['spillFile'] = (use, stats) => {
    assertOpen()
    return createSpillFile(parts.createTemporary, kernel, use, stats)
  }
  const begin = beginReading(shards, tables, texts, spillFile, parts)
  return {
    tables: tables.list,
    table: tables.find,
    get catalogVersion() { return tables.version },
    catalogSettled: tables.settled,
    ...renewingReads(createReads(shards, tables), follower),
    ...refusals,
    begin,
    spillFile,
    isReadOnly: true,
    usdPerRead: parts.storageUse().usdPerRead,
    refresh: follower.refresh,
    stats: () => statsOf(parts),
    async close() {
      if (isClosed) return
      isClosed = true
      await Promise.all([pins.close(), follower.close()])
      await Promise.all(trees.map((tree) => tree.close()))
      await parts.close()
      texts.free()
      keys.free()
    },
  }
}

const refusals = {
  createTable: refuse, dropTable: refuse, alterTable: refuse, truncateTable: refuse,
  insert: refuse, insertText: refuse, insertColumns: refuse, insertOrUpdate: refuse, update: refuse, updateWhere: refuse, deleteWhere: refuse, write: refuse, deleteRange: refuse,
  stageTable: refuse, publishStaged: refuse, dropStaged: refuse, request: refuse,
  flush: refuse, compact: refuse, checkpoint: refuse, storeCheckpoint: refuse,
} satisfies Partial<Engine>

function renewingReads(reads: EngineReads, renewing: Renewing): EngineReads {
  /** What is in memory is answered in this step. */
  function readAtOnce<T>(given: EngineSnapshot | undefined, read: () => T | Promise<T>): T | Promise<T> {
    const found = read()
    if (!(found instanceof Promise)) {
      if (given !== undefined && 'isUsed' in given) given.isUsed = true
      return found
    }
    let first: typeof found | undefined = found
    return readRenewing(renewing, given, () => {
      const again = first ?? read()
      first = undefined
      return again
    })
  }
  return {
    snapshot: reads.snapshot,
    get: (given, ...rest) => readAtOnce(given, () => reads.get(given, ...rest)),
    getMany: (given, ...rest) => readAtOnce(given, () => reads.getMany(given, ...rest)),
    scan: (given, ...rest) => scanRenewing(renewing, given, () => reads.scan(given, ...rest)),
    aggregate: (given, ...rest) => readRenewing(renewing, given, () => reads.aggregate(given, ...rest)),
    groupedAggregate: (given, ...rest) => scanRenewing(renewing, given, () => reads.groupedAggregate(given, ...rest)),
    topRows: (given, ...rest) => readRenewing(renewing, given, () => reads.topRows(given, ...rest)),
  }
}

/** Transactions that write nothing. */
function beginReading(shards: Shards, tables: ReturnType<typeof createFollowedTables>['tables'], texts: ReturnType<typeof createColumnInserter>, spillFile: Engine['spillFile'], { kernel, follower: { trees }, room }: ReadOnlyParts): Engine['begin'] {
  const rowLengthMax = kernel.heap.byteLength / 16
  const writer: Writer = { shards, builder: createStatementBuilder(kernel.memory, shards.keys, trees.length, rowLengthMax), rowLengthMax, statementBytesMax: rowLengthMax, locksOf: (access) => access.state.locks, afterDoubt: (run) => run(), commit: refuse }
  const committer = { commit: refuse, halfVisible: () => undefined, heldBytes: () => 0, flush: () => {} }
  const admission = { bytesOf: () => 0, tryReserve: () => true, reserve: () => Promise.resolve(), release: () => {}, counts: { waiting: 0, waitedMs: 0 } }
  const floor = { writer, tables, texts, spillFile, floor: { trees, committer, admission, assertOpen: shards.assertOpen, room } }
  return (written) => beginTransaction(floor, (catalog) => {
    const wanted = written(catalog)
    if (wanted.length > 0) throw readOnlyRefusal()
    return wanted
  })
}

function statsOf({ kernel, follower, pins, readers, room, cacheBytes, cacheCounts: { hits, misses, evictions }, storageUse }: ReadOnlyParts): EngineStats {
  return {
    shards: follower.trees.map((tree) => tree.stats),
    cacheBytes: cacheBytes(),
    cache: { hits, misses, evictions },
    admission: { waiting: 0, waitedMs: 0 },
    disk: { refusal: undefined, ...room.counts },
    logOn: 'bucket',
    storage: storageUse(),
    readers: readers.stats,
    kernelMemoryBytes: { reserved: kernel.memory.byteLength, used: kernel.heap.usedBytes },
    ...(follower.progress !== undefined && { following: { ...follower.progress, pins: pins.counts } }),
  }
}
