/** Packed codes compared 128 at a time, where the nearest cache still has them, and summed as they come out of the stream. */
import { accumulateBiased, activeRows } from '../aggregate/accumulator'
import { GE, LE, LT, NE } from '../compare/interval'
import { packedGet32, packedRow, unpack32, widthMask32 } from '../column/packing'
import { unpackRows } from '../column/unpack-rows'

/** Below this many active rows in a word, single codes are fetched. */
const sparseRows: i32 = 8

/** What unpacking 128 codes takes. */
export const CODES_SCRATCH_BYTES: u32 = 512

/** ANDs `code <op> wanted` for the first `count` codes of a stream of 1 to 32 bits; `scratch` holds CODES_SCRATCH_BYTES. */
export function filterCodes(packed: usize, width: i32, count: u32, op: u32, wanted: u32, nulls: usize, selection: usize, scratch: usize): void {
  const words = (count + 63) >> 6, groupBytes = <usize>width << 4
  for (let word: u32 = 0; word < words; word += 2, packed += groupBytes) {
    const first = activeRows(nulls, selection, count, word), second = word + 1 < words ? activeRows(nulls, selection, count, word + 1) : 0
    if ((first | second) != 0) {
      if ((word << 6) + 128 <= count) unpackRows(packed, width, scratch)
      else unpack32(packed, width, 0, <i32>(count - (word << 6) + 3) >> 2, scratch)
    }
    store<u64>(selection + (<usize>word << 3), first == 0 ? 0 : first & matchCodes(scratch, width, op, wanted))
    if (word + 1 < words) store<u64>(selection + (<usize>word << 3), second == 0 ? 0 : second & matchCodes(scratch + 256, width, op, wanted), 8)
  }
}

/** One bit for each of 64 codes. */
function matchCodes(codes: usize, width: i32, op: u32, wanted: u32): u64 {
  // Signed comparisons are the only ones; of 32 bits they are the same as unsigned ones after both top bits are flipped.
  const flip = i32x4.splat(width == 32 ? i32.MIN_VALUE : 0), constant = v128.xor(i32x4.splat(wanted), flip)
  let word: u64 = 0
  for (let at: u64 = 0; at < 64; at += 16, codes += 64) {
    const a = v128.xor(v128.load(codes), flip), b = v128.xor(v128.load(codes, 16), flip), c = v128.xor(v128.load(codes, 32), flip), d = v128.xor(v128.load(codes, 48), flip)
    let few: i32
    if (op < LT) few = bitsOf(i32x4.eq(a, constant), i32x4.eq(b, constant), i32x4.eq(c, constant), i32x4.eq(d, constant))
    else if (op == LT || op == GE) few = bitsOf(i32x4.gt_s(constant, a), i32x4.gt_s(constant, b), i32x4.gt_s(constant, c), i32x4.gt_s(constant, d))
    else few = bitsOf(i32x4.gt_s(a, constant), i32x4.gt_s(b, constant), i32x4.gt_s(c, constant), i32x4.gt_s(d, constant))
    word |= <u64>few << at
  }
  return op == NE || op == GE || op == LE ? ~word : word
}

/** A bit for each lane of four masks. */
function bitsOf(a: v128, b: v128, c: v128, d: v128): i32 {
  return i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)))
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
