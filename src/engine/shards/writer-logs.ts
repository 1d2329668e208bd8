/**
 * How one process becomes the writer of a database, and where its logs are. A directory is held by its lock, and each
 * shard has segments in it. A bucket is held by claims: the log is one stream for all shards, fenced before anything is
 * read. In this order: the stream's end, the claim, the fence; then each shard's manifest, as its tree is recovered; the
 * look for a later claim; replay.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import { lookForClaims, newestClaim, nextClaim, takeClaim } from '../../lsm/claim/writer-claim.ts'
import type { DiskRoom } from '../../lsm/disk-room.ts'
import type { Doubt } from '../../lsm/log/doubt.ts'
import { fenceStream } from '../../lsm/log/stream/fence-stream.ts'
import { readTail } from '../../lsm/log/stream/stream-chain.ts'
import { createStreamLog } from '../../lsm/log/stream/stream-log.ts'
import { loadManifest } from '../../lsm/manifest-store.ts'
import { createFilePins } from '../../lsm/pins/file-pins.ts'
import type { TreeOptions } from '../../lsm/state/tree-state.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { DatabaseSettings } from '../../settings.ts'
import type { Storage } from '../../storage/storage.ts'

export interface WriterFloor {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  readonly settings: DatabaseSettings
  readonly room: DiskRoom
  readonly shards: number
}

export interface WriterLogs {
  /** What a shard's tree is opened with. */
  treeOptions(shard: number): Pick<TreeOptions, 'log' | 'claim' | 'pins'>
  /** Resolves when all shards have published under the claim and no later writer has come by then; 55006 when one has. */
  assertStillMine(): Promise<void>
  /** Of the log, once the trees are open; undefined where every write tells what came of it. */
  readonly doubt: Doubt | undefined
}

const ownDirectory: WriterLogs = { treeOptions: () => ({}), assertStillMine: () => Promise.resolve(), doubt: undefined }

/** 55006 when another writer opens the database at the same time, or has taken it over meanwhile. */
export async function openWriterLogs(floor: WriterFloor): Promise<WriterLogs> {
  const { storage, kernel, clock, random, settings, room, shards } = floor
  if (storage.appends) return ownDirectory
  const place = { storage, kernel, stream: 0 }
  const tail = await readTail(place)
  const claim = await takeClaim(floor, nextClaim(random, await newestEpoch(floor), 'stored'))
  await fenceStream({ ...place, clock, random, claim }, tail)
  const log = createStreamLog({ ...place, clock, random, claim, room, shards, settings, keptBytesMax: 2 * shards * settings.tree.memtableBytesMax })
  const pins = createFilePins(storage, kernel, clock)
  return {
    treeOptions: (shard) => ({ log: log.source(shard), claim, pins }),
    assertStillMine: () => lookForClaims(claim, clock),
    get doubt() { return log.doubt },
  }
}

/** Of claims; where nobody has claimed yet, of the manifests that a backup brought here. */
async function newestEpoch({ storage, kernel, shards }: WriterFloor): Promise<number> {
  const newest = await newestClaim({ storage, kernel })
  if (newest !== undefined) return newest.epoch
  const manifests = await Promise.all(Array.from({ length: shards }, (_, shard) => loadManifest(storage, kernel, shard)))
  return Math.max(0, ...manifests.map((manifest) => manifest?.writerEpoch ?? 0))
}
