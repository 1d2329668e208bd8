/** Rows by what holds of the dictionary entries that their codes stand for, a word of rows at a time out of the packed codes. */
import { chunkCodeWidth, chunkCount, chunkData, chunkEncoding, chunkNulls, chunkRunEnds, ENCODING_TEXT_CONSTANT, ENCODING_TEXT_DICTIONARY } from '../../column/layout'
import { packedGet32, widthMask32 } from '../../column/packing'
import { scanGroupsEntryCount } from '../group-codes'
import { nullWord, rowsOfWord, selectionWord } from '../selection'

/** Codes of so many bits are bytes, of which one instruction looks up sixteen. */
const BYTE_WIDTH_MAX: i32 = 8

export function scanEntriesSelect(chunk: usize, entries: usize, selection: usize, out: usize): i32 {
  const entryCount = scanGroupsEntryCount(chunk)
  if (entryCount < 0) return -1
  const count = <u32>chunkCount(chunk), encoding = chunkEncoding(chunk), width = chunkCodeWidth(chunk), nulls = chunkNulls(chunk)
  const ofNulls: u64 = isSet(entries, entryCount) ? ~(<u64>0) : 0
  let run = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const rows = selectionWord(selection, word) & rowsOfWord(count, word), nullBits = nullWord(nulls, word)
    let bits: u64 = 0
    if (encoding == ENCODING_TEXT_CONSTANT) bits = isSet(entries, 0) ? ~(<u64>0) : 0
    else if (encoding != ENCODING_TEXT_DICTIONARY) {
      while (<u32>load<u16>(chunkRunEnds(chunk) + (<usize>run << 1)) <= word << 6) run++
      bits = runsOfWord(chunk, entries, run, word << 6, min((word << 6) + 64, count))
    } else if (rows != 0) bits = width <= BYTE_WIDTH_MAX ? bytesOfWord(chunkData(chunk), width, entries, word, count) : codesOfWord(chunkData(chunk), width, entries, rows, word)
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

function bytesOfWord(packed: usize, width: i32, entries: usize, word: u32, count: u32): u64 {
  const low = v128.load(entries), high = v128.load(entries, 16), bitOf = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128)
  const firstRow = <i32>word << 4, stop = min(firstRow + 16, (<i32>count + 3) >> 2)
  let bits: u64 = 0, at: u64 = 0
  for (let row = firstRow; row < stop; row += 4, at += 16) {
    const left = i16x8.narrow_i32x4_s(fourOf(packed, width, row, stop), fourOf(packed, width, row + 1, stop))
    const right = i16x8.narrow_i32x4_s(fourOf(packed, width, row + 2, stop), fourOf(packed, width, row + 3, stop))
    const codes = i8x16.narrow_i16x8_u(left, right), place = i8x16.shr_u(codes, 3)
    // Places beyond a table give 0.
    const found = v128.or(i8x16.swizzle(low, place), i8x16.swizzle(high, i8x16.sub(place, i8x16.splat(16))))
    const wanted = i8x16.swizzle(bitOf, v128.and(codes, i8x16.splat(7)))
    bits |= <u64>i8x16.bitmask(i8x16.eq(v128.and(found, wanted), wanted)) << at
  }
  return bits
}

/** Four codes of a row of the stream; zeros from `stop` on. */
function fourOf(packed: usize, width: i32, row: i32, stop: i32): v128 {
  if (row >= stop || width == 0) return i32x4.splat(0)
  const bit = row * width, shift = bit & 31, from = packed + <usize>((bit >> 5) << 4)
  let codes = i32x4.shr_u(v128.load(from), shift)
  // A code that ends in its word needs no second one; which do repeats every 32 codes, so the branch is foreseen.
  if (shift + width > 32) codes = v128.or(codes, i32x4.shl(v128.load(from, 16), 32 - shift))
  return v128.and(codes, i32x4.splat(<i32>widthMask32(width)))
}
