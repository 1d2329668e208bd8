/*
 * The door for untrusted bytes. After it returns 0, no other column function reads outside the chunk or writes
 * outside its buffers, whatever the bytes were: every offset that a reader follows is checked here, codes against the
 * dictionary's size and text ends against the text included. What is not checked cannot lead outside: values, the
 * order of dictionary entries, the content of compressed text (the decompressor checks that as it goes).
 */
import { blockCount, blockEntry, blockRows, chunkByteLength, chunkCodeWidth, chunkCount, chunkData, chunkEncoding, chunkEntries, chunkEntryCount, chunkExponent, chunkKind, chunkRunCount, chunkRunEnds, chunkSums, chunkTextBytes, entryBase, entryExceptionCount, entryFraction, entrySlope, entryTextStart, entryWidth, isDelta, BLOCK_ROWS, COUNT_MAX, ENCODING_CONSTANT, ENCODING_DECIMAL, ENCODING_FRAME, ENCODING_LINEAR, ENCODING_PLAIN, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY, ENCODING_TEXT_FRONT, ENCODING_TEXT_LZ, ENCODING_TEXT_PLAIN, ENCODING_TEXT_RUNS, ENTRY_BYTES, EXPONENT_MAX, HEADER_BYTES, KIND_BYTES, KIND_F64, KIND_I64, SUB_BLOCK_BYTES, SUM_BYTES, nullBitmapBytes } from './layout'
import { packedBytes, packedGet32 } from './packing'
import { frontFits } from './text/front'
import { subBlock, subBlockFirstRow, subBlockStart, subBlockStored, textEnd, textStart } from './text/places'

const MALFORMED_HEADER: i32 = 1
const MALFORMED_NULLS: i32 = 2
const MALFORMED_DATA: i32 = 3
const MALFORMED_BLOCK: i32 = 4
const MALFORMED_DICTIONARY: i32 = 5
const MALFORMED_CODES: i32 = 6
const MALFORMED_TEXT: i32 = 7
const MALFORMED_SUB_BLOCK: i32 = 8
/** LZ4 cannot expand further than this. */
const EXPANSION_MAX: u64 = 256

/** 0 when the chunk is well-formed, otherwise what is not (the numbers above). */
export function columnValidate(chunk: usize, chunkBytes: u32): i32 {
  if (chunkBytes < <u32>HEADER_BYTES || (chunkBytes & 7) != 0 || chunkByteLength(chunk) != chunkBytes) return MALFORMED_HEADER
  if (<u32>chunkCount(chunk) > <u32>COUNT_MAX || load<u8>(chunk, 2) > 1) return MALFORMED_HEADER
  if (!nullsInside(chunk)) return MALFORMED_NULLS
  const encoding = chunkEncoding(chunk)
  if (!kindFits(chunkKind(chunk), encoding)) return MALFORMED_HEADER
  const count = <u64>chunkCount(chunk)
  if (encoding == ENCODING_CONSTANT) return sectionInside(chunk, 20, 8) ? 0 : MALFORMED_DATA
  if (encoding == ENCODING_PLAIN) return sectionInside(chunk, 20, count << 3) ? 0 : MALFORMED_DATA
  if (encoding == ENCODING_TEXT_CONSTANT) return sectionInside(chunk, 24, <u64>chunkTextBytes(chunk)) ? 0 : MALFORMED_TEXT
  if (encoding == ENCODING_TEXT_DICTIONARY || encoding == ENCODING_TEXT_RUNS) return validateDictionary(chunk, encoding)
  if (!sectionInside(chunk, 16, <u64>blockCount(chunkCount(chunk)) * ENTRY_BYTES)) return MALFORMED_BLOCK
  if (encoding == ENCODING_TEXT_PLAIN || encoding == ENCODING_TEXT_LZ || encoding == ENCODING_TEXT_FRONT) return validateText(chunk, encoding)
  return validateNumbers(chunk, encoding)
}

function kindFits(kind: i32, encoding: i32): bool {
  if (encoding == ENCODING_CONSTANT || encoding == ENCODING_PLAIN) return kind == KIND_I64 || kind == KIND_F64
  if (encoding == ENCODING_FRAME || encoding == ENCODING_LINEAR || isDelta(encoding)) return kind == KIND_I64
  if (encoding == ENCODING_DECIMAL) return kind == KIND_F64
  return kind == KIND_BYTES && encoding >= ENCODING_TEXT_CONSTANT && encoding <= ENCODING_TEXT_FRONT
}

