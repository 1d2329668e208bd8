/** Membership in sorted sets, by binary search. */
import { orderedF64 } from '../compare/interval'
import { textCompare } from '../compare/text'
import { rowsOfWord, selectionWord } from '../scan/selection'

export function vectorInI64(values: usize, active: usize, count: u32, set: usize, setCount: u32, out: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits: u64 = 0
    for (let rows = selectionWord(active, word) & rowsOfWord(count, word); rows != 0; rows &= rows - 1) {
      const value = load<i64>(values + ((<usize>word << 6) + <usize>ctz(rows) << 3))
      let low: u32 = 0, high = setCount
      while (low < high) {
        const middle = (low + high) >> 1
        if (load<i64>(set + (<usize>middle << 3)) < value) low = middle + 1
        else high = middle
      }
      if (low < setCount && load<i64>(set + (<usize>low << 3)) == value) bits |= rows & (0 - rows)
    }
    store<u64>(out + (<usize>word << 3), bits)
  }
}

export function vectorInF64(values: usize, active: usize, count: u32, set: usize, setCount: u32, out: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits: u64 = 0
    for (let rows = selectionWord(active, word) & rowsOfWord(count, word); rows != 0; rows &= rows - 1) {
      const key = orderedF64(load<f64>(values + ((<usize>word << 6) + <usize>ctz(rows) << 3)))
      let low: u32 = 0, high = setCount
      while (low < high) {
        const middle = (low + high) >> 1
        if (orderedF64(load<f64>(set + (<usize>middle << 3))) < key) low = middle + 1
        else high = middle
      }
      if (low < setCount && orderedF64(load<f64>(set + (<usize>low << 3))) == key) bits |= rows & (0 - rows)
    }
    store<u64>(out + (<usize>word << 3), bits)
  }
}

export function vectorInBytes(refs: usize, active: usize, count: u32, set: usize, setCount: u32, out: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits: u64 = 0
    for (let rows = selectionWord(active, word) & rowsOfWord(count, word); rows != 0; rows &= rows - 1) {
      const ref = refs + ((<usize>word << 6) + <usize>ctz(rows) << 3)
      const text = load<u32>(ref), byteLength = load<u32>(ref, 4)
      let low: u32 = 0, high = setCount
      while (low < high) {
        const middle = (low + high) >> 1
        if (compareEntry(set, middle, text, byteLength) < 0) low = middle + 1
        else high = middle
      }
      if (low < setCount && compareEntry(set, low, text, byteLength) == 0) bits |= rows & (0 - rows)
    }
    store<u64>(out + (<usize>word << 3), bits)
  }
}

function compareEntry(set: usize, index: u32, text: usize, byteLength: u32): i32 {
  const entry = set + (<usize>index << 3)
  return textCompare(load<u32>(entry), load<u32>(entry, 4), text, byteLength)
}
