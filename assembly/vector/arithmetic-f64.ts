/** Arithmetic of doubles, two rows at a time; a word whose marks say that a row may have failed is gone through row by row. */
import { rowsOfWord, selectionWord } from '../scan/selection'
import { ADD, MULTIPLY, QUOTIENT, REMAINDER, SUBTRACT } from './operator'

export function vectorArithmeticF64(operator: u32, left: usize, leftStep: usize, right: usize, rightStep: usize, active: usize, count: u32, out: usize): u32 {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const rows = selectionWord(active, word) & rowsOfWord(count, word)
    if (rows == 0) continue
    const first = <usize>word << 6, a = left + first * leftStep, b = right + first * rightStep, to = out + (first << 3)
    if ((word << 6) + 64 <= count && operator != REMAINDER && computeWord(operator, a, leftStep << 1, b, rightStep << 1, to)) continue
    const failed = computeRows(operator, a, leftStep, b, rightStep, rows, to)
    if (failed >= 0) return (word << 6) + failed
  }
  return count
}

/** An infinite result is a mark, whatever it comes from. */
function computeWord(operator: u32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize): bool {
  const infinity = f64x2.splat(Infinity), zero = f64x2.splat(0)
  let marks = zero
  for (const end = out + 512; out < end; out += 16, a += aStep, b += bStep) {
    const x = v128.load(a), y = v128.load(b)
    let result: v128
    if (operator == ADD) result = f64x2.add(x, y)
    else if (operator == SUBTRACT) result = f64x2.sub(x, y)
    else if (operator == MULTIPLY) result = f64x2.mul(x, y)
    else {
      result = f64x2.div(x, y)
      marks = v128.or(marks, f64x2.eq(y, zero))
    }
    marks = v128.or(marks, f64x2.eq(f64x2.abs(result), infinity))
    v128.store(out, result)
  }
  return !v128.any_true(marks)
}

function computeRows(operator: u32, a: usize, aStep: usize, b: usize, bStep: usize, rows: u64, out: usize): i32 {
  for (; rows != 0; rows &= rows - 1) {
    const row = <usize>ctz(rows)
    const x = load<f64>(a + row * aStep), y = load<f64>(b + row * bStep)
    if (operator >= QUOTIENT && y == 0 && (operator == REMAINDER || x == x)) return <i32>row
    const result = operator == ADD ? x + y : operator == SUBTRACT ? x - y : operator == MULTIPLY ? x * y : operator == QUOTIENT ? x / y : x % y
    if (abs(result) == Infinity && isFinite(x) && isFinite(y)) return <i32>row
    store<f64>(out + (row << 3), result)
  }
  return -1
}
