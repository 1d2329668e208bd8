/*
 * Column chunk layout: a file format. Numbers and offsets below are on disk: never change them, add new ones.
 * Little-endian. A chunk stands at an address that is a multiple of 8; every section starts at a multiple of
 * 8 from the chunk's start; offsets count from the chunk's start unless said otherwise.
 *
 *   header                48 bytes
 *     0  u8   encoding        (numbers below)
 *     1  u8   kind            1 i64, 2 f64, 3 bytes
 *     2  u8   flags           bit 0: has nulls
 *     3  u8   dictionary, runs: bit width of a code, 0..16;  decimal: i8 exponent, -18..18;  others 0
 *     4  u32  count           rows, at most 65,535
 *     8  u32  byteLength      of the whole chunk, a multiple of 8
 *    12  u32  nullsOffset     bitmap of ceil(count / 8) bytes padded with zeros to 8, bit 1 = null; 0 = no nulls
 *    16  u32  directoryOffset one 32-byte entry per block of 1,024 rows; 0 where the encoding has no blocks
 *    20  u32  dataOffset      see the encodings
 *    24  u32  textOffset      bytes kinds: start of the text (lz: of the compressed text)
 *    28  u32  textBytes       bytes kinds: length of the text, uncompressed
 *    32  u32  entryCount      dictionary, runs: dictionary entries;  lz: sub-blocks;  front: see there
 *    36  u32  entriesOffset   dictionary, runs: u32 × (entries + 1) text offsets, relative to textOffset, ascending;
 *                             lz: 12 bytes × (sub-blocks + 1)
 *    40  u32  runCount        runs
 *    44  u32  runEndsOffset   runs: u16 × runs, the row after each run's last, ascending, the last = count;
 *                             lz: u32 × (sub-blocks + 1), the low halves of xxh64 sums: of each sub-block as stored, and of all
 *                             of the chunk that stands before this last sum; 0 = none (table files before version 4)
 *
 *   block directory entry     32 bytes; block b holds rows [1,024 b, min(1,024 (b + 1), count))
 *     0  i64  base
 *     8  i64  slope
 *    16  u32  packedOffset    packed codes of this block
 *    20  u32  auxOffset       delta: checkpoints, decimal: exceptions (offsets); text: where the block's text starts
 *                             in the uncompressed text (relative to its start)
 *    24  u16  fraction
 *    26  u16  exceptionCount  decimal
 *    28  u8   width           bits of a packed code, 0..64 (text 0..32)
 *    29  u8×3 0
 *
 * Encodings (i is the row's index in its block, code(i) its packed code; integers wrap at 64 bits, for text at 32):
 *     1 constant     i64, f64: the 8 bytes at dataOffset are every row's value
 *     2 plain        i64, f64: count × 8 bytes at dataOffset
 *     3 frame        i64: base + code(i); base is the block's minimum, so codes compare as values do
 *     4 linear       i64: base + slope·i + ((fraction·i) >>> 16) + code(i)
 *     5 delta        i64: a checkpoint (i64 at auxOffset, one per 128 rows) is the value of row i & ~127; each
 *                    following row adds base + code(i); code is 0 in rows that are multiples of 128; slope means nothing
 *     7 stepped delta  i64: as delta, but each following row adds base + slope·code(i): slope, at least 1, divides all
 *                    differences less their least, such as the 1,000 of seconds in milliseconds
 *     6 decimal      f64: n = base + code(i), |n| <= 2^51, value = n / 10^exponent, or n × 10^-exponent if the
 *                    exponent is negative; then exceptions replace values: u16 × exceptionCount row indexes in the block
 *                    (ascending, padded with zeros to 8), then 8 bits-for-bits bytes for each
 *    16 constant     bytes: the text [0, textBytes) is every row's value
 *    17 plain        bytes: row i of a block ends at end(i) = base + slope·i + ((fraction·i) >>> 16) + code(i) after the
 *                    block's text start, and starts at end(i - 1), or 0
 *    18 dictionary   bytes: entries sorted ascending by bytes, distinct; codes of all rows packed in one stream at dataOffset
 *    19 runs         bytes: as dictionary, but dataOffset holds one packed code a run
 *    20 lz           bytes: directory as for plain; the text is cut at row borders into sub-blocks, described by u32
 *                    firstRow, u32 start in the uncompressed text, u32 start in the stored text (relative to
 *                    textOffset), and a last record with the three ends. The stored text comes last, so what stands before
 *                    it, the head, and one sub-block are enough to read a row of, and the sums to know that they are good. A sub-block whose stored size equals its
 *                    uncompressed size is stored as it is, others are LZ4 blocks.
 *
 *    21 front        bytes without nulls, on disk only, made plain when they are read: directory as for plain; entryCount is
 *                    the stored text's bytes, which are, for each 64 rows, u16 shared, the first of these rows, and of each
 *                    other one what stands behind its first `shared` bytes: all 64 begin with these
 *
 * Packed codes of n values at width w <= 32: four interleaved streams of little-endian bits, value i in
 * stream i & 3 at bit (i >> 2)·w; 32-bit word k of stream s stands at byte 16·k + 4·s. Size packedBytes(n, w),
 * a multiple of 16. Width 32 is thus a plain u32 array. w > 32: the low 32 bits as a stream of width 32 (16·ceil(n / 4)
 * bytes), then the high w - 32 bits as a stream of that width. Groups of 128 values begin at whole words, so
 * block b of one long stream starts at byte 128·w·b.
 *
 * Null rows have a code and a value like any other (a neighbour's, or an empty text, whatever costs least): only the
 * bitmap tells; decoding writes 0 or an empty ref over them.
 */
