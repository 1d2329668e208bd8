/**
 * Table files (SSTables): immutable, column-oriented, one table each, keys unique within a file, rows in key
 * order. The file layout is drawn in src/lsm/table/format.ts.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { TreeSettings } from '../../settings.ts'
import type { Storage } from '../../storage/storage.ts'
import type { RangeCover } from '../keys/range-cover.ts'
import type { ChunkName, TableLayout } from '../layout.ts'
import type { Page, Vector } from '../page.ts'
import type { Fetch, ReadStats } from './fetch.ts'
import type { ChunkCache } from './chunk-cache.ts'
import type { KeptRows } from './read/kept-rows.ts'
import type { KeptTotals } from './read/kept-totals.ts'

/** What a manifest keeps of a table file. Plain data; crosses threads. */
export interface TableMeta {
  /** File number, never reused; the name follows from it. */
  readonly fileNumber: number
  readonly tableId: number
  readonly byteLength: number
  /** Bytes at the end of the file that hold filter, footer and trailer: read in one request. */
  readonly tailBytes: number
  readonly rowCount: number
  readonly tombstoneCount: number
  readonly rowGroupCount: number
  /** Smallest and largest key bytes, range tombstones included (their end counts as inclusive here). */
  readonly minKey: Uint8Array
  readonly maxKey: Uint8Array
  /** Sequence numbers of the operations it came from. */
  readonly minSequence: number
  readonly maxSequence: number
  readonly rangeTombstoneCount: number
}

/** Deletes keys in [start, end) in all older runs. Within a file they are already applied. */
export interface RangeTombstone {
  readonly start: Uint8Array
  /** Exclusive, above `start`. A deletion without an end is written as ending right after the largest key of all older runs. */
  readonly end: Uint8Array
}

/** Rows ready to be written: like a page, with tombstones and with the key vector apart. */
export interface WriteRows {
  readonly rowCount: number
  /** i64 values for KeyForm 'i64', refs for 'bytes' and 'composite'. */
  readonly keys: Pointer
  /** Bitmap, bit = 1: this key is deleted. 0 = none. */
  readonly tombstones: Pointer
  /**
   * All columns by ordinal (for a direct key, its own ordinal may be absent: the keys are it). An absent column is null
   * in every row. What vectors say of tombstone rows is passed over: they are written as null.
   */
  readonly vectors: readonly (Vector | undefined)[]
}

/** What `createTableWriter` (src/lsm/table/table-writer.ts) needs. */
export interface TableWriterOptions {
  readonly storage: Pick<Storage, 'create'>
  readonly kernel: Kernel
  readonly layout: TableLayout
  readonly fileNumber: number
  readonly shard: number
  readonly settings: Pick<TreeSettings, 'rowGroupBytes' | 'rowGroupGrowthMax' | 'filterBitsPerKey'>
}

/** What `openTable` (src/lsm/table/table-reader.ts) needs. */
export interface OpenTableOptions {
  readonly storage: Pick<Storage, 'open'>
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly meta: TableMeta
  readonly shard: number
  /**
   * When the tail is read: before the file is open, or when it is first needed. By default before where storage reads
   * synchronously: there it costs little, and nobody needs to wait. Read so early, and there in any case, it stays in memory,
   * but 'whileHeld'.
   */
  readonly tail?: 'now' | 'whenNeeded' | 'whileHeld'
}

export interface TableWriter {
  /** Bytes written to the file so far (for cutting files). */
  readonly byteLength: number
  readonly rowCount: number
  /** Appends rows in ascending key order, after all before; cut into row groups by these settings inside. */
  append(rows: WriteRows): Promise<void>
  addRangeTombstone(tombstone: RangeTombstone): void
  /** Writes filter, footer and trailer, publishes the file durably. */
  finish(sequences: { readonly min: number; readonly max: number }): Promise<TableMeta>
  abort(): Promise<void>
}

/** Bytes of a file's row groups, on average. */
export const rowGroupBytesOf = ({ byteLength, rowGroupCount }: TableMeta): number => byteLength / Math.max(1, rowGroupCount)

/** Rows of them, on average. */
export const rowGroupRowsOf = ({ rowCount, rowGroupCount }: TableMeta): number => rowCount / Math.max(1, rowGroupCount)

/**
 * An open table file. Its tail (filter and footer) is in memory while somebody holds it and for as long after as the cache
 * has room. All but what stands before `layout`, and `pin`, may be asked for only while it is held, or, when it is in
 * memory, until the caller's next await or reservation in the cache; so long its addresses stay as they are.
 */
