/**
 * Scans: filters to a selection bitmap, aggregates over it and aggregates by group, on encoded chunks where the
 * encoding allows (dictionary codes, packed integers) and on vectors otherwise.
 *
 * Selections are bitmaps as for nulls, bit = 1 means selected, zeros after the last row; address 0 as an input means
 * all rows. Vectors, bitmaps, constants and accumulators stand at multiples of 8. Comparisons are those of zone maps:
 * f64 orders NaN above all numbers and equal to itself, -0 equals 0; text is ordered by its bytes.
 *
 * Grouping: a group table gives each distinct key a number from 0 up. A key is (parent, value): for the first column
 * of a GROUP BY the parent is 0 for all rows, for each further column, which has a table of its own, it is the group
 * of the columns before. So the last table's groups are those of the whole key, and the parents lead back to the values
 * of the columns before. NULL is a value of its own, as GROUP BY wants it. Accumulators of one aggregate form an array of
 * 48 bytes × group.
 */
import type { Pointer } from './linear-memory.ts'

export const accumulatorBytes = 48
/** Of a group whose extremes nobody asks for: f64 count, then the sum as in an accumulator; all zeros at first. */
export const groupSumsBytes = 24

/** Slots of 256 codes, then a block's codes and values. */
export const groupedCodesScratchBytes = 257 * 64 + 1024 * 12

/** Of a group whose sum is of decimals of few digits and not in an accumulator yet; all zeros at first. */
export const narrowSumBytes = 16
/** Of so many rows such sums hold. */
export const narrowRowsMax = 2 ** 20
/** A block's codes and groups. */
export const narrowScratchBytes = 2 * 4096

/** A block's codes of two chunks, then 4,096 counts. */
export const codeCellsScratchBytes = 2 * 4096 + 4 * 4096

/** 128 codes. */
export const entriesScratchBytes = 512

/** Codes of texts in a group: f64 count of all rows so far, then the least and the greatest code of a chunk as u32; between chunks `noCode` and 0. */
export const codeRangeBytes = 16
export const noCode = 0xffff_ffff

/** Kinds of values, as in files. */
export const scanKind = { i64: 1, f64: 2, bytes: 3 } as const

export interface ScanExports {
  /**
   * ANDs `value(row) <comparison> constant` into `selection` (nulls never match) for a whole chunk; returns how many stay selected,
   * or -1, the selection then undefined, when the chunk is of another kind or its compressed text is malformed.
   * `scratch` holds `scanScratchBytes`.
   */
  scanFilterChunkI64(chunk: Pointer, op: number, constant: Pointer, selection: Pointer, scratch: Pointer): number
  scanFilterChunkF64(chunk: Pointer, op: number, constant: Pointer, selection: Pointer, scratch: Pointer): number
  scanFilterChunkBytes(chunk: Pointer, op: number, constant: Pointer, constantBytes: number, selection: Pointer, scratch: Pointer): number
  scanScratchBytes(chunk: Pointer): number
  /** The same over vectors. */
  scanFilterI64(values: Pointer, nulls: Pointer, count: number, op: number, constant: Pointer, selection: Pointer): number
  scanFilterF64(values: Pointer, nulls: Pointer, count: number, op: number, constant: Pointer, selection: Pointer): number
  scanFilterBytes(refs: Pointer, nulls: Pointer, count: number, op: number, constant: Pointer, constantBytes: number, selection: Pointer): number

  /** Sets the first `count` bits and clears the rest up to a multiple of 64. */
  scanSelectAll(selection: Pointer, count: number): void
  scanSelectedCount(selection: Pointer, count: number): number
  /** Selected row numbers as u32 at `out`; returns how many. */
  scanSelectedRows(selection: Pointer, count: number, out: Pointer): number

