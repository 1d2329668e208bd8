/**
 * Least and greatest text by group from the codes of sorted dictionaries. A row only compares codes; of each group one text a
 * chunk is compared with the group's extreme so far. Texts without a dictionary take the numbers of their rows for codes.
 */
import { blockCount, chunkCodeWidth, chunkCount, chunkEncoding, chunkEntryCount, chunkKind, chunkNulls, ENCODING_TEXT_DICTIONARY, KIND_BYTES } from '../../column/layout'
import { textCompare } from '../../compare/text'
import { copyCodes } from '../group-codes'
import { bitmapPart, nullWord, rowsOfWord, selectionWord } from '../selection'

/** f64 count, u32 least code, u32 greatest code; the codes are NO_CODE and 0 between chunks. */
const RANGE_BYTES: usize = 16
const NO_CODE: u32 = u32.MAX_VALUE

export function scanGroupedCodes(groups: usize, codes: usize, nullCode: u32, selection: usize, count: u32, ranges: usize, touched: usize): u32 {
  let to = touched
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let rows = rowsOfWord(count, word)
    if (selection != 0) rows &= selectionWord(selection, word)
    for (; rows != 0; rows &= rows - 1) {
      const at = <usize>((word << 6) + <u32>ctz(rows)) << 2
      const code = load<u32>(codes + at)
      if (code == nullCode) continue
      const group = load<u32>(groups + at), range = ranges + <usize>group * RANGE_BYTES
      store<f64>(range, load<f64>(range) + 1)
      const least = load<u32>(range, 8)
      if (least == NO_CODE) {
        store<u32>(to, group)
        to += 4
      }
      store<u32>(range, min(least, code), 8)
      store<u32>(range, max(load<u32>(range, 12), code), 12)
    }
  }
  return <u32>(to - touched) >> 2
}

export function scanGroupedTexts(groups: usize, refs: usize, nulls: usize, selection: usize, count: u32, ranges: usize, touched: usize): u32 {
  let to = touched
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let rows = rowsOfWord(count, word) & ~nullWord(nulls, word)
    if (selection != 0) rows &= selectionWord(selection, word)
    for (; rows != 0; rows &= rows - 1) {
      const row = (word << 6) + <u32>ctz(rows), group = load<u32>(groups + (<usize>row << 2)), range = ranges + <usize>group * RANGE_BYTES
      store<f64>(range, load<f64>(range) + 1)
      if (load<u32>(range, 8) == NO_CODE) {
        store<u32>(to, group)
        to += 4
        store<u32>(range, row, 8)
        store<u32>(range, row, 12)
        continue
      }
      const order = compareRows(refs, row, load<u32>(range, 8))
      if (order < 0) store<u32>(range, row, 8)
      else if (order > 0 && compareRows(refs, row, load<u32>(range, 12)) > 0) store<u32>(range, row, 12)
    }
  }
  return <u32>(to - touched) >> 2
}

function compareRows(refs: usize, left: u32, right: u32): i32 {
  const a = refs + (<usize>left << 3), b = refs + (<usize>right << 3)
  return textCompare(load<u32>(a), load<u32>(a, 4), load<u32>(b), load<u32>(b, 4))
}

const CELL_BITS_MAX: i32 = 12
const BLOCK_CODES_BYTES: usize = 4096

/** Rows are counted by both codes, in cells that the nearest cache holds; groups are looked up once an entry. */
export function scanGroupedCodesByEntry(keys: usize, map: usize, values: usize, selection: usize, ranges: usize, touched: usize, scratch: usize): i32 {
  const count = chunkCount(values), keyWidth = chunkCodeWidth(keys), width = chunkCodeWidth(values)
  if (!isPlainDictionary(keys) || !isPlainDictionary(values) || chunkCount(keys) != count || keyWidth + width > CELL_BITS_MAX) return -1
  const cells = scratch + 2 * BLOCK_CODES_BYTES
  memory.fill(cells, 0, <usize>4 << (keyWidth + width))
  for (let block = 0, blocks = blockCount(count); block < blocks; block++) {
    const rows = min(count - (block << 10), 1024)
    copyCodes(keys, block << 10, rows, scratch)
    copyCodes(values, block << 10, rows, scratch + BLOCK_CODES_BYTES)
    countCells(scratch, rows, bitmapPart(selection, block), width, cells)
  }
  let to = touched
  for (let key = 0, entries = chunkEntryCount(keys), valueCount = chunkEntryCount(values); key < entries; key++) {
    to = takeCells(cells + (<usize>key << (width + 2)), valueCount, load<u32>(map + (<usize>key << 2)), ranges, to)
  }
  return <i32>((to - touched) >> 2)
}

