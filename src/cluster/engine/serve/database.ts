/** The engines of a node over the shards of its cluster: one that reads, and the one that writes while this node coordinates. */
import { createFollowedTables } from '../../../engine/follow/followed-tables.ts'
import type { FollowedTables } from '../../../engine/follow/followed-tables.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { EngineStats } from '../../../engine/engine-stats.ts'
import { createLocalEngine } from '../../../engine/local-engine.ts'
import type { OpenFloor } from '../../../engine/open/open-floor.ts'
import { createTextReader } from '../../../engine/codec/text-reader.ts'
import { createKeyScratch } from '../../../engine/shards/key-scratch.ts'
import type { Shards } from '../../../engine/shards/shards.ts'
import { createSpillFile } from '../../../engine/spill/spill-file.ts'
import { catalogShard } from '../../../engine/tables/catalog.ts'
import { createColumnInserter } from '../../../engine/write/columns/insert-columns.ts'
import { LsmtError } from '../../../errors.ts'
import type { HeapBudget } from '../../../kernel/grouping/limited-heap.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import { createReaders } from '../../../lsm/readers/readers.ts'
import { systemTurns } from '../../../runtime/pace.ts'
import { useOf } from '../../../storage/storage-counts.ts'
import { beginCoordinating } from '../coordinator/coordinator.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { createFlightAdmission } from '../coordinator/flight-admission.ts'
import { createFreshCatalog } from '../reader/fresh-catalog.ts'
import type { FreshCatalog } from '../reader/fresh-catalog.ts'
import { createReadingEngine } from '../reader/reading-engine.ts'
import { takeClusterSnapshot } from '../reads/cluster-snapshot.ts'
import { viewsOfNow } from '../reads/consistent-snapshot.ts'
import type { SeenSequences } from '../reads/consistent-snapshot.ts'
import { newCut, viewsAtLeast } from '../reads/level-views.ts'
import type { NearLevel } from '../reads/near-source.ts'
import type { ClusterServerOptions } from './cluster-options.ts'
import { createReadingPlaces, leaderOf } from './places.ts'
import type { PlacesOptions } from './places.ts'

export interface DatabaseOptions extends PlacesOptions {
  readonly server: ClusterServerOptions
  readonly floor: OpenFloor
  readonly groupBudget: HeapBudget
  /** Of one statement's part of a shard. */
  readonly batchBytesMax: number
}

export interface Database {
  /** Reads as of now. */
  readonly engine: Engine
  /** Reads that show at least what stands behind these sequences by shard, or what was true at most so long ago. */
  near(level: { readonly kind: 'session'; readonly sequences: readonly number[] } | { readonly kind: 'stale'; readonly staleMsMax: number }): Engine
  readonly catalog: FreshCatalog
  /** By shard: up to where this node has read. */
  readonly seen: SeenSequences
  begin(epoch: number): Coordinator
  close(): void
}

