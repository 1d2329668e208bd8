/**
 * The codes of some rows, one behind the other: what is computed of them then knows neither bitmaps nor rows that are left
 * out.
 */
import { activeCount, activeRows } from './accumulator'
import { unpack32, widthMask32 } from '../column/packing'
import { unpackRows } from '../column/unpack-rows'

/** Of a block of 1,024 rows; one store may reach beyond the last code. */
export const ACTIVE_CODES_BYTES: u32 = 4096 + 16
/** What `activeCodes` needs beside it. */
export const ACTIVE_SCRATCH_BYTES: u32 = 512
/** Of a block of which fewer than a 2^-FEW_SHIFT are active, codes are fetched one by one. */
const FEW_SHIFT: u32 = 3

/** By four bits: the bytes of the lanes whose bits are set, moved to the front. */
const fronts = memory.data<u8>([
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  4, 5, 6, 7, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  8, 9, 10, 11, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15,
  4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  12, 13, 14, 15, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15,
  4, 5, 6, 7, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15,
  8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15,
  0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15,
  4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 12, 13, 14, 15,
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
])

/** Writes the codes (0 to 32 bits) of the active ones of at most 1,024 rows as u32 at `out`, in the order of the rows; returns how many. */
export function activeCodes(packed: usize, width: i32, rows: u32, nulls: usize, selection: usize, out: usize, scratch: usize): u32 {
  const count = activeCount(nulls, selection, rows)
  if (width == 0) memory.fill(out, 0, <usize>count << 2)
  else if (count == rows) unpack32(packed, width, 0, <i32>(rows + 3) >> 2, out)
  else if (count << FEW_SHIFT < rows) fetchCodes(packed, width, rows, nulls, selection, out)
  else moveCodes(packed, width, rows, nulls, selection, out, scratch)
  return count
}

function fetchCodes(packed: usize, width: i32, rows: u32, nulls: usize, selection: usize, out: usize): void {
  const end = listRows(rows, nulls, selection, out), mask = widthMask32(width)
  for (let to = out; to < end; to += 4) {
    const row = load<i32>(to), bit = (row >> 2) * width, shift = bit & 31
    const word = packed + <usize>(((bit >> 5) << 4) + ((row & 3) << 2))
    // Chosen, not branched to, since nobody can guess it. Where the code does not cross words, what is added lies above the mask.
    const next = word + select<usize>(16, 0, shift + width > 32)
    store<u32>(to, <u32>((<u64>load<u32>(word) | (<u64>load<u32>(next) << 32)) >> shift) & mask)
  }
}

/** Writes the active rows; four are written in any case, so that how few a word has needs no guess. */
function listRows(rows: u32, nulls: usize, selection: usize, out: usize): usize {
  let to = out
  for (let word: u32 = 0, words = (rows + 63) >> 6; word < words; word++) {
    let bits = activeRows(nulls, selection, rows, word)
    const first = word << 6, count = <usize>popcnt(bits)
    const end = to + (count << 2)
    store<u32>(to, first + <u32>ctz(bits))
    bits &= bits - 1
    store<u32>(to, first + <u32>ctz(bits), 4)
    bits &= bits - 1
    store<u32>(to, first + <u32>ctz(bits), 8)
    bits &= bits - 1
    store<u32>(to, first + <u32>ctz(bits), 12)
    bits &= bits - 1
    for (to += 16; to < end; to += 4, bits &= bits - 1) store<u32>(to, first + <u32>ctz(bits))
    to = end
  }
  return to
}

function moveCodes(packed: usize, width: i32, rows: u32, nulls: usize, selection: usize, out: usize, scratch: usize): void {
  const groupBytes = <usize>width << 4
  let to = out
  for (let word: u32 = 0, words = (rows + 63) >> 6; word < words; word += 2, packed += groupBytes) {
    const low = activeRows(nulls, selection, rows, word), high = word + 1 < words ? activeRows(nulls, selection, rows, word + 1) : 0
    if ((low | high) == 0) continue
    const isWhole = (low & high) == ~(<u64>0), at = isWhole ? to : scratch
    if (rows - (word << 6) >= 128) unpackRows(packed, width, at)
    else unpack32(packed, width, 0, <i32>(rows - (word << 6) + 3) >> 2, at)
    if (isWhole) to += 512
    else to = moveTogether(at + 256, high, moveTogether(at, low, to))
  }
}

/** Returns where the next code goes. */
function moveTogether(codes: usize, rows: u64, to: usize): usize {
  for (; rows != 0; rows >>= 4, codes += 16) {
    const four = <u32>rows & 15
    v128.store(to, i8x16.swizzle(v128.load(codes), v128.load(fronts + (<usize>four << 4))))
    to += <usize>popcnt(four) << 2
  }
  return to
}
