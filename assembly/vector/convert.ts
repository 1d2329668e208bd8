/** Numbers of one kind to the other. */
import { rowsOfWord, selectionWord } from '../scan/selection'

export function vectorToF64(values: usize, active: usize, count: u32, out: usize): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    if (selectionWord(active, word) == 0) continue
    for (let row = <usize>word << 6, end = min(row + 64, <usize>count); row < end; row++) {
      store<f64>(out + (row << 3), <f64>load<i64>(values + (row << 3)))
    }
  }
}

const beyondI64: f64 = 9223372036854775808.0

export function vectorToI64(values: usize, active: usize, count: u32, range: usize, out: usize): u32 {
  const low = load<i64>(range), high = load<i64>(range, 8)
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    for (let rows = selectionWord(active, word) & rowsOfWord(count, word); rows != 0; rows &= rows - 1) {
      const row = (word << 6) + <u32>ctz(rows)
      const rounded = nearest(load<f64>(values + (<usize>row << 3)))
      if (!(rounded < beyondI64 && rounded >= -beyondI64)) return row
      const value = <i64>rounded
      if (value < low || value > high) return row
      store<i64>(out + (<usize>row << 3), value)
    }
  }
  return count
}

export function vectorRoundF64(rounding: u32, values: usize, count: u32, out: usize): void {
  let row: u32 = 0
  for (const pairs = count & ~1; row < pairs; row += 2) {
    const at = <usize>row << 3, value = v128.load(values + at)
    v128.store(out + at, rounding == 0 ? f64x2.floor(value) : rounding == 1 ? f64x2.ceil(value) : rounding == 2 ? f64x2.trunc(value) : f64x2.nearest(value))
  }
  if (row == count) return
  const value = load<f64>(values + (<usize>row << 3))
  store<f64>(out + (<usize>row << 3), rounding == 0 ? floor(value) : rounding == 1 ? ceil(value) : rounding == 2 ? trunc(value) : nearest(value))
}
