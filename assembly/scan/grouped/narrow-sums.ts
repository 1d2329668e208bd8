/**
 * Sums of narrow decimals (assembly/aggregate/narrow-decimals.ts) by group in 16 bytes each, for groups that are too many to
 * be brought to their accumulators every few thousand rows: both parts are summed as integers, exact of 2^20 rows.
 *
 *   i64  sum of the integers, each 2^41 more than it is, so that their number is known
 *   i64  sum of the bits of 1.5 · 2^a + lower part, which are those of 1.5 · 2^a and the lower part's multiple of 2^(a - 52)
 */
import { highPart, narrowExponent, narrowFactor, narrowLower, narrowMagic, narrowRest } from '../../aggregate/narrow-decimals'
import { blockCount, blockEntry, blockRows, chunkCount, chunkExponent, entryBase, entryPacked, entryWidth } from '../../column/layout'
import { packedGet32, unpack32 } from '../../column/packing'
import { addSumF64 } from '../group-sums'
import { bitmapPart, markOthers, scanSelectedCount } from '../selection'

const SLOT_SHIFT: usize = 4
const SUMS_BYTES: usize = 24
const BLOCK_CODES_BYTES: usize = 4096
const BIAS_SHIFT: i64 = 41
/** Its exponent and first bit are all that 1.5 · 2^a has. */
const UNIT_OF_MAGIC: f64 = 1.5 * 4503599627370496.0
/** Sums from -SHORT to below SHORT are a double each, and so is what they stand for; larger ones are taken apart. */
const SHORT_TOTAL_BITS: i32 = 21
const SHORT_TOTAL: i64 = <i64>1 << (SHORT_TOTAL_BITS - 1)
const SHORT_LOWER_BITS: i32 = 52
const SHORT_LOWER: i64 = <i64>1 << (SHORT_LOWER_BITS - 1)

export function scanNarrowExponent(chunk: usize): i32 { return narrowExponent(chunk) }

export function scanGroupedNarrow(groups: usize, values: usize, selection: usize, spare: u32, slots: usize, scratch: usize): i32 {
  const count = chunkCount(values)
  if (narrowExponent(values) < 0) return -1
  if (selection != 0 && (scanSelectedCount(selection, count) << 1) < <u32>count) return -1
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(values, block)
    let own = groups + (<usize>block << 12)
    if (selection != 0) {
      memory.copy(scratch + BLOCK_CODES_BYTES, own, <usize>rows << 2)
      own = scratch + BLOCK_CODES_BYTES
      markOthers(bitmapPart(selection, block), rows, spare, own)
    }
    addBlock(values, block, rows, own, slots, scratch)
  }
  return 0
}

function addBlock(chunk: usize, block: i32, rows: i32, groups: usize, slots: usize, codes: usize): void {
  const entry = blockEntry(chunk, block), packed = entryPacked(chunk, entry), width = entryWidth(entry), base = <i32>entryBase(entry), exponent = chunkExponent(chunk)
  const factor = f64x2.splat(narrowFactor(exponent)), rest = f64x2.splat(narrowRest(exponent)), magic = f64x2.splat(narrowMagic(exponent))
  const bases = i32x4.splat(base), biases = i64x2.splat(<i64>1 << BIAS_SHIFT)
  const whole = rows & ~3, end = groups + (<usize>whole << 2)
  unpack32(packed, width, 0, whole >> 2, codes)
  if (groups != end) do {
    const n = i32x4.add(v128.load(codes), bases)
    const a = f64x2.convert_low_i32x4_s(n), b = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(n, n, 2, 3, 2, 3))
    const aInteger = i64x2.add(i64x2.extend_low_i32x4_s(n), biases), aLower = f64x2.add(narrowLower(a, factor, rest), magic)
    const bInteger = i64x2.add(i64x2.extend_high_i32x4_s(n), biases), bLower = f64x2.add(narrowLower(b, factor, rest), magic)
    add(slots, groups, v128.shuffle<i64>(aInteger, aLower, 0, 2))
    add(slots, groups + 4, v128.shuffle<i64>(aInteger, aLower, 1, 3))
    add(slots, groups + 8, v128.shuffle<i64>(bInteger, bLower, 0, 2))
    add(slots, groups + 12, v128.shuffle<i64>(bInteger, bLower, 1, 3))
    groups += 16
    codes += 16
  } while (groups != end)
  for (let row = whole; row < rows; row++, groups += 4) {
    const integer = base + <i32>packedGet32(packed, width, row), lower = f64x2.add(narrowLower(f64x2.splat(<f64>integer), factor, rest), magic)
    add(slots, groups, v128.shuffle<i64>(i64x2.splat(<i64>integer + (<i64>1 << BIAS_SHIFT)), lower, 0, 2))
  }
}

function add(slots: usize, group: usize, parts: v128): void {
  const slot = slots + (<usize>load<u32>(group) << SLOT_SHIFT)
  v128.store(slot, i64x2.add(v128.load(slot), parts))
}

