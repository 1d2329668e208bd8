/**
 * Counts and sums of decimals by the dictionary codes of a text chunk, a block at a time in scratch that the nearest cache
 * holds: groups are looked up once an entry, not once a row.
 *
 * A value is cut in two doubles whose sums over 4,096 rows are exact: values are n / 10^exponent with |n| < 2^30, so with
 * 2^E the power of two that none reaches, the upper part is a multiple of 2^(E - 41), and the lower one, at most half of
 * that, a multiple of 2^(E - 83), the last bit of the least value but 0. Only these sums enter the double-doubles of the groups.
 */
import { blockCount, blockEntry, blockRows, chunkCodeWidth, chunkCount, chunkEncoding, chunkExponent, chunkKind, chunkNulls, entryBase, entryExceptionCount, entryWidth, BLOCK_ROWS, ENCODING_DECIMAL, ENCODING_TEXT_DICTIONARY, KIND_F64 } from '../../column/layout'
import { decodeDecimalBlock } from '../../column/decimal'
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
  const codes = slots + slotBytes, decoded = codes + 4 * BLOCK_ROWS
  memory.fill(slots, 0, slotBytes)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(values, block)
    copyCodes(keys, block << 10, rows, codes)
    decodeDecimalBlock(values, block, 0, rows, decoded)
    addRows(codes, decoded, rows, cut, slots)
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

function addRows(codes: usize, values: usize, count: i32, cut: f64, slots: usize): void {
  const cuts = f64x2.splat(cut), end = codes + (<usize>(count & ~1) << 2)
  for (; codes < end; codes += 8, values += 16) {
    const both = v128.load(values)
    const upper = f64x2.sub(f64x2.add(both, cuts), cuts), lower = f64x2.sub(both, upper)
    addSlot(slots + (<usize>load<u32>(codes) << SLOT_SHIFT), v128.shuffle<f64>(upper, lower, 0, 2))
    addSlot(slots + (<usize>load<u32>(codes, 4) << SLOT_SHIFT), v128.shuffle<f64>(upper, lower, 1, 3))
  }
  if ((count & 1) == 0) return
  const value = load<f64>(values), upper = value + cut - cut
  addSlot(slots + (<usize>load<u32>(codes) << SLOT_SHIFT), f64x2(upper, value - upper))
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
    memory.fill(slot, 0, 20)
  }
}
