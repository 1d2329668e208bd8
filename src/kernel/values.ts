/**
 * From the text after VALUES, or records of CSV, to write batches: plain literals become typed columns, columns become keys, and
 * keys and columns become the operations of a batch (drawn in src/kernel/skiplist.ts and src/kernel/row.ts). A plan
 * says what the table is; the columns have one value a row.
 *
 * The plan, little-endian, at a multiple of 8:
 *
 *   0  u32  targets: how many values a tuple has          4  u32  address of their columns' ordinals (u32 each)
 *   8  u32  key columns                                  12  u32  address of their ordinals, in key order
 *  16  u32  key form: 1 one i64 column, 2 one bytes column, 3 composite (src/engine/codec/key-codec.ts)
 *  20  u32  value columns, those not in the key          24  u32  address of their ordinals, ascending
 *  28  u32  bytes of a row before its text part          32  u32  table id
 *  36  u32  shards                                       40  u32  address for pending cells
 *  44  u32  pending cells there is room for              48  u32  pending cells (written by valuesScan)
 *  64  columns, 64 bytes each, by ordinal
 *
 * A column:
 *
 *   0  u32  type, see `valuesType`                        4  u32  1 = NOT NULL
 *   8  u32  address of the values: 8 bytes a row, i64, f64 or a ref (u32 address, u32 bytes)
 *  12  u32  address of the null bitmap, bit = 1 means null; the value of a null is 0
 *  16  u32  digits after the point of a numeric; most characters of a text, 2^32-1 = any number
 *  20  u32  1 i64, 2 f64, 3 bytes
 *  24  i64  smallest, 32  i64  largest value
 *  40  8 bytes: what DEFAULT stands for                  48  u32  0 unknown, 1 a value, 2 null
 *
 * The literals are those of src/sql/scan/lexer.ts, assigned by the rules of src/sql/value/assign.ts; every literal that
 * is taken means here what it means there, and everything else ends the scan before its tuple. Taken are: integers and
 * decimals of at most 19 digits (rounded half away from zero to what the column holds), doubles, 'texts' with doubled
 * quotes, NULL, TRUE, FALSE, DEFAULT, 'YYYY-MM-DD' and 'YYYY-MM-DD HH:MM[:SS[.ffffff]]' with or without Z or an offset,
 * perhaps after DATE or TIMESTAMP, x'…' and '\x…'. A double that a multiplication or division of exact numbers does not
 * give is a pending cell: its value is the caller's to write.
 *
 * Fields of CSV are text of their column's type: integers are digits (no point, so nothing is rounded), the sign of a
 * double's 0 counts, booleans are true and false, t and f, 1 and 0, nothing at all is null and `""` an empty text.
 */
import type { Pointer } from './linear-memory.ts'

export const valuesType = { integer: 1, numeric: 2, double: 3, boolean: 4, timestamp: 5, date: 6, text: 7, bytea: 8 } as const

export const valuesPlanBytes = 64
export const valuesColumnBytes = 64
/** u32 address of the value, u32 address of the literal, u32 its bytes, u32 type of its column. */
export const pendingCellBytes = 16
/**
 * What `valuesMeasure` tells of a shard's rows, u32 each: bytes of their operations, how many rows, and where there are some
 * the row of the smallest key, that of the greatest, and 1 if each key is above the one before it.
 */
export const valuesShardBytes = 20
/** Zero bytes that must follow the text: up to 16 are looked at together. */
export const valuesTextMargin = 16

export interface ValuesExports {
  /**
   * Scans tuples `( v , … ) , ( …`, blanks and comments between them, into rows 0, 1, … of the target columns; returns
   * how many, at most `rowsMax`. With `rowsBefore` the text goes on after a tuple, with a comma. Writes the bytes up to
   * the end of the last whole tuple at `out` (u32). Texts become refs into `text`, whose bytes are changed where quotes
   * are doubled or digits are hexadecimal.
   */
  valuesScan(text: Pointer, textBytes: number, plan: Pointer, rowsBefore: number, rowsMax: number, out: Pointer): number
  /**
   * Scans records of CSV into rows 0, 1, … of the target columns; returns how many, at most `rowsMax`. `delimiter` is a
   * byte of ASCII, not one that numbers consist of. Fields may stand in quotes, doubled within; records end with LF, CR LF
   * or CR. Where there are several targets an empty line is none. A record that is wrong or not known ends the scan before
   * it. Writes at `lines` (u32 each) by how many line ends each record follows, and at `out` (u32 each) the bytes and the line ends
   * before the first record that was not taken, and 1 if that is because the text ends within it. Texts are as `valuesScan` leaves them, not looked at as UTF-8.
   */
  valuesCsv(text: Pointer, textBytes: number, plan: Pointer, delimiter: number, rowsMax: number, lines: Pointer, out: Pointer): number
  /**
   * Copies the bytes that `count` refs name to `into`, one after the other, and writes where each ends at `ends` (u32),
   * counted from `endBefore` before the first. Returns their bytes.
   */
  valuesTexts(refs: Pointer, count: number, into: Pointer, ends: Pointer, endBefore: number): number
  /**
   * Writes the key bytes of `count` rows at `keys`, refs to them at `refs`, and their hashes as `bloomHashRefs` does at
   * `hashes`. Returns the bytes of the longest, or -1 when `keysBytes` are not enough.
   */
  valuesKeys(plan: Pointer, count: number, keys: Pointer, keysBytes: number, refs: Pointer, hashes: Pointer): number
  /** Writes a record for each shard (`valuesShardBytes`) at `shards`; returns the bytes of the longest row. */
  valuesMeasure(plan: Pointer, count: number, refs: Pointer, hashes: Pointer, shards: Pointer): number
  /** Writes the operations, each at its shard's address in `cursors` (u32 each, multiples of 4), which move on. */
  valuesEncode(plan: Pointer, count: number, refs: Pointer, hashes: Pointer, cursors: Pointer): void
}
