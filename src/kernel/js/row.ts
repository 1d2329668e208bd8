/** The row kernels in JavaScript; see src/kernel/row.ts for the shapes and assembly/row.ts for the twin. */
import type { LinearMemory, Pointer } from '../linear-memory.ts'
import type { RowExports } from '../row.ts'

const kindBytes = 3
const headerBytes = 4

function slotBytes(memory: LinearMemory, layout: Pointer, columns: number): number {
  const { u32 } = memory
  let bytes = 0
  for (let i = 1; i <= columns; i++) bytes += u32[(layout >>> 2) + i] === kindBytes ? 4 : 8
  return bytes
}

function textColumnBefore(memory: LinearMemory, layout: Pointer, column: number): number {
  const { u32 } = memory
  for (let i = column; i > 0; i--) if (u32[(layout >>> 2) + i] === kindBytes) return i - 1
  return -1
}

const bitmapBytes = (columns: number): number => (columns + 7) >>> 3
const columnCount = ({ u8 }: LinearMemory, row: Pointer): number => u8[row]! | (u8[row + 1]! << 8)

function isNull(memory: LinearMemory, row: Pointer, rowBytes: number, column: number): boolean {
  const { u8 } = memory
  if (rowBytes === 0 || column >= columnCount(memory, row)) return true
  return ((u8[row + headerBytes + (column >>> 3)]! >>> (column & 7)) & 1) !== 0
}

function copy8(memory: LinearMemory, from: Pointer, to: Pointer): void {
  const { view } = memory
  view.setUint32(to, view.getUint32(from, true), true)
  view.setUint32(to + 4, view.getUint32(from + 4, true), true)
}

function setRef(memory: LinearMemory, out: Pointer, address: Pointer, byteLength: number): void {
  const { view } = memory
  view.setUint32(out, address, true)
  view.setUint32(out + 4, byteLength, true)
}

function rowColumnVector(memory: LinearMemory, rows: Pointer, count: number, layout: Pointer, column: number, out: Pointer, nulls: Pointer): number {
  const { u8, u32 } = memory
  u8.fill(0, nulls, nulls + (Math.ceil(count / 64) << 3))
  const isText = u32[(layout >>> 2) + 1 + column] === kindBytes
  return isText ? textVector(memory, rows, count, layout, column, out, nulls) : fixedVector(memory, rows, count, layout, column, out, nulls)
}

function fixedVector(memory: LinearMemory, rows: Pointer, count: number, layout: Pointer, column: number, out: Pointer, nulls: Pointer): number {
  const { u8, u32 } = memory
  const slot = headerBytes + slotBytes(memory, layout, column)
  let anyNull = 0
  for (let i = 0; i < count; i++) {
    const row = u32[(rows >>> 2) + 2 * i]!
    if (isNull(memory, row, u32[(rows >>> 2) + 2 * i + 1]!, column)) {
      u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
      anyNull = 1
      setRef(memory, out + 8 * i, 0, 0)
    } else {
      copy8(memory, row + slot + bitmapBytes(columnCount(memory, row)), out + 8 * i)
    }
  }
  return anyNull
}

function textVector(memory: LinearMemory, rows: Pointer, count: number, layout: Pointer, column: number, out: Pointer, nulls: Pointer): number {
  const { u8, u32, view } = memory
  const slot = headerBytes + slotBytes(memory, layout, column)
  const previous = textColumnBefore(memory, layout, column)
  const previousSlot = headerBytes + slotBytes(memory, layout, Math.max(previous, 0))
  let columns = -1, bitmap = 0, text = 0, anyNull = 0
  for (let i = 0; i < count; i++) {
    const row = u32[(rows >>> 2) + 2 * i]!
    if (isNull(memory, row, u32[(rows >>> 2) + 2 * i + 1]!, column)) {
      u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
      anyNull = 1
      setRef(memory, out + 8 * i, 0, 0)
      continue
    }
    if (columnCount(memory, row) !== columns) {
      columns = columnCount(memory, row)
      bitmap = bitmapBytes(columns)
      text = headerBytes + bitmap + slotBytes(memory, layout, columns)
    }
    const start = previous < 0 ? 0 : view.getUint32(row + previousSlot + bitmap, true)
    setRef(memory, out + 8 * i, row + text + start, view.getUint32(row + slot + bitmap, true) - start)
  }
  return anyNull
}