export function scanGroupedNarrowTake(slots: usize, groupCount: u32, exponent: i32, sums: usize): void {
  const magic = narrowMagic(exponent), factor = f64x2.splat(narrowFactor(exponent)), unit = f64x2.splat(magic / UNIT_OF_MAGIC), magicHigh = i32x4.splat(<i32>(reinterpret<i64>(magic) >> 32))
  const half = i64x2.splat(<i64>1 << (BIAS_SHIFT - 1)), shortTotal = i64x2.splat(SHORT_TOTAL), shortLower = i64x2.splat(SHORT_LOWER), zeros = i64x2.splat(0)
  const end = slots + (<usize>(groupCount >> 1) << (SLOT_SHIFT + 1))
  // Two groups at a time, whether they have rows or not: what is added to those without is 0. Tested at its end, as in narrow-slots.ts.
  if (slots != end) do {
    const first = v128.load(slots), second = v128.load(slots, 16), integers = v128.shuffle<i64>(first, second, 0, 2)
    const counts = i64x2.shr_u(i64x2.add(integers, half), <i32>BIAS_SHIFT), totals = i64x2.sub(integers, i64x2.shl(counts, <i32>BIAS_SHIFT))
    // The low halves of the magic bits are 0.
    const lowers = i64x2.sub(v128.shuffle<i64>(first, second, 1, 3), i64x2.shl(i32x4.mul(counts, magicHigh), 32))
    const beyond = v128.or(i64x2.shr_u(i64x2.add(totals, shortTotal), SHORT_TOTAL_BITS), i64x2.shr_u(i64x2.add(lowers, shortLower), SHORT_LOWER_BITS))
    const a = f64x2.mul(doublesOf(totals), factor), b = f64x2.mul(doublesOf(lowers), unit), sum = loadBoth(sums, 8), withA = f64x2.add(sum, a), withBoth = f64x2.add(withA, b)
    if (v128.any_true(beyond) || !i64x2.all_true(f64x2.eq(f64x2.sub(withBoth, withBoth), zeros))) {
      takeOne(slots, exponent, sums)
      takeOne(slots + 16, exponent, sums + SUMS_BYTES)
    } else {
      storeBoth(sums, f64x2.add(loadBoth(sums, 0), doublesOf(counts)), 0)
      storeBoth(sums, withBoth, 8)
      storeBoth(sums, f64x2.add(f64x2.add(loadBoth(sums, 16), roundedOff(sum, a, withA)), roundedOff(withA, b, withBoth)), 16)
      v128.store(slots, zeros)
      v128.store(slots, zeros, 16)
    }
    slots += 32
    sums += 2 * SUMS_BYTES
  } while (slots != end)
  if ((groupCount & 1) != 0) takeOne(slots, exponent, sums)
}

function takeOne(slot: usize, exponent: i32, to: usize): void {
  const integers = load<i64>(slot)
  if (integers == 0) return
  const factor = narrowFactor(exponent), magic = narrowMagic(exponent), unit = magic / UNIT_OF_MAGIC
  const count = (integers + (<i64>1 << (BIAS_SHIFT - 1))) >> BIAS_SHIFT, total = integers - (count << BIAS_SHIFT), lower = load<i64>(slot, 8) - count * reinterpret<i64>(magic)
  store<f64>(to, load<f64>(to) + <f64>count)
  if (total >= -SHORT_TOTAL && total < SHORT_TOTAL) {
    addSumF64(to, <f64>total * factor)
  } else {
    const high = highPart(<f64>total)
    addSumF64(to, high * factor)
    addSumF64(to, (<f64>total - high) * factor)
  }
  if (lower >= -SHORT_LOWER && lower < SHORT_LOWER) {
    addSumF64(to, <f64>lower * unit)
  } else {
    // More bits than a double has.
    addSumF64(to, <f64>(lower >> 32) * (unit * 4294967296.0))
    addSumF64(to, <f64>(lower & 0xffffffff) * unit)
  }
  v128.store(slot, i64x2.splat(0))
}

/** Integers of up to 51 bits beside their sign: added to the bits of 1.5 · 2^52 they become its last ones. */
function doublesOf(integers: v128): v128 {
  return f64x2.sub(i64x2.add(integers, i64x2.splat(reinterpret<i64>(UNIT_OF_MAGIC))), f64x2.splat(UNIT_OF_MAGIC))
}

/** What `next`, the sum of finite doubles, lacks of it (TwoSum). */
function roundedOff(sum: v128, value: v128, next: v128): v128 {
  const back = f64x2.sub(next, sum)
  return f64x2.add(f64x2.sub(sum, f64x2.sub(next, back)), f64x2.sub(value, back))
}

/** The doubles at an offset in the sums of two groups that stand side by side. */
function loadBoth(sums: usize, offset: usize): v128 {
  return v128.load_lane<u64>(sums + SUMS_BYTES + offset, v128.load64_zero(sums + offset), 1)
}

function storeBoth(sums: usize, values: v128, offset: usize): void {
  v128.store_lane<u64>(sums + offset, values, 0)
  v128.store_lane<u64>(sums + SUMS_BYTES + offset, values, 1)
}
