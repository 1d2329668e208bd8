/** Opens a database that somebody else may be writing, to read it: claims nothing, and writes nothing but checkpoints of long reads. */
import { invariant } from '../../errors.ts'
import { reserveLinearMemory } from '../../kernel/linear-memory.ts'
import { openKernel } from '../../kernel/open-kernel.ts'
import { createInlineRunner } from '../../lsm/compaction/inline-runner.ts'
import { createDiskRoom } from '../../lsm/disk-room.ts'
import { createFollower } from '../../lsm/follow/follower.ts'
import { readCheckpoint } from '../../lsm/pins/checkpoints.ts'
import { createReaders } from '../../lsm/readers/readers.ts'
import { createMemtableMemory } from '../../lsm/state/memtable-memory.ts'
import { createChunkCache } from '../../lsm/table/chunk-cache.ts'
import { checkSettings } from '../check-settings.ts'
import type { Engine } from '../engine.ts'
import { divideMemory, memoryBudget } from '../memory-budget.ts'
import type { EngineOptions } from '../open-engine.ts'
import { checkShardCount, readFormat } from '../shards/format-file.ts'
import { openReadOnlyEngine } from './read-only-engine.ts'
import { createSnapshotPins } from './snapshot-pins.ts'
import { useOf } from '../../storage/storage-counts.ts'

export interface ReadOnlyOptions extends EngineOptions {
  /** The id of a checkpoint, whose state is shown for as long as it is there; absent: the newest one is followed. */
  readonly atCheckpoint?: string
}

/** Over storage that cannot append, whose log is objects. 58P01 when there is no database. */
export async function openReadOnly({ storage, settings, clock, random, isShardCountGiven = false, atCheckpoint }: ReadOnlyOptions): Promise<Engine> {
  checkSettings(settings)
  invariant(!storage.appends, 'a database in files that grow is followed')
  const memory = reserveLinearMemory(settings.kernelMemoryBytes)
  const regions = divideMemory(memory.byteLength, 0, settings.readers)
  const kernel = openKernel(settings.kernels, memory, regions.serving)
  const { shards } = await readFormat(storage, kernel)
  if (isShardCountGiven) checkShardCount(storage, shards, settings.shards)
  const checkpoint = atCheckpoint === undefined ? undefined : await readCheckpoint(storage, kernel, atCheckpoint)
  const budget = memoryBudget(regions, settings, shards)
  const cache = createChunkCache(kernel.heap, budget.cacheBytes)
  const room = createDiskRoom(storage, clock)
  const readers = createReaders({ kernel, clock, regions: regions.readers, rowsMin: settings.readerRowsMin, pinnedBytesMax: Math.floor(budget.cacheBytes / 8) })
  const jobs = createInlineRunner({ storage, kernel, cache, clock, sliceMsMax: settings.tree.sliceMsMax })
  const follower = createFollower({ storage, kernel, cache, clock, jobs, room, memtableMemory: createMemtableMemory(cache.evict), shards, followMs: settings.followMs, ...(checkpoint !== undefined && { at: checkpoint.manifests }), settings: { ...settings.tree, memtableBytesMax: budget.memtableBytesMax } })
  const pins = createSnapshotPins({ storage, kernel, clock, random, pinAfterMs: checkpoint === undefined ? settings.pinAfterMs : 0 })
  const close = async (): Promise<void> => {
    room.close()
    await readers.close()
  }
  const parts = { kernel, follower, pins, clock, readers, room, createTemporary: storage.createTemporary, cacheBytes: () => cache.counts.chunkBytes + cache.counts.scratchBytes, cacheCounts: cache.counts, storageUse: () => useOf(storage, settings), close }
  return await openReadOnlyEngine(parts).catch(async (error: unknown) => {
    await follower.close()
    await Promise.all(follower.trees.map((tree) => tree.close()))
    await close()
    throw error
  })
}
