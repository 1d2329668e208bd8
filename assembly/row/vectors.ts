/* Rows to vectors of a column: by eights where they are alike, which is the rule, one by one around tombstones and where columns were added. */
import { alikeFixed, alikeTexts } from './eights'
import { bitmapBytes, HEADER_BYTES, isNull, KIND_BYTES, slotBytes, textColumnBefore } from './layout'

export function rowColumnVector(rows: usize, count: u32, layout: usize, column: u32, out: usize, nulls: usize): i32 {
  const nullWords = (count + 63) >> 6
  for (let i: u32 = 0; i < nullWords; i++) store<u64>(nulls + (<usize>i << 3), 0)
  const isText = load<u32>(layout + 4 + (<usize>column << 2)) == KIND_BYTES
  if (isText) textVector(rows, count, layout, column, out, nulls)
  else fixedVector(rows, count, layout, column, out, nulls)
  let anyNull: u64 = 0
  for (let i: u32 = 0; i < nullWords; i++) anyNull |= load<u64>(nulls + (<usize>i << 3))
  return <i32>(anyNull != 0)
}

/** As many rows as are alike by eights, then up to eight one by one, and so on. */
function fixedVector(rows: usize, count: u32, layout: usize, column: u32, out: usize, nulls: usize): void {
  const slot = HEADER_BYTES + slotBytes(layout, column)
  for (let left = count; left != 0;) {
    const columns = columnsOfFirst(rows, left, column)
    if (columns != 0) {
      const alike = alikeFixed(rows, rows + (<usize>(left & ~7) << 3), columns, column, slot + bitmapBytes(columns), out, nulls)
      rows += <usize>alike << 3
      out += <usize>alike << 3
      nulls += alike >> 3
      left -= alike
    }
    const some = min<u32>(left, 8)
    someFixed(rows, some, column, slot, out, nulls)
    rows += <usize>some << 3
    out += <usize>some << 3
    nulls++
    left -= some
  }
}

/** How many columns the first row was written with, where there are eight rows and it has the column; 0 otherwise. */
function columnsOfFirst(rows: usize, count: u32, column: u32): u32 {
  if (count < 8 || load<u32>(rows, 4) == 0) return 0
  const columns = <u32>load<u16>(load<u32>(rows))
  return column < columns ? columns : 0
}

/** Up to eight rows, of whatever kind. */
function someFixed(rows: usize, count: u32, column: u32, slot: usize, out: usize, nulls: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>load<u32>(rows)
    let value: u64 = 0
    if (isNull(row, load<u32>(rows, 4), column)) store<u8>(nulls, load<u8>(nulls) | <u8>(<u32>1 << i))
    else value = load<u64>(row + slot + bitmapBytes(load<u16>(row)))
    store<u64>(out, value)
    rows += 8
    out += 8
  }
}

/** As `fixedVector`. Where the text part begins is worked out again only where the number of columns changes. */
function textVector(rows: usize, count: u32, layout: usize, column: u32, out: usize, nulls: usize): void {
  const slot = HEADER_BYTES + slotBytes(layout, column)
  const previous = textColumnBefore(layout, column)
  const previousSlot = HEADER_BYTES + slotBytes(layout, <u32>max(previous, 0))
  const startMask: u32 = previous < 0 ? 0 : 0xffffffff
  let textColumns: u32 = 0xffffffff
  let text: usize = 0
  for (let left = count; left != 0;) {
    const columns = columnsOfFirst(rows, left, column)
    if (columns != 0) {
      const bitmap = bitmapBytes(columns)
      if (columns != textColumns) text = HEADER_BYTES + bitmap + slotBytes(layout, columns)
      textColumns = columns
      const alike = alikeTexts(rows, rows + (<usize>(left & ~7) << 3), columns, column, text, previousSlot + bitmap, startMask, slot + bitmap, out, nulls)
      rows += <usize>alike << 3
      out += <usize>alike << 3
      nulls += alike >> 3
      left -= alike
    }
    const some = min<u32>(left, 8)
    someTexts(rows, some, layout, column, textColumns, text, previousSlot, startMask, slot, out, nulls)
    rows += <usize>some << 3
    out += <usize>some << 3
    nulls++
    left -= some
  }
}

/** As `someFixed`; where their text begins is known of rows with `textColumns` columns. */
function someTexts(rows: usize, count: u32, layout: usize, column: u32, textColumns: u32, text: usize, previousSlot: usize, startMask: u32, slot: usize, out: usize, nulls: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>load<u32>(rows)
    let ref: u64 = 0
    if (isNull(row, load<u32>(rows, 4), column)) store<u8>(nulls, load<u8>(nulls) | <u8>(<u32>1 << i))
    else {
      const columns = <u32>load<u16>(row), bitmap = bitmapBytes(columns)
      const textAt = row + (columns == textColumns ? text : HEADER_BYTES + bitmap + slotBytes(layout, columns))
      const start = load<u32>(row + previousSlot + bitmap) & startMask
      ref = <u64>(<u32>textAt + start) | (<u64>(load<u32>(row + slot + bitmap) - start) << 32)
    }
    store<u64>(out, ref)
    rows += 8
    out += 8
  }
}
