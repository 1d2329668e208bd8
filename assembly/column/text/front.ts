/*
 * Keys as they are stored: those that stand together begin alike, and what all of a group begin with is written once (front
 * coding). In memory they are plain, since point reads search them; `columnExpand` makes them so.
 */
import { blockCount, blockEntry, blockRows, chunkCount, chunkEncoding, chunkEntryCount, chunkHasNulls, chunkText, chunkTextBytes, ENCODING_TEXT_FRONT, ENCODING_TEXT_PLAIN, entryBase, entryFraction, entrySlope, entryTextStart, entryWidth, FRONT_ROWS } from '../layout'
import { finishChunk } from '../chunk-write'
import { copyText, padded8, sharedEnd } from './sections'
import { textEnd, textStart } from './places'

const SHARED_MAX: u32 = 65535
/** Of rows of one length, which are short. */
const ROW_BYTES_MAX: u32 = 65535

/** Bytes that the rows [first, end) all begin with. */
function sharedBytes(chunk: usize, first: i32, end: i32): u32 {
  const text = chunkText(chunk)
  const start = textStart(chunk, first)
  let next = textStart(chunk, first + 1)
  let shared = min(next - start, SHARED_MAX)
  for (let row = first + 1; row < end; row++) {
    const at = next
    next = textStart(chunk, row + 1)
    shared = min(shared, next - at)
    let same: u32 = 0
    while (same < shared && load<u8>(text + start + same) == load<u8>(text + at + same)) same++
    shared = same
  }
  return shared
}

/** Writes the rows [first, end) to `to` without what they share but in the first. */
function writeGroup(chunk: usize, first: i32, end: i32, shared: u32, to: usize, toEnd: usize): void {
  const text = chunkText(chunk)
  const textEnds = text + chunkTextBytes(chunk)
  store<u16>(to, <u16>shared)
  let at = to + 2
  let start = textStart(chunk, first)
  for (let row = first; row < end; row++) {
    const next = textStart(chunk, row + 1)
    const from = row == first ? start : start + shared
    copyText(at, text + from, next - from, toEnd, textEnds)
    at += next - from
    start = next
  }
}

export function columnFront(chunk: usize, out: usize): u32 {
  const count = chunkCount(chunk)
  if (chunkEncoding(chunk) != ENCODING_TEXT_PLAIN || chunkHasNulls(chunk) || count == 0) return 0
  const shared = sharedEnd(chunk)
  const textOffset = padded8(shared)
  const textBytes = chunkTextBytes(chunk)
  const storedMax = textBytes - (textBytes >> 3)
  let stored: u32 = 0
  for (let first = 0; first < count; first += FRONT_ROWS) {
    const end = min(first + FRONT_ROWS, count)
    const prefix = sharedBytes(chunk, first, end)
    const bytes = 2 + textStart(chunk, end) - textStart(chunk, first) - prefix * <u32>(end - first - 1)
    if (stored + bytes > storedMax) return 0
    writeGroup(chunk, first, end, prefix, out + textOffset + stored, out + textOffset + storedMax)
    stored += bytes
  }
  memory.copy(out, chunk, shared)
  memory.fill(out + shared, 0, textOffset - shared)
  store<u32>(out, textOffset, 24)
  store<u32>(out, stored, 32)
  return finishChunk(out, ENCODING_TEXT_FRONT, textOffset + stored)
}

/** Brings the text of a chunk that was found well-formed to `text`. */
export function expandFront(chunk: usize, text: usize): void {
  const blocks = blockCount(chunkCount(chunk))
  const fromEnd = chunkText(chunk) + <usize>chunkEntryCount(chunk)
  const toEnd = text + chunkTextBytes(chunk)
  let from = chunkText(chunk)
  let to = text
  for (let block = 0; block < blocks; block++) {
    const entry = blockEntry(chunk, block)
    const rows = blockRows(chunk, block)
    const start = text + entryTextStart(entry)
    const length = rowLength(entry)
    let group = to
    let shared: u32 = 0
    for (let i = 0; i < rows; i++) {
      if ((i & (FRONT_ROWS - 1)) == 0) {
        shared = <u32>load<u16>(from)
        from += 2
        group = to
        if (length != 0 && i + FRONT_ROWS <= rows && expandShort(from, to, length, shared, toEnd, fromEnd)) {
          from += shared + FRONT_ROWS * (length - shared)
          to += FRONT_ROWS * length
          i += FRONT_ROWS - 1
          continue
        }
      } else {
        copyText(to, group, shared, toEnd, toEnd)
        to += shared
      }
      const rest = <u32>(start + textEnd(chunk, entry, i) - to)
      copyText(to, from, rest, toEnd, fromEnd)
      to += rest
      from += rest
    }
  }
}

/** What all rows of a block take; 0 where that differs. */
function rowLength(entry: usize): u32 {
  const length = <u32>entrySlope(entry)
  return entryWidth(entry) == 0 && entryFraction(entry) == 0 && <u32>entryBase(entry) == length && length <= ROW_BYTES_MAX ? length : 0
}

/**
 * Expands a group of rows of one length, of which what they share and what they do not take 16 bytes at most each: two loads and
 * stores a row. false where it could touch what is behind the ends.
 */
function expandShort(from: usize, to: usize, length: u32, shared: u32, toEnd: usize, fromEnd: usize): bool {
  const rest = <usize>(length - shared)
  if (shared > 16 || rest > 16 || shared > length || to + FRONT_ROWS * length + 16 > toEnd || from + shared + <usize>FRONT_ROWS * rest + 16 > fromEnd) return false
  const beginning = v128.load(from)
  let at = from + shared
  const end = to + FRONT_ROWS * length
  do {
    v128.store(to, beginning)
    v128.store(to + shared, v128.load(at))
    to += length
    at += rest
  } while (to < end)
  return true
}

/** Whether the groups fill the stored text, and no row is shorter than what its group shares. The ends of rows ascend. */
export function frontFits(chunk: usize): bool {
  const blocks = blockCount(chunkCount(chunk))
  const stored = <u64><u32>chunkEntryCount(chunk)
  const text = chunkText(chunk)
  let at: u64 = 0
  for (let block = 0; block < blocks; block++) {
    const entry = blockEntry(chunk, block)
    const rows = blockRows(chunk, block)
    const length = rowLength(entry)
    if (length != 0) {
      for (let first = 0; first < rows; first += FRONT_ROWS) {
        if (at + 2 > stored) return false
        const shared = <u32>load<u16>(text + <usize>at)
        if (length < shared) return false
        at += 2 + shared + <u64>(length - shared) * <u64>min(FRONT_ROWS, rows - first)
      }
      continue
    }
    let before: u32 = 0
    let shared: u32 = 0
    for (let i = 0; i < rows; i++) {
      const end = textEnd(chunk, entry, i)
      if ((i & (FRONT_ROWS - 1)) == 0) {
        if (at + 2 > stored) return false
        shared = <u32>load<u16>(text + <usize>at)
        at += 2 + shared
      }
      if (end - before < shared) return false
      at += end - before - shared
      before = end
    }
  }
  return at == stored
}
