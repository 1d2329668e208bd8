/*
 * Encoding bytes chunks. Plain, dictionary and runs are measured exactly; the smallest is written. LZ4 is tried where
 * plain is smallest or not twice the best, and taken when it saves an eighth of the best.
 */
import { lzBound, lzCompress, lzTableBytes } from '../../lz'
import { beginChunk, CODES_BYTES, fillNullSlots, finishChunk, padTo8, planLinear, writeLineCodes } from '../chunk-write'
import { equalBytes } from './compare'
import { codesAt, collectEntries, countRuns, dictionaryScratchBytes, entriesAt, entriesTextBytes, sortEntries } from './dictionary'
import { BLOCK_ROWS, blockCount, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY, ENCODING_TEXT_LZ, ENCODING_TEXT_PLAIN, ENCODING_TEXT_RUNS, ENTRY_BYTES, isNull, KIND_BYTES, SUB_BLOCK_BYTES, SUM_BYTES } from '../layout'
import { bitWidth32, pack32, packedBytes } from '../packing'
import { writeSums } from './parts'
import { textStart } from './places'

/** A sub-block is closed when it holds this many bytes: small, so that a point read stays cheap. */
const SUB_BLOCK_TEXT_BYTES: u32 = 8192
/** Below this much text LZ4 is not tried. */
const LZ_TEXT_BYTES_MIN: u32 = 512
const ENDS_BYTES: i32 = BLOCK_ROWS * 8

export function textScratchBytes(count: i32, dataBytes: u32): u32 {
  return CODES_BYTES + ENDS_BYTES + count * 8 + dictionaryScratchBytes(count)
    + (count + 1) * SUB_BLOCK_BYTES + 64 + lzTableBytes() + dataBytes + lzBound(dataBytes)
}

export function columnEncodeBytes(refs: usize, nulls: usize, count: i32, out: usize, scratch: usize): u32 {
  const start = beginChunk(out, KIND_BYTES, count, nulls)
  const rest = scratch + CODES_BYTES + ENDS_BYTES
  const filled = fillNullSlots(refs, nulls, count, rest)
  if (allTextsEqual(filled, count)) return writeConstant(out, start, filled, count)
  const textBytes = totalTextBytes(refs, nulls, count)
  const plain = measureEnds(refs, nulls, count, scratch, out + <usize>start) + textBytes
  const base = rest + (<usize>count << 3)
  const distinct = collectEntries(filled, count, base)
  const runs = distinct < 0 ? 0 : countRuns(count, base)
  const width = distinct < 0 ? 0 : bitWidth32(distinct - 1)
  const entryBytes: u32 = distinct < 0 ? u32.MAX_VALUE : (((distinct + 1) * 4 + 7) & -8) + entriesTextBytes(distinct, count, base)
  const dictionary: u32 = distinct < 0 ? u32.MAX_VALUE : entryBytes + packedBytes(count, width)
  const clustered: u32 = distinct < 0 ? u32.MAX_VALUE : entryBytes + ((runs * 2 + 7) & -8) + packedBytes(runs, width)
  const best = min(plain, min(dictionary, clustered))
  if (plain == best || (textBytes >= LZ_TEXT_BYTES_MIN && best > plain >> 1)) {
    const end = writePlain(out, start, refs, nulls, count, textBytes, scratch)
    if (textBytes >= LZ_TEXT_BYTES_MIN) {
      const byteLength = writeLz(out, start, count, textBytes, best, base + dictionaryScratchBytes(count))
      if (byteLength != 0) return byteLength
    }
    if (plain == best) return finishChunk(out, ENCODING_TEXT_PLAIN, end)
    memory.fill(out + 16, 0, 32)
  }
  return writeDictionary(out, start, count, distinct, width, clustered < dictionary ? runs : 0, scratch, base)
}

/** Keys are searched by point reads: always plain, so that a lower bound expands nothing. */
export function columnEncodeKeys(refs: usize, count: i32, out: usize, scratch: usize): u32 {
  const start = beginChunk(out, KIND_BYTES, count, 0)
  const end = writePlain(out, start, refs, 0, count, totalTextBytes(refs, 0, count), scratch)
  return finishChunk(out, ENCODING_TEXT_PLAIN, end)
}

