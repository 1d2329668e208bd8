/**
 * How one process becomes the writer of a database, and where its logs are. A directory is held by its lock, and each
 * shard has segments in it, beside a journal that they share. A bucket is held by claims: the log is one stream for all shards, fenced before anything is
 * read. In this order: the stream's end, the claim, the fence; then each shard's manifest, as its tree is recovered; the
 * look for a later claim; replay.
 */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Claim } from '../../lsm/claim/claim-file.ts'
import { assertEnded, tellEnd } from '../../lsm/claim/claim-end.ts'
import { listShards } from '../../lsm/claim/listed-shards.ts'
import { assertNoLogElsewhere, isReleased, keepClaim, prepareLocalLog, release } from '../../lsm/claim/log-place.ts'
import { openingPatience } from '../../lsm/claim/until-known.ts'
import { lookForClaims, newestClaim, nextClaim, overtaken, takeClaim } from '../../lsm/claim/writer-claim.ts'
import type { DiskRoom } from '../../lsm/disk-room.ts'
import type { Doubt } from '../../lsm/log/doubt.ts'
import { openJournalledLogs } from '../../lsm/log/journal/journalled-logs.ts'
import type { JournalledLogsOptions } from '../../lsm/log/journal/journalled-logs.ts'
import type { JournalCounts } from '../../lsm/log/journal/commit-journal.ts'
import { segmentLog } from '../../lsm/log/segment-log.ts'
import type { SegmentLogOptions } from '../../lsm/log/segment-log.ts'
import { fenceStream } from '../../lsm/log/stream/fence-stream.ts'
import { readTail } from '../../lsm/log/stream/stream-chain.ts'
import { createStreamLog } from '../../lsm/log/stream/stream-log.ts'
import { loadManifest } from '../../lsm/manifest-store.ts'
import { createFilePins } from '../../lsm/pins/file-pins.ts'
import type { TreeOptions } from '../../lsm/state/tree-state.ts'
import type { Tree } from '../../lsm/tree.ts'
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
  /** A storage that appends, for the log, where all else is in one that does not. */
  readonly localLog?: Storage
  /** Closing leaves all in table files, so that the next log may be elsewhere. */
  readonly leavesFlushed?: boolean
  /** false: a writer that may still be there is not interrupted. */
  readonly mayTakeOver?: boolean
}

/** What a log in files that grow stands on besides. */
type FilesFloor = WriterFloor & Pick<JournalledLogsOptions, 'rounds' | 'memtableMemory'>

/** Where what is acknowledged is durable first: on this machine's disk, or in the bucket. */
export type LogOn = 'disk' | 'bucket'

export interface WriterLogs {
  readonly logOn: LogOn
  /** What a shard's tree is opened with. */
  treeOptions(options: ShardOptions): Pick<TreeOptions, 'log' | 'claim' | 'pins' | 'listed'>
  /** Resolves when all shards have published under the claim and no later writer has come by then; 55006 when one has. */
  assertStillMine(): Promise<void>
  /** Of the journal that the shards' logs share, where they are in a directory. */
  readonly journal?: JournalCounts
  /** Of the log, once the trees are open; undefined where every write tells what came of it. */
  readonly doubt: Doubt | undefined
  /** Closes the trees, which take no more writes, by `close`. */
  leave(trees: readonly Tree[], close: () => Promise<void>): Promise<void>
}

/** Of a log in the bucket. */
export interface BucketLogs extends WriterLogs {
  treeOptions(options: Pick<ShardOptions, 'shard'>): Required<Pick<TreeOptions, 'log' | 'claim' | 'pins' | 'listed'>>
}

type ShardOptions = Omit<SegmentLogOptions, 'storage'>

/** 55006 when another writer opens the database at the same time, or has taken it over meanwhile; 55000 when its log is elsewhere. */
export async function openWriterLogs(floor: FilesFloor): Promise<WriterLogs> {
  if (floor.storage.appends) {
    if (floor.localLog !== undefined) throw new LsmtError('22023', `a log beside ${floor.storage.description} was asked for, which keeps its own`)
    return await openDirectoryLogs(floor)
  }
  return await (floor.localLog === undefined ? openBucketLogs(floor) : openLocal(floor, floor.localLog))
}

/** Nobody else opens a directory that is open. */
async function openDirectoryLogs(floor: FilesFloor): Promise<WriterLogs> {
  const { storage, shards, settings: { durability, journalSegmentBytes } } = floor
  const isUsed = durability === 'sync' && journalSegmentBytes > 0 && shards > 1
  const logs = await openJournalledLogs({ ...floor, segmentBytesMax: journalSegmentBytes, isUsed })
  return {
    logOn: 'disk',
    treeOptions: (options) => ({ log: logs.source({ ...options, storage }) }),
    assertStillMine: () => Promise.resolve(),
    get journal() { return logs.counts },
    doubt: undefined,
    async leave(_trees, close) {
      try {
        await close()
      } finally {
        await logs.close()
      }
    },
  }
}

