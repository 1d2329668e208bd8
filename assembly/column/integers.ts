/*
 * Reading integer blocks: frame, linear and delta. All arithmetic wraps at 64 bits, so that the whole range is exact.
 * Rows are indexes in the block; a decoded range starts at a multiple of 8.
 */
import { blockEntry, blockRows, chunkData, chunkEncoding, deltaStep, entryAux, entryBase, entryFraction, entryPacked, entrySlope, entryWidth, isDelta, CHECKPOINT_ROWS, ENCODING_LINEAR, ENCODING_PLAIN, ENCODING_STEPPED_DELTA } from './layout'
import { packedGet32, packedGet64, packedRow, unpack32, widthMask32 } from './packing'

/** base + code for rows [first, first + count) of a block that has `rows` codes. */
export function unpackAdd(packed: usize, width: i32, rows: i32, first: i32, count: i32, base: i64, out: usize): void {
  const whole = count >> 2
  if (width == 0) fill64(out, whole << 2, base)
  else if (width <= 32) unpackNarrow(packed, width, first >> 2, whole, base, out)
  else unpackWide(packed, width, rows, first >> 2, whole, base, out)
  for (let i = whole << 2; i < count; i++) {
    store<i64>(out + (<usize>i << 3), base + packedGet64(packed, width, rows, first + i))
  }
}

export function fill64(out: usize, count: i32, value: i64): void {
  for (let i = 0; i < count; i++) store<i64>(out + (<usize>i << 3), value)
}

/** Codes come to the second half of their place first: values written from the front never pass them. */
function unpackNarrow(packed: usize, width: i32, firstRow: i32, rows: i32, base: i64, out: usize): void {
  const bases = i64x2.splat(base)
  const end = out + (<usize>rows << 5)
  let codesAt = out + (<usize>rows << 4)
  unpack32(packed, width, firstRow, rows, codesAt)
  for (; out < end; out += 32, codesAt += 16) {
    const codes = v128.load(codesAt)
    v128.store(out, i64x2.add(i64x2.extend_low_i32x4_u(codes), bases))
    v128.store(out, i64x2.add(i64x2.extend_high_i32x4_u(codes), bases), 16)
  }
}

/** Keeps the current word of the streams in a register and loads each word once; `shift` is how many of its bits are used up. */
function unpackWide(packed: usize, width: i32, rows: i32, firstRow: i32, wholeRows: i32, base: i64, out: usize): void {
  const narrow = width - 32
  const mask = i32x4.splat(<i32>widthMask32(narrow))
  const bases = i64x2.splat(base)
  const bit = firstRow * narrow
  let word = packed + <usize>(((rows + 3) >> 2) << 4) + <usize>((bit >> 5) << 4)
  let low = packed + (<usize>firstRow << 4)
  let shift = bit & 31
  if (wholeRows == 0) return
  let current = v128.load(word)
  const end = out + (<usize>wholeRows << 5)
  do {
    if (shift == 32) {
      word += 16
      current = v128.load(word)
      shift = 0
    }
    let codes = i32x4.shr_u(current, shift)
    shift += narrow
    if (shift > 32) {
      word += 16
      current = v128.load(word)
      shift -= 32
      codes = v128.or(codes, i32x4.shl(current, narrow - shift))
    }
    codes = v128.and(codes, mask)
    const low4 = v128.load(low)
    v128.store(out, i64x2.add(v128.shuffle<i32>(low4, codes, 0, 4, 1, 5), bases))
    v128.store(out, i64x2.add(v128.shuffle<i32>(low4, codes, 2, 6, 3, 7), bases), 16)
    out += 32
    low += 16
  } while (out != end)
}

/** slope·i + ((fraction·i) >>> 16) */
export function lineAt(entry: usize, i: i32): i64 {
  return entrySlope(entry) * <i64>i + <i64>((entryFraction(entry) * i) >>> 16)
}

/** Adds the block's line to `count` values from row `first`. */
function addLine(entry: usize, first: i32, count: i32, values: usize): void {
  const slope = entrySlope(entry)
  const fraction = <i64>entryFraction(entry)
  const steps = i64x2.splat(slope << 1)
  const parts = i64x2.splat(fraction << 1)
  let line = i64x2.add(i64x2.splat(slope * <i64>first), i64x2(0, slope))
  let part = i64x2.add(i64x2.splat(fraction * <i64>first), i64x2(0, fraction))
  const whole = count & ~1
  for (const end = values + (<usize>whole << 3); values < end; values += 16) {
    v128.store(values, i64x2.add(i64x2.add(v128.load(values), line), i64x2.shr_u(part, 16)))
    line = i64x2.add(line, steps)
    part = i64x2.add(part, parts)
  }
  if (whole < count) store<i64>(values, load<i64>(values) + lineAt(entry, first + whole))
}

/** Turns codes into differences, in place: base + step·code. */
function scaleCodes(values: usize, count: i32, step: i64, base: i64): void {
  const steps = i64x2.splat(step)
  const bases = i64x2.splat(base)
  const whole = count & ~1
  for (const end = values + (<usize>whole << 3); values < end; values += 16) {
    v128.store(values, i64x2.add(i64x2.mul(v128.load(values), steps), bases))
  }
  if (whole < count) store<i64>(values, load<i64>(values) * step + base)
}