/** Whether `bytes` bytes at `offset` are a section of the chunk, aligned and behind its header. */
function inside(chunk: usize, offset: u32, bytes: u64): bool {
  return (offset & 7) == 0 && offset >= <u32>HEADER_BYTES && <u64>offset + bytes <= <u64>chunkByteLength(chunk)
}

/** The same for the section whose offset stands in the header at `field`. */
function sectionInside(chunk: usize, field: usize, bytes: u64): bool { return inside(chunk, load<u32>(chunk + field), bytes) }

function nullsInside(chunk: usize): bool {
  const count = chunkCount(chunk)
  const offset = load<u32>(chunk, 12)
  if ((load<u8>(chunk, 2) != 0) != (offset != 0)) return false
  if (offset == 0) return true
  const bytes = nullBitmapBytes(count)
  if (!inside(chunk, offset, bytes)) return false
  for (let row = count; row < bytes << 3; row++) {
    if (((<u32>load<u8>(chunk + offset + <usize>(row >> 3)) >> (row & 7)) & 1) != 0) return false
  }
  return true
}

/** Codes of a block: width at most `widthMax`, packed codes inside. */
function codesInside(chunk: usize, entry: usize, rows: i32, widthMax: i32): bool {
  const width = entryWidth(entry)
  return width <= widthMax && inside(chunk, load<u32>(entry, 16), packedBytes(rows, width))
}

function validateNumbers(chunk: usize, encoding: i32): i32 {
  if (encoding == ENCODING_DECIMAL && abs(chunkExponent(chunk)) > EXPONENT_MAX) return MALFORMED_HEADER
  const blocks = blockCount(chunkCount(chunk))
  for (let block = 0; block < blocks; block++) {
    const entry = blockEntry(chunk, block)
    const rows = blockRows(chunk, block)
    if (!codesInside(chunk, entry, rows, 64)) return MALFORMED_BLOCK
    if (isDelta(encoding) && !inside(chunk, load<u32>(entry, 20), ((rows + 127) >> 7) << 3)) return MALFORMED_BLOCK
    if (encoding == ENCODING_DECIMAL && !exceptionsInside(chunk, entry, rows)) return MALFORMED_BLOCK
  }
  return 0
}

/** Exceptions are inside, ascending, and rows of the block. */
function exceptionsInside(chunk: usize, entry: usize, rows: i32): bool {
  const count = entryExceptionCount(entry)
  if (count == 0) return true
  const offset = load<u32>(entry, 20)
  if (!inside(chunk, offset, ((count * 2 + 7) & -8) + count * 8)) return false
  let before = -1
  for (let k = 0; k < count; k++) {
    const row = <i32>load<u16>(chunk + offset + <usize>(k << 1))
    if (row <= before || row >= rows) return false
    before = row
  }
  return true
}

function validateDictionary(chunk: usize, encoding: i32): i32 {
  const entryCount = <u64><u32>chunkEntryCount(chunk)
  if (entryCount == 0 || entryCount > <u64>COUNT_MAX || !sectionInside(chunk, 36, (entryCount + 1) << 2)) return MALFORMED_DICTIONARY
  if (!sectionInside(chunk, 24, <u64>chunkTextBytes(chunk))) return MALFORMED_TEXT
  const offsets = chunkEntries(chunk)
  let before: u32 = 0
  for (let i = 0; i <= <i32>entryCount; i++) {
    const offset = load<u32>(offsets + (<usize>i << 2))
    if (offset < before || offset > chunkTextBytes(chunk)) return MALFORMED_DICTIONARY
    before = offset
  }
  let codes = chunkCount(chunk)
  if (encoding == ENCODING_TEXT_RUNS) {
    if (!runsInside(chunk)) return MALFORMED_CODES
    codes = chunkRunCount(chunk)
  }
  const width = chunkCodeWidth(chunk)
  if (width > 16 || !sectionInside(chunk, 20, packedBytes(codes, width))) return MALFORMED_CODES
  // A width that cannot express a code beyond the dictionary needs no look at the codes.
  if (entryCount >= <u64>1 << width) return 0
  for (let i = 0; i < codes; i++) {
    if (<u64>packedGet32(chunkData(chunk), width, i) >= entryCount) return MALFORMED_CODES
  }
  return 0
}

function runsInside(chunk: usize): bool {
  const runs = chunkRunCount(chunk)
  if (<u32>runs > <u32>chunkCount(chunk) || runs == 0 || !sectionInside(chunk, 44, <u64>runs << 1)) return false
  let before = 0
  for (let run = 0; run < runs; run++) {
    const end = <i32>load<u16>(chunkRunEnds(chunk) + (<usize>run << 1))
    if (end <= before) return false
    before = end
  }
  return before == chunkCount(chunk)
}

