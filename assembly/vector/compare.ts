/** Comparisons of vectors with vectors and with constants, as bitmaps. */
import { EQ, GE, GT, LE, LT, NE } from '../compare/interval'
import { textCompare } from '../compare/text'
import { fourBits, matchF64, matchI64, matchOrder, matchWordF64, matchWordI64 } from '../scan/match'
import { rowsOfWord, selectionWord } from '../scan/selection'

export function vectorCompareI64(left: usize, right: usize, rightStep: usize, count: u32, op: u32, out: usize): void {
  const constant = load<i64>(right)
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const at = <usize>word << 9
    let bits: u64 = 0
    if ((word << 6) + 64 > count) for (let i: u32 = 0, rows = count & 63; i < rows; i++) bits |= <u64>matchI64(load<i64>(left + at + (<usize>i << 3)), op, load<i64>(right + <usize>((word << 6) + i) * rightStep)) << i
    else bits = rightStep == 0 ? matchWordI64(left + at, op, constant) : compareWordI64(left + at, right + at, op)
    store<u64>(out + (<usize>word << 3), bits)
  }
}

function compareWordI64(left: usize, right: usize, op: u32): u64 {
  let word: u64 = 0
  if (op == EQ || op == NE) {
    for (let i: usize = 0; i < 64; i += 4) {
      const at = i << 3
      word |= fourBits(i64x2.eq(v128.load(left + at), v128.load(right + at)), i64x2.eq(v128.load(left + at, 16), v128.load(right + at, 16))) << i
    }
    return op == NE ? ~word : word
  }
  const isSwapped = op == LT || op == GE
  const greater = isSwapped ? right : left, lesser = isSwapped ? left : right
  for (let i: usize = 0; i < 64; i += 4) {
    const at = i << 3
    word |= fourBits(i64x2.gt_s(v128.load(greater + at), v128.load(lesser + at)), i64x2.gt_s(v128.load(greater + at, 16), v128.load(lesser + at, 16))) << i
  }
  return op == GE || op == LE ? ~word : word
}

export function vectorCompareF64(left: usize, right: usize, rightStep: usize, count: u32, op: u32, out: usize): void {
  const constant = load<f64>(right)
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const at = <usize>word << 9
    let bits: u64 = 0
    if ((word << 6) + 64 <= count && rightStep == 0) bits = matchWordF64(left + at, op, constant)
    else for (let i: u32 = 0, rows = min(count - (word << 6), 64); i < rows; i++) bits |= <u64>matchF64(load<f64>(left + at + (<usize>i << 3)), op, load<f64>(right + <usize>((word << 6) + i) * rightStep)) << i
    store<u64>(out + (<usize>word << 3), bits)
  }
}

export function vectorCompareBytes(left: usize, right: usize, rightStep: usize, active: usize, count: u32, op: u32, out: usize): void {
  const byLength = op == EQ || op == NE
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits: u64 = 0
    for (let rows = selectionWord(active, word) & rowsOfWord(count, word); rows != 0; rows &= rows - 1) {
      const row = (<usize>word << 6) + <usize>ctz(rows), a = left + (row << 3), b = right + row * rightStep
      const aBytes = load<u32>(a, 4), bBytes = load<u32>(b, 4)
      const order = byLength && aBytes != bBytes ? 1 : textCompare(load<u32>(a), aBytes, load<u32>(b), bBytes)
      if (matchOrder(order, op)) bits |= rows & (0 - rows)
    }
    store<u64>(out + (<usize>word << 3), bits)
  }
}
