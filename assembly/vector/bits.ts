/** Bitmaps combined, and values chosen by them. */
import { rowsOfWord, selectionWord } from '../scan/selection'

export function vectorBits(operator: u32, a: usize, b: usize, count: u32, out: usize): u32 {
  let set: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const left = selectionWord(a, word), right = selectionWord(b, word)
    const bits = (operator == 0 ? left & right : operator == 1 ? left & ~right : left | right) & rowsOfWord(count, word)
    store<u64>(out + (<usize>word << 3), bits)
    set += <u32>popcnt(bits)
  }
  return set
}

export function vectorSelect(values: usize, step: usize, bits: usize, count: u32, out: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let chosen = selectionWord(bits, word) & rowsOfWord(count, word)
    const first = <usize>word << 6
    if (chosen == ~(<u64>0) && step == 8) {
      memory.copy(out + (first << 3), values + (first << 3), 512)
      continue
    }
    for (; chosen != 0; chosen &= chosen - 1) {
      const row = first + <usize>ctz(chosen)
      store<u64>(out + (row << 3), load<u64>(values + row * step))
    }
  }
}

export function vectorFromBits(bits: usize, count: u32, out: usize): void {
  for (let row: u32 = 0; row < count; row++) store<u64>(out + (<usize>row << 3), <u64>((load<u8>(bits + (row >> 3)) >> <u8>(row & 7)) & 1))
}