function allTextsEqual(refs: usize, count: i32): bool {
  if (count == 0) return true
  const text = load<u32>(refs)
  const byteLength = load<u32>(refs, 4)
  for (let i = 1; i < count; i++) {
    const ref = refs + (<usize>i << 3)
    if (load<u32>(ref, 4) != byteLength || !equalBytes(load<u32>(ref), text, byteLength)) return false
  }
  return true
}

function writeConstant(out: usize, start: i32, refs: usize, count: i32): i32 {
  const byteLength = count == 0 ? 0 : load<u32>(refs, 4)
  store<u32>(out, start, 24)
  store<u32>(out, byteLength, 28)
  if (byteLength != 0) memory.copy(out + <usize>start, load<u32>(refs), byteLength)
  return finishChunk(out, ENCODING_TEXT_CONSTANT, start + byteLength)
}

function rowBytes(refs: usize, nulls: usize, row: i32): u32 {
  return isNull(nulls, row) ? 0 : load<u32>(refs + (<usize>row << 3), 4)
}

function totalTextBytes(refs: usize, nulls: usize, count: i32): u32 {
  let bytes: u32 = 0
  for (let row = 0; row < count; row++) bytes += rowBytes(refs, nulls, row)
  return bytes
}

/** Text ends of a block as i64, from the block's own start; returns the block's text bytes. */
function blockEnds(refs: usize, nulls: usize, first: i32, rows: i32, ends: usize): u32 {
  let end: u32 = 0
  for (let i = 0; i < rows; i++) {
    end += rowBytes(refs, nulls, first + i)
    store<i64>(ends + (<usize>i << 3), <i64>end)
  }
  return end
}

/** Bytes of the plain form without its text. `entry` is scratch. */
function measureEnds(refs: usize, nulls: usize, count: i32, scratch: usize, entry: usize): u32 {
  const ends = scratch + CODES_BYTES
  const blocks = blockCount(count)
  let bytes: u32 = 0
  for (let block = 0; block < blocks; block++) {
    const rows = min(count - (block << 10), BLOCK_ROWS)
    blockEnds(refs, nulls, block << 10, rows, ends)
    bytes += ENTRY_BYTES + planLinear(ends, rows, entry)
  }
  return bytes
}

/** Writes directory, ends and text; returns the offset after the text. */
function writePlain(out: usize, start: i32, refs: usize, nulls: usize, count: i32, textBytes: u32, scratch: usize): i32 {
  const ends = scratch + CODES_BYTES
  const blocks = blockCount(count)
  let offset = start + blocks * ENTRY_BYTES
  let text: u32 = 0
  for (let block = 0; block < blocks; block++) {
    const rows = min(count - (block << 10), BLOCK_ROWS)
    const entry = out + <usize>(start + block * ENTRY_BYTES)
    const bytes = blockEnds(refs, nulls, block << 10, rows, ends)
    planLinear(ends, rows, entry)
    store<u32>(entry, text, 20)
    offset = writeLineCodes(ends, rows, entry, out, offset, scratch)
    text += bytes
  }
  store<u32>(out, start, 16)
  store<u32>(out, offset, 24)
  store<u32>(out, textBytes, 28)
  let to = out + <usize>offset
  for (let row = 0; row < count; row++) {
    const bytes = rowBytes(refs, nulls, row)
    memory.copy(to, load<u32>(refs + (<usize>row << 3)), bytes)
    to += bytes
  }
  return offset + textBytes
}

