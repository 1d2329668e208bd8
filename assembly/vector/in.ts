/** Membership in sorted sets, by binary search; in a few texts by comparing all. */
import { Bytes } from '../compare/equal'
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
      const isIn = setCount <= FEW_TEXTS ? TextSet.hasOfFew(set, setCount, text, byteLength) : hasOfMany(set, setCount, text, byteLength)
      if (isIn) bits |= rows & (0 - rows)
    }
    store<u64>(out + (<usize>word << 3), bits)
  }
}

/** Up to so many texts are compared one after the other, all of them: no branch depends on a text before one is likely to be it. */
const FEW_TEXTS: u32 = 32

class TextSet {
  /** Which texts have the length and the last 8 bytes of this one, in which texts differ more often than in their first; those are compared. */
  @inline
  static hasOfFew(set: usize, setCount: u32, text: usize, byteLength: u32): bool {
    const tail = TextSet.lastBytes(text, byteLength)
    const mask: u64 = byteLength >= 8 ? ~0 : ~(~(<u64>0) >> (byteLength << 3))
    let likely: u32 = 0
    for (let i: u32 = 0; i < setCount; i++) {
      const entry = set + (<usize>i << 3)
      const difference = (TextSet.lastBytes(load<u32>(entry), load<u32>(entry, 4)) ^ tail) & mask
      likely |= <u32>((difference | <u64>(load<u32>(entry, 4) ^ byteLength)) == 0) << i
    }
    for (; likely != 0; likely &= likely - 1) {
      if (byteLength <= 8 || Bytes.equal(load<u32>(set + (<usize>ctz(likely) << 3)), text, byteLength)) return true
    }
    return false
  }

  /** The 8 bytes before a text's end; of a shorter one the lower ones stand before it. */
  @inline
  static lastBytes(text: usize, byteLength: u32): u64 { return load<u64>(max<usize>(text + byteLength, 8) - 8) }
}

function hasOfMany(set: usize, setCount: u32, text: usize, byteLength: u32): bool {
  let low: u32 = 0, high = setCount
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareEntry(set, middle, text, byteLength) < 0) low = middle + 1
    else high = middle
  }
  return low < setCount && compareEntry(set, low, text, byteLength) == 0
}

function compareEntry(set: usize, index: u32, text: usize, byteLength: u32): i32 {
  const entry = set + (<usize>index << 3)
  return textCompare(load<u32>(entry), load<u32>(entry, 4), text, byteLength)
}