export interface TableReader {
  readonly meta: TableMeta
  /** What the file's range tombstones delete; undefined until the tail was read once, where there are any. */
  readonly cover: RangeCover | undefined
  readonly isClosed: boolean
  /** What is known of the rows that newer runs leave, whether the tail is held or not. */
  readonly kept: KeptRows
  /** Keeps the tail in memory until as many calls of `release`. What must be waited for before it is held; undefined: it is. */
  hold(stats?: ReadStats): Promise<void> | undefined
  release(): void
  /** Reads the tail ahead of need, so that a later `hold` need not wait. A failure is left to that. */
  readAhead(stats?: ReadStats): void
  /** Its tail is in memory. */
  readonly isAtHand: boolean
  /** Does what was put off until the next read of few rows begins, if there is something: chunks may leave the cache. */
  quicken(): void
  /** The record with what `mergeLanes` needs before it asks; 0 where the file's tail is not in memory, or there is no room. The first time chunks may leave the cache. */
  walkRecord(): Pointer
  /** Tells of a row group that it asks for; false where its keys, or one of these columns, are not cached. */
  noteWalkGroup(rowGroup: number, columns: readonly number[]): boolean
  /** Whether reading takes a request over a network, so that fewer and larger ones, made early, pay. */
  readonly isFar: boolean
  /** What a scan may pin of it beforehand: all shards may be scanned at a time, and what they pin must fit into the cache. */
  readonly windowBytesMax: number
  /** Address and bytes of the filter in linear memory, for one bloom call over many tables, marked as used; undefined when the tail is not in memory and must be waited for. */
  useFilter(stats?: ReadStats): { readonly address: Pointer; readonly byteLength: number } | undefined
  readonly layout: TableLayout
  /** Of what columns come to in rows that newer runs leave. */
  readonly keptTotals: KeptTotals
  readonly rangeTombstones: readonly RangeTombstone[]
  /** Row group that would hold the key: the last whose first key is <= key; -1 when the key is before the first. */
  rowGroupOf(key: Pointer, keyBytes: number): number
  /** Row groups, ascending, that may hold keys in [lower, upper). */
  rowGroupsIn(lower: Uint8Array | undefined, upper: Uint8Array | undefined): { readonly from: number; readonly to: number }
  rowGroupRows(rowGroup: number): number
  /** First key of a row group, in linear memory, valid while the reader is open. All keys before are in row groups before. */
  firstKey(rowGroup: number): { readonly address: Pointer; readonly byteLength: number }
  /** Address of what is told of it for `columnGetNewest`, good while the reader is open; 0 while nothing is. */
  readonly record: Pointer
  /**
   * Point read in one row group: the position of the key, tombstone or not, or what must be fetched.
   * 'absent' when the key is not there. `hash` is the key's `bloomHash`.
   */
  find(rowGroup: number, key: Pointer, keyBytes: number, hash: Pointer, stats?: ReadStats): FoundRow | Fetch | 'absent'
  /** Fetches whole row groups (ascending), as `find` asks for, with as few reads as pay; other loads may evict them before they are asked for again. */
  fetchRowGroups(rowGroups: readonly number[], stats?: ReadStats): Promise<void>
  /** Chunk address of a column (ordinal, or 'key' for a composite key's bytes, or 'tombstones') in the cache; undefined when not cached, 0 when the file has no such column. */
  chunk(rowGroup: number, column: ChunkName): Pointer | undefined
  /** The same for who reads one row, which was just found: of compressed text only what that row needs may be there. */
  rowChunk(rowGroup: number, ordinal: number): Pointer | undefined
  /** A point read had to expand a part of a cached chunk: read so more often, it is kept expanded. */
  notePartRead(rowGroup: number, column: ChunkName): void
  /** Fetches the chunks of `columns` for row groups [from, to) into the cache with as few reads as pay, and pins them until `unpin`. */
  pin(from: number, to: number, columns: readonly ChunkName[], stats?: ReadStats): Promise<PinnedChunks>
  /** The same at once when all of them are cached; undefined, with nothing pinned, when they are not. */
  pinCached(from: number, to: number, columns: readonly ChunkName[]): PinnedChunks | undefined
  /** Zone maps by ordinal, in linear memory, shaped as src/kernel/zone-map.ts says; 0 when the file has no such column. */
  zoneMap(ordinal: number): Pointer
  /** Exact minimum and maximum of a text column in a row group; undefined when they were too long to keep, or there are none. */
  textExtremes(rowGroup: number, ordinal: number): { readonly min: Uint8Array; readonly max: Uint8Array } | undefined
  /** Address of u32 row counts by row group. */
  readonly rowCounts: Pointer
  /**
   * The same without tombstones. Zone maps speak of live rows only, so `zoneMapPrune` and aggregates from zone maps are
   * given these. A row group with tombstones (the counts differ) hides older rows even when its zone maps prune it.
   */
  readonly liveRowCounts: Pointer
  close(): Promise<void>
}

/** Where zone maps stand that speak of a row group; good as long as the file's tail is held. */
export interface RowGroupZones {
  readonly rowGroup: number
  readonly maps: ZoneMaps
}

/** Of a file's row groups. */
export type ZoneMaps = Pick<TableReader, 'zoneMap' | 'textExtremes' | 'liveRowCounts'> & { readonly meta: Pick<TableMeta, 'rowGroupCount'> }

export interface PinnedChunks {
  chunk(rowGroup: number, column: ChunkName): Pointer
  unpin(): void
}

/** A row of a file as one number: rows of a row group are numbered in 16 bits. */
export const placeOf = (rowGroup: number, row: number): number => rowGroup * 0x1_0000 + row
export const rowGroupAt = (place: number): number => Math.floor(place / 0x1_0000)
export const rowAt = (place: number): number => place % 0x1_0000

export interface FoundRow {
  readonly rowGroup: number
  readonly row: number
  readonly tombstone: boolean
}

export type { ChunkName, Page }
