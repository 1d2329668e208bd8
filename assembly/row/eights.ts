/*
 * Rows that were written with equally many columns, eight at a time: a column stands at the same place in all of them, so nothing
 * depends on the row before, and eight loads wait for memory together. No branch depends on a null, since processors do not
 * expect those where they are. The loops are functions of their own: they take all registers.
 */
import { HEADER_BYTES } from './layout'

class Eight {
  /** Whether all are rows, with so many columns. */
  @inline
  static haveColumns(rows: usize, columns: u32): bool {
    const lengths = v128.and(Eight.fourLengths(rows), Eight.fourLengths(rows + 32))
    if (!i32x4.all_true(lengths)) return false
    return (Eight.otherColumns(rows, columns) | Eight.otherColumns(rows + 16, columns) | Eight.otherColumns(rows + 32, columns) | Eight.otherColumns(rows + 48, columns)) == 0
  }

  /** All bits of those of four refs that have a length. */
  @inline
  static fourLengths(rows: usize): v128 {
    return i32x4.ne(v128.shuffle<i32>(v128.load(rows), v128.load(rows, 16), 1, 3, 5, 7), i32x4.splat(0))
  }

  /** What the numbers of columns of two rows differ in. */
  @inline
  static otherColumns(rows: usize, columns: u32): u32 {
    return (<u32>load<u16>(load<u32>(rows)) ^ columns) | (<u32>load<u16>(load<u32>(rows, 8)) ^ columns)
  }

  /** Writes the value of row i, 0 for a null; gives its null bit, at place i. */
  @inline
  static fixed(rows: usize, i: usize, out: usize, nullByte: usize, nullBit: u32, value: usize): u32 {
    const row = <usize>load<u32>(rows + (i << 3))
    const isNull = (<u32>load<u8>(row + nullByte) >> nullBit) & 1
    store<u64>(out + (i << 3), load<u64>(row + value) & (<u64>isNull - 1))
    return isNull << <u32>i
  }

  /** The same of a text, whose ref goes from what is at `start`, or 0 where `startMask` is, to what is at `end`. */
  @inline
  static text(rows: usize, i: usize, out: usize, nullByte: usize, nullBit: u32, text: usize, start: usize, startMask: u32, end: usize): u32 {
    const row = <usize>load<u32>(rows + (i << 3))
    const isNull = (<u32>load<u8>(row + nullByte) >> nullBit) & 1
    const from = load<u32>(row + start) & startMask
    const ref = <u64>(<u32>(row + text) + from) | (<u64>(load<u32>(row + end) - from) << 32)
    store<u64>(out + (i << 3), ref & (<u64>isNull - 1))
    return isNull << <u32>i
  }
}

/** Reads rows up to `end` as long as eight have so many columns: the 8 bytes at `value`. Their null bits are a byte at `nulls`. Returns how many rows. */
export function alikeFixed(rows: usize, end: usize, columns: u32, column: u32, value: usize, out: usize, nulls: usize): u32 {
  const start = rows, nullByte = HEADER_BYTES + (column >> 3), nullBit = column & 7
  do {
    if (!Eight.haveColumns(rows, columns)) break
    const bits = Eight.fixed(rows, 0, out, nullByte, nullBit, value) | Eight.fixed(rows, 1, out, nullByte, nullBit, value)
      | Eight.fixed(rows, 2, out, nullByte, nullBit, value) | Eight.fixed(rows, 3, out, nullByte, nullBit, value)
      | Eight.fixed(rows, 4, out, nullByte, nullBit, value) | Eight.fixed(rows, 5, out, nullByte, nullBit, value)
      | Eight.fixed(rows, 6, out, nullByte, nullBit, value) | Eight.fixed(rows, 7, out, nullByte, nullBit, value)
    store<u8>(nulls, <u8>bits)
    nulls++
    rows += 64
    out += 64
  } while (rows != end)
  return <u32>((rows - start) >> 3)
}

/** The same of texts: from the end that is at `start`, where `startMask` has bits, to that at `end`, both counted from `text`. */
export function alikeTexts(rows: usize, stop: usize, columns: u32, column: u32, text: usize, start: usize, startMask: u32, end: usize, out: usize, nulls: usize): u32 {
  const first = rows, nullByte = HEADER_BYTES + (column >> 3), nullBit = column & 7
  do {
    if (!Eight.haveColumns(rows, columns)) break
    const bits = Eight.text(rows, 0, out, nullByte, nullBit, text, start, startMask, end) | Eight.text(rows, 1, out, nullByte, nullBit, text, start, startMask, end)
      | Eight.text(rows, 2, out, nullByte, nullBit, text, start, startMask, end) | Eight.text(rows, 3, out, nullByte, nullBit, text, start, startMask, end)
      | Eight.text(rows, 4, out, nullByte, nullBit, text, start, startMask, end) | Eight.text(rows, 5, out, nullByte, nullBit, text, start, startMask, end)
      | Eight.text(rows, 6, out, nullByte, nullBit, text, start, startMask, end) | Eight.text(rows, 7, out, nullByte, nullBit, text, start, startMask, end)
    store<u8>(nulls, <u8>bits)
    nulls++
    rows += 64
    out += 64
  } while (rows != stop)
  return <u32>((rows - first) >> 3)
}
