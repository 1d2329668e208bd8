/* Where things stand in a row; the layout is drawn in src/kernel/row.ts. */
export const KIND_BYTES: u32 = 3
export const HEADER_BYTES: usize = 4

/** Bytes of the slots of the layout's first `columns` columns. */
export function slotBytes(layout: usize, columns: u32): usize {
  let bytes: usize = 0
  for (let i: u32 = 1; i <= columns; i++) {
    bytes += load<u32>(layout + (<usize>i << 2)) == KIND_BYTES ? 4 : 8
  }
  return bytes
}

/** Ordinal of the last bytes column before `column`, or -1. */
export function textColumnBefore(layout: usize, column: u32): i32 {
  for (let i: u32 = column; i > 0; i--) {
    if (load<u32>(layout + (<usize>i << 2)) == KIND_BYTES) return <i32>i - 1
  }
  return -1
}

export function bitmapBytes(columns: u32): usize {
  return <usize>((columns + 7) >> 3)
}

/** Whether the row has no value of the column: a tombstone, written before the column was added, or null. */
export function isNull(row: usize, rowBytes: u32, column: u32): bool {
  if (rowBytes == 0 || column >= <u32>load<u16>(row)) return true
  return ((load<u8>(row + HEADER_BYTES + (column >> 3)) >> <u8>(column & 7)) & 1) != 0
}
