/**
 * Counts and sums of decimals by the dictionary codes of a text chunk, a block at a time in scratch that the nearest cache
 * holds: groups are looked up once an entry, not once a row. Sums by code are exact; only they enter the double-doubles of
 * the groups.
 */
import { cutOf, isPlainDecimalBlock } from '../../aggregate/decimals'
import { narrowExponent, NARROW_ROWS_SHIFT } from '../../aggregate/narrow-decimals'
import { blockCount, blockRows, chunkCodeWidth, chunkCount, chunkEncoding, chunkEntryCount, chunkExponent, chunkKind, chunkNulls, ENCODING_TEXT_DICTIONARY, KIND_F64 } from '../../column/layout'
import { copyCodes } from '../group-codes'
import { bitmapPart, markOthers, scanSelectedCount } from '../selection'
import { addNarrowBlock, NARROW_SLOT_SHIFT, takeNarrowSlot } from './narrow-slots'
import { addWideBlock, takeWideSlot, WIDE_SLOT_SHIFT } from './wide-slots'

const CODE_WIDTH_MAX: i32 = 8
/** Sums of wide decimals are exact of so many rows. */
const WIDE_ROWS_SHIFT: i32 = 12
const SUMS_BYTES: usize = 24

export function scanGroupedSumsCodes(keys: usize, map: usize, values: usize, selection: usize, sums: usize, scratch: usize): i32 {
  const count = chunkCount(values), width = chunkCodeWidth(keys)
  if (chunkEncoding(keys) != ENCODING_TEXT_DICTIONARY || width > CODE_WIDTH_MAX || chunkNulls(keys) != 0 || chunkCount(keys) != count) return -1
  if (selection != 0 && (scanSelectedCount(selection, count) << 1) < <u32>count) return -1
  const isNarrow = narrowExponent(values) >= 0
  if (!isNarrow && !isPlainDecimal(values)) return -1
  const lastOfStretch = (1 << ((isNarrow ? NARROW_ROWS_SHIFT : WIDE_ROWS_SHIFT) - 10)) - 1
  const cut = cutOf(chunkExponent(values))
  // The last slot takes what is not selected.
  const slots = scratch, spare: u32 = 1 << width, slotBytes = <usize>(spare + 1) << (isNarrow ? NARROW_SLOT_SHIFT : WIDE_SLOT_SHIFT)
  const codes = slots + slotBytes
  memory.fill(slots, 0, slotBytes)
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = blockRows(values, block)
    copyCodes(keys, block << 10, rows, codes)
    if (selection != 0) markOthers(bitmapPart(selection, block), rows, spare, codes)
    if (isNarrow) addNarrowBlock(values, block, rows, codes, slots)
    else addWideBlock(values, block, rows, cut, codes, slots)
    if ((block & lastOfStretch) == lastOfStretch || block == blocks - 1) takeSlots(slots, chunkEntryCount(keys), isNarrow, chunkExponent(values), map, sums)
  }
  return 0
}

/** Whether its blocks are, and it has no nulls. */
function isPlainDecimal(chunk: usize): bool {
  if (chunkKind(chunk) != KIND_F64 || chunkNulls(chunk) != 0) return false
  for (let block = 0, blocks = blockCount(chunkCount(chunk)); block < blocks; block++) {
    if (!isPlainDecimalBlock(chunk, block)) return false
  }
  return true
}

/** Brings the sums of codes that occurred to their groups and starts anew. */
function takeSlots(slots: usize, entryCount: i32, isNarrow: bool, exponent: i32, map: usize, sums: usize): void {
  for (let code = 0; code < entryCount; code++) {
    const to = sums + <usize>load<u32>(map + (<usize>code << 2)) * SUMS_BYTES
    if (isNarrow) takeNarrowSlot(slots + (<usize>code << NARROW_SLOT_SHIFT), exponent, to)
    else takeWideSlot(slots + (<usize>code << WIDE_SLOT_SHIFT), to)
  }
}
