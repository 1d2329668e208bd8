/** Packed codes compared 128 at a time, and summed a block at a time, where the nearest cache still has them. */
import { accumulateBiased, activeRows } from '../aggregate/accumulator'
import { greatestLane, leastLane } from '../aggregate/lanes'
import { ACTIVE_CODES_BYTES, activeCodes } from '../aggregate/active-codes'
import { GE, LE, LT, NE } from '../compare/interval'
import { unpack32 } from '../column/packing'
import { unpackRows } from '../column/unpack-rows'

/** Codes of so many bits are compared as signed bytes. */
const BYTE_WIDTH_MAX: i32 = 7

/** 256 codes of so many bits, what a lane takes of a block, have a sum of 32 bits. */
const NARROW_WIDTH_MAX: i32 = 24

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

/** One bit for each of 64 codes, which it may change. */
function matchCodes(codes: usize, width: i32, op: u32, wanted: u32): u64 {
  let constant = i32x4.splat(wanted)
  if (width == 32) {
    // Signed comparisons are the only ones; of 32 bits they are the same as unsigned ones after both top bits are flipped.
    const flip = i32x4.splat(i32.MIN_VALUE)
    constant = v128.xor(constant, flip)
    for (let at = codes, end = codes + 256; at < end; at += 16) v128.store(at, v128.xor(v128.load(at), flip))
  }
  let word: u64 = 0
  if (width <= BYTE_WIDTH_MAX) {
    const bytes = i8x16.splat(<i8>wanted)
    for (let at: u64 = 0; at < 64; at += 16, codes += 64) {
      const sixteen = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(v128.load(codes), v128.load(codes, 16)), i16x8.narrow_i32x4_s(v128.load(codes, 32), v128.load(codes, 48)))
      word |= <u64>i8x16.bitmask(op < LT ? i8x16.eq(sixteen, bytes) : op == LT || op == GE ? i8x16.lt_s(sixteen, bytes) : i8x16.gt_s(sixteen, bytes)) << at
    }
  } else if (op < LT) {
    for (let at: u64 = 0; at < 64; at += 16, codes += 64) word |= bitsOf(i32x4.eq(v128.load(codes), constant), i32x4.eq(v128.load(codes, 16), constant), i32x4.eq(v128.load(codes, 32), constant), i32x4.eq(v128.load(codes, 48), constant)) << at
  } else if (op == LT || op == GE) {
    for (let at: u64 = 0; at < 64; at += 16, codes += 64) word |= bitsOf(i32x4.gt_s(constant, v128.load(codes)), i32x4.gt_s(constant, v128.load(codes, 16)), i32x4.gt_s(constant, v128.load(codes, 32)), i32x4.gt_s(constant, v128.load(codes, 48))) << at
  } else {
    for (let at: u64 = 0; at < 64; at += 16, codes += 64) word |= bitsOf(i32x4.gt_s(v128.load(codes), constant), i32x4.gt_s(v128.load(codes, 16), constant), i32x4.gt_s(v128.load(codes, 32), constant), i32x4.gt_s(v128.load(codes, 48), constant)) << at
  }
  return op == NE || op == GE || op == LE ? ~word : word
}

/** A bit for each lane of four masks. */
function bitsOf(a: v128, b: v128, c: v128, d: v128): u64 {
  return <u64>i8x16.bitmask(i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)))
}

/** Adds the active values base + code of one block (at most 1,024 codes of 0 to 32 bits) to an i64 accumulator; `scratch` is for active codes. */
export function aggregateCodes(packed: usize, width: i32, rows: u32, base: i64, nulls: usize, selection: usize, scratch: usize, to: usize): void {
  const count = activeCodes(packed, width, rows, nulls, selection, scratch, scratch + ACTIVE_CODES_BYTES)
  if (count == 0) return
  let least = i32x4.splat(-1), greatest = i32x4.splat(0), narrow = i32x4.splat(0), sums = i64x2.splat(0)
  let least1: u32 = u32.MAX_VALUE, greatest1: u32 = 0, sum: u64 = 0
  let at = scratch
  const whole = scratch + (<usize>(count >> 2) << 4), end = scratch + (<usize>count << 2)
  if (width <= NARROW_WIDTH_MAX) {
    for (; at < whole; at += 16) {
      const four = v128.load(at)
      least = i32x4.min_u(least, four)
      greatest = i32x4.max_u(greatest, four)
      narrow = i32x4.add(narrow, four)
    }
    sums = i64x2.add(i64x2.extend_low_i32x4_u(narrow), i64x2.extend_high_i32x4_u(narrow))
  } else {
    for (; at < whole; at += 16) {
      const four = v128.load(at)
      least = i32x4.min_u(least, four)
      greatest = i32x4.max_u(greatest, four)
      sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(four), i64x2.extend_high_i32x4_u(four)))
    }
  }
  for (; at < end; at += 4) {
    const code = load<u32>(at)
    least1 = min(least1, code)
    greatest1 = max(greatest1, code)
    sum += code
  }
  least1 = min(least1, leastLane(least))
  greatest1 = max(greatest1, greatestLane(greatest))
  sum += <u64>i64x2.extract_lane(sums, 0) + <u64>i64x2.extract_lane(sums, 1)
  accumulateRepeated(to, count, base, base + <i64>least1, base + <i64>greatest1, sum)
}

/** Adds `count` times `base`, plus `extra`, with known extremes. */
export function accumulateRepeated(to: usize, count: u32, base: i64, least: i64, greatest: i64, extra: u64): void {
  const biased = <u64>base ^ (<u64>1 << 63)
  accumulateBiased(to, count, least, greatest, (biased & 0xffffffff) * count + extra, (biased >> 32) * count)
}
