/**
 * Counts and sums of decimals by the dictionary codes of a text chunk, a block at a time in scratch that the nearest cache
 * holds: groups are looked up once an entry, not once a row. Sums by code are exact (assembly/aggregate/decimals.ts); only
 * they enter the double-doubles of the groups.
 */
import { cutOf, isPlainDecimalBlock } from '../../aggregate/decimals'
import { blockCount, blockEntry, blockRows, chunkCodeWidth, chunkCount, chunkEncoding, chunkExponent, chunkKind, chunkNulls, entryBase, entryPacked, entryWidth, ENCODING_TEXT_DICTIONARY, KIND_F64 } from '../../column/layout'
import { decimalValue, integerToDouble } from '../../column/decimal'
import { packedGet32, unpack32 } from '../../column/packing'
import { isShortQuotient, quotientFactor, quotientRest, quotients } from '../../column/quotient'
import { copyCodes } from '../group-codes'
import { addSumF64 } from '../group-sums'
import { bitmapPart, scanSelectedCount } from '../selection'

const CODE_WIDTH_MAX: i32 = 8
/** f64 upper sum, f64 lower sum, u32 count, of each code. */
const SLOT_SHIFT: usize = 5
const SUMS_BYTES: usize = 24
const BLOCK_CODES_BYTES: usize = 4096

export function scanGroupedSumsCodes(keys: usize, map: usize, values: usize, selection: usize, sums: usize, scratch: usize): i32 {
  const count = chunkCount(values), width = chunkCodeWidth(keys)
  if (chunkEncoding(keys) != ENCODING_TEXT_DICTIONARY || width > CODE_WIDTH_MAX || chunkNulls(keys) != 0 || chunkCount(keys) != count) return -1
  if (selection != 0 && (scanSelectedCount(selection, count) << 1) < <u32>count) return -1
  if (!isPlainDecimal(values)) return -1
  const cut = cutOf(chunkExponent(values))
  // The last slot takes what is not selected.
  const slots = scratch, spare: u32 = 1 << width, slotBytes = <usize>(spare + 1) << SLOT_SHIFT
  const codes = slots + slotBytes
  memory.fill(slots, 0, slotBytes)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(values, block)
    copyCodes(keys, block << 10, rows, codes)
    if (selection != 0) spareCodes(bitmapPart(selection, block), rows, spare, codes)
    addBlock(values, block, rows, codes, cut, slots)
    if ((block & 3) == 3 || block == blocks - 1) addSlots(slots, 1 << width, map, sums)
  }
  return 0
}

/** Rows that are not selected become those of the code `spare`. */
function spareCodes(selection: usize, rows: i32, spare: u32, codes: usize): void {
  for (let first = 0; first < rows; first += 64) {
    let others = ~load<u64>(selection + (first >> 3))
    if (rows - first < 64) others &= (<u64>1 << (rows - first)) - 1
    for (; others != 0; others &= others - 1) store<u32>(codes + (<usize>(first + <i32>ctz(others)) << 2), spare)
  }
}

/** Whether its blocks are, and it has no nulls. */
function isPlainDecimal(chunk: usize): bool {
  if (chunkKind(chunk) != KIND_F64 || chunkNulls(chunk) != 0) return false
  for (let block = 0, blocks = blockCount(chunkCount(chunk)); block < blocks; block++) {
    if (!isPlainDecimalBlock(chunk, block)) return false
  }
  return true
}

function addBlock(chunk: usize, block: i32, rows: i32, codes: usize, cut: f64, slots: usize): void {
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
    addSlot(slots + (<usize>load<u32>(codes) << SLOT_SHIFT), f64x2(upper, value - upper))
  }
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
