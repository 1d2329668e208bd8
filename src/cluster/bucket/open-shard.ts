/**
 * Opens a shard out of the bucket for its new owner: a folder of its own, with its own claims, log and manifests, by the
 * means by which any writer of a bucket takes over from the one before. Nothing is copied; what is read is the manifest
 * and what of the log is not in files.
 */
import { makeFormat, newFormat, shardFolder } from '../../engine/shards/format-file.ts'
import type { ClusterOrigin } from '../../engine/shards/format-file.ts'
import type { OpenFloor } from '../../engine/open/open-floor.ts'
import { openBucketLogs } from '../../engine/shards/writer-logs.ts'
import { LsmtError } from '../../errors.ts'
import { placedJobs } from '../../lsm/compaction/placed-jobs.ts'
import { openOwnedTree } from '../../lsm/owned/open-owned-tree.ts'
import type { OwnedTree } from '../../lsm/owned/owned-tree.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { DatabaseSettings } from '../../settings.ts'
import { folderStorage } from '../../storage/folder-storage.ts'
import type { Storage } from '../../storage/storage.ts'

export interface ShardFloor {
  /** The bucket, or the part of it below the cluster's prefix. */
  readonly storage: Storage
  readonly floor: OpenFloor
  readonly clock: Clock
  readonly random: Random
  readonly settings: DatabaseSettings
  readonly origin: ClusterOrigin
}

export interface ShardEvents {
  readonly onDurable: (sequence: number) => void
  readonly onVisible: (sequence: number) => void
  /** Nothing is written any more: another owner has come, or the bucket cannot be relied on. */
  readonly onFailure: (error: Error) => void
}

export interface OwnedShard {
  readonly owned: OwnedTree
  /** Resolves when nobody has claimed the shard after this owner; 55006 when somebody has. After any other error it is not known. */
  assertStillMine(): Promise<void>
  /** Ends the claim truthfully, once all that was appended is durable or certainly never will be. */
  leave(): Promise<void>
}

/** 55006 when another one takes the shard at the same time. */
export async function openShard({ storage: bucket, floor, clock, random, settings, origin }: ShardFloor, shard: number, events: ShardEvents): Promise<OwnedShard> {
  const folder = shardFolder(shard)
  const storage = folderStorage(bucket, folder)
  const { kernel, room, jobs, treeSettings } = floor
  const [logs] = await Promise.all([
    openBucketLogs({ storage, kernel, clock, random, room, shards: 1, settings: { ...settings, tree: treeSettings } }),
    ensureFormat(storage, { kernel, random, clock }, { ...origin, shard }),
  ])
  const stored = logs.treeOptions({ shard: 0 })
  const owned = await openOwnedTree({ ...floor.treeOptions(0), ...stored, storage, jobs: placedJobs(jobs, { folder, lane: shard }), assertStillMine: () => logs.assertStillMine(), ...events })
  return {
    owned,
    assertStillMine: () => stored.claim.assertStillMine(),
    async leave() {
      await logs.leave([owned.tree], () => owned.close())
      await storage.close()
    },
  }
}

/** So that what reads databases reads a shard. */
async function ensureFormat(storage: Storage, { kernel, random, clock }: Pick<ShardFloor, 'random' | 'clock'> & Pick<OpenFloor, 'kernel'>, cluster: ClusterOrigin): Promise<void> {
  const isThere = await storage.read('format').then(() => true, (error: unknown) => {
    if (error instanceof LsmtError && error.code === '58P01') return false
    throw error
  })
  if (!isThere) await makeFormat(storage, kernel, { ...newFormat(random, 1), cluster }, clock)
}
