/* The contract's readers of bytes chunks. Refs point into the chunk, or into `scratch` where text is compressed. */
import { chunkCodeWidth, chunkCount, chunkData, chunkEncoding, chunkEntries, chunkHasNulls, chunkKind, chunkNulls, chunkRunEnds, chunkText, chunkTextBytes, isNull, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY, ENCODING_TEXT_LZ, ENCODING_TEXT_PLAIN, ENCODING_TEXT_RUNS, KIND_BYTES } from '../layout'
import { fill64 } from '../integers'
import { applyNulls } from '../nulls'
import { rowsInside } from '../numbers'
import { packedGet32, packedRow, widthMask32 } from '../packing'
import { decodePlainBlock, expandSubBlock, runOf, storeRef, rareTextRef, subBlock, subBlockOf, subBlockStart, TextPlace } from './places'

export function columnDecodeScratchBytes(chunk: usize): u32 {
  return chunkEncoding(chunk) == ENCODING_TEXT_LZ ? chunkTextBytes(chunk) : 0
}

export function columnGetBytes(chunk: usize, row: i32, out: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_BYTES || <u32>row >= <u32>chunkCount(chunk)) return -1
  if (chunkHasNulls(chunk) && isNull(chunkNulls(chunk), row)) {
    storeRef(out, 0, 0)
    return 0
  }
  const encoding = chunkEncoding(chunk)
  if (encoding == ENCODING_TEXT_PLAIN) {
    store<u64>(out, TextPlace.plainRef(chunk, row, chunkText(chunk)))
    return 1
  }
  if (encoding == ENCODING_TEXT_DICTIONARY) {
    store<u64>(out, TextPlace.entryRef(chunk, packedGet32(chunkData(chunk), chunkCodeWidth(chunk), row)))
    return 1
  }
  if (scratch == 0 && encoding == ENCODING_TEXT_LZ) return -2
  return rareTextRef(chunk, row, out, scratch) ? 1 : -1
}

export function columnDecodeBytes(chunk: usize, first: i32, count: i32, refs: usize, nulls: usize, scratch: usize): i32 {
  if (chunkKind(chunk) != KIND_BYTES || !rowsInside(chunk, first, count)) return -1
  if (count == 0) return 0
  const encoding = chunkEncoding(chunk)
  if (encoding == ENCODING_TEXT_CONSTANT) fill64(refs, count, <i64>chunkText(chunk) | (<i64>chunkTextBytes(chunk) << 32))
  else if (encoding == ENCODING_TEXT_DICTIONARY) decodeCodes(chunk, first, count, refs)
  else if (encoding == ENCODING_TEXT_RUNS) decodeRuns(chunk, first, count, refs)
  else if (!decodePlain(chunk, first, count, refs, scratch)) return -1
  return applyNulls(chunk, first, count, refs, nulls)
}

/** Ref of dictionary entry `code`: its start and end are one load. */
function entryRef(entries: usize, text: u64, code: u32): u64 {
  const bounds = load<u64>(entries + (<usize>code << 2))
  const start = bounds & 0xffffffff
  return (text + start) | (((bounds >>> 32) - start) << 32)
}

function decodeCodes(chunk: usize, first: i32, count: i32, refs: usize): void {
  const packed = chunkData(chunk)
  const width = chunkCodeWidth(chunk)
  const entries = chunkEntries(chunk)
  const text = <u64>chunkText(chunk)
  const mask = i32x4.splat(<i32>widthMask32(width))
  const whole = width == 0 ? 0 : count & ~3
  let at = refs
  for (let i = 0; i < whole; i += 4, at += 32) {
    const codes = packedRow(packed, width, (first + i) >> 2, mask)
    store<u64>(at, entryRef(entries, text, i32x4.extract_lane(codes, 0)))
    store<u64>(at, entryRef(entries, text, i32x4.extract_lane(codes, 1)), 8)
    store<u64>(at, entryRef(entries, text, i32x4.extract_lane(codes, 2)), 16)
    store<u64>(at, entryRef(entries, text, i32x4.extract_lane(codes, 3)), 24)
  }
  for (let i = whole; i < count; i++, at += 8) {
    store<u64>(at, entryRef(entries, text, packedGet32(packed, width, first + i)))
  }
}

function decodeRuns(chunk: usize, first: i32, count: i32, refs: usize): void {
  const packed = chunkData(chunk)
  const width = chunkCodeWidth(chunk)
  const entries = chunkEntries(chunk)
  const ends = chunkRunEnds(chunk)
  const text = <u64>chunkText(chunk)
  const stop = first + count
  let row = first
  for (let run = runOf(chunk, first); row < stop; run++) {
    const end = min(<i32>load<u16>(ends + (<usize>run << 1)), stop)
    fill64(refs + (<usize>(row - first) << 3), end - row, entryRef(entries, text, packedGet32(packed, width, run)))
    row = end
  }
}

/** Plain and lz: for lz the sub-blocks of the range are expanded first, each at its place in the whole text. */
function decodePlain(chunk: usize, first: i32, count: i32, refs: usize, scratch: usize): bool {
  const last = first + count - 1
  let text = chunkText(chunk)
  if (chunkEncoding(chunk) == ENCODING_TEXT_LZ) {
    text = scratch
    for (let index = subBlockOf(chunk, first), stop = subBlockOf(chunk, last); index <= stop; index++) {
      if (!expandSubBlock(chunk, index, scratch + subBlockStart(subBlock(chunk, index)))) return false
    }
  }
  let row = first
  while (row <= last) {
    const block = row >> 10
    const stop = min((block + 1) << 10, last + 1)
    decodePlainBlock(chunk, block, row & 1023, stop - row, text, refs + (<usize>(row - first) << 3))
    row = stop
  }
  return true
}
