/**
 * A memory of groups beside a group table of integers that lie close together: u32 group + 1 by value - base, 0 where
 * none is known, the group of NULL after the last. What it does not know is left to the table, and taught to it then.
 */
import { nullWord, rowsOfWord, selectionWord } from './selection'

export function scanGroupsDense(index: usize, base: f64, capacity: u32, values: usize, nulls: usize, selection: usize, count: u32, groups: usize, missed: usize): u32 {
  const first = <u64><i64>base
  let missedCount: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    let bits = rowsOfWord(count, word)
    if (selection != 0) bits &= selectionWord(selection, word)
    const misses = nulls == 0 && bits == ~(<u64>0)
      ? wholeWord(index, first, capacity, values + (<usize>word << 9), groups + (<usize>word << 8))
      : someOfWord(index, first, capacity, values + (<usize>word << 9), nullWord(nulls, word), bits, groups + (<usize>word << 8))
    store<u64>(missed + (<usize>word << 3), misses)
    missedCount += <u32>popcnt(misses)
  }
  return missedCount
}

function wholeWord(index: usize, first: u64, capacity: u32, values: usize, groups: usize): u64 {
  let misses: u64 = 0
  for (let row: u32 = 0; row < 64; row++) {
    const place = load<u64>(values + (<usize>row << 3)) - first
    const known = place < <u64>capacity ? load<u32>(index + (<usize>place << 2)) : 0
    store<u32>(groups + (<usize>row << 2), known - 1)
    misses |= <u64>(known == 0) << row
  }
  return misses
}

function someOfWord(index: usize, first: u64, capacity: u32, values: usize, nullBits: u64, rows: u64, groups: usize): u64 {
  let misses: u64 = 0
  for (let bits = rows; bits != 0; bits &= bits - 1) {
    const row = <u32>ctz(bits)
    const known = load<u32>(index + (<usize>placeOf(first, capacity, values, nullBits, row) << 2))
    if (known == 0) misses |= <u64>1 << row
    else store<u32>(groups + (<usize>row << 2), known - 1)
  }
  return misses
}

/** One beyond the place of NULL stands for all values outside: it holds 0. */
function placeOf(first: u64, capacity: u32, values: usize, nullBits: u64, row: u32): u32 {
  if (((nullBits >> row) & 1) != 0) return capacity
  const place = load<u64>(values + (<usize>row << 3)) - first
  return place < <u64>capacity ? <u32>place : capacity + 1
}

export function scanGroupsDenseLearn(index: usize, base: f64, capacity: u32, values: usize, nulls: usize, selection: usize, count: u32, groups: usize): void {
  const first = <u64><i64>base
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    for (let bits = selectionWord(selection, word) & rowsOfWord(count, word); bits != 0; bits &= bits - 1) {
      const row = <u32>ctz(bits)
      const place = placeOf(first, capacity, values + (<usize>word << 9), nullWord(nulls, word), row)
      if (place <= capacity) store<u32>(index + (<usize>place << 2), load<u32>(groups + (<usize>((word << 6) + row) << 2)) + 1)
    }
  }
}
