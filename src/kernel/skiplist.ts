/**
 * The memtable: an ordered map from (key, sequence number descending) to row bytes, as a skiplist whose nodes
 * are sorted blocks of key prefixes (assembly/skiplist/layout.ts), with an index beside it for exact gets.
 * Append-only in segments that the caller brings; freed as a whole. One thread writes, and reads meanwhile; any thread may
 * read once it is frozen, and has been put in order: all state stands in the segments, and the handle is the same on every thread.
 *
 * A write batch (one byte shape from the engine to peers, log and memtable), little-endian:
 *
 *   0  u32  byteLength of the whole batch
 *   4  u32  opCount
 *   8  f64  baseSequence: operation i has sequence baseSequence + i
 *  16  u32  headerBytes: where the operations start (24, or more when participants follow)
 *  20  u32  flags: bit 0 participants present, bit 1 control batch (no operations for the memtable),
 *           bit 2 some operation has kind 4 or 5
 *  24  participants, see src/lsm/batch.ts
 *  operations, each at a multiple of 4:
 *   0  u8   kind: 1 put, 2 delete, 3 range delete (key = start, value = end, exclusive), 4 define table, 5 drop table
 *   1  u8[3] 0
 *   4  u32  keyBytes
 *   8  u32  valueBytes
 *  12  key, value, zeros to the next multiple of 4
 *
 * Kinds 4 and 5 are for the tree (key = u32 big-endian table id, value = layout); the memtable passes over
 * them, except that 5 acts as a range delete of the table's whole key space.
 *
 * Malformed is also: a put or delete whose key has no table id (fewer than 4 bytes), a put without a value or a
 * delete with one, a range delete without an end, bytes other than 0 where zeros belong, a base sequence that is no
 * integer in [0, 2^53 - 1 - opCount]. A range delete whose start is not below its end hides nothing and is left out.
 */
import type { Pointer } from './linear-memory.ts'

export interface SkiplistExports {
  /** Starts a memtable in its first segment; returns its handle (an address in the segment), 0 when it is below 336 bytes. */
  skiplistCreate(segment: Pointer, segmentBytes: number): Pointer
  /** Gives the memtable one more segment. */
  skiplistAddSegment(table: Pointer, segment: Pointer, segmentBytes: number): void
  /**
   * Applies a whole batch, or nothing: 0 applied; > 0 the size in bytes of a further segment that it needs first (a
   * bound, so that nothing can fail midway; what a batch leaves of it serves the next ones); -1 malformed batch. The
   * batch must not stand in the memtable's segments and may be reused after the call.
   */
  skiplistApply(table: Pointer, batch: Pointer, batchBytes: number): number
  /**
   * Keys that came in no order may wait for their place in the order, until there are many or they are read in order. Gives
   * all of them their place: before another thread reads, since reads in order do so as well.
   */
  skiplistOrder(table: Pointer): void
  /** Entries (versions; range tombstones are not among them) and bytes used, as f64. */
  skiplistEntryCount(table: Pointer): number
  skiplistUsedBytes(table: Pointer): number
  /** How many range tombstones it holds. */
  skiplistRangeCount(table: Pointer): number
  /** Writes range tombstone i: u32 start address, u32 start bytes, u32 end address, u32 end bytes (0 = no end), f64 sequence (24 bytes). */
  skiplistRangeAt(table: Pointer, index: number, out: Pointer): void
  /**
   * The newest version of a key with sequence <= `sequence`: 1 put (its value ref at `out`), 2 deleted (by a tombstone
   * or a newer range tombstone, so older runs must not be asked), 0 unknown here.
   */
  skiplistGet(table: Pointer, key: Pointer, keyBytes: number, sequence: number, out: Pointer): number
  /**
   * Whether it has keys from `first` to `last`, deleted ones and those of any sequence among them; range tombstones are none.
   * Where all its keys are below `first`, as keys that come in order find it, that takes one comparison.
   */
  skiplistHasKeys(table: Pointer, first: Pointer, firstBytes: number, last: Pointer, lastBytes: number): number
  /**
   * Places the 32-byte cursor at `cursor` before the first key >= `key` (forward), or before the last key < `key`
   * (backward, for which an empty key means the end). The key is not needed afterwards. A cursor stays valid while
   * batches are applied: keys that come later before its position are not read.
   */
  skiplistSeek(table: Pointer, key: Pointer, keyBytes: number, backward: number, cursor: Pointer): void
  /**
   * Reads up to `limit` keys from the cursor in its direction, one entry each: the newest version with sequence <=
   * `sequence`, unless none is visible. Writes key refs (u32 pairs) at `keys` and value refs at `values`; a deleted key
   * (tombstone, or put below a newer range tombstone) is written with a value of length 0 (rows are never empty).
   * `skipBytes` leading bytes (the table id) are left out of the key refs. Stops before the first key >= the bound
   * (forward; empty = none) or < the bound (backward). Returns how many; less than `limit` means the end.
   */
  skiplistRead(table: Pointer, cursor: Pointer, sequence: number, bound: Pointer, boundBytes: number, skipBytes: number, keys: Pointer, values: Pointer, limit: number): number
  /**
   * As `skiplistRead`, in ascending order, of the keys that begin with the prefix, which their refs leave out, and have a
   * version with a sequence in (`since`, `sequence`]; -1, with nothing of use written, when there are more than `limit`
   * such versions. It looks at versions from the one applied last to the first that is not newer than `since`: for
   * memtables whose batches come in the order of their sequences.
   */
  skiplistReadSince(table: Pointer, since: number, sequence: number, prefix: Pointer, prefixBytes: number, keys: Pointer, values: Pointer, limit: number): number
}
