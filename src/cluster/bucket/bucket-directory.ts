/**
 * Whose a bucket is, and what tells a node that keeps nothing of its own. The format at the root of the bucket says of
 * which cluster it is; a node has a directory in memory, so each of its starts is another store, which owns nothing yet.
 */
import { findFormat, makeFormat, newFormat } from '../../engine/shards/format-file.ts'
import type { ClusterOrigin, DatabaseFormat } from '../../engine/shards/format-file.ts'
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import { createMemoryStorage } from '../../storage/memory-storage.ts'
import type { Storage } from '../../storage/storage.ts'

export interface BucketFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly random: Random
  readonly clock: Clock
}

export interface BucketDirectory {
  /** For membership. */
  readonly directory: Storage
  /** What shards are marked with. Once the node is registered, and before anything else stands in the bucket. */
  origin(): Promise<ClusterOrigin>
}

/** Changes nothing. 55000 when the bucket holds a database of its own, or another cluster; XX002 when it holds something else. */
export async function readBucketDirectory(floor: BucketFloor, cluster: string, node: string): Promise<BucketDirectory> {
  const { storage, kernel, clock } = floor
  const found = await findFormat(storage, kernel)
  if (found !== undefined) checkOrigin(storage, found, cluster)
  const directory = createMemoryStorage()
  if (found?.cluster !== undefined) await makeFormat(directory, kernel, { ...found, cluster: { ...found.cluster, node } }, clock)
  let marked: Promise<ClusterOrigin> | undefined
  return {
    directory,
    origin: () => (marked ??= mark(floor, directory).catch((error: unknown) => {
      marked = undefined
      throw error
    })),
  }
}

function checkOrigin({ description }: Storage, { cluster: origin }: DatabaseFormat, cluster: string): void {
  if (origin === undefined) throw new LsmtError('55000', `${description} holds a database of its own, not shards of a cluster: give another prefix, and import there what this one exports`)
  if (origin.cluster !== cluster || origin.shard !== undefined || origin.node !== undefined) throw new LsmtError('55000', `${description} is of the cluster '${origin.cluster}', and this node of '${cluster}': give another prefix`, { expected: origin.cluster, actual: cluster })
}

/** By what the node was registered with. */
async function mark({ storage, kernel, random, clock }: BucketFloor, directory: Storage): Promise<ClusterOrigin> {
  const registered = await findFormat(directory, kernel)
  if (registered?.cluster === undefined) throw new LsmtError('57P03', 'the node is being registered')
  const { shards, cluster: { cluster, clusterId } } = registered
  const { cluster: origin } = await makeFormat(storage, kernel, { ...newFormat(random, shards), cluster: { cluster, clusterId } }, clock)
  if (origin?.clusterId !== clusterId) throw new LsmtError('55000', `${storage.description} is of another cluster by now`, { expected: clusterId, actual: origin?.clusterId ?? 'none' })
  return { cluster, clusterId }
}
