/**
 * Column chunks: the encoded values of one column in one row group (at most 65,535 rows), in blocks of
 * 1,024 values, self-describing, with random access to one row without decoding the chunk.
 * The layout stands in `assembly/column/layout.ts` and is a file format: never change it, add to it.
 * A chunk is read and written at an address that is a multiple of 8.
 *
 * Vectors, the decoded form:
 * - i64/f64: `count` 8-byte values, little-endian;
 * - bytes: refs, `count` pairs of u32 (address, length), pointing into a chunk, a memtable or scratch;
 * - nulls: bitmap of ceil(count/8) bytes rounded up to 8, bit = 1 means null; address 0 means no nulls.
 *   A null's value slot is 0 (or an empty ref).
 */
import type { Pointer } from './linear-memory.ts'

/** Bytes of a record of a file for `columnGetNewest` before its row groups, and of a row group with so many columns. */
export const residentHeadBytes = 56
export const residentGroupBytes = (columnCount: number): number => (20 + 4 * columnCount + 7) & ~7

/** How `columnGetNewest` finds the keys of a row group, where that is not the address of an index: it is not told; by a search, of which, in texts, so many more than one were made, up to the most. */
export const keysFoundBy = { isUntold: 0, isSearch: 1, searchesMax: 32 } as const

/** Bytes of the parts of a record of a table's runs for `columnGetNewest`, of which it takes at most so many. */
export const runsHeadBytes = 32, runsMemtableBytes = 8, runsRunBytes = 32, runsMax = 64

/** Room behind a chunk of so many keys that its guide takes at most. */
export const keyGuideBytes = (rowCount: number): number => 8 * Math.ceil(rowCount / 16)

/** Bytes of a key that `columnGetNewestMany` is asked for, and of what is written for it. */
export const askedKeyBytes = 32, newestOutBytes = 24

/** What `columnGetNewest` gives instead of a row in a file. */
export const newestOutcomes = { isAbsent: -1, isDeleted: -2, isUnknown: -3, isInMemtable: -4 } as const

/** Of a value that was looked for: null; a value; a text that is ASCII; not read, since it needs scratch or cannot be read. */
export const cellStates = { isNull: 0, isThere: 1, isAscii: 2, isUnread: 3 } as const

export interface ColumnExports {
  /** Upper bound of the encoded size of `count` values (and `dataBytes` of text). */
  columnEncodeBound(count: number, dataBytes: number): number
  /** Scratch bytes the encoders need for `count` values and `dataBytes` of text. */
  columnScratchBytes(count: number, dataBytes: number): number
  /**
   * Encodes with whatever of constant, frame-of-reference, linear, delta or plain is smallest (delta, which adds up to 127
   * codes to reach a row, only where it saves an eighth; its differences are divided by what they have in common, as
   * Lucene divides numbers of doc values); returns bytes written.
   */
  columnEncodeI64(values: Pointer, nulls: Pointer, count: number, out: Pointer, scratch: Pointer): number
  /** Encodes decimals-in-integers (after ALP: Afroozeh, Kuffo, Boncz 2023) where exact, otherwise plain; every bit pattern survives. */
  columnEncodeF64(values: Pointer, nulls: Pointer, count: number, out: Pointer, scratch: Pointer): number
  /** Encodes constant, dictionary (sorted, so that codes compare as values), run-length, plain, or LZ4 blocks of plain where that pays. */
  columnEncodeBytes(refs: Pointer, nulls: Pointer, count: number, out: Pointer, scratch: Pointer): number
  /** Keys: distinct texts without nulls, encoded plain whatever it costs, since point reads search them. */
  columnEncodeKeys(refs: Pointer, count: number, out: Pointer, scratch: Pointer): number

  columnCount(chunk: Pointer): number
  /** Bytes of the chunk as it stands. */
  columnByteLength(chunk: Pointer): number
  /** Kind of the values: 1 i64, 2 f64, 3 bytes. Decoding, reading or searching as another kind returns -1 and writes nothing. */
  columnKind(chunk: Pointer): number
  /** Encoding number in the chunk's header (for `inspect` and tests). */
  columnEncoding(chunk: Pointer): number
  /** Checks that a chunk of `chunkBytes` bytes is well-formed (all offsets inside, widths legal); 0 = yes. Called once per chunk read. */
  columnValidate(chunk: Pointer, chunkBytes: number): number
  /** 1 if any row is null. */
  columnHasNulls(chunk: Pointer): number
  /** Bytes of scratch that decoding this bytes chunk needs to hold decompressed or expanded text (0 when refs point into the chunk). */
  columnDecodeScratchBytes(chunk: Pointer): number