export const KIND_I64: i32 = 1
export const KIND_F64: i32 = 2
export const KIND_BYTES: i32 = 3

export const ENCODING_CONSTANT: i32 = 1
export const ENCODING_PLAIN: i32 = 2
export const ENCODING_FRAME: i32 = 3
export const ENCODING_LINEAR: i32 = 4
export const ENCODING_DELTA: i32 = 5
export const ENCODING_DECIMAL: i32 = 6
export const ENCODING_STEPPED_DELTA: i32 = 7
export const ENCODING_TEXT_CONSTANT: i32 = 16
export const ENCODING_TEXT_PLAIN: i32 = 17
export const ENCODING_TEXT_DICTIONARY: i32 = 18
export const ENCODING_TEXT_RUNS: i32 = 19
export const ENCODING_TEXT_LZ: i32 = 20
export const ENCODING_TEXT_FRONT: i32 = 21

export const HEADER_BYTES: i32 = 48
export const ENTRY_BYTES: i32 = 32
export const SUB_BLOCK_BYTES: i32 = 12
export const SUM_BYTES: i32 = 4
export const BLOCK_ROWS: i32 = 1024
export const CHECKPOINT_ROWS: i32 = 128
export const FRONT_ROWS: i32 = 64
/** In memory only: chunks of plain texts with a guide behind their text, whose heads are of each row of so many (keys/key-guide.ts). Bytes that are read have no such flag. */
export const FLAG_GUIDE: u8 = 2
export const GUIDE_ROWS: u32 = 16
export const COUNT_MAX: i32 = 65535
export const EXPONENT_MAX: i32 = 18