export function createDatabase(options: DatabaseOptions): Database {
  const { node: { membership }, floor: { kernel, room }, groupBudget, server } = options
  let isClosed = false
  const assertOpen = (): void => {
    if (isClosed) throw new LsmtError('55000', 'the database is closed')
  }
  const late: { followed?: FollowedTables } = {}
  const seen = Array.from({ length: membership.shardCount }, () => 0)
  const places = createReadingPlaces(options, { get: (tableId) => late.followed?.layout(tableId) }, () => noTables, seen)
  const keys = createKeyScratch(kernel, membership.shardCount), strings = createTextReader(kernel)
  const texts = createColumnInserter()
  const ofNow = viewsOfNow(places.sources, seen)
  // Reader threads share files that are here, and parts of a read are on other nodes.
  const readers = createReaders({ kernel, clock: server.clock, regions: [], rowsMin: 0, pinnedBytesMax: 0 })
  const shards: Shards = { kernel, keys, texts: strings, assertOpen, groupBudget, turns: systemTurns, readers, trees: places.trees(), snapshot: () => takeClusterSnapshot(ofNow, seen), newest: () => undefined }
  const followed = createFollowedTables(shards)
  late.followed = followed
  const cut = newCut(membership.shardCount)
  const catalog = createFreshCatalog({ shardCount: membership.shardCount, replica: (shard) => membership.replica(shard), catalog: places.sources[catalogShard]!, followed, onChanged: () => void cut.wanted++ })
  const spillFile: Engine['spillFile'] = (use, stats) => {
    assertOpen()
    return createSpillFile(server.storage.createTemporary, kernel, use, stats)
  }
  const engineOver = (ownShards: Shards, fresh: FreshCatalog['fresh']): Engine => createReadingEngine({ shards: ownShards, tables: followed.tables, catalog: { fresh, refresh: catalog.refresh }, texts, spillFile, room, stats: () => statsOf(options, ownShards) })
  return {
    engine: engineOver(shards, catalog.fresh),
    near(level) {
      const { sources, trees } = places.near(seen.map((_, shard): NearLevel => (level.kind === 'session' ? { kind: 'session', afterSequence: level.sequences[shard]! } : level)))
      const views = viewsAtLeast({ sources, cut, now: ofNow })
      const fresh = (): Promise<void> | undefined => catalog.near(({ tree }, shard) => level.kind === 'stale' || tree.visibleSequence >= level.sequences[shard]!)
      return engineOver({ ...shards, trees, snapshot: () => takeClusterSnapshot(views, seen) }, fresh)
    },
    catalog,
    seen,
    begin: coordinatorOver(options, seen),
    close() {
      isClosed = true
      texts.free()
      keys.free()
      strings.free()
    },
  }
}

const noTables: ReadonlyMap<number, TableLayout> = new Map()

/** Terms of this node. The catalog's shard is led here in each of them, and has the tables of all. */
function coordinatorOver(options: DatabaseOptions, seen: SeenSequences): (epoch: number) => Coordinator {
  const { node: { membership }, changes, clock, floor, groupBudget, batchBytesMax, server: { random, settings, storage, clock: wholeClock } } = options
  const { kernel, room, budget, cache, jobs } = floor
  const tables = (): ReadonlyMap<number, TableLayout> => membership.replica(catalogShard)?.tree.layouts ?? noTables
  const places = createReadingPlaces(options, { get: (tableId) => tables().get(tableId) }, tables, seen)
  const views = viewsOfNow(places.sources, seen)
  return (epoch) => beginCoordinating({
    shardCount: membership.shardCount, clock,
    leader: (shard) => leaderOf(options, shard),
    changed: () => changes.next(),
    openEngine: (writers, told) => createLocalEngine({
      kernel, random, room, groupBudget, ...told,
      trees: places.trees(writers),
      snapshot: () => takeClusterSnapshot(views, seen),
      admission: createFlightAdmission(budget.memtablesBytesMax, wholeClock),
      statementBytesMax: Math.min(budget.statementBytesMax, batchBytesMax),
      rowBytesMax: Math.min(budget.rowBytesMax, batchBytesMax),
      cacheBytes: () => cache.counts.chunkBytes + cache.counts.scratchBytes,
      cacheCounts: cache.counts,
      createTemporary: storage.createTemporary,
      storageUse: () => useOf(storage, settings, jobs.storageCounts),
      clock: wholeClock,
      requestLimits: settings,
      close: () => Promise.resolve(),
    }),
  }, epoch)
}

function statsOf({ floor: { kernel, cache, room, jobs }, server: { storage, settings } }: DatabaseOptions, { trees, readers }: Shards): EngineStats {
  const { hits, misses, evictions, chunkBytes, scratchBytes } = cache.counts
  return {
    shards: trees.map((tree) => tree.stats),
    cacheBytes: chunkBytes + scratchBytes,
    cache: { hits, misses, evictions },
    admission: { waiting: 0, waitedMs: 0 },
    disk: { refusal: room.refusal?.message, ...room.counts },
    logOn: storage.appends ? 'disk' : 'bucket',
    storage: useOf(storage, settings, jobs.storageCounts),
    readers: readers.stats,
    kernelMemoryBytes: { reserved: kernel.memory.byteLength, used: kernel.heap.usedBytes },
  }
}
