/** Opens a database that somebody else may be writing, to read it: claims nothing, and writes nothing but checkpoints of long reads. */
import { invariant } from '../../errors.ts'
import { createFollower } from '../../lsm/follow/follower.ts'
import { readCheckpoint } from '../../lsm/pins/checkpoints.ts'
import type { Engine } from '../engine.ts'
import { checkSettings } from '../open/check-settings.ts'
import { openFloor, openKernelFloor } from '../open/open-floor.ts'
import type { EngineOptions } from '../open-engine.ts'
import { assertStandalone, checkShardCount, readFormat } from '../shards/format-file.ts'
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
  const kernelFloor = openKernelFloor({ settings })
  const { kernel } = kernelFloor
  const format = await readFormat(storage, kernel)
  assertStandalone(storage, format)
  const { shards } = format
  if (isShardCountGiven) checkShardCount(storage, shards, settings.shards)
  const checkpoint = atCheckpoint === undefined ? undefined : await readCheckpoint(storage, kernel, atCheckpoint)
  const { cache, room, readers, jobs, memtableMemory, treeSettings, close } = openFloor({ storage, settings, clock }, kernelFloor, shards)
  const follower = createFollower({ storage, kernel, cache, clock, jobs, room, memtableMemory, shards, followMs: settings.followMs, ...(checkpoint !== undefined && { at: checkpoint.manifests }), settings: treeSettings })
  const pins = createSnapshotPins({ storage, kernel, clock, random, pinAfterMs: checkpoint === undefined ? settings.pinAfterMs : 0 })
  const parts = { kernel, follower, pins, clock, readers, room, createTemporary: storage.createTemporary, cacheBytes: () => cache.counts.chunkBytes + cache.counts.scratchBytes, cacheCounts: cache.counts, storageUse: () => useOf(storage, settings), close }
  return await openReadOnlyEngine(parts).catch(async (error: unknown) => {
    await follower.close()
    await Promise.all(follower.trees.map((tree) => tree.close()))
    await close()
    throw error
  })
}