  /**
   * Adds the selected non-null values to an accumulator of 48 bytes: f64 count, 8-byte min, 8-byte max, sum (16: i128, or
   * double-double for f64), 8 reserved. An accumulator starts as `scanAccumulatorInit` leaves it and two of them merge with
   * `scanAccumulatorMerge`. kind: 1 i64, 2 f64. Extremes mean nothing while the count is 0.
   * A running f64 sum that overflows stays infinite or NaN: its low part is then 0 (see `readDoubleDouble`).
   * Over chunks: returns 0, or -1 (nothing added) for a chunk of another kind.
   */
  scanAccumulatorInit(accumulator: Pointer, kind: number): void
  scanAccumulatorMerge(into: Pointer, from: Pointer, kind: number): void
  scanAggregateChunkI64(chunk: Pointer, selection: Pointer, accumulator: Pointer, scratch: Pointer): number
  scanAggregateChunkF64(chunk: Pointer, selection: Pointer, accumulator: Pointer, scratch: Pointer): number
  scanAggregateI64(values: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulator: Pointer): void
  scanAggregateF64(values: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulator: Pointer): void

  /** Bytes of a group table for so many groups and bytes of text (0 unless the kind is bytes). */
  scanGroupsBytes(groupCapacity: number, textCapacity: number): number
  /** Starts an empty table in `scanGroupsBytes` bytes. kind: 1 i64, 2 f64, 3 bytes. */
  scanGroupsCreate(table: Pointer, kind: number, groupCapacity: number, textCapacity: number): void
  /** Copies all groups, which keep their numbers, into an empty larger table of the same kind; 0, or -1 when it is too small. */
  scanGroupsCopy(from: Pointer, into: Pointer): number
  scanGroupsCount(table: Pointer): number
  /**
   * Writes the group of each selected row in [from, count) as u32 at `groups`, adding new groups. `vector` holds values or
   * refs; `parents` is u32 by row, or 0. Returns `count`, or the first row that found the table full: bring a larger
   * one by `scanGroupsCopy` and call again from that row.
   */
  scanGroupsAssign(table: Pointer, vector: Pointer, nulls: Pointer, parents: Pointer, selection: Pointer, from: number, count: number, groups: Pointer): number
  /**
   * Brings the groups of `from`, starting at `firstGroup`, into `into` and writes their numbers there as u32 by group at `map`.
   * `parentMap` is the map of the tables of the column before, or 0. Returns the groups of `from`, or the first that found `into` full.
   */
  scanGroupsMerge(into: Pointer, from: Pointer, parentMap: Pointer, firstGroup: number, map: Pointer): number
  /**
   * The keys of `count` groups (u32 at `groups`, or `firstGroup` onwards when it is 0) as a vector: values or refs into the table
   * at `vector`, null bitmap at `nulls`, and u32 parents at `parents` unless 0. Returns how many are null.
   */
  scanGroupsKeys(table: Pointer, groups: Pointer, firstGroup: number, count: number, vector: Pointer, nulls: Pointer, parents: Pointer): number
  /** Writes one number for `count` rows. */
  scanGroupsFill(groups: Pointer, count: number, group: number): void
  /** Replaces the number of each selected row at `groups` by what `map` has for it. */
  scanGroupsMap(groups: Pointer, selection: Pointer, count: number, map: Pointer): void
  /** Entries of a text chunk's dictionary, or -1 when it has none. */
  scanGroupsEntryCount(chunk: Pointer): number
  /**
   * Dense groups of a text chunk: writes the dictionary code of rows [first, first + count) (`first` a multiple of 8) as u32 at
   * `groups`, and for a null the number of entries. Returns the number of entries, or -1 when the chunk has no dictionary.
   */
  scanGroupsCodes(chunk: Pointer, first: number, count: number, groups: Pointer): number
  /**
   * The entries behind those codes as a vector: refs at `refs` and, after them, an empty one that the bitmap at `nulls` marks as
   * null, so that `scanGroupsAssign` over entries + 1 rows turns codes into groups of a table. Returns the entries, or -1.
   */
  scanGroupsEntries(chunk: Pointer, refs: Pointer, nulls: Pointer): number
  /**
   * Whether the dictionary of a text chunk is the one that `known` (8-aligned, `capacity` bytes, its first u32 0 at first) holds: 1 it
   * is, so that equal codes mean equal texts; 0 it is not, and held from now on; -1 there is none, or none is held, as it is too large.
   */
  scanEntriesKnown(chunk: Pointer, known: Pointer, capacity: number): number
  /**
   * Writes at `out` which of the selected rows have a dictionary entry whose bit is set in `entries` (32 bytes or more, after the
   * entries one bit for null). `scratch` holds `entriesScratchBytes`. Returns 0, or -1, with nothing written, when the chunk has no
   * dictionary.
   */
  scanEntriesSelect(chunk: Pointer, entries: Pointer, selection: Pointer, out: Pointer, scratch: Pointer): number
  /** Sets bit groups[row] of the bitmap `used` for each selected row: the selection of the entries that occur. */
  scanGroupsUsed(groups: Pointer, selection: Pointer, count: number, used: Pointer): void

