/* Lower bound in a sorted bytes chunk: on dictionary codes where there are some, otherwise on the texts of probed rows. */
import { KeyGuide } from '../keys/key-guide'
import { compareBytes } from './compare'
import { blockCount, blockEntry, blockRows, chunkCodeWidth, chunkCount, chunkData, chunkEncoding, chunkEntryCount, chunkKind, chunkRunCount, chunkRunEnds, chunkText, chunkTextBytes, dictionaryAddress, dictionaryLength, entryBase, entryFraction, entryPacked, entrySlope, entryTextStart, entryWidth, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_LZ, ENCODING_TEXT_PLAIN, ENCODING_TEXT_RUNS, KIND_BYTES } from '../layout'
import { packedGet32 } from '../packing'
import { expandSubBlock, subBlock, subBlockFirstRow, subBlockStart, textEnd, TextPlace, textStart } from './places'

export function columnLowerBoundBytes(chunk: usize, key: usize, keyBytes: u32, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_BYTES) return -1
  const count = chunkCount(chunk)
  if (count == 0) return 0
  const encoding = chunkEncoding(chunk)
  if (encoding == ENCODING_TEXT_CONSTANT) {
    return compareBytes(chunkText(chunk), chunkTextBytes(chunk), key, keyBytes) < 0 ? count : 0
  }
  if (encoding == ENCODING_TEXT_PLAIN) return KeyGuide.isIn(chunk) ? searchGuided(chunk, key, keyBytes) : searchBlocks(chunk, key, keyBytes)
  if (encoding == ENCODING_TEXT_LZ) return searchSubBlocks(chunk, key, keyBytes, scratch)
  return searchCodes(chunk, key, keyBytes)
}

/** Whether the text of a row of a plain chunk is below a key: one step of a search that others take turns with. */
export function plainIsBelow(chunk: usize, row: i32, key: usize, keyBytes: u32): bool {
  const ref = TextPlace.plainRef(chunk, row, chunkText(chunk))
  return compareBytes(<usize>(ref & 0xffffffff), <u32>(ref >>> 32), key, keyBytes) < 0
}

function searchGuided(chunk: usize, key: usize, keyBytes: u32): i32 {
  const rows = KeyGuide.rows(chunk, key, keyBytes)
  return searchRows(chunk, chunkText(chunk), <i32>(rows & 0xffffffff), <i32>(rows >>> 32), key, keyBytes)
}

/** Plain: the last block whose first row is below the key holds the answer, or it is the next one's first row. */
function searchBlocks(chunk: usize, key: usize, keyBytes: u32): i32 {
  const text = chunkText(chunk)
  let low = 0
  let high = blockCount(chunkCount(chunk))
  while (low < high) {
    const middle = (low + high) >> 1
    const entry = blockEntry(chunk, middle)
    if (compareBytes(text + entryTextStart(entry), textEnd(chunk, entry, 0), key, keyBytes) < 0) low = middle + 1
    else high = middle
  }
  if (low == 0) return 0
  const block = low - 1
  const entry = blockEntry(chunk, block)
  return (block << 10) + searchBlock(chunk, entry, blockRows(chunk, block), text + entryTextStart(entry), key, keyBytes)
}

/** First row of a block whose text is >= the key, or `rows`; the first row is known to be below. What a probe needs is read once. */
function searchBlock(chunk: usize, entry: usize, rows: i32, text: usize, key: usize, keyBytes: u32): i32 {
  const packed = entryPacked(chunk, entry)
  const width = entryWidth(entry)
  const base = <u32>entryBase(entry)
  const slope = <u32>entrySlope(entry)
  const fraction = <u32>entryFraction(entry)
  let low = 1
  let high = rows
  while (low < high) {
    const middle = (low + high) >> 1
    const before = <u32>(middle - 1)
    const start = base + slope * before + ((fraction * before) >>> 16) + packedGet32(packed, width, before)
    const end = base + slope * <u32>middle + ((fraction * <u32>middle) >>> 16) + packedGet32(packed, width, middle)
    if (compareBytes(text + start, end - start, key, keyBytes) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** First row in [low, high) whose text is >= key, or high; `text` is where the uncompressed text would start. */
function searchRows(chunk: usize, text: usize, low: i32, high: i32, key: usize, keyBytes: u32): i32 {
  while (low < high) {
    const middle = (low + high) >> 1
    const start = textStart(chunk, middle)
    if (compareBytes(text + start, textStart(chunk, middle + 1) - start, key, keyBytes) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The last sub-block whose first row is below the key holds the answer, or it is the next one's first row. */
function searchSubBlocks(chunk: usize, key: usize, keyBytes: u32, scratch: usize): i32 {
  let low = 0
  let high = chunkEntryCount(chunk)
  while (low < high) {
    const middle = (low + high) >> 1
    const record = subBlock(chunk, middle)
    const first = subBlockFirstRow(record)
    if (!expandSubBlock(chunk, middle, scratch)) return -1
    if (compareBytes(scratch, textStart(chunk, first + 1) - subBlockStart(record), key, keyBytes) < 0) low = middle + 1
    else high = middle
  }
  if (low == 0) return 0
  const record = subBlock(chunk, low - 1)
  if (!expandSubBlock(chunk, low - 1, scratch)) return -1
  return searchRows(chunk, scratch - subBlockStart(record), subBlockFirstRow(record), subBlockFirstRow(subBlock(chunk, low)), key, keyBytes)
}

/** Dictionary and runs: the key's place among the entries, then that code's place among the codes. */
function searchCodes(chunk: usize, key: usize, keyBytes: u32): i32 {
  let low = 0
  let high = chunkEntryCount(chunk)
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareBytes(dictionaryAddress(chunk, middle), dictionaryLength(chunk, middle), key, keyBytes) < 0) low = middle + 1
    else high = middle
  }
  const wanted = <u32>low
  const runs = chunkEncoding(chunk) == ENCODING_TEXT_RUNS
  const packed = chunkData(chunk)
  const width = chunkCodeWidth(chunk)
  low = 0
  high = runs ? chunkRunCount(chunk) : chunkCount(chunk)
  while (low < high) {
    const middle = (low + high) >> 1
    if (packedGet32(packed, width, middle) < wanted) low = middle + 1
    else high = middle
  }
  if (!runs) return low
  return low == 0 ? 0 : <i32>load<u16>(chunkRunEnds(chunk) + (<usize>(low - 1) << 1))
}
