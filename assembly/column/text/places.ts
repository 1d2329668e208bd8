/* Where the text of a row stands, for each bytes encoding. Offsets into text are relative to the uncompressed text's start. */
import { lzDecompress } from '../../lz'
import { blockEntry, chunkCount, chunkData, chunkCodeWidth, chunkEncoding, chunkEntries, chunkEntryCount, chunkRunCount, chunkRunEnds, chunkText, chunkTextBytes, entryBase, entryFraction, entryPacked, entrySlope, entryTextStart, entryWidth, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_LZ, SUB_BLOCK_BYTES } from '../layout'
import { packedGet32, packedRow, widthMask32 } from '../packing'

export function storeRef(out: usize, address: usize, byteLength: u32): void {
  store<u32>(out, <u32>address)
  store<u32>(out, byteLength, 4)
}

/** What single rows are mostly read through: it becomes part of whatever reads them, since a call takes as long as it does. */
export class TextPlace {
  /** End of row `i` of a block, relative to the block's text. */
  @inline
  static end(chunk: usize, entry: usize, i: i32): u32 {
    const line = <u32>entryBase(entry) + <u32>entrySlope(entry) * <u32>i + <u32>((entryFraction(entry) * i) >>> 16)
    return line + packedGet32(entryPacked(chunk, entry), entryWidth(entry), i)
  }

  /** The ref of a row of a plain or lz chunk whose text stands at `text`. */
  @inline
  static plainRef(chunk: usize, row: i32, text: usize): u64 {
    const entry = blockEntry(chunk, row >> 10)
    const i = row & 1023
    const start = i == 0 ? 0 : TextPlace.end(chunk, entry, i - 1)
    return TextPlace.ref(text + entryTextStart(entry) + start, TextPlace.end(chunk, entry, i) - start)
  }

  /** The ref of dictionary entry `code`. */
  @inline
  static entryRef(chunk: usize, code: u32): u64 {
    const bounds = chunkEntries(chunk) + (<usize>code << 2)
    const start = load<u32>(bounds)
    return TextPlace.ref(chunkText(chunk) + start, load<u32>(bounds, 4) - start)
  }

  @inline
  static ref(address: usize, byteLength: u32): u64 { return <u64><u32>address | (<u64>byteLength << 32) }
}

/** End of row `i` of a block, relative to the block's text. */
export function textEnd(chunk: usize, entry: usize, i: i32): u32 { return TextPlace.end(chunk, entry, i) }

/** Where row `row` starts in the text; for row = count, where the text ends. */
export function textStart(chunk: usize, row: i32): u32 {
  if (row >= chunkCount(chunk)) return chunkTextBytes(chunk)
  const entry = blockEntry(chunk, row >> 10)
  const i = row & 1023
  return entryTextStart(entry) + (i == 0 ? 0 : textEnd(chunk, entry, i - 1))
}

export function plainRef(chunk: usize, row: i32, text: usize, out: usize): void { store<u64>(out, TextPlace.plainRef(chunk, row, text)) }

/** Refs of rows [first, first + count) of one block, text at `text`. */
export function decodePlainBlock(chunk: usize, block: i32, first: i32, count: i32, text: usize, refs: usize): void {
  const entry = blockEntry(chunk, block)
  const packed = entryPacked(chunk, entry)
  const width = entryWidth(entry)
  const slope = <i32>entrySlope(entry)
  const fraction = entryFraction(entry)
  const mask = i32x4.splat(<i32>widthMask32(width))
  const lanes = i32x4(0, 1, 2, 3)
  const addresses = i32x4.splat(<i32>(text + entryTextStart(entry)))
  let line = i32x4.add(i32x4.splat(<i32>entryBase(entry) + slope * first), i32x4.mul(lanes, i32x4.splat(slope)))
  let part = i32x4.add(i32x4.splat(fraction * first), i32x4.mul(lanes, i32x4.splat(fraction)))
  let before = i32x4.splat(first == 0 ? 0 : textEnd(chunk, entry, first - 1))
  const whole = count & ~3
  for (let i = 0; i < whole; i += 4) {
    let ends = i32x4.add(line, i32x4.shr_u(part, 16))
    if (width != 0) ends = i32x4.add(ends, packedRow(packed, width, (first + i) >> 2, mask))
    const starts = v128.shuffle<i32>(before, ends, 3, 4, 5, 6)
    const lengths = i32x4.sub(ends, starts)
    const at = i32x4.add(starts, addresses)
    v128.store(refs + (<usize>i << 3), v128.shuffle<i32>(at, lengths, 0, 4, 1, 5))
    v128.store(refs + (<usize>i << 3), v128.shuffle<i32>(at, lengths, 2, 6, 3, 7), 16)
    before = ends
    line = i32x4.add(line, i32x4.splat(slope << 2))
    part = i32x4.add(part, i32x4.splat(fraction << 2))
  }
  for (let i = whole; i < count; i++) plainRef(chunk, (block << 10) + first + i, text, refs + (<usize>i << 3))
}

/** Sub-block record `index` of an lz chunk; the record after the last holds the ends. */
export function subBlock(chunk: usize, index: i32): usize { return chunkEntries(chunk) + <usize>(index * SUB_BLOCK_BYTES) }
export function subBlockFirstRow(record: usize): i32 { return load<i32>(record) }
export function subBlockStart(record: usize): u32 { return load<u32>(record, 4) }
export function subBlockStored(record: usize): u32 { return load<u32>(record, 8) }

/** The sub-block that holds `row`. */
export function subBlockOf(chunk: usize, row: i32): i32 {
  let low = 0
  let high = chunkEntryCount(chunk) - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (subBlockFirstRow(subBlock(chunk, middle)) <= row) low = middle
    else high = middle - 1
  }
  return low
}

/** Brings the text of a sub-block to `out`; false when it is malformed. */
export function expandSubBlock(chunk: usize, index: i32, out: usize): bool {
  const record = subBlock(chunk, index)
  const byteLength = subBlockStart(record + SUB_BLOCK_BYTES) - subBlockStart(record)
  const stored = subBlockStored(record + SUB_BLOCK_BYTES) - subBlockStored(record)
  const from = chunkText(chunk) + subBlockStored(record)
  if (stored == byteLength) {
    memory.copy(out, from, byteLength)
    return true
  }
  return <u32>lzDecompress(from, stored, out, byteLength) == byteLength
}

/** The run that holds `row`: the first that ends after it. */
export function runOf(chunk: usize, row: i32): i32 {
  const ends = chunkRunEnds(chunk)
  let low = 0
  let high = chunkRunCount(chunk) - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (<i32>load<u16>(ends + (<usize>middle << 1)) <= row) low = middle + 1
    else high = middle
  }
  return low
}

/** Writes the ref of one row of a chunk that has neither plain texts nor one code a row; false when its text is malformed. */
export function rareTextRef(chunk: usize, row: i32, out: usize, scratch: usize): bool {
  const encoding = chunkEncoding(chunk)
  if (encoding == ENCODING_TEXT_LZ) {
    const index = subBlockOf(chunk, row)
    plainRef(chunk, row, scratch - subBlockStart(subBlock(chunk, index)), out)
    return load<u32>(out, 4) == 0 || expandSubBlock(chunk, index, scratch)
  }
  if (encoding == ENCODING_TEXT_CONSTANT) storeRef(out, chunkText(chunk), chunkTextBytes(chunk))
  else store<u64>(out, TextPlace.entryRef(chunk, packedGet32(chunkData(chunk), chunkCodeWidth(chunk), runOf(chunk, row))))
  return true
}