  /**
   * Groups of i64 values by their distance from `base`, as far as `index` knows them: u32 group + 1 for each of `capacity` values,
   * then for NULL, then a 0; `base` and `base + capacity` are safe integers. Writes u32 groups of selected rows (what it writes for
   * others means nothing) and sets in `missed` the bits of those it does not know. Returns how many they are.
   */
  scanGroupsDense(index: Pointer, base: number, capacity: number, values: Pointer, nulls: Pointer, selection: Pointer, count: number, groups: Pointer, missed: Pointer): number
  /** Teaches it the groups of the selected rows (`selection` is not 0), as far as their values lie in it. */
  scanGroupsDenseLearn(index: Pointer, base: number, capacity: number, values: Pointer, nulls: Pointer, selection: Pointer, count: number, groups: Pointer): void

  /**
   * Places of i64 values, which are groups without a table: u32 value - `base` of selected rows at `places`, for NULL `capacity`.
   * Returns 0, or -1, what was written then meaning nothing, when a value is not among the `capacity` from `base` on; both ends of
   * those are safe integers. Of a chunk all rows are looked at, and -1 is returned of one that has nulls, or other codes than
   * distances from a base, too; it writes up to 3 places beyond the last row.
   */
  scanPlaces(values: Pointer, nulls: Pointer, selection: Pointer, count: number, base: number, capacity: number, places: Pointer): number
  scanPlacesChunk(chunk: Pointer, base: number, capacity: number, places: Pointer): number
  /** Writes the places below `placeCount` whose accumulators, `stride` bytes each that begin with the count, have rows as u32 at `used`, ascending, where all of them have room; returns how many. */
  scanPlacesUsed(accumulators: Pointer, stride: number, placeCount: number, used: Pointer): number

