/** Twin of assembly/column/nulls.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { nullBitmapBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'

export type ColumnNulls = ReturnType<typeof createColumnNulls>

export function createColumnNulls({ u8, u32 }: LinearMemory, layout: ChunkLayout) {
  const clearSlots = (slots: Pointer, bits: number): void => {
    for (let bit = 0; bits >> bit !== 0; bit++) {
      if (((bits >> bit) & 1) === 0) continue
      u32[(slots >>> 2) + 2 * bit] = 0
      u32[(slots >>> 2) + 2 * bit + 1] = 0
    }
  }

  /** Copies the bitmap of rows [first, first + count) to `nulls` (unless 0), clears null rows' slots; 1 if any is null. */
  const apply = (chunk: Pointer, first: number, count: number, slots: Pointer, nulls: Pointer): number => {
    if (nulls !== 0) u8.fill(0, nulls, nulls + nullBitmapBytes(count))
    const bitmap = layout.nulls(chunk)
    if (bitmap === 0) return 0
    let any = 0
    for (let row = 0; row < count; row += 8) {
      let bits = u8[bitmap + ((first + row) >> 3)]!
      if (count - row < 8) bits &= (1 << (count - row)) - 1
      if (bits === 0) continue
      any = 1
      if (nulls !== 0) u8[nulls + (row >> 3)] = bits
      clearSlots(slots + row * 8, bits)
    }
    return any
  }

  const anyNull = (nulls: Pointer, count: number): boolean => {
    if (nulls === 0) return false
    for (let i = 0; i < count >> 3; i++) if (u8[nulls + i] !== 0) return true
    return (count & 7) !== 0 && (u8[nulls + (count >> 3)]! & ((1 << (count & 7)) - 1)) !== 0
  }

  const copy = (nulls: Pointer, count: number, out: Pointer): void => {
    const bytes = (count + 7) >> 3
    u8.fill(0, out, out + nullBitmapBytes(count))
    u8.copyWithin(out, nulls, nulls + bytes)
    if ((count & 7) !== 0) u8[out + bytes - 1]! &= (1 << (count & 7)) - 1
  }

  return { apply, anyNull, copy }
}
