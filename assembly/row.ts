/* Row kernels: the value bytes of keys to column vectors and back. The row layout is drawn in src/kernel/row.ts. */
import { bitmapBytes, HEADER_BYTES, isNull, KIND_BYTES, slotBytes, textColumnBefore } from './row/layout'

export { rowColumnVector } from './row/vectors'

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
