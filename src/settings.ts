/** Every tunable as plain data. Defaults here, overrides by flags, environment or `open()` options. */

export type Durability = 'sync' | 'interval' | 'memory'
export type KernelKind = 'wasm' | 'js'

/** Tunables of one shard's LSM tree. Sizes in bytes. */
export interface TreeSettings {
  /** An active memtable larger than this is frozen and flushed. */
  readonly memtableBytesMax: number
  /** A memtable of so many rows that scans have read often is kept encoded beside itself, within an eighth of the cache. Infinity: none is. */
  readonly memtableImageRowsMin: number
  /** Frozen memtables waiting for their flush; one more and writers stop. */
  readonly frozenMemtablesMax: number
  /** Log segments are preallocated to this size, or that of a memtable, each of which begins a segment, if that is less; a record larger gets a segment of its own. */
  readonly logSegmentBytes: number
  /** Plain data bytes in one row group. Of twice as many, scans are quicker and point reads from storage read twice as much. */
  readonly rowGroupBytes: number
  /** Rows that encode well come in larger row groups, until one takes half of `rowGroupBytes` in the file, or has so many times as many plain bytes. */
  readonly rowGroupGrowthMax: number
  /** A table file is cut when its encoded bytes pass this. */
  readonly tableFileBytes: number
  /** Level 0 runs that start a compaction. */
  readonly level0RunsCompact: number
  /** Level 0 runs from which writers are delayed, growing until `level0RunsStop`, where they wait. */
  readonly level0RunsSlow: number
  readonly level0RunsStop: number
  /** Target size of level 1; each further level is `levelSizeRatio` times larger. */
  readonly level1Bytes: number
  readonly levelSizeRatio: number
  /** Bits a key in the filters of files above others. */
  readonly filterBitsPerKey: number
  /**
   * The same where no older rows of the keys are. Most keys are there, and a filter that errs costs only reads of keys that
   * are nowhere; so bits do more above (after Monkey: Dayan, Athanassoulis, Idreos 2017).
   */
  readonly lastLevelFilterBitsPerKey: number
  /** Longest uninterrupted stretch of background work on the serving thread. */
  readonly sliceMsMax: number
}

/** Tunables of a database. */
export interface DatabaseSettings {
  readonly shards: number
  readonly durability: Durability
  /** For `interval`: how long an acknowledged write may be only in memory. */
  readonly syncIntervalMs: number
  /** Of a directory with durability `sync`: syncs that take no longer, while nothing else is to be done, are made on the serving thread, which is quicker; 0: never, since no other work is to wait for one that takes longer than those before. `open()` sets 2. */
  readonly inlineSyncMsMax: number
  /** Of a directory with durability `sync`: segments of the journal, in which a round of several shards' logs takes one sync, grow to this size. 0: each log syncs for itself. */
  readonly journalSegmentBytes: number
  /** Where the log is objects of a bucket: milliseconds between the beginnings of two of them, unless one is full before. Each is a request that costs, and a write waits for the next. */
  readonly logFlushMs: number
  /** Bytes from which such an object takes no more records. */
  readonly logObjectBytes: number
  /** Of a node that only reads: milliseconds between its looks at what the writer has written. Each takes two listings. */
  readonly followMs: number
  /** Of a node that only reads: milliseconds after which a read keeps its files from the writer by a checkpoint, the one thing that such a node writes; 0: never. */
  readonly pinAfterMs: number
  readonly kernels: KernelKind
  /** Worker threads for flush and compaction; 0 runs them in slices on the serving thread. */
  readonly workers: number
  /** Threads that large scans are shared with, beside the serving thread; 0: it reads alone. */
  readonly readers: number
  /** Scans of fewer rows are not shared, nor are those that the serving thread, as fast as it has begun, would be through with in a moment. 0: all are, also where readers are late. */
  readonly readerRowsMin: number
  /** Linear memory reserved (address space, not resident memory) for memtables, cache and scratch. */
  readonly kernelMemoryBytes: number
  /** Part of the linear memory that holds cached row-group chunks, footers and filters. */
  readonly cacheBytesMax: number
  /** What the sorts, groupings, joins and sets of one query hold in memory; what goes beyond is spilled to storage. */
  readonly queryMemoryBytesMax: number
  /** What those of all queries hold together. */
  readonly queriesMemoryBytesMax: number
  /** What one query may have spilled at a time. */
  readonly querySpillBytesMax: number
  /** How long idempotency keys are kept at least: until as many newer ones came, or for this time, whatever is first. */
  readonly idempotencyKeysMax: number
  readonly idempotencyKeepMs: number
  /** What a bucket's store asks for a thousand requests that create or list, and that read, in USD: for estimates. */
  readonly usdPer1000Puts: number
  readonly usdPer1000Gets: number
  readonly tree: TreeSettings
}

const KiB = 1024
const MiB = 1024 * KiB

export const defaultTreeSettings: TreeSettings = {
  memtableBytesMax: 16 * MiB,
  memtableImageRowsMin: 256,
  frozenMemtablesMax: 2,
  logSegmentBytes: 4 * MiB,
  rowGroupBytes: 128 * KiB,
  rowGroupGrowthMax: 4,
  tableFileBytes: 32 * MiB,
  level0RunsCompact: 4,
  level0RunsSlow: 12,
  level0RunsStop: 24,
  level1Bytes: 64 * MiB,
  levelSizeRatio: 10,
  filterBitsPerKey: 12,
  lastLevelFilterBitsPerKey: 10,
  sliceMsMax: 2,
}

export const defaultDatabaseSettings: DatabaseSettings = {
  shards: 8,
  durability: 'sync',
  syncIntervalMs: 100,
  inlineSyncMsMax: 0,
  journalSegmentBytes: 4 * MiB,
  logFlushMs: 50,
  logObjectBytes: 4 * MiB,
  followMs: 1_000,
  pinAfterMs: 5_000,
  kernels: 'wasm',
  workers: 1,
  readers: 1,
  readerRowsMin: 200_000,
  kernelMemoryBytes: 1024 * MiB,
  cacheBytesMax: 256 * MiB,
  queryMemoryBytesMax: 512 * MiB,
  queriesMemoryBytesMax: 1024 * MiB,
  querySpillBytesMax: 16 * 1024 * MiB,
  idempotencyKeysMax: 1_000_000,
  idempotencyKeepMs: 24 * 60 * 60 * 1000,
  usdPer1000Puts: 0.005,
  usdPer1000Gets: 0.0004,
  tree: defaultTreeSettings,
}
