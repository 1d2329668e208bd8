/** The engine of a node that only reads: what the follower shows, and a refusal (25006) of all that writes. */
import { LsmtError } from '../../errors.ts'
import type { HeapBudget } from '../../kernel/grouping/limited-heap.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { DiskRoom } from '../../lsm/disk-room.ts'
import type { Follower } from '../../lsm/follow/follower.ts'
import type { Readers } from '../../lsm/readers/readers.ts'
import type { Clock } from '../../runtime/clock.ts'
import { systemTurns } from '../../runtime/pace.ts'
import { createTextReader } from '../codec/text-reader.ts'
import type { Engine } from '../engine.ts'
import type { CacheCounts, EngineStats } from '../engine-stats.ts'
import { createReads } from '../session/reads.ts'
import { createKeyScratch } from '../shards/key-scratch.ts'
import { catalogShard } from '../tables/catalog.ts'
import type { Shards } from '../shards/shards.ts'
import { createSpillFile } from '../spill/spill-file.ts'
import type { CreateTemporary } from '../spill/spill-file.ts'
import { createColumnInserter } from '../write/columns/insert-columns.ts'
import { gone, takeFollowedSnapshot } from './followed-snapshot.ts'
import { createFollowedTables } from './followed-tables.ts'
import { beginReading, refusals } from './reading-only.ts'
import { renewingReads } from './renewing-reads.ts'
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

/** Resolves when what the writer has written is visible. */
export async function openReadOnlyEngine(parts: ReadOnlyParts): Promise<Engine> {
  const { kernel, follower, readers, pins, clock } = parts
  const { trees } = follower
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw new LsmtError('55000', 'the database is closed')
  }
  const keys = createKeyScratch(kernel, trees.length), strings = createTextReader(kernel)
  const floor = { trees, manifests: () => follower.manifests }
  const groupBudget: HeapBudget = { bytesMax: Math.floor(kernel.heap.byteLength / 6), usedBytes: 0 }
  const shards: Shards = { kernel, trees, keys, texts: strings, snapshot: () => takeFollowedSnapshot(floor, pins, clock.monotonicMs), newest: () => undefined, assertOpen, groupBudget, turns: systemTurns, readers }
  const { tables, prepare } = createFollowedTables(shards)
  await follower.open((next) => prepare(next[catalogShard]!))
  const texts = createColumnInserter()
  const spillFile: Engine['spillFile'] = (use, stats) => {
    assertOpen()
    return createSpillFile(parts.createTemporary, kernel, use, stats)
  }
  const begin = beginReading({ shards, tables, texts, spillFile, room: parts.room })
  return {
    tables: tables.list,
    table: tables.find,
    catalogVersion: tables.version,
    catalogSettled: tables.settled,
    ...renewingReads(createReads(shards, tables), { refresh: follower.refresh, ...gone }),
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
      strings.free()
    },
  }
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