  /** Starts the accumulators of groups [firstGroup, groupCount). */
  scanGroupedInit(accumulators: Pointer, firstGroup: number, groupCount: number, kind: number): void
  /** Adds 1 to the count of each selected row's group where `nulls` has no bit (0: COUNT(*)). */
  scanGroupedCount(groups: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulators: Pointer): void
  /** Adds the selected non-null values to the accumulators of their groups. */
  scanGroupedI64(groups: Pointer, values: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulators: Pointer): void
  scanGroupedF64(groups: Pointer, values: Pointer, nulls: Pointer, count: number, selection: Pointer, accumulators: Pointer): void
  /** The same into `groupSumsBytes` a group. */
  scanGroupedSumsI64(groups: Pointer, values: Pointer, nulls: Pointer, count: number, selection: Pointer, sums: Pointer): void
  scanGroupedSumsF64(groups: Pointer, values: Pointer, nulls: Pointer, count: number, selection: Pointer, sums: Pointer): void
  /** Adds the sums of group g of `from` to those of group map[g] of `into` (map 0: g), for all g below `groupCount`. */
  scanGroupedSumsMerge(into: Pointer, from: Pointer, map: Pointer, groupCount: number, kind: number): void
  /**
   * Counts and sums the selected rows of an f64 chunk into `groupSumsBytes` a group, `map` having the groups of the dictionary entries
   * of the text chunk `keys` of the same rows. `scratch` holds `groupedCodesScratchBytes`. Returns 0, or -1, with nothing added, where
   * a chunk has nulls, the dictionary more than 256 entries, less than half of the rows are selected, or the values are no decimals of up to nine digits.
   */
  scanGroupedSumsCodes(keys: Pointer, map: Pointer, values: Pointer, selection: Pointer, sums: Pointer, scratch: Pointer): number
  /**
   * Decimals that an f64 chunk's values have after the point, from 0 to 5, where all of them are encoded as decimals, none is null, and what a
   * block's codes can stand for is below 2^20 without the point; otherwise -1.
   */
  scanNarrowExponent(chunk: Pointer): number
  /**
   * Counts and sums the selected rows of such a chunk into `narrowSumBytes` a group, and others into the group `spare`. All chunks of which
   * that has sums are to have one exponent, and `narrowRowsMax` rows together. `scratch` holds `narrowScratchBytes`. Returns 0, or -1, with
   * nothing added, where less than half of the rows are selected, or the chunk is another.
   */
  scanGroupedNarrow(groups: Pointer, values: Pointer, selection: Pointer, spare: number, narrow: Pointer, scratch: Pointer): number
  /** Brings them to `groupSumsBytes` a group, for all groups below `groupCount`, and starts anew. */
  scanGroupedNarrowTake(narrow: Pointer, groupCount: number, exponent: number, sums: Pointer): void
  /** Merges accumulator g of `from` into accumulator map[g] of `into` (map 0: g), for all g below `groupCount`. */
  scanGroupedMerge(into: Pointer, from: Pointer, map: Pointer, groupCount: number, kind: number): void

  /**
   * Takes the codes (u32 by row, `nullCode` counts for nothing) of the selected rows into the `codeRangeBytes` of their groups.
   * Writes the groups that had none in this chunk as u32 at `touched`; returns how many.
   */
  scanGroupedCodes(groups: Pointer, codes: Pointer, nullCode: number, selection: Pointer, count: number, ranges: Pointer, touched: Pointer): number
  /** The same for texts that have no codes, `refs` and `nulls` being a vector: the codes are the numbers of their rows. */
  scanGroupedTexts(groups: Pointer, refs: Pointer, nulls: Pointer, selection: Pointer, count: number, ranges: Pointer, touched: Pointer): number
  /**
   * The same for the codes of the text chunk `values`, `map` having the groups of the dictionary entries of the text chunk `keys` of the same
   * rows. `scratch` holds `codeCellsScratchBytes`. Returns how many groups are touched, or -1, with nothing done, where a chunk has nulls or no
   * dictionary, or the codes of both together have more than 12 bits.
   */
  scanGroupedCodesByEntry(keys: Pointer, map: Pointer, values: Pointer, selection: Pointer, ranges: Pointer, touched: Pointer, scratch: Pointer): number
  /**
   * Compares the text of each touched group's least code (`greatest` 1: its greatest) among `refs` with the ref that `bests` has by
   * group (address 0: none). Writes the groups whose text beats it as u32 at `winners`; returns how many.
   */
  scanGroupedCodesBeat(touched: Pointer, touchedCount: number, ranges: Pointer, greatest: 0 | 1, refs: Pointer, bests: Pointer, winners: Pointer): number
  /** Forgets the codes of the touched groups, not their counts. */
  scanGroupedCodesReset(touched: Pointer, touchedCount: number, ranges: Pointer): void
}
