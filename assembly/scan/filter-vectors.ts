/** Filters over vectors. Words without a selected row are passed over; the last, partial word is compared row by row. */
import { IS_NULL } from '../compare/interval'
import { textCompare } from '../compare/text'
import { matchF64, matchI64, matchOrder, matchWordF64, matchWordI64 } from './match'
import { filterNulls, nullWord, rowsOfWord, selectionWord } from './selection'

export function scanFilterI64(values: usize, nulls: usize, count: u32, op: u32, constant: usize, selection: usize): u32 {
  if (op >= IS_NULL) return filterNulls(nulls, count, op, selection)
  const wanted = load<i64>(constant)
  let selected: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let kept = selectionWord(selection, word) & ~nullWord(nulls, word) & rowsOfWord(count, word)
    if (kept != 0) {
      const at = values + (<usize>word << 9)
      if ((word << 6) + 64 <= count) kept &= matchWordI64(at, op, wanted)
      else for (let bits = kept; bits != 0; bits &= bits - 1) {
        if (!matchI64(load<i64>(at + (<usize>ctz(bits) << 3)), op, wanted)) kept &= ~(bits & (0 - bits))
      }
    }
    store<u64>(selection + (<usize>word << 3), kept)
    selected += <u32>popcnt(kept)
  }
  return selected
}

export function scanFilterF64(values: usize, nulls: usize, count: u32, op: u32, constant: usize, selection: usize): u32 {
  if (op >= IS_NULL) return filterNulls(nulls, count, op, selection)
  const wanted = load<f64>(constant)
  let selected: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let kept = selectionWord(selection, word) & ~nullWord(nulls, word) & rowsOfWord(count, word)
    if (kept != 0) {
      const at = values + (<usize>word << 9)
      if ((word << 6) + 64 <= count) kept &= matchWordF64(at, op, wanted)
      else for (let bits = kept; bits != 0; bits &= bits - 1) {
        if (!matchF64(load<f64>(at + (<usize>ctz(bits) << 3)), op, wanted)) kept &= ~(bits & (0 - bits))
      }
    }
    store<u64>(selection + (<usize>word << 3), kept)
    selected += <u32>popcnt(kept)
  }
  return selected
}

export function scanFilterBytes(refs: usize, nulls: usize, count: u32, op: u32, constant: usize, constantBytes: u32, selection: usize): u32 {
  if (op >= IS_NULL) return filterNulls(nulls, count, op, selection)
  // = and <> look at the length first and read no text of another length.
  const byLength = op < 2
  let selected: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let kept = selectionWord(selection, word) & ~nullWord(nulls, word) & rowsOfWord(count, word)
    const at = refs + (<usize>word << 9)
    for (let bits = kept; bits != 0; bits &= bits - 1) {
      const ref = at + (<usize>ctz(bits) << 3), byteLength = load<u32>(ref, 4)
      const order = byLength && byteLength != constantBytes ? 1 : textCompare(load<u32>(ref), byteLength, constant, constantBytes)
      if (!matchOrder(order, op)) kept &= ~(bits & (0 - bits))
    }
    store<u64>(selection + (<usize>word << 3), kept)
    selected += <u32>popcnt(kept)
  }
  return selected
}