/** Ends ascend within each block, blocks follow each other and fill the text; then the text itself, or its sub-blocks. */
function validateText(chunk: usize, encoding: i32): i32 {
  const textBytes = chunkTextBytes(chunk)
  if (textBytes > <u32>i32.MAX_VALUE) return MALFORMED_TEXT
  const blocks = blockCount(chunkCount(chunk))
  let start: u32 = 0
  for (let block = 0; block < blocks; block++) {
    const entry = blockEntry(chunk, block)
    const rows = blockRows(chunk, block)
    if (!codesInside(chunk, entry, rows, 32) || entryTextStart(entry) != start) return MALFORMED_BLOCK
    const bytes = lastEnd(chunk, entry, rows)
    if (bytes > <u64>(textBytes - start)) return MALFORMED_TEXT
    start += <u32>bytes
  }
  if (start != textBytes) return MALFORMED_TEXT
  if (encoding == ENCODING_TEXT_LZ) return validateSubBlocks(chunk, textBytes)
  if (encoding == ENCODING_TEXT_FRONT) return sectionInside(chunk, 24, <u64><u32>chunkEntryCount(chunk)) && frontFits(chunk) ? 0 : MALFORMED_TEXT
  return sectionInside(chunk, 24, <u64>textBytes) ? 0 : MALFORMED_TEXT
}

/** The block's last end, or more than any text has when ends do not ascend. */
function lastEnd(chunk: usize, entry: usize, rows: i32): u64 {
  if (entryWidth(entry) == 0) {
    // A line that never falls, unless it leaves 32 bits: texts of one length, whose reading from storage need not wait for a look at each.
    const last = <u32>(rows - 1)
    const end = <u64><u32>entryBase(entry) + <u64><u32>entrySlope(entry) * last + ((<u32>entryFraction(entry) * last) >>> 16)
    if (end <= u32.MAX_VALUE) return end
  }
  let before: u32 = 0
  for (let i = 0; i < rows; i++) {
    const end = textEnd(chunk, entry, i)
    if (end < before) return u64.MAX_VALUE
    before = end
  }
  return before
}

/** Sub-blocks are cut at row borders, follow each other, fill rows and text, and stand inside. */
function validateSubBlocks(chunk: usize, textBytes: u32): i32 {
  const count = chunkCount(chunk)
  const subBlocks = chunkEntryCount(chunk)
  if (subBlocks < 1 || subBlocks > count || !sectionInside(chunk, 36, <u64>(subBlocks + 1) * SUB_BLOCK_BYTES)) return MALFORMED_SUB_BLOCK
  if (!firstRecordFits(subBlock(chunk, 0))) return MALFORMED_SUB_BLOCK
  for (let index = 0; index < subBlocks; index++) {
    const record = subBlock(chunk, index)
    const next = record + SUB_BLOCK_BYTES
    const row = subBlockFirstRow(next)
    if (row <= subBlockFirstRow(record) || row > count || subBlockStart(next) != textStart(chunk, row)) return MALFORMED_SUB_BLOCK
    if (subBlockStored(next) < subBlockStored(record)) return MALFORMED_SUB_BLOCK
    const bytes = <u64>(subBlockStart(next) - subBlockStart(record))
    if (bytes > (<u64>(subBlockStored(next) - subBlockStored(record)) + 1) * EXPANSION_MAX) return MALFORMED_SUB_BLOCK
  }
  if (!sumsFit(chunk, subBlocks)) return MALFORMED_SUB_BLOCK
  const last = subBlock(chunk, subBlocks)
  if (subBlockFirstRow(last) != count || subBlockStart(last) != textBytes) return MALFORMED_SUB_BLOCK
  return sectionInside(chunk, 24, <u64>subBlockStored(last)) ? 0 : MALFORMED_TEXT
}

/** Whether there are no sums, or all of them before the stored text. */
function sumsFit(chunk: usize, subBlocks: i32): bool {
  const sumBytes = <u64>(subBlocks + 1) * SUM_BYTES
  return chunkSums(chunk) == 0 || (sectionInside(chunk, 44, sumBytes) && <u64>chunkSums(chunk) + sumBytes <= <u64>load<u32>(chunk, 24))
}

function firstRecordFits(record: usize): bool {
  return subBlockFirstRow(record) == 0 && subBlockStart(record) == 0 && subBlockStored(record) == 0
}
