/** Selections: bitmaps of ceil(count / 64) words, bit = 1 means selected, zeros after the last row. */
import { IS_NULL } from '../compare/interval'

/** The bits of `word` that are rows below `count`. */
export function rowsOfWord(count: u32, word: u32): u64 {
  const left = count - (word << 6)
  return left >= 64 ? ~(<u64>0) : (<u64>1 << left) - 1
}

/** Whether 64 values of 8 bytes are the same. */
export function allEqual64(values: usize): bool {
  const first = load<u64>(values)
  // Mostly tells already.
  if (load<u64>(values, 504) != first || load<u64>(values, 256) != first) return false
  const both = i64x2.splat(first)
  let differences = i64x2.splat(0)
  for (const end = values + 512; values < end; values += 16) differences = v128.or(differences, v128.xor(v128.load(values), both))
  return !v128.any_true(differences)
}

/** The same of 4 bytes. */
export function allEqual32(values: usize): bool {
  const first = load<u32>(values)
  if (load<u32>(values, 252) != first || load<u32>(values, 128) != first) return false
  const four = i32x4.splat(<i32>first)
  let differences = i64x2.splat(0)
  for (const end = values + 256; values < end; values += 16) differences = v128.or(differences, v128.xor(v128.load(values), four))
  return !v128.any_true(differences)
}

export function selectionWord(selection: usize, word: u32): u64 {
  return load<u64>(selection + (<usize>word << 3))
}

export function nullWord(nulls: usize, word: u32): u64 {
  return nulls == 0 ? 0 : load<u64>(nulls + (<usize>word << 3))
}

/** The bitmap of block `block` of 1,024 rows within a chunk's bitmap; 0 stays 0. */
export function bitmapPart(bitmap: usize, block: i32): usize {
  return bitmap == 0 ? 0 : bitmap + (<usize>block << 7)
}

/** ANDs IS NULL or IS NOT NULL into the selection; returns how many stay selected. */
export function filterNulls(nulls: usize, count: u32, op: u32, selection: usize): u32 {
  let selected: u32 = 0
  const flip: u64 = op == IS_NULL ? 0 : ~(<u64>0)
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const kept = selectionWord(selection, word) & (nullWord(nulls, word) ^ flip) & rowsOfWord(count, word)
    store<u64>(selection + (<usize>word << 3), kept)
    selected += <u32>popcnt(kept)
  }
  return selected
}

/** ANDs one answer for all rows that are not null. */
export function filterAll(nulls: usize, count: u32, matches: bool, selection: usize): u32 {
  if (matches) return filterNulls(nulls, count, IS_NULL + 1, selection)
  memory.fill(selection, 0, <usize>((count + 63) >> 6) << 3)
  return 0
}

/** Whether any of `count` rows is selected. */
export function anySelected(selection: usize, count: u32): bool {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    if (selectionWord(selection, word) != 0) return true
  }
  return false
}

export function scanSelectAll(selection: usize, count: u32): void {
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    store<u64>(selection + (<usize>word << 3), rowsOfWord(count, word))
  }
}

export function scanSelectedCount(selection: usize, count: u32): u32 {
  if (selection == 0) return count
  let selected: u32 = 0
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    selected += <u32>popcnt(selectionWord(selection, word) & rowsOfWord(count, word))
  }
  return selected
}

export function scanSelectedRows(selection: usize, count: u32, out: usize): u32 {
  let to = out
  for (let word: u32 = 0, words = (count + 63) >> 6; word < words; word++) {
    const first = word << 6
    let bits = rowsOfWord(count, word)
    if (selection != 0) bits &= selectionWord(selection, word)
    if (bits == ~(<u64>0)) {
      let rows = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3))
      for (const end = to + 256; to < end; to += 16) {
        v128.store(to, rows)
        rows = i32x4.add(rows, i32x4.splat(4))
      }
      continue
    }
    for (; bits != 0; bits &= bits - 1) {
      store<u32>(to, first + <u32>ctz(bits))
      to += 4
    }
  }
  return <u32>(to - out) >> 2
}

/** Gives the rows that are not selected a code, or a group, of their own; `selection` is not 0. */
export function markOthers(selection: usize, count: i32, mark: u32, codes: usize): void {
  for (let word: u32 = 0, words = (<u32>count + 63) >> 6; word < words; word++) {
    for (let others = ~selectionWord(selection, word) & rowsOfWord(count, word); others != 0; others &= others - 1) {
      store<u32>(codes + (<usize>((word << 6) + <u32>ctz(others)) << 2), mark)
    }
  }
}