/** Whether the log is one in the bucket that a writer with a log on a disk must have flushed before it goes on. */
export async function isLogInBucket({ storage, kernel }: Pick<WriterFloor, 'storage' | 'kernel'>): Promise<boolean> {
  const newest = await newestClaim({ storage, kernel })
  return newest?.log === 'stored' && !(await isReleased(storage, newest.epoch))
}

/** Of a bucket, which has its log. Errors as of `openWriterLogs`. */
export async function openBucketLogs(floor: WriterFloor): Promise<BucketLogs> {
  const { storage, kernel, clock, random, settings, room, shards } = floor
  const place = { storage, kernel, stream: 0 }
  const tail = await readTail(place)
  const newest = await newestToFollow(floor)
  await assertNoLogElsewhere(floor, newest)
  const made = nextClaim(random, newest?.epoch ?? (await epochOfManifests(floor)), 'stored')
  const claim = await takeClaim(floor, made)
  const ids = await fenceStream({ ...place, clock, random, claim }, tail)
  const log = createStreamLog({ ...place, ids, clock, random, claim, room, shards, settings, keptBytesMax: 2 * shards * settings.tree.memtableBytesMax })
  const pins = createFilePins(storage, kernel, clock)
  const listed = await listShards(storage, shards)
  return {
    logOn: 'bucket',
    treeOptions: ({ shard }) => ({ log: log.source(shard), claim, pins, listed: listed[shard]! }),
    assertStillMine: () => lookForClaims(claim, openingPatience(clock)),
    get doubt() { return log.doubt },
    leave: async (trees, close) => {
      await (floor.leavesFlushed === true ? leaveFlushed(floor, made, trees, close) : close())
      await tellEnd(floor, made)
    },
  }
}

async function newestToFollow(floor: WriterFloor): Promise<Claim | undefined> {
  const newest = await newestClaim(floor)
  if (floor.mayTakeOver === false) await assertEnded(floor.storage, newest)
  return newest
}

/** The log is on a disk of its own, which nobody else can read: nobody goes on until it is left flushed. */
async function openLocal(floor: WriterFloor, local: Storage): Promise<WriterLogs> {
  const { storage, kernel, clock, random, shards } = floor
  const newest = await newestToFollow(floor)
  await prepareLocalLog(floor, local, newest)
  if (newest?.log === 'stored' && !(await isReleased(storage, newest.epoch))) throw overtaken(`another writer has opened ${storage.description} at the same time, and goes on`)
  const made = nextClaim(random, newest?.epoch ?? (await epochOfManifests(floor)), 'local')
  await keepClaim(local, kernel, made)
  const claim = await takeClaim(floor, made)
  const pins = createFilePins(storage, kernel, clock)
  const listed = await listShards(storage, shards)
  return {
    logOn: 'disk',
    treeOptions: (options) => ({ log: segmentLog({ ...options, storage: local }), claim, pins, listed: listed[options.shard]! }),
    assertStillMine: () => lookForClaims(claim, openingPatience(clock)),
    doubt: undefined,
    leave: async (trees, close) => {
      await leaveFlushed(floor, made, trees, close)
      await tellEnd(floor, made)
    },
  }
}

/** What cannot be flushed stays in the log, which is not released then. */
async function leaveFlushed(floor: WriterFloor, claim: Claim, trees: readonly Tree[], close: () => Promise<void>): Promise<void> {
  const isFlushed = await flushAll(trees).catch(() => false)
  await close()
  if (isFlushed) await release(floor, claim)
}

/** False when something appended has not become visible, and so was not flushed. */
async function flushAll(trees: readonly Tree[]): Promise<boolean> {
  await Promise.all(trees.map((tree) => tree.sync()))
  // What is durable is applied within microtasks.
  await new Promise((resolve) => setImmediate(resolve))
  if (trees.some(({ visibleSequence, nextSequence }) => visibleSequence !== nextSequence - 1)) return false
  await Promise.all(trees.map((tree) => tree.flush()))
  return true
}

/** Of the manifests that a backup brought here; where somebody has claimed, claims count. */
async function epochOfManifests({ storage, kernel, shards }: WriterFloor): Promise<number> {
  const manifests = await Promise.all(Array.from({ length: shards }, (_, shard) => loadManifest(storage, kernel, shard)))
  return Math.max(0, ...manifests.map((manifest) => manifest?.writerEpoch ?? 0))
}
