// Row kernels: the value bytes of keys to column vectors and back. The row layout is drawn in src/kernel/row.ts.
//
// Where a column's slot stands depends on the layout alone but for the null bitmap's size; that and the start of the
// text part depend on how many columns a row was written with, which is the same for long runs of rows and therefore
// worked out again only where it changes.

const KIND_BYTES: u32 = 3
const HEADER_BYTES: usize = 4

/** Bytes of the slots of the layout's first `columns` columns. */
function slotBytes(layout: usize, columns: u32): usize {
  let bytes: usize = 0
  for (let i: u32 = 1; i <= columns; i++) {
    bytes += load<u32>(layout + (<usize>i << 2)) == KIND_BYTES ? 4 : 8
  }
  return bytes
}

/** Ordinal of the last bytes column before `column`, or -1. */
function textColumnBefore(layout: usize, column: u32): i32 {
  for (let i: u32 = column; i > 0; i--) {
    if (load<u32>(layout + (<usize>i << 2)) == KIND_BYTES) return <i32>i - 1
  }
  return -1
}

function bitmapBytes(columns: u32): usize {
  return <usize>((columns + 7) >> 3)
}

/** Whether the row has no value of the column: a tombstone, written before the column was added, or null. */
function isNull(row: usize, rowBytes: u32, column: u32): bool {
  if (rowBytes == 0 || column >= <u32>load<u16>(row)) return true
  return ((load<u8>(row + HEADER_BYTES + (column >> 3)) >> <u8>(column & 7)) & 1) != 0
}

export function rowColumnVector(rows: usize, count: u32, layout: usize, column: u32, out: usize, nulls: usize): i32 {
  memory.fill(nulls, 0, <usize>((count + 63) >> 6) << 3)
  const isText = load<u32>(layout + 4 + (<usize>column << 2)) == KIND_BYTES
  return isText ? textVector(rows, count, layout, column, out, nulls) : fixedVector(rows, count, layout, column, out, nulls)
}

function setNull(nulls: usize, i: u32): void {
  const at = nulls + (i >> 3)
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(i & 7)))
}

function fixedVector(rows: usize, count: u32, layout: usize, column: u32, out: usize, nulls: usize): i32 {
  const slot = HEADER_BYTES + slotBytes(layout, column)
  let anyNull = 0
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 3))
    let value: u64 = 0
    if (isNull(row, load<u32>(rows + (<usize>i << 3), 4), column)) {
      setNull(nulls, i)
      anyNull = 1
    } else {
      value = load<u64>(row + slot + bitmapBytes(load<u16>(row)))
    }
    store<u64>(out + (<usize>i << 3), value)
  }
  return anyNull
}

function textVector(rows: usize, count: u32, layout: usize, column: u32, out: usize, nulls: usize): i32 {
  const slot = HEADER_BYTES + slotBytes(layout, column)
  const previous = textColumnBefore(layout, column)
  const previousSlot = HEADER_BYTES + slotBytes(layout, <u32>max(previous, 0))
  let columns: u32 = 0xffffffff
  let bitmap: usize = 0
  let text: usize = 0
  let anyNull = 0
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>load<u32>(rows + (<usize>i << 3))
    const ref = out + (<usize>i << 3)
    if (isNull(row, load<u32>(rows + (<usize>i << 3), 4), column)) {
      setNull(nulls, i)
      anyNull = 1
      store<u64>(ref, 0)
      continue
    }
    if (<u32>load<u16>(row) != columns) {
      columns = load<u16>(row)
      bitmap = bitmapBytes(columns)
      text = HEADER_BYTES + bitmap + slotBytes(layout, columns)
    }
    const start = previous < 0 ? 0 : load<u32>(row + previousSlot + bitmap)
    store<u32>(ref, <u32>(row + text) + start)
    store<u32>(ref, load<u32>(row + slot + bitmap) - start, 4)
  }
  return anyNull
}

export function rowGet(row: usize, layout: usize, column: u32, out: usize): i32 {
  if (isNull(row, 4, column)) return 0
  const columns = <u32>load<u16>(row)
  const slots = row + HEADER_BYTES + bitmapBytes(columns)
  const slot = slots + slotBytes(layout, column)
  if (load<u32>(layout + 4 + (<usize>column << 2)) != KIND_BYTES) {
    store<u64>(out, load<u64>(slot))
    return 1
  }
  const previous = textColumnBefore(layout, column)
  const start = previous < 0 ? 0 : load<u32>(slots + slotBytes(layout, <u32>previous))
  store<u32>(out, <u32>(slots + slotBytes(layout, columns)) + start)
  store<u32>(out, load<u32>(slot) - start, 4)
  return 1
}

export function rowValidate(row: usize, rowBytes: u32, layout: usize): i32 {
  if (rowBytes < <u32>HEADER_BYTES || load<u16>(row, 2) != 0) return -1
  const columns = <u32>load<u16>(row)
  if (columns > load<u32>(layout)) return -1
  const bitmap = bitmapBytes(columns)
  const fixedBytes = HEADER_BYTES + bitmap + slotBytes(layout, columns)
  if (fixedBytes > <usize>rowBytes) return -1
  if ((columns & 7) != 0 && (<u32>load<u8>(row + HEADER_BYTES + bitmap - 1) >> (columns & 7)) != 0) return -1
  return validateSlots(row, columns, layout, rowBytes - <u32>fixedBytes)
}

/** Text ends never go back and the last is the end of the row; the slots of nulls are empty. */
function validateSlots(row: usize, columns: u32, layout: usize, textBytes: u32): i32 {
  let slot = row + HEADER_BYTES + bitmapBytes(columns)
  let end: u32 = 0
  for (let i: u32 = 0; i < columns; i++) {
    const absent = isNull(row, 4, i)
    if (load<u32>(layout + 4 + (<usize>i << 2)) == KIND_BYTES) {
      const next = load<u32>(slot)
      if (next < end || next > textBytes || (absent && next != end)) return -1
      end = next
      slot += 4
    } else {
      if (absent && load<u64>(slot) != 0) return -1
      slot += 8
    }
  }
  return end == textBytes ? 0 : -1
}

export function rowKeysToI64(keys: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const key = <usize>load<u32>(keys + (<usize>i << 3))
    store<u64>(out + (<usize>i << 3), bswap<u64>(load<u64>(key)) ^ 0x8000000000000000)
  }
}

export function rowI64ToKeys(values: usize, count: u32, out: usize, refs: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const offset = <usize>i << 3
    store<u64>(out + offset, bswap<u64>(load<u64>(values + offset) ^ 0x8000000000000000))
    store<u32>(refs + offset, <u32>(out + offset))
    store<u32>(refs + offset, 8, 4)
  }
}
