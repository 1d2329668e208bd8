/** Groups that are places of a window, once rows are in them. */
import type { GroupKeys } from '../../../kernel/grouping/grouping.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { DensePart } from '../groups-part.ts'
import { placeCountOf } from './window.ts'
import type { PlaceWindow } from './window.ts'

export interface UsedPlaces {
  /** Ascending, u32. */
  readonly address: Pointer
  readonly count: number
}

/** Those that have rows; memory of the heap. */
export function usedPlaces({ heap, memory: { f64, u32 } }: Kernel, { window, rows: { address, stride } }: DensePart): UsedPlaces {
  const placeCount = placeCountOf(window), list = heap.allocate(4 * placeCount), step = stride >>> 3
  let count = 0
  for (let place = 0, at = address >>> 3; place < placeCount; place++, at += step) {
    u32[(list >>> 2) + count] = place
    if (f64[at] !== 0) count++
  }
  return { address: list, count }
}

/** Their values. */
export function keysOfPlaces({ heap, memory: { u8, u32, i32 } }: Kernel, { base, capacity }: PlaceWindow, places: Pointer, count: number): GroupKeys {
  const nullsLength = Math.ceil(count / 64) * 8, values = heap.allocate(8 * count + nullsLength), nulls = values + 8 * count
  u8.fill(0, nulls, nulls + nullsLength)
  for (let i = 0, at = values >>> 2; i < count; i++, at += 2) {
    const place = u32[(places >>> 2) + i]!, isNull = place === capacity, value = isNull ? 0 : base + place
    u32[at] = value
    i32[at + 1] = Math.floor(value / 0x1_0000_0000)
    if (isNull) u8[nulls + (i >>> 3)]! |= 1 << (i & 7)
  }
  return { vectors: [{ values, nulls }], free: () => heap.free(values) }
}
