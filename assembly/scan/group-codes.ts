/** Dense groups from the dictionary codes of a text chunk: no hashing by row, only by entry. */
import { chunkCodeWidth, chunkData, chunkEncoding, chunkEntryCount, chunkKind, chunkNulls, chunkRunEnds, chunkText, chunkTextBytes, dictionaryAddress, dictionaryLength, isNull, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY, ENCODING_TEXT_RUNS, KIND_BYTES } from '../column/layout'
import { packedGet32, unpack32 } from '../column/packing'
import { rowsInside } from '../column/numbers'
import { runOf } from '../column/text/places'

/** A constant has one entry. */
export function scanGroupsEntryCount(chunk: usize): i32 {
  const encoding = chunkEncoding(chunk)
  if (chunkKind(chunk) != KIND_BYTES) return -1
  if (encoding == ENCODING_TEXT_CONSTANT) return 1
  return encoding == ENCODING_TEXT_DICTIONARY || encoding == ENCODING_TEXT_RUNS ? chunkEntryCount(chunk) : -1
}

export function scanGroupsCodes(chunk: usize, first: i32, count: i32, groups: usize): i32 {
  const entries = scanGroupsEntryCount(chunk), encoding = chunkEncoding(chunk)
  if (entries < 0 || !rowsInside(chunk, first, count)) return -1
  if (encoding == ENCODING_TEXT_CONSTANT) memory.fill(groups, 0, <usize>count << 2)
  else if (encoding == ENCODING_TEXT_DICTIONARY) copyCodes(chunk, first, count, groups)
  else copyRuns(chunk, first, count, groups)
  const nulls = chunkNulls(chunk)
  if (nulls == 0) return entries
  for (let row = 0; row < count; row++) {
    if (isNull(nulls, first + row)) store<u32>(groups + (<usize>row << 2), entries)
  }
  return entries
}

/** Of rows [first, first + count) of a dictionary chunk, nulls not looked at. */
export function copyCodes(chunk: usize, first: i32, count: i32, groups: usize): void {
  const packed = chunkData(chunk), width = chunkCodeWidth(chunk), whole = count & ~3
  unpack32(packed, width, first >> 2, whole >> 2, groups)
  for (let row = whole; row < count; row++) store<u32>(groups + (<usize>row << 2), packedGet32(packed, width, first + row))
}

function copyRuns(chunk: usize, first: i32, count: i32, groups: usize): void {
  const packed = chunkData(chunk), width = chunkCodeWidth(chunk), ends = chunkRunEnds(chunk), stop = first + count
  let row = first
  for (let run = count == 0 ? 0 : runOf(chunk, first); row < stop; run++) {
    const code = packedGet32(packed, width, run)
    for (const end = min(<i32>load<u16>(ends + (<usize>run << 1)), stop); row < end; row++) store<u32>(groups + (<usize>(row - first) << 2), code)
  }
}

export function scanGroupsEntries(chunk: usize, refs: usize, nulls: usize): i32 {
  const entries = scanGroupsEntryCount(chunk)
  if (entries < 0) return -1
  memory.fill(nulls, 0, <usize>((entries + 64) >> 6) << 3)
  const constant = chunkEncoding(chunk) == ENCODING_TEXT_CONSTANT
  for (let code = 0; code < entries; code++) {
    const at = refs + (<usize>code << 3)
    store<u32>(at, <u32>(constant ? chunkText(chunk) : dictionaryAddress(chunk, code)))
    store<u32>(at, constant ? chunkTextBytes(chunk) : dictionaryLength(chunk, code), 4)
  }
  store<u64>(refs + (<usize>entries << 3), 0)
  store<u8>(nulls + <usize>(entries >> 3), <u8>(<u32>1 << (entries & 7)))
  return entries
}
