/** Rows by what holds of the dictionary entries that their codes stand for, a word of rows at a time out of the packed codes. */
import { chunkCodeWidth, chunkCount, chunkData, chunkEncoding, chunkNulls, chunkRunEnds, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY } from '../../column/layout'
import { packedGet32, unpack32 } from '../../column/packing'
import { scanGroupsEntryCount } from '../group-codes'
import { nullWord, rowsOfWord, selectionWord } from '../selection'

/** Codes of so many bits are bytes, of which one instruction looks up sixteen. */
const BYTE_WIDTH_MAX: i32 = 8

export function scanEntriesSelect(chunk: usize, entries: usize, selection: usize, out: usize, scratch: usize): i32 {
  const entryCount = scanGroupsEntryCount(chunk)
  if (entryCount < 0) return -1
  const count = <u32>chunkCount(chunk), encoding = chunkEncoding(chunk), width = chunkCodeWidth(chunk), nulls = chunkNulls(chunk)
  const ofNulls: u64 = isSet(entries, entryCount) ? ~(<u64>0) : 0
  let run = 0, unpacked: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const rows = selectionWord(selection, word) & rowsOfWord(count, word), nullBits = nullWord(nulls, word)
    let bits: u64 = 0
    if (encoding == ENCODING_TEXT_CONSTANT) bits = isSet(entries, 0) ? ~(<u64>0) : 0
    else if (encoding != ENCODING_TEXT_DICTIONARY) {
      while (<u32>load<u16>(chunkRunEnds(chunk) + (<usize>run << 1)) <= word << 6) run++
      bits = runsOfWord(chunk, entries, run, word << 6, min((word << 6) + 64, count))
    } else if (width > BYTE_WIDTH_MAX) bits = codesOfWord(chunkData(chunk), width, entries, rows, word)
    else if (rows != 0) {
      // Two words are unpacked together, once either has rows.
      if (unpacked != (word | 1)) unpack32(chunkData(chunk), width, <i32>(word >> 1) << 5, <i32>(min(count - ((word >> 1) << 7), 128) + 3) >> 2, scratch)
      unpacked = word | 1
      bits = bytesOfWord(scratch + ((word & 1) == 0 ? 0 : 256), entries)
    }
    store<u64>(out + (<usize>word << 3), rows & ((bits & ~nullBits) | (ofNulls & nullBits)))
  }
  return 0
}

function isSet(entries: usize, code: u32): bool {
  return ((load<u8>(entries + <usize>(code >> 3)) >> <u8>(code & 7)) & 1) != 0
}

function codesOfWord(packed: usize, width: i32, entries: usize, rows: u64, word: u32): u64 {
  let bits: u64 = 0
  for (; rows != 0; rows &= rows - 1) {
    const row = ctz(rows)
    bits |= <u64>isSet(entries, packedGet32(packed, width, <i32>((word << 6) + <u32>row))) << row
  }
  return bits
}

/** Rows [first, end) of the run `run` and those after it. */
function runsOfWord(chunk: usize, entries: usize, run: i32, first: u32, end: u32): u64 {
  const ends = chunkRunEnds(chunk), packed = chunkData(chunk), width = chunkCodeWidth(chunk)
  let bits: u64 = 0
  for (let row = first; row < end; run++) {
    const stop = min<u32>(load<u16>(ends + (<usize>run << 1)), end)
    if (isSet(entries, packedGet32(packed, width, run))) bits |= rowsOfWord(stop - first, 0) & ~rowsOfWord(row - first, 0)
    row = stop
  }
  return bits
}

/** 64 codes, unpacked. */
function bytesOfWord(codesAt: usize, entries: usize): u64 {
  const low = v128.load(entries), high = v128.load(entries, 16), bitOf = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128)
  let bits: u64 = 0
  for (let at: u64 = 0; at < 64; at += 16, codesAt += 64) {
    const left = i16x8.narrow_i32x4_s(v128.load(codesAt), v128.load(codesAt, 16)), right = i16x8.narrow_i32x4_s(v128.load(codesAt, 32), v128.load(codesAt, 48))
    const codes = i8x16.narrow_i16x8_u(left, right), place = i8x16.shr_u(codes, 3)
    // Places beyond a table give 0.
    const found = v128.or(i8x16.swizzle(low, place), i8x16.swizzle(high, i8x16.sub(place, i8x16.splat(16))))
    const wanted = i8x16.swizzle(bitOf, v128.and(codes, i8x16.splat(7)))
    bits |= <u64>i8x16.bitmask(i8x16.eq(v128.and(found, wanted), wanted)) << at
  }
  return bits
}