export function chunkEncoding(chunk: usize): i32 { return <i32>load<u8>(chunk) }
export function chunkKind(chunk: usize): i32 { return <i32>load<u8>(chunk, 1) }
export function chunkHasNulls(chunk: usize): bool { return (load<u8>(chunk, 2) & 1) != 0 }
/** Bit width of a dictionary code. */
export function chunkCodeWidth(chunk: usize): i32 { return <i32>load<u8>(chunk, 3) }
export function chunkExponent(chunk: usize): i32 { return <i32>load<i8>(chunk, 3) }
export function chunkCount(chunk: usize): i32 { return load<i32>(chunk, 4) }
export function chunkByteLength(chunk: usize): u32 { return load<u32>(chunk, 8) }
/** Address of the null bitmap; 0 when the chunk has none. */
export function chunkNulls(chunk: usize): usize {
  const offset = load<u32>(chunk, 12)
  return offset == 0 ? 0 : chunk + offset
}
/** Address of constant, plain values, or the packed codes of a dictionary. */
export function chunkData(chunk: usize): usize { return chunk + load<u32>(chunk, 20) }
export function chunkText(chunk: usize): usize { return chunk + load<u32>(chunk, 24) }
export function chunkTextBytes(chunk: usize): u32 { return load<u32>(chunk, 28) }
export function chunkEntryCount(chunk: usize): i32 { return load<i32>(chunk, 32) }
export function chunkEntries(chunk: usize): usize { return chunk + load<u32>(chunk, 36) }
export function chunkRunCount(chunk: usize): i32 { return load<i32>(chunk, 40) }
export function chunkRunEnds(chunk: usize): usize { return chunk + load<u32>(chunk, 44) }

/** Offset of the sums of an lz chunk; 0 when it has none. */
export function chunkSums(chunk: usize): u32 { return load<u32>(chunk, 44) }

export function blockCount(count: i32): i32 { return (count + BLOCK_ROWS - 1) >> 10 }
/** Rows of block b. */
export function blockRows(chunk: usize, block: i32): i32 {
  return min(chunkCount(chunk) - (block << 10), BLOCK_ROWS)
}
/** Address of block b's directory entry. */
export function blockEntry(chunk: usize, block: i32): usize {
  return chunk + load<u32>(chunk, 16) + <usize>(block * ENTRY_BYTES)
}
export function entryBase(entry: usize): i64 { return load<i64>(entry) }
export function entrySlope(entry: usize): i64 { return load<i64>(entry, 8) }
/** Whether rows are reached by adding up differences. */
export function isDelta(encoding: i32): bool { return encoding == ENCODING_DELTA || encoding == ENCODING_STEPPED_DELTA }
/** What a code of a delta block stands for. */
export function deltaStep(chunk: usize, entry: usize): i64 { return chunkEncoding(chunk) == ENCODING_DELTA ? 1 : entrySlope(entry) }
/** Address of the block's packed codes. */
export function entryPacked(chunk: usize, entry: usize): usize { return chunk + load<u32>(entry, 16) }
/** Address of checkpoints (delta) or exceptions (decimal). */
export function entryAux(chunk: usize, entry: usize): usize { return chunk + load<u32>(entry, 20) }
/** Where the block's text starts in the uncompressed text. */
export function entryTextStart(entry: usize): u32 { return load<u32>(entry, 20) }
export function entryFraction(entry: usize): i32 { return <i32>load<u16>(entry, 24) }
export function entryExceptionCount(entry: usize): i32 { return <i32>load<u16>(entry, 26) }
export function entryWidth(entry: usize): i32 { return <i32>load<u8>(entry, 28) }
/** Address of the exceptions' 8-byte values, after their u16 row indexes at `entryAux`. */
export function exceptionValues(positions: usize, exceptionCount: i32): usize {
  return positions + <usize>((exceptionCount * 2 + 7) & -8)
}
/** Address and length of dictionary entry `code`. */
export function dictionaryAddress(chunk: usize, code: u32): usize {
  return chunkText(chunk) + load<u32>(chunkEntries(chunk) + (<usize>code << 2))
}
export function dictionaryLength(chunk: usize, code: u32): u32 {
  const offset = chunkEntries(chunk) + (<usize>code << 2)
  return load<u32>(offset, 4) - load<u32>(offset)
}
export function nullBitmapBytes(count: i32): i32 { return ((count + 63) >> 6) << 3 }
export function isNull(nulls: usize, row: i32): bool {
  return nulls != 0 && ((<u32>load<u8>(nulls + <usize>(row >> 3)) >> (row & 7)) & 1) != 0
}