function rowGet(memory: LinearMemory, row: Pointer, layout: Pointer, column: number, out: Pointer): number {
  const { u32, view } = memory
  if (isNull(memory, row, 4, column)) return 0
  const columns = columnCount(memory, row)
  const slots = row + headerBytes + bitmapBytes(columns)
  const slot = slots + slotBytes(memory, layout, column)
  if (u32[(layout >>> 2) + 1 + column] !== kindBytes) {
    copy8(memory, slot, out)
    return 1
  }
  const previous = textColumnBefore(memory, layout, column)
  const start = previous < 0 ? 0 : view.getUint32(slots + slotBytes(memory, layout, previous), true)
  setRef(memory, out, slots + slotBytes(memory, layout, columns) + start, view.getUint32(slot, true) - start)
  return 1
}

function rowValidate(memory: LinearMemory, row: Pointer, rowBytes: number, layout: Pointer): number {
  const { u8, u32 } = memory
  if (rowBytes < headerBytes || u8[row + 2] !== 0 || u8[row + 3] !== 0) return -1
  const columns = columnCount(memory, row)
  if (columns > u32[layout >>> 2]!) return -1
  const bitmap = bitmapBytes(columns)
  const fixedBytes = headerBytes + bitmap + slotBytes(memory, layout, columns)
  if (fixedBytes > rowBytes) return -1
  if ((columns & 7) !== 0 && u8[row + headerBytes + bitmap - 1]! >>> (columns & 7) !== 0) return -1
  return validateSlots(memory, row, columns, layout, rowBytes - fixedBytes)
}

function validateSlots(memory: LinearMemory, row: Pointer, columns: number, layout: Pointer, textBytes: number): number {
  const { u32, view } = memory
  let slot = row + headerBytes + bitmapBytes(columns)
  let end = 0
  for (let i = 0; i < columns; i++) {
    const absent = isNull(memory, row, 4, i)
    const first = view.getUint32(slot, true)
    if (u32[(layout >>> 2) + 1 + i] === kindBytes) {
      if (first < end || first > textBytes || (absent && first !== end)) return -1
      end = first
      slot += 4
    } else {
      if (absent && (first !== 0 || view.getUint32(slot + 4, true) !== 0)) return -1
      slot += 8
    }
  }
  return end === textBytes ? 0 : -1
}

function rowKeysToI64(memory: LinearMemory, keys: Pointer, count: number, out: Pointer): void {
  const { u32, view } = memory
  for (let i = 0; i < count; i++) {
    const key = u32[(keys >>> 2) + 2 * i]!
    view.setInt32(out + 8 * i, view.getInt32(key + 4), true)
    view.setInt32(out + 8 * i + 4, view.getInt32(key) ^ 0x80000000, true)
  }
}

function rowI64ToKeys(memory: LinearMemory, values: Pointer, count: number, out: Pointer, refs: Pointer): void {
  const { view } = memory
  for (let i = 0; i < count; i++) {
    view.setInt32(out + 8 * i, view.getInt32(values + 8 * i + 4, true) ^ 0x80000000)
    view.setInt32(out + 8 * i + 4, view.getInt32(values + 8 * i, true))
    setRef(memory, refs + 8 * i, out + 8 * i, 8)
  }
}

export function createRowJs(memory: LinearMemory): RowExports {
  return {
    rowColumnVector: (rows, count, layout, column, out, nulls) => rowColumnVector(memory, rows, count, layout, column, out, nulls),
    rowGet: (row, layout, column, out) => rowGet(memory, row, layout, column, out),
    rowValidate: (row, rowBytes, layout) => rowValidate(memory, row, rowBytes, layout),
    rowKeysToI64: (keys, count, out) => rowKeysToI64(memory, keys, count, out),
    rowI64ToKeys: (values, count, out, refs) => rowI64ToKeys(memory, values, count, out, refs),
  }
}