/** Turns the plain chunk just written into lz if that saves an eighth of `best`; returns its length, or 0. */
function writeLz(out: usize, start: i32, count: i32, textBytes: u32, best: u32, scratch: usize): u32 {
  const textOffset = load<u32>(out, 24)
  const text = out + textOffset
  const table = (scratch + 15) & ~15
  const records = table + lzTableBytes()
  const stored = records + <usize>((count + 1) * SUB_BLOCK_BYTES)
  let subBlocks = 0
  let first = 0
  let firstStart: u32 = 0
  let storedBytes: u32 = 0
  for (let row = 1; row <= count; row++) {
    const end = textStart(out, row)
    if (row < count && end - firstStart < SUB_BLOCK_TEXT_BYTES) continue
    writeRecord(records, subBlocks++, first, firstStart, storedBytes)
    storedBytes += storeSubBlock(text + firstStart, end - firstStart, stored + storedBytes, table)
    first = row
    firstStart = end
  }
  writeRecord(records, subBlocks, count, textBytes, storedBytes)
  const recordBytes: u32 = (subBlocks + 1) * SUB_BLOCK_BYTES
  const sums: u32 = (textOffset + recordBytes + 7) & -8
  const sumsEnd: u32 = sums + (subBlocks + 1) * SUM_BYTES
  const head: u32 = (sumsEnd + 7) & -8
  if (head - start + storedBytes > best - (best >> 3)) return 0
  memory.copy(text, records, recordBytes)
  padTo8(out, textOffset + recordBytes)
  padTo8(out, sumsEnd)
  memory.copy(out + head, stored, storedBytes)
  store<u32>(out, head, 24)
  store<u32>(out, subBlocks, 32)
  store<u32>(out, textOffset, 36)
  store<u32>(out, sums, 44)
  const byteLength = finishChunk(out, ENCODING_TEXT_LZ, head + storedBytes)
  writeSums(out, table)
  return byteLength
}

function writeRecord(records: usize, index: i32, firstRow: i32, start: u32, stored: u32): void {
  const record = records + <usize>(index * SUB_BLOCK_BYTES)
  store<u32>(record, firstRow)
  store<u32>(record, start, 4)
  store<u32>(record, stored, 8)
}

function storeSubBlock(text: usize, byteLength: u32, out: usize, table: usize): u32 {
  const compressed = <u32>lzCompress(text, byteLength, out, byteLength, table)
  if (compressed != 0) return compressed
  memory.copy(out, text, byteLength)
  return byteLength
}

/** Writes a dictionary chunk, or a runs chunk when `runs` is not 0. */
function writeDictionary(out: usize, start: i32, count: i32, distinct: i32, width: i32, runs: i32, scratch: usize, base: usize): i32 {
  const order = sortEntries(distinct, count, base)
  let end = start
  let codes = codesAt(base, count)
  if (runs != 0) {
    store<u32>(out, runs, 40)
    store<u32>(out, end, 44)
    end = writeRuns(codes, count, out, end)
  }
  store<u8>(out, <u8>width, 3)
  store<u32>(out, end, 20)
  end += pack32(codes, runs != 0 ? runs : count, width, out + <usize>end)
  store<u32>(out, distinct, 32)
  store<u32>(out, end, 36)
  end = writeEntries(order, distinct, entriesAt(base, count), out, end)
  return finishChunk(out, runs != 0 ? ENCODING_TEXT_RUNS : ENCODING_TEXT_DICTIONARY, end)
}

/** Writes the run ends and leaves the runs' codes at the front of `codes`; returns the offset after the ends. */
function writeRuns(codes: usize, count: i32, out: usize, offset: i32): i32 {
  const ends = out + <usize>offset
  let runs = 0
  for (let row = 0; row < count; row++) {
    const code = load<u32>(codes + (<usize>row << 2))
    if (row + 1 < count && load<u32>(codes + (<usize>(row + 1) << 2)) == code) continue
    store<u32>(codes + (<usize>runs << 2), code)
    store<u16>(ends + (<usize>runs << 1), <u16>(row + 1))
    runs++
  }
  return padTo8(out, offset + runs * 2)
}

/** Writes text offsets and texts of the sorted entries; returns the offset after them. */
function writeEntries(order: usize, distinct: i32, entries: usize, out: usize, offset: i32): i32 {
  const offsets = out + <usize>offset
  const textOffset = padTo8(out, offset + (distinct + 1) * 4)
  let text: u32 = 0
  for (let i = 0; i < distinct; i++) {
    const entry = entries + (<usize>load<u32>(order + (<usize>i << 2)) << 3)
    const bytes = load<u32>(entry, 4)
    store<u32>(offsets + (<usize>i << 2), text)
    memory.copy(out + <usize>textOffset + text, load<u32>(entry), bytes)
    text += bytes
  }
  store<u32>(offsets + (<usize>distinct << 2), text)
  store<u32>(out, textOffset, 24)
  store<u32>(out, text, 28)
  return textOffset + text
}
