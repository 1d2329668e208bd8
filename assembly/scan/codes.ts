/** Packed codes without unpacking them to memory: compared, and summed, four at a time as they come out of the stream. */
import { accumulateBiased, activeRows } from '../aggregate/accumulator'
import { GE, LE, LT, NE } from '../compare/interval'
import { packedGet32, packedRow, widthMask32 } from '../column/packing'
import { nullWord, rowsOfWord, selectionWord } from './selection'

/** Below this many active rows in a word, single codes are fetched. */
const sparseRows: i32 = 8

/** ANDs `code <op> wanted` for the first `count` codes of a stream of 1 to 32 bits. */
export function filterCodes(packed: usize, width: i32, count: u32, op: u32, wanted: u32, nulls: usize, selection: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const rows = selectionWord(selection, word) & ~nullWord(nulls, word) & rowsOfWord(count, word)
    if (rows == 0) {
      store<u64>(selection + (<usize>word << 3), 0)
      continue
    }
    const firstRow = <i32>word << 4
    const stop = min(firstRow + 16, (<i32>count + 3) >> 2)
    store<u64>(selection + (<usize>word << 3), rows & matchWordCodes(packed, width, firstRow, stop, op, wanted))
  }
}

/** One bit for each code of stream rows [firstRow, stop), at most 16 rows of four. */
function matchWordCodes(packed: usize, width: i32, firstRow: i32, stop: i32, op: u32, wanted: u32): u64 {
  const mask = i32x4.splat(<i32>widthMask32(width))
  // Signed comparisons are cheaper than unsigned ones, and the same after both top bits are flipped.
  const flip = i32x4.splat(i32.MIN_VALUE)
  const constant = op < LT ? i32x4.splat(wanted) : v128.xor(i32x4.splat(wanted), flip)
  let word: u64 = 0
  let at: u64 = 0
  let bit = firstRow * width
  for (let row = firstRow; row < stop; row++, at += 4, bit += width) {
    const shift = bit & 31, from = packed + <usize>((bit >> 5) << 4)
    // A code that ends in its word needs no second one; which do repeats every 32 codes, so the branch is foreseen.
    let codes = i32x4.shr_u(v128.load(from), shift)
    if (shift + width > 32) codes = v128.or(codes, i32x4.shl(v128.load(from, 16), 32 - shift))
    codes = v128.and(codes, mask)
    if (op < LT) word |= <u64>i32x4.bitmask(i32x4.eq(codes, constant)) << at
    else if (op == LT || op == GE) word |= <u64>i32x4.bitmask(i32x4.gt_s(constant, v128.xor(codes, flip))) << at
    else word |= <u64>i32x4.bitmask(i32x4.gt_s(v128.xor(codes, flip), constant)) << at
  }
  return op == NE || op == GE || op == LE ? ~word : word
}

/** Adds the active values base + code of one block (at most 1,024 codes of 0 to 32 bits) to an i64 accumulator. */
export function aggregateCodes(packed: usize, width: i32, count: u32, base: i64, nulls: usize, selection: usize, to: usize): void {
  const mask = i32x4.splat(<i32>widthMask32(width))
  let least = i32x4.splat(-1), greatest = i32x4.splat(0), sums = i64x2.splat(0)
  let least1: u32 = u32.MAX_VALUE, greatest1: u32 = 0
  let sum: u64 = 0
  let active: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let rows = activeRows(nulls, selection, count, word)
    const rowCount = <i32>popcnt(rows)
    active += rowCount
    if (width == 0) {
      if (rowCount != 0) least1 = 0
    } else if (rowCount > sparseRows) {
      const firstRow = <i32>word << 4
      let bits = i32x4(1, 2, 4, 8), masks = i32x4.splat(<i32>rows)
      for (let row = firstRow, stop = min(firstRow + 16, (<i32>count + 3) >> 2); row < stop; row++) {
        if (row == firstRow + 8) {
          bits = i32x4(1, 2, 4, 8)
          masks = i32x4.splat(<i32>(rows >> 32))
        }
        const chosen = i32x4.eq(v128.and(masks, bits), bits)
        bits = i32x4.shl(bits, 4)
        const codes = v128.and(packedRow(packed, width, row, mask), chosen)
        least = i32x4.min_u(least, v128.or(codes, v128.not(chosen)))
        greatest = i32x4.max_u(greatest, codes)
        sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(codes), i64x2.extend_high_i32x4_u(codes)))
      }
    } else {
      for (; rows != 0; rows &= rows - 1) {
        const code = packedGet32(packed, width, (<i32>word << 6) + <i32>ctz(rows))
        least1 = min(least1, code)
        greatest1 = max(greatest1, code)
        sum += code
      }
    }
  }
  if (active == 0) return
  least1 = min(least1, min(min(lane0(least), lane1(least)), min(lane2(least), lane3(least))))
  greatest1 = max(greatest1, max(max(lane0(greatest), lane1(greatest)), max(lane2(greatest), lane3(greatest))))
  sum += <u64>i64x2.extract_lane(sums, 0) + <u64>i64x2.extract_lane(sums, 1)
  accumulateRepeated(to, active, base, base + <i64>least1, base + <i64>greatest1, sum)
}

/** Adds `count` times `base`, plus `extra`, with known extremes. */
export function accumulateRepeated(to: usize, count: u32, base: i64, least: i64, greatest: i64, extra: u64): void {
  const biased = <u64>base ^ (<u64>1 << 63)
  accumulateBiased(to, count, least, greatest, (biased & 0xffffffff) * count + extra, (biased >> 32) * count)
}

function lane0(lanes: v128): u32 { return <u32>i32x4.extract_lane(lanes, 0) }
function lane1(lanes: v128): u32 { return <u32>i32x4.extract_lane(lanes, 1) }
function lane2(lanes: v128): u32 { return <u32>i32x4.extract_lane(lanes, 2) }
function lane3(lanes: v128): u32 { return <u32>i32x4.extract_lane(lanes, 3) }