function isPlainDictionary(chunk: usize): bool {
  return chunkKind(chunk) == KIND_BYTES && chunkEncoding(chunk) == ENCODING_TEXT_DICTIONARY && chunkNulls(chunk) == 0
}

/** Of a block; the codes of the values lie behind those of the keys. */
function countCells(codes: usize, rows: i32, selection: usize, width: i32, cells: usize): void {
  if (selection == 0) {
    for (const end = codes + (<usize>rows << 2); codes < end; codes += 4) countCell(codes, width, cells)
    return
  }
  for (let word: u32 = 0, words = (<u32>rows + 63) >> 6; word < words; word++) {
    for (let bits = selectionWord(selection, word) & rowsOfWord(rows, word); bits != 0; bits &= bits - 1) {
      countCell(codes + (<usize>((word << 6) + <u32>ctz(bits)) << 2), width, cells)
    }
  }
}

function countCell(codes: usize, width: i32, cells: usize): void {
  const cell = cells + (<usize>((load<u32>(codes) << width) | load<u32>(codes, BLOCK_CODES_BYTES)) << 2)
  store<u32>(cell, load<u32>(cell) + 1)
}

/** Takes what was counted of one key into the range of its group; returns where the next touched group goes. */
function takeCells(cells: usize, valueCount: i32, group: u32, ranges: usize, touched: usize): usize {
  let count: u32 = 0, least = NO_CODE, greatest: u32 = 0
  for (let code: u32 = 0; code < <u32>valueCount; code++) {
    const rows = load<u32>(cells + (<usize>code << 2))
    if (rows == 0) continue
    count += rows
    least = min(least, code)
    greatest = code
  }
  if (count == 0) return touched
  const range = ranges + <usize>group * RANGE_BYTES, isNew = load<u32>(range, 8) == NO_CODE
  store<f64>(range, load<f64>(range) + <f64>count)
  store<u32>(range, min(load<u32>(range, 8), least), 8)
  store<u32>(range, max(load<u32>(range, 12), greatest), 12)
  if (isNew) store<u32>(touched, group)
  return isNew ? touched + 4 : touched
}

export function scanGroupedCodesBeat(touched: usize, touchedCount: u32, ranges: usize, greatest: bool, refs: usize, bests: usize, winners: usize): u32 {
  let to = winners
  for (const end = touched + (<usize>touchedCount << 2); touched < end; touched += 4) {
    const group = <usize>load<u32>(touched), range = ranges + group * RANGE_BYTES
    const ref = refs + (<usize>(greatest ? load<u32>(range, 12) : load<u32>(range, 8)) << 3)
    const best = bests + (group << 3), bestAt = load<u32>(best)
    if (bestAt != 0) {
      const order = textCompare(load<u32>(ref), load<u32>(ref, 4), bestAt, load<u32>(best, 4))
      if (greatest ? order <= 0 : order >= 0) continue
    }
    store<u32>(to, <u32>group)
    to += 4
  }
  return <u32>(to - winners) >> 2
}

export function scanGroupedCodesReset(touched: usize, touchedCount: u32, ranges: usize): void {
  for (const end = touched + (<usize>touchedCount << 2); touched < end; touched += 4) {
    store<u64>(ranges + <usize>load<u32>(touched) * RANGE_BYTES, NO_CODE, 8)
  }
}
