/**
 * What all trees of one process stand on: the kernels and their linear memory, divided; the chunk cache, the runner of
 * background jobs, the room on the disk, the rounds of the logs, the memtables' memory, the threads that share reads.
 * An engine opens all shards over it, a node of a cluster the copies that it holds.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { reserveLinearMemory } from '../../kernel/linear-memory.ts'
import { openKernel } from '../../kernel/open-kernel.ts'
import type { HeapRegion } from '../../kernel/open-kernel.ts'
import { createInlineRunner } from '../../lsm/compaction/inline-runner.ts'
import type { JobRunner } from '../../lsm/compaction/job.ts'
import { createRunnerPool } from '../../lsm/compaction/runner-pool.ts'
import { createWorkerRunner } from '../../lsm/compaction/worker-runner.ts'
import { createDiskRoom } from '../../lsm/disk-room.ts'
import type { DiskRoom } from '../../lsm/disk-room.ts'
import { createLogRounds } from '../../lsm/log/rounds/log-rounds.ts'
import type { LogRounds } from '../../lsm/log/rounds/log-rounds.ts'
import { createSyncPlace } from '../../lsm/log/rounds/sync-place.ts'
import type { SyncPlace } from '../../lsm/log/rounds/sync-place.ts'
import { createReaders } from '../../lsm/readers/readers.ts'
import type { Readers } from '../../lsm/readers/readers.ts'
import { createMemtableMemory } from '../../lsm/state/memtable-memory.ts'
import type { MemtableMemory } from '../../lsm/state/memtable-memory.ts'
import type { TreeOptions } from '../../lsm/state/tree-state.ts'
import { createChunkCache } from '../../lsm/table/chunk-cache.ts'
import type { ChunkCache } from '../../lsm/table/chunk-cache.ts'
import type { Clock } from '../../runtime/clock.ts'
import { activeMs } from '../../runtime/event-loop.ts'
import type { DatabaseSettings, TreeSettings } from '../../settings.ts'
import type { StorageAddress } from '../../storage/open-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import { divideMemory, memoryBudget } from './memory-budget.ts'
import type { MemoryBudget, MemoryRegions } from './memory-budget.ts'

export interface FloorOptions {
  /** Stays open when the floor is closed. */
  readonly storage: Storage
  readonly settings: DatabaseSettings
  readonly clock: Clock
  /** Where the storage is, so that worker threads can open their own; absent = no workers. */
  readonly storageAddress?: StorageAddress
}

/** The kernels over memory reserved for them, and which part of it is whose. */
export interface KernelFloor {
  readonly kernel: Kernel
  readonly regions: MemoryRegions
}

/** What is needed before it is known how many shards there are. */
export function openKernelFloor({ settings, storageAddress }: Pick<FloorOptions, 'settings' | 'storageAddress'>): KernelFloor {
  const memory = reserveLinearMemory(settings.kernelMemoryBytes)
  const regions = divideMemory(memory.byteLength, storageAddress === undefined ? 0 : settings.workers, settings.readers)
  return { kernel: openKernel(settings.kernels, memory, regions.serving), regions }
}

export interface OpenFloor {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly jobs: JobRunner
  readonly room: DiskRoom
  readonly rounds: LogRounds
  readonly memtableMemory: MemtableMemory
  readonly readers: Readers
  readonly budget: MemoryBudget
  /** Settings of trees, cut down to the budget. */
  readonly treeSettings: TreeSettings
  /** What a shard's tree is opened with, whoever opens it. */
  treeOptions(shard: number): Omit<TreeOptions, 'beforePublish'>
  /** After the trees were closed; the room is closed before them, so that nobody waits for it any more. */
  close(): Promise<void>
}

/** `shards`: how many trees there may be at a time. */
export function openFloor(options: FloorOptions, { kernel, regions }: KernelFloor, shards: number): OpenFloor {
  const { storage, settings, clock } = options
  const budget = memoryBudget(regions, settings, shards)
  const cache = createChunkCache(kernel.heap, budget.cacheBytes)
  const memtableMemory = createMemtableMemory(cache.evict)
  const room = createDiskRoom(storage, clock)
  const rounds = createLogRounds({ syncPlace: syncPlaceOf(settings, clock), promptly: settings.durability === 'sync' ? undefined : clock })
  // A scan's row groups that nobody is through with may hold an eighth of the cache.
  const readers = createReaders({ kernel, clock, regions: regions.readers, rowsMin: settings.readerRowsMin, pinnedBytesMax: Math.floor(budget.cacheBytes / 8) })
  const jobs = openJobRunner(options, kernel, cache, regions.workers)
  const { memtableBytesMax } = budget
  // Each memtable begins a segment, so what is preallocated beyond its size is zeros that are written for nothing.
  const treeSettings = { ...settings.tree, memtableBytesMax, logSegmentBytes: Math.min(settings.tree.logSegmentBytes, memtableBytesMax) }
  const { durability, syncIntervalMs } = settings
  return {
    kernel, cache, jobs, room, rounds, memtableMemory, readers, budget, treeSettings,
    treeOptions: (shard) => ({ storage, kernel, cache, jobs, room, rounds, memtableMemory, settings: treeSettings, shard, durability, syncIntervalMs, clock }),
    async close() {
      room.close()
      await Promise.all([jobs.close(), readers.close()])
    },
  }
}

function syncPlaceOf({ durability, inlineSyncMsMax }: DatabaseSettings, clock: Clock): SyncPlace | undefined {
  return durability === 'sync' && inlineSyncMsMax > 0 ? createSyncPlace({ clock, activeMs, msMax: inlineSyncMsMax }) : undefined
}

/** Workers, each on its own part of the memory, share the shards; without any, jobs run in slices on this thread. */
function openJobRunner({ storage, settings, clock, storageAddress }: FloorOptions, kernel: Kernel, cache: ChunkCache, regions: readonly HeapRegion[]): JobRunner {
  const inline = createInlineRunner({ storage, kernel, cache, clock, sliceMsMax: settings.tree.sliceMsMax })
  if (regions.length === 0 || storageAddress === undefined) return inline
  return createRunnerPool(regions.map((region) => createWorkerRunner({ memory: kernel.memory.wasm, region, kernelKind: kernel.kind, cacheBytesMax: Math.floor(region.byteLength / 2), storageAddress, fallback: inline, onKept: storage.noteKept })))
}
