/**
 * Counts and sums of decimals by the dictionary codes of a text chunk, a block at a time in scratch that the nearest cache
 * holds: groups are looked up once an entry, not once a row.
 *
 * A value is cut in two doubles whose sums over 4,096 rows are exact: values are n / 10^exponent with |n| < 2^30, so with
 * 2^E the power of two that none reaches, the upper part is a multiple of 2^(E - 41), and the lower one, at most half of
 * that, a multiple of 2^(E - 83), the last bit of the least value but 0. Only these sums enter the double-doubles of the groups.
 */
import { blockCount, blockEntry, blockRows, chunkCodeWidth, chunkCount, chunkEncoding, chunkExponent, chunkKind, chunkNulls, entryBase, entryExceptionCount, entryPacked, entryWidth, BLOCK_ROWS, ENCODING_DECIMAL, ENCODING_TEXT_DICTIONARY, KIND_F64 } from '../../column/layout'
import { decimalValue, integerToDouble, powerOfTen, MAGIC, MAGIC_BITS } from '../../column/decimal'
import { packedGet32, widthMask32 } from '../../column/packing'
import { copyCodes } from '../group-codes'
import { addSumF64 } from '../group-sums'

const CODE_WIDTH_MAX: i32 = 8
/** f64 upper sum, f64 lower sum, u32 count, of each code. */
const SLOT_SHIFT: usize = 5
const SUMS_BYTES: usize = 24
const DIGITS_MAX: i64 = 1 << 30

export function scanGroupedSumsCodes(keys: usize, map: usize, values: usize, sums: usize, scratch: usize): i32 {
  const count = chunkCount(values), width = chunkCodeWidth(keys)
  if (chunkEncoding(keys) != ENCODING_TEXT_DICTIONARY || width > CODE_WIDTH_MAX || chunkNulls(keys) != 0 || chunkCount(keys) != count) return -1
  if (!isPlainDecimal(values)) return -1
  const cut = cutOf(chunkExponent(values))
  const slots = scratch, slotBytes = <usize>1 << (<usize>width + SLOT_SHIFT)
  const codes = slots + slotBytes
  memory.fill(slots, 0, slotBytes)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(values, block)
    copyCodes(keys, block << 10, rows, codes)
    addBlock(values, block, rows, codes, cut, slots)
    if ((block & 3) == 3 || block == blocks - 1) addSlots(slots, 1 << width, map, sums)
  }
  return 0
}

/** Whether it is of numbers below 2^30 under its exponent, without exceptions and nulls. */
function isPlainDecimal(chunk: usize): bool {
  if (chunkKind(chunk) != KIND_F64 || chunkEncoding(chunk) != ENCODING_DECIMAL || chunkNulls(chunk) != 0) return false
  for (let block = 0, blocks = blockCount(chunkCount(chunk)); block < blocks; block++) {
    const entry = blockEntry(chunk, block), base = entryBase(entry), width = entryWidth(entry)
    if (entryExceptionCount(entry) != 0 || width > 30 || base <= -DIGITS_MAX || base + (<i64>1 << width) > DIGITS_MAX) return false
  }
  return true
}

/** 1.5 × 2^(E + 11): adding it leaves multiples of 2^(E - 41). */
function cutOf(exponent: i32): f64 {
  const bits = <i64>ceil<f64>(30.0 - <f64>exponent * 3.321928094887362)
  return 1.5 * reinterpret<f64>((bits + 11 + 1023) << 52)
}

/** Values go from their stream to the slots in registers: dividing and adding to memory then hide each other's time. */
function addBlock(chunk: usize, block: i32, rows: i32, codes: usize, cut: f64, slots: usize): void {
  const entry = blockEntry(chunk, block), packed = entryPacked(chunk, entry), width = entryWidth(entry), base = entryBase(entry), exponent = chunkExponent(chunk)
  const mask = i32x4.splat(<i32>widthMask32(width)), bases = i64x2.splat(base + MAGIC_BITS), power = powerOfTen(abs(exponent))
  let row = 0, word = packed, shift = 0, current = width == 0 || rows < 4 ? mask : v128.load(word)
  for (const end = rows & ~3; row < end; row += 4, codes += 16) {
    if (shift == 32) {
      word += 16
      current = v128.load(word)
      shift = 0
    }
    let four = i32x4.shr_u(current, shift)
    shift += width
    if (shift > 32) {
      word += 16
      current = v128.load(word)
      shift -= 32
      four = v128.or(four, i32x4.shl(current, width - shift))
    }
    four = v128.and(four, mask)
    addTwo(scaled(i64x2.add(i64x2.extend_low_i32x4_u(four), bases), power, exponent), codes, cut, slots)
    addTwo(scaled(i64x2.add(i64x2.extend_high_i32x4_u(four), bases), power, exponent), codes + 8, cut, slots)
  }
  for (; row < rows; row++, codes += 4) {
    const value = decimalValue(integerToDouble(base + <i64>packedGet32(packed, width, row)), exponent), upper = value + cut - cut
    addSlot(slots + (<usize>load<u32>(codes) << SLOT_SHIFT), f64x2(upper, value - upper))
  }
}

/** The doubles of two integers to which MAGIC_BITS was added. */
function scaled(integers: v128, power: f64, exponent: i32): v128 {
  const n = f64x2.sub(integers, f64x2.splat(MAGIC))
  return exponent >= 0 ? f64x2.div(n, f64x2.splat(power)) : f64x2.mul(n, f64x2.splat(power))
}

function addTwo(values: v128, codes: usize, cut: f64, slots: usize): void {
  const cuts = f64x2.splat(cut), upper = f64x2.sub(f64x2.add(values, cuts), cuts), lower = f64x2.sub(values, upper)
  addSlot(slots + (<usize>load<u32>(codes) << SLOT_SHIFT), v128.shuffle<f64>(upper, lower, 0, 2))
  addSlot(slots + (<usize>load<u32>(codes, 4) << SLOT_SHIFT), v128.shuffle<f64>(upper, lower, 1, 3))
}

function addSlot(slot: usize, parts: v128): void {
  v128.store(slot, f64x2.add(v128.load(slot), parts))
  store<u32>(slot, load<u32>(slot, 16) + 1, 16)
}

/** Brings the sums of codes that occurred to their groups and starts anew. */
function addSlots(slots: usize, codeCount: i32, map: usize, sums: usize): void {
  for (let code = 0; code < codeCount; code++) {
    const slot = slots + (<usize>code << SLOT_SHIFT), count = load<u32>(slot, 16)
    if (count == 0) continue
    const to = sums + <usize>load<u32>(map + (<usize>code << 2)) * SUMS_BYTES
    store<f64>(to, load<f64>(to) + <f64>count)
    addSumF64(to, load<f64>(slot))
    addSumF64(to, load<f64>(slot, 8))
    v128.store(slot, i64x2.splat(0))
    store<u64>(slot, 0, 16)
  }
}