  /** Decode rows [first, first+count) (`first` a multiple of 8). `nulls` (may be 0 when the chunk has none) receives the bitmap. Returns 1 if any of them is null; -1 for another kind, rows outside the chunk, or compressed text that is malformed. */
  columnDecodeI64(chunk: Pointer, first: number, count: number, values: Pointer, nulls: Pointer): number
  columnDecodeF64(chunk: Pointer, first: number, count: number, values: Pointer, nulls: Pointer): number
  columnDecodeBytes(chunk: Pointer, first: number, count: number, refs: Pointer, nulls: Pointer, scratch: Pointer): number

  /** One row: writes the 8-byte value, or the ref, to `out`; returns 1, or 0 for null (-1 as for decoding). `scratch` as for decoding (a single block is decompressed), or 0: then a text that needs some is -2. */
  columnGetI64(chunk: Pointer, row: number, out: Pointer): number
  columnGetF64(chunk: Pointer, row: number, out: Pointer): number
  columnGetBytes(chunk: Pointer, row: number, out: Pointer, scratch: Pointer): number

  /**
   * `count` rows by number (u32 at `rows`), `kind` as `columnKind` has it: the same as decoding all and taking these, for few of them. Of
   * bytes only chunks that need no scratch to decode. -1 for another kind or a row outside the chunk.
   */
  columnGather(chunk: Pointer, kind: number, rows: Pointer, count: number, values: Pointer, nulls: Pointer): number

  /**
   * Writes, for each block of 1,024 rows, two i64 between which all its values lie: not the closest ones, but told without
   * decoding. Returns how many blocks there are; -1, where what was written means nothing, for another kind, a chunk with nulls,
   * and values of which this is not known.
   */
  columnBlockBounds(chunk: Pointer, out: Pointer): number

  /** First row whose value is >= the i64 at `value`, for a chunk sorted ascending without nulls; count if none. */
  columnLowerBoundI64(chunk: Pointer, value: Pointer): number
  /** The same for bytes, compared as unsigned bytes, shorter first. */
  columnLowerBoundBytes(chunk: Pointer, key: Pointer, keyBytes: number, scratch: Pointer): number
  /**
   * The row of a key, given by its bytes (src/kernel/row.ts), in a sorted i64 or bytes chunk without nulls; -1 when it is not there, -2 when
   * the chunk cannot be read. `work`: 8 bytes; `scratch` as for decoding.
   */
  columnFindKey(chunk: Pointer, key: Pointer, keyBytes: number, work: Pointer, scratch: Pointer): number

  /**
   * Makes a guide part of a plain bytes chunk of sorted keys without nulls, which searches go by then: it lives in memory only, where there
   * is room for `keyGuideBytes` behind the chunk. Leaves few rows, and any other chunk, as they are.
   */
  columnGuide(chunk: Pointer): void

  /** Bytes of an index of a plain bytes chunk of distinct keys without nulls; 0 for any other chunk. */
  columnKeyIndexBytes(chunk: Pointer): number
  /** Writes such an index, which lives in memory only and as long as the chunk. `work`: 8 bytes. */
  columnIndexKeys(chunk: Pointer, index: Pointer, work: Pointer): void
  /** As `columnFindKey`, by the index of the chunk; `hash` is the key's `bloomHash`. `work`: 8 bytes. */
  columnFindIndexed(chunk: Pointer, index: Pointer, hash: Pointer, key: Pointer, keyBytes: number, work: Pointer): number
  /**
   * The same, and the value of that row in another chunk of the row group (0: in none): the 8-byte value or the ref at `out`, and at
   * `out + 8`, as u32, what it is, of `cellStates`. `out`: 16 bytes.
   */
  columnGetIndexed(chunk: Pointer, index: Pointer, hash: Pointer, key: Pointer, keyBytes: number, column: Pointer, out: Pointer): number