/** Turns differences into values, in place; `before` is the value before the first. Returns the last value. */
function prefixSum(values: usize, count: i32, before: i64): i64 {
  let carry = i64x2.splat(before)
  const zero = i64x2.splat(0)
  const whole = count & ~3
  for (let i = 0; i < whole; i += 4, values += 32) {
    const a = v128.load(values)
    const b = v128.load(values, 16)
    const sumA = i64x2.add(a, v128.shuffle<i64>(zero, a, 0, 2))
    const sumB = i64x2.add(i64x2.add(b, v128.shuffle<i64>(zero, b, 0, 2)), v128.shuffle<i64>(sumA, sumA, 1, 1))
    v128.store(values, i64x2.add(sumA, carry))
    const last = i64x2.add(sumB, carry)
    v128.store(values, last, 16)
    carry = v128.shuffle<i64>(last, last, 1, 1)
  }
  let value = i64x2.extract_lane(carry, 0)
  for (let i = whole; i < count; i++, values += 8) {
    value += load<i64>(values)
    store<i64>(values, value)
  }
  return value
}

/** Checkpoint groups of rows [first, first + count), whose differences stand at `values`. */
function sumGroups(chunk: usize, entry: usize, rows: i32, first: i32, count: i32, values: usize): void {
  const checkpoints = entryAux(chunk, entry)
  const base = entryBase(entry)
  let row = first
  const end = first + count
  while (row < end) {
    const group = row >> 7
    const stop = min((group + 1) << 7, end)
    const before = (row & (CHECKPOINT_ROWS - 1)) == 0
      ? load<i64>(checkpoints + (<usize>group << 3)) - base
      : deltaAt(chunk, entry, rows, row - 1)
    prefixSum(values + (<usize>(row - first) << 3), stop - row, before)
    row = stop
  }
}

/** Row `row` of a delta block: its checkpoint and what stands between. */
function deltaAt(chunk: usize, entry: usize, rows: i32, row: i32): i64 {
  const steps = row & (CHECKPOINT_ROWS - 1)
  const value = load<i64>(entryAux(chunk, entry) + (<usize>(row >> 7) << 3))
  if (steps == 0) return value
  const width = entryWidth(entry)
  const packed = entryPacked(chunk, entry)
  return value + entryBase(entry) * <i64>steps + deltaStep(chunk, entry) * codeSum(packed, width, rows, row - steps, row)
}

/** Sum of codes (first, last]; `first` is a multiple of 128, where the code is 0. */
function codeSum(packed: usize, width: i32, rows: i32, first: i32, last: i32): i64 {
  if (width == 0) return 0
  let sum: i64 = 0
  let row = first
  if (width <= 32) {
    const mask = i32x4.splat(<i32>widthMask32(width))
    let sums = i64x2.splat(0)
    if (row + 3 <= last) do {
      const codes = packedRow(packed, width, row >> 2, mask)
      sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_u(codes), i64x2.extend_high_i32x4_u(codes)))
      row += 4
    } while (row + 3 <= last)
    sum = i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1)
  }
  for (; row <= last; row++) sum += packedGet64(packed, width, rows, row)
  return sum
}

/** Decodes rows [first, first + count) of one block of a frame, linear or delta chunk, of whichever kind. */
export function decodeIntegerBlock(chunk: usize, block: i32, first: i32, count: i32, out: usize): void {
  const encoding = chunkEncoding(chunk)
  const entry = blockEntry(chunk, block)
  const rows = blockRows(chunk, block)
  const isStepped = encoding == ENCODING_STEPPED_DELTA
  unpackAdd(entryPacked(chunk, entry), entryWidth(entry), rows, first, count, isStepped ? 0 : entryBase(entry), out)
  if (isStepped) scaleCodes(out, count, entrySlope(entry), entryBase(entry))
  if (encoding == ENCODING_LINEAR) addLine(entry, first, count, out)
  else if (isDelta(encoding)) sumGroups(chunk, entry, rows, first, count, out)
}

/** One value of an i64 chunk of any encoding. Written so that reading a row of a frame calls nothing. */
export class Integer {
  @inline
  static at(chunk: usize, row: i32): i64 {
    const encoding = chunkEncoding(chunk)
    if (encoding <= ENCODING_PLAIN) return load<i64>(chunkData(chunk) + (encoding == ENCODING_PLAIN ? <usize>row << 3 : 0))
    const entry = blockEntry(chunk, row >> 10)
    const i = row & 1023
    const width = entryWidth(entry)
    if (encoding <= ENCODING_LINEAR && width <= 32) {
      const value = entryBase(entry) + packedGet32(entryPacked(chunk, entry), width, i)
      return encoding == ENCODING_LINEAR ? value + lineAt(entry, i) : value
    }
    return wideOrDeltaAt(chunk, entry, encoding, row)
  }
}

function wideOrDeltaAt(chunk: usize, entry: usize, encoding: i32, row: i32): i64 {
  const rows = blockRows(chunk, row >> 10), i = row & 1023
  if (isDelta(encoding)) return deltaAt(chunk, entry, rows, i)
  const value = entryBase(entry) + packedGet64(entryPacked(chunk, entry), entryWidth(entry), rows, i)
  return encoding == ENCODING_LINEAR ? value + lineAt(entry, i) : value
}

export function integerAt(chunk: usize, row: i32): i64 { return Integer.at(chunk, row) }
