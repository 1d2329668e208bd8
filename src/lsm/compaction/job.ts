/**
 * Flushes and compactions as plain data, so that they run on any thread that can reach the storage and the linear
 * memory. A job's outputs are invisible until a manifest names them.
 */
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { TreeSettings } from '../../settings.ts'
import type { StorageCounts } from '../../storage/storage.ts'
import type { TableLayout } from '../layout.ts'
import type { TableMeta } from '../table/table.ts'

/** Of a tree in a folder of the storage that the threads know. */
export interface JobPlace {
  /** Ends with '/'. */
  readonly folder: string
  /** Jobs of one number share a thread, as those of one shard do elsewhere. */
  readonly lane: number
}

export type JobSettings = Pick<TreeSettings, 'rowGroupBytes' | 'rowGroupGrowthMax' | 'filterBitsPerKey' | 'tableFileBytes'>

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

export type Job = FlushJob | CompactJob

export interface JobResult {
  /** In key order for compactions. */
  readonly files: readonly TableMeta[]
}

/** Where jobs run. A job that fails or is aborted has deleted what it wrote. */
export interface JobRunner {
  /** Rejects with 57014 when `signal` aborts it. */
  run(job: Job, signal: AbortSignal): Promise<JobResult>
  /** Why jobs run elsewhere than was asked for; undefined while all is well. */
  readonly fallback: string | undefined
  /** What a compaction may keep pinned in the cache that it reads through. */
  readonly pinnedBytesMax: number
  /** What jobs asked of storage through handles of their own, as of the last one that ended. */
  readonly storageCounts: Readonly<StorageCounts>
  close(): Promise<void>
}
