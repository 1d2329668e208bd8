/**
 * Flushes, compactions and ingests as plain data, so that they run on any thread that can reach the storage and the linear
 * memory. A job's outputs are invisible until a manifest names them.
 */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { TreeSettings } from '../../settings.ts'
import type { StorageCounts } from '../../storage/storage.ts'
import type { TableLayout } from '../layout.ts'
import type { Vector } from '../page.ts'
import type { TableMeta } from '../table/table.ts'

/** Of a tree in a folder of the storage that the threads know. */
export interface JobPlace {
  /** Ends with '/'. */
  readonly folder: string
  /** Jobs of one number share a thread, as those of one shard do elsewhere. */
  readonly lane: number
}

export type JobSettings = Pick<TreeSettings, 'rowGroupBytes' | 'rowGroupGrowthMax' | 'filterBitsPerKey' | 'lastLevelFilterBitsPerKey' | 'tableFileBytes'>

/** Writes one file a table out of a frozen memtable. */
export interface FlushJob {
  readonly kind: 'flush'
  readonly place?: JobPlace
  readonly shard: number
  /** Address of the memtable in the shared linear memory. */
  readonly memtable: Pointer
  readonly minSequence: number
  readonly maxSequence: number
  readonly tables: readonly FlushTable[]
  readonly settings: JobSettings
}

export interface FlushTable {
  readonly layout: TableLayout
  readonly fileNumber: number
  /** The largest key of the table's older runs; undefined when there are none, so that there is nothing to delete. */
  readonly olderMaxKey: Uint8Array | undefined
}

/** Merges runs of one table into one level. */
export interface CompactJob {
  readonly kind: 'compact'
  readonly place?: JobPlace
  readonly shard: number
  readonly layout: TableLayout
  /** Newest first; each run's files in key order. */
  readonly runs: readonly (readonly TableMeta[])[]
  readonly outputLevel: number
  /** No older run has keys in the inputs' range, so tombstones have done their work. */
  readonly isLastLevel: boolean
  /** Numbers that the outputs may take; the last file is not cut. */
  readonly fileNumbers: { readonly from: number; readonly count: number }
  readonly settings: JobSettings
}

/**
 * A step of an ingest: rows of one table that come in the order of their keys go to files of it, one row group after the
 * other. The steps of an ingest follow each other on one thread, which keeps its file open between them.
 */
export interface IngestJob {
  readonly kind: 'ingest'
  readonly place?: JobPlace
  readonly shard: number
  /** Tells a shard's ingests apart. */
  readonly ingest: number
  readonly layout: TableLayout
  /** Rows of the steps before. */
  readonly rowsBefore: number
  readonly step: { readonly kind: 'append'; readonly rows: IngestRows; /** Of the file that may have to be begun. */ readonly fileNumber: number } | { readonly kind: 'finish' | 'abandon' }
  /** A file takes no more rows when it has so many. */
  readonly fileRowsMax: number
  /** Of its files: what the memtables that are there hold is newer. */
  readonly sequence: number
  readonly settings: JobSettings
}

/** Rows in linear memory, in any order, and the order in which they are to be taken. */
export interface IngestRows {
  readonly rowCount: number
  /** Pairs as `mergeGather8` takes them; the run is 0. */
  readonly order: Pointer
  /** As those of `WriteRows`; the column of a direct key is absent. */
  readonly keys: Pointer
  readonly vectors: readonly (Vector | undefined)[]
}

export type Job = FlushJob | CompactJob | IngestJob

export interface JobResult {
  /** In key order for compactions and ingests, which have them when they are finished. */
  readonly files: readonly TableMeta[]
}

/** Where jobs run. A job that fails or is aborted has deleted what it wrote. */
export interface JobRunner {
  /** Rejects with 57014 when `signal` aborts it. */
  run(job: Job, signal: AbortSignal): Promise<JobResult>
  /** Starts the thread of a shard that will have jobs soon, so that the first of them does not wait for it; absent where there is none to start. */
  prepare?(shard: number): void
  /** Why jobs run elsewhere than was asked for; undefined while all is well. */
  readonly fallback: string | undefined
  /** What a compaction may keep pinned in the cache that it reads through. */
  readonly pinnedBytesMax: number
  /** What the open files of ingests may hold of the threads' memory together; absent or 0: none are taken. */
  readonly ingestBytesMax?: number
  /** What jobs asked of storage through handles of their own, as of the last one that ended. */
  readonly storageCounts: Readonly<StorageCounts>
  close(): Promise<void>
}
