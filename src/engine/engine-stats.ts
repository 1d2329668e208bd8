/** What an open database tells of itself. */
import type { FollowProgress } from '../lsm/follow/follower.ts'
import type { SnapshotPins } from './follow/snapshot-pins.ts'
import type { JournalCounts } from '../lsm/log/journal/commit-journal.ts'
import type { ReaderStats } from '../lsm/readers/readers.ts'
import type { TreeStats } from '../lsm/tree.ts'
import type { LogOn } from './shards/writer-logs.ts'
import type { StorageUse } from '../storage/storage-counts.ts'

export interface CacheCounts {
  readonly hits: number
  readonly misses: number
  readonly evictions: number
}

export interface EngineStats {
  readonly shards: readonly TreeStats[]
  readonly cacheBytes: number
  /** Chunks of files that were asked for on the serving thread. */
  readonly cache: CacheCounts
  /** Statements that wait now for memory of the memtables, and for how long statements have waited in total. */
  readonly admission: { readonly waiting: number; readonly waitedMs: number }
  /** Why nothing is written now, since the disk is full; how often and for how long that was so. Paths may stand in it. */
  readonly disk: { readonly refusal: string | undefined; readonly timesFull: number; readonly fullMs: number }
  /** Why nothing is written now, since it is not known what came of an earlier write; absent when that is known. */
  readonly doubt?: string
  /** Of the journal that the logs of a directory's shards share: what it wrote and synced is not among their counts. */
  readonly journal?: JournalCounts
  /** Where what is acknowledged is durable first: on this machine's disk, or in the bucket. */
  readonly logOn: LogOn
  readonly storage: StorageUse
  readonly kernelMemoryBytes: { readonly reserved: number; readonly used: number }
  readonly readers: ReaderStats
  /** Of a node that only reads: how far it is. */
  readonly following?: FollowProgress & { readonly pins: SnapshotPins['counts'] }
}
