/**
 * Slots of 32 bytes a code for sums of decimals of up to 30 bits (assembly/aggregate/decimals.ts): f64 upper sum, f64 lower
 * sum, u32 count.
 */
import { blockEntry, chunkExponent, entryBase, entryPacked, entryWidth } from '../../column/layout'
import { decimalValue, integerToDouble } from '../../column/decimal'
import { packedGet32, unpack32 } from '../../column/packing'
import { isShortQuotient, quotientFactor, quotientRest, quotients } from '../../column/quotient'
import { addSumF64 } from '../group-sums'

export const WIDE_SLOT_SHIFT: i32 = 5
const BLOCK_CODES_BYTES: usize = 4096

/** Adds a block's values to the slots of their `codes`, behind which is room for as many; `cut` is that of its exponent. */
export function addWideBlock(chunk: usize, block: i32, rows: i32, cut: f64, codes: usize, slots: usize): void {
  const entry = blockEntry(chunk, block), packed = entryPacked(chunk, entry), width = entryWidth(entry), base = entryBase(entry), exponent = chunkExponent(chunk)
  const isShort = isShortQuotient(base, width, exponent), factor = quotientFactor(exponent, isShort), rest = quotientRest(exponent, isShort)
  const bases = i32x4.splat(<i32>base), whole = rows & ~3
  let at = codes + BLOCK_CODES_BYTES
  unpack32(packed, width, 0, whole >> 2, at)
  for (const end = codes + (<usize>whole << 2); codes < end; codes += 16, at += 16) {
    const n = i32x4.add(v128.load(at), bases)
    addTwo(quotients(f64x2.convert_low_i32x4_s(n), exponent, isShort, factor, rest), codes, cut, slots)
    addTwo(quotients(f64x2.convert_low_i32x4_s(v128.shuffle<i32>(n, n, 2, 3, 2, 3)), exponent, isShort, factor, rest), codes + 8, cut, slots)
  }
  for (let row = whole; row < rows; row++, codes += 4) {
    const value = decimalValue(integerToDouble(base + <i64>packedGet32(packed, width, row)), exponent), upper = value + cut - cut
    add(slots + (<usize>load<u32>(codes) << WIDE_SLOT_SHIFT), f64x2(upper, value - upper))
  }
}

function addTwo(values: v128, codes: usize, cut: f64, slots: usize): void {
  const cuts = f64x2.splat(cut), upper = f64x2.sub(f64x2.add(values, cuts), cuts), lower = f64x2.sub(values, upper)
  add(slots + (<usize>load<u32>(codes) << WIDE_SLOT_SHIFT), v128.shuffle<f64>(upper, lower, 0, 2))
  add(slots + (<usize>load<u32>(codes, 4) << WIDE_SLOT_SHIFT), v128.shuffle<f64>(upper, lower, 1, 3))
}

function add(slot: usize, parts: v128): void {
  v128.store(slot, f64x2.add(v128.load(slot), parts))
  store<u32>(slot, load<u32>(slot, 16) + 1, 16)
}

/** Brings a slot's values, of which there are at most 4,096, to the sums of a group and starts it anew. */
export function takeWideSlot(slot: usize, to: usize): void {
  const count = load<u32>(slot, 16)
  if (count == 0) return
  store<f64>(to, load<f64>(to) + <f64>count)
  addSumF64(to, load<f64>(slot))
  addSumF64(to, load<f64>(slot, 8))
  v128.store(slot, i64x2.splat(0))
  store<u32>(slot, 0, 16)
}
