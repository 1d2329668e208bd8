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
  const factor = narrowFactor(exponent), magic = narrowMagic(exponent), unit = magic / UNIT_OF_MAGIC, magicBits = reinterpret<i64>(magic)
  for (const end = slots + (<usize>groupCount << SLOT_SHIFT); slots < end; slots += 16, sums += SUMS_BYTES) {
    const integers = load<i64>(slots)
    if (integers == 0) continue
    const count = (integers + (<i64>1 << (BIAS_SHIFT - 1))) >> BIAS_SHIFT, total = <f64>(integers - (count << BIAS_SHIFT)), high = highPart(total)
    const lower = load<i64>(slots, 8) - count * magicBits
    store<f64>(sums, load<f64>(sums) + <f64>count)
    addSumF64(sums, high * factor)
    addSumF64(sums, (total - high) * factor)
    // More bits than a double has.
    addSumF64(sums, <f64>(lower >> 32) * (unit * 4294967296.0))
    addSumF64(sums, <f64>(lower & 0xffffffff) * unit)
    v128.store(slots, i64x2.splat(0))
  }
}