  /**
   * The newest row of a key (which stands without its table's id) that a read at `sequence` sees, by a record of the table's runs, newest first:
   * ```
   * ┌ u32 memtables │ u32 runs │ u32 table id, its bytes as in keys │ u32 row layout (src/kernel/row.ts) ┐
   * ├ u32 columns │ u32 address of i32 × columns: places in rows; -1: of the key │ u32 address of f64 × 3, counts │ pad 8 ┤
   * ├ memtable: u32 handle │ u32 1: all its versions are seen ┤ …
   * ├ run: u32 files │ u32 × 4 what their first keys share, their prefixes, refs, texts as `zoneMapRowGroupOf` has them (of several) ┤
   * │      u32 address of u32 × files: their records; 0: none │ u32 number of its first file │ u32 address, for `mergeLanes`, of the ref of its last key and f64 its rows ┤ …
   * ```
   * and by a record of what is in memory of each file:
   * ```
   * ┌ f64 version │ f64 version under which this was noted │ u32 row groups │ u32 × 4 of their first keys as above │ u32 columns ┐
   * ├ u32 × 2 filter, its bytes │ u32 1: has range tombstones │ u32 address of u32 × row groups, their rows; 0: none of this is told ┤
   * ├ row group: f64 version │ u32 keys │ u32 their index, or of `keysFoundBy` │ u32 tombstones │ u32 × columns: chunks by ordinal; 0: none │ pad 8 ┤ …
   * ```
   * of which versions are for walks, which use what was noted under the same as the file's, be it some columns only. Gives the row in a file, with its row group as u32 at `out + 12` and the number of the file
   * at `out + 16`; -1 for a key that no row has; -2 for a row that is deleted; -4 for one in a memtable, which is at the address at `out + 16`; and -3
   * where that has to be found out otherwise, as where column `ordinal` (-1: none) is compressed in the file of that number, or range tombstones may hide
   * the row. The value of that column is at `out` as `columnGetIndexed` has it. Adds to the counts, unless it gives -3: files that were asked for the key and have it not, that
   * have it, and whose filters were wrong. `out`: 24 bytes; `hash` is the key's `bloomHash`.
   */
  columnGetNewest(runs: Pointer, sequence: number, hash: Pointer, key: Pointer, keyBytes: number, ordinal: number, out: Pointer): number
  /**
   * The same of many keys, whose memory is waited for together: `count` of
   * ```
   * f64 sequence │ u32 runs │ u32 key │ u64 hash │ u32 key bytes │ i32, written: what `columnGetNewest` gives
   * ```
   * at `asked`, and of what it writes 24 bytes for each at `out`. `work`: 8 bytes.
   */
  columnGetNewestMany(asked: Pointer, count: number, ordinal: number, out: Pointer, work: Pointer): void

  /**
   * Writes a plain bytes chunk without nulls in the form for storage in which rows that begin alike share their beginnings;
   * `out` has room for the chunk. Returns the bytes written, or 0 where that saves less than an eighth, and for any other chunk.
   * Nothing but `columnValidate`, `columnCount`, `columnKind`, `columnEncoding` and the following two reads it.
   */
  columnFront(chunk: Pointer, out: Pointer): number
  /** Bytes of a chunk of compressed text, or in the form for storage, as `columnExpand` writes it; 0 for any other chunk. */
  columnExpandedBytes(chunk: Pointer): number
  /**
   * Writes a chunk of compressed text, or in the form for storage, as a plain one with the same rows, in which a row is read without its neighbours; returns the
   * bytes written, or 0 for any other chunk and for malformed text.
   */
  columnExpand(chunk: Pointer, out: Pointer): number

  /**
   * Of a chunk of compressed text whose parts have sums: bytes of its head, which are all before its text, and enough for
   * `columnValidate`; 0 for any other chunk, and where that could not be. Only the first 48 bytes of the chunk need be there.
   */
  columnHeadBytes(chunk: Pointer, chunkBytes: number): number
  /** 1 if the head is as it was written. `work`: 8 bytes. */
  columnHeadIsGood(chunk: Pointer, work: Pointer): number
  /**
   * The part in which the text of a row is: writes its offset in the chunk and its bytes, as u32, to `out`, and returns its
   * number. With the head, which must have been validated, it is all that `columnGetBytes` reads for the row.
   */
  columnPart(chunk: Pointer, row: number, out: Pointer): number
  /** 1 if a part is as it was written. `work`: 8 bytes. */
  columnPartIsGood(chunk: Pointer, part: number, work: Pointer): number
}
