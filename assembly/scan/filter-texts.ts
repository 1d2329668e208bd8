/**
 * Filters over encoded text chunks: a constant is compared once; of a sorted dictionary the constant's place is searched
 * once, after which codes are compared, packed as they are, or once a run; other blocks become refs in scratch.
 */
import { EQ, GE, GT, IS_NULL, LE, LT, NE } from '../compare/interval'
import { textCompare } from '../compare/text'
import { blockCount, blockRows, chunkCodeWidth, chunkCount, chunkData, chunkEncoding, chunkEntryCount, chunkKind, chunkNulls, chunkRunCount, chunkRunEnds, chunkText, chunkTextBytes, dictionaryAddress, dictionaryLength, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY, ENCODING_TEXT_RUNS, KIND_BYTES } from '../column/layout'
import { packedGet32 } from '../column/packing'
import { columnDecodeBytes, columnDecodeScratchBytes } from '../column/text/decode'
import { filterCodes } from './codes'
import { BLOCK_SCRATCH_BYTES } from './filter-numbers'
import { scanFilterBytes } from './filter-vectors'
import { matchI64, matchOrder } from './match'
import { anySelected, bitmapPart, filterAll, filterNulls, scanSelectedCount } from './selection'

export function scanScratchBytes(chunk: usize): u32 {
  return BLOCK_SCRATCH_BYTES + (chunkKind(chunk) == KIND_BYTES ? columnDecodeScratchBytes(chunk) : 0)
}

export function scanFilterChunkBytes(chunk: usize, op: u32, constant: usize, constantBytes: u32, selection: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_BYTES) return -1
  const nulls = chunkNulls(chunk), count = <u32>chunkCount(chunk), encoding = chunkEncoding(chunk)
  if (op >= IS_NULL) return filterNulls(nulls, count, op, selection)
  if (encoding == ENCODING_TEXT_CONSTANT) {
    return filterAll(nulls, count, matchOrder(textCompare(chunkText(chunk), chunkTextBytes(chunk), constant, constantBytes), op), selection)
  }
  if (encoding == ENCODING_TEXT_DICTIONARY || encoding == ENCODING_TEXT_RUNS) {
    filterDictionary(chunk, op, constant, constantBytes, nulls, count, selection, scratch)
    return scanSelectedCount(selection, count)
  }
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(chunk, block), part = bitmapPart(selection, block)
    if (!anySelected(part, rows)) continue
    if (columnDecodeBytes(chunk, block << 10, rows, scratch, 0, scratch + BLOCK_SCRATCH_BYTES) < 0) return -1
    scanFilterBytes(scratch, bitmapPart(nulls, block), rows, op, constant, constantBytes, part)
  }
  return scanSelectedCount(selection, count)
}

/** Turns the comparison with a text into one with the code at its place; where no entry equals it, <= is < and > is >=. */
function filterDictionary(chunk: usize, op: u32, constant: usize, constantBytes: u32, nulls: usize, count: u32, selection: usize, scratch: usize): void {
  const entries = <u32>chunkEntryCount(chunk), place = lowerBoundEntry(chunk, constant, constantBytes)
  const found = place < entries && textCompare(dictionaryAddress(chunk, place), dictionaryLength(chunk, place), constant, constantBytes) == 0
  let codeOp = op
  if (!found) {
    if (op == EQ || op == NE) {
      filterAll(nulls, count, op == NE, selection)
      return
    }
    codeOp = op == LE || op == LT ? LT : GE
  }
  const width = chunkCodeWidth(chunk), packed = chunkData(chunk)
  if (place == entries) filterAll(nulls, count, codeOp == LT, selection)
  else if (chunkEncoding(chunk) == ENCODING_TEXT_RUNS) filterRuns(chunk, codeOp, place, nulls, count, selection)
  else if (width == 0) filterAll(nulls, count, matchI64(0, codeOp, place), selection)
  else filterCodes(packed, width, count, codeOp, place, nulls, selection, scratch)
}

/** First entry that is not below the text. */
function lowerBoundEntry(chunk: usize, text: usize, textBytes: u32): u32 {
  let low: u32 = 0, high = <u32>chunkEntryCount(chunk)
  while (low < high) {
    const middle = (low + high) >> 1
    if (textCompare(dictionaryAddress(chunk, middle), dictionaryLength(chunk, middle), text, textBytes) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Drops the runs that do not match, then the nulls. */
function filterRuns(chunk: usize, op: u32, wanted: u32, nulls: usize, count: u32, selection: usize): void {
  const packed = chunkData(chunk), width = chunkCodeWidth(chunk), ends = chunkRunEnds(chunk)
  let row: u32 = 0
  for (let run = 0, runs = chunkRunCount(chunk); run < runs; run++) {
    const end = <u32>load<u16>(ends + (<usize>run << 1))
    if (!matchI64(packedGet32(packed, width, run), op, wanted)) clearRows(selection, row, end)
    row = end
  }
  filterNulls(nulls, count, IS_NULL + 1, selection)
}

/** Clears the bits of rows [from, to). */
function clearRows(selection: usize, from: u32, to: u32): void {
  for (let word = from >> 6, last = (to + 63) >> 6; word < last; word++) {
    const first = word << 6
    let bits = ~(<u64>0)
    if (first < from) bits &= ~(<u64>0) << (from - first)
    if (first + 64 > to) bits &= ~(<u64>0) >> (first + 64 - to)
    const at = selection + (<usize>word << 3)
    store<u64>(at, load<u64>(at) & ~bits)
  }
}
