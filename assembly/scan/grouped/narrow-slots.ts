/**
 * Slots of 64 bytes a code for sums of narrow decimals (assembly/aggregate/narrow-decimals.ts): by row modulo 4, so that rows
 * of one code need not wait for each other, f64 sum of biased integers and f64 sum of lower parts.
 */
import { biased, countOfBiased, highPart, narrowFactor, narrowLower, narrowRest, sumOfBiased } from '../../aggregate/narrow-decimals'
import { blockEntry, chunkExponent, entryBase, entryPacked, entryWidth } from '../../column/layout'
import { packedGet32, unpack32 } from '../../column/packing'
import { addSumF64 } from '../group-sums'

export const NARROW_SLOT_SHIFT: i32 = 6
const BLOCK_CODES_BYTES: usize = 4096

/** Adds a block's values to the slots of their `codes`, which it changes, and behind which is room for as many. */
export function addNarrowBlock(chunk: usize, block: i32, rows: i32, codes: usize, slots: usize): void {
  const entry = blockEntry(chunk, block), packed = entryPacked(chunk, entry), width = entryWidth(entry), base = <i32>entryBase(entry), exponent = chunkExponent(chunk)
  const factor = f64x2.splat(narrowFactor(exponent)), rest = f64x2.splat(narrowRest(exponent)), bases = i32x4.splat(base)
  const whole = rows & ~3, end = codes + (<usize>whole << 2)
  let at = codes + BLOCK_CODES_BYTES
  unpack32(packed, width, 0, whole >> 2, at)
  placeCodes(codes, rows, slots)
  // Tested at its end: so V8 takes constants out of it.
  if (codes != end) do {
    const n = i32x4.add(v128.load(at), bases)
    const a = f64x2.convert_low_i32x4_s(n), b = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(n, n, 2, 3, 2, 3))
    const aBiased = biased(a), aLower = narrowLower(a, factor, rest), bBiased = biased(b), bLower = narrowLower(b, factor, rest)
    const first = load<u32>(codes), second = load<u32>(codes, 4), third = load<u32>(codes, 8), fourth = load<u32>(codes, 12)
    v128.store(first, f64x2.add(v128.load(first), v128.shuffle<f64>(aBiased, aLower, 0, 2)))
    v128.store(second, f64x2.add(v128.load(second, 16), v128.shuffle<f64>(aBiased, aLower, 1, 3)), 16)
    v128.store(third, f64x2.add(v128.load(third, 32), v128.shuffle<f64>(bBiased, bLower, 0, 2)), 32)
    v128.store(fourth, f64x2.add(v128.load(fourth, 48), v128.shuffle<f64>(bBiased, bLower, 1, 3)), 48)
    codes += 16
    at += 16
  } while (codes != end)
  for (let row = whole; row < rows; row++, codes += 4) {
    const n = f64x2.splat(<f64>(base + <i32>packedGet32(packed, width, row))), slot = load<u32>(codes)
    v128.store(slot, f64x2.add(v128.load(slot), v128.shuffle<f64>(biased(n), narrowLower(n, factor, rest), 0, 2)))
  }
}

/** Makes codes the addresses of their slots, and up to three behind the last. */
function placeCodes(codes: usize, rows: i32, slots: usize): void {
  const start = i32x4.splat(<i32>slots), end = codes + (<usize>((rows + 3) >> 2) << 4)
  do {
    v128.store(codes, i32x4.add(i32x4.shl(v128.load(codes), NARROW_SLOT_SHIFT), start))
    codes += 16
  } while (codes != end)
}

/** Brings a slot's values, of which there are at most 2^NARROW_ROWS_SHIFT, to the sums of a group and starts it anew. */
export function takeNarrowSlot(slot: usize, exponent: i32, to: usize): void {
  const both = f64x2.add(f64x2.add(v128.load(slot), v128.load(slot, 16)), f64x2.add(v128.load(slot, 32), v128.load(slot, 48)))
  const sum = f64x2.extract_lane(both, 0), count = countOfBiased(sum)
  if (count == 0) return
  const total = sumOfBiased(sum, count), high = highPart(total), factor = narrowFactor(exponent)
  store<f64>(to, load<f64>(to) + count)
  addSumF64(to, high * factor)
  addSumF64(to, (total - high) * factor)
  addSumF64(to, f64x2.extract_lane(both, 1))
  const zeros = i64x2.splat(0)
  v128.store(slot, zeros)
  v128.store(slot, zeros, 16)
  v128.store(slot, zeros, 32)
  v128.store(slot, zeros, 48)
}
