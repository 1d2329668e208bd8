/** Values as places of a window, and back. */
import type { GroupKeys } from '../../../kernel/grouping/grouping.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Pointer } from '../../../kernel/linear-memory.ts'
import { accumulatorBytes, scanKind } from '../../../kernel/scan.ts'
import type { Arena } from '../../state/arena.ts'
import { valuesOf } from '../group-rows.ts'
import type { GroupRows } from '../group-rows.ts'
import type { DensePart } from '../groups-part.ts'
import { numberSteps } from '../step-numbers.ts'
import type { NumberRows } from '../step-numbers.ts'
import { placeCountOf } from './window.ts'
import type { PlaceWindow } from './window.ts'

export interface UsedPlaces {
  /** Ascending, u32. */
  readonly address: Pointer
  readonly count: number
}

/** Those that have rows; memory of the heap. */
export function usedPlaces({ heap, exports }: Kernel, { window, rows: { address, stride } }: DensePart): UsedPlaces {
  const placeCount = placeCountOf(window), list = heap.allocate(4 * placeCount)
  return { address: list, count: exports.scanPlacesUsed(address, stride, placeCount, list) }
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

export const selectedCountOf = ({ exports }: Kernel, { selection, rowCount }: GroupRows): number => (selection === 0 ? rowCount : exports.scanSelectedCount(selection, rowCount))

/** Of the column `key`: u32 by row, of the arena; 0 when a row has none. */
export function placesOf(kernel: Kernel, window: PlaceWindow | undefined, rows: GroupRows, key: number, arena: Arena): Pointer {
  if (window === undefined) return 0
  const { exports } = kernel
  const { base, capacity } = window, { rowCount, selection } = rows
  const places = arena.allocate(4 * (rowCount + 3)), chunk = rows.chunk(key)
  if (chunk !== 0 && exports.scanPlacesChunk(chunk, base, capacity, places) === 0) return places
  const place: NumberRows = ({ values, nulls }, selected, count, to) => exports.scanPlaces(values, nulls, selected, count, base, capacity, to) === 0
  const steps = rows.steps?.(key)
  if (steps !== undefined) return numberSteps(kernel, steps, rows, place, places, arena) ? places : 0
  const vector = rows.vector(key)
  return place({ values: valuesOf(vector), nulls: vector.nulls }, selection, rowCount, places) ? places : 0
}

/** Of the selected rows; undefined when all are NULL, or some are no safe integers. */
export function extremesOf({ exports, memory: { f64, i64 } }: Kernel, rows: GroupRows, key: number, arena: Arena): { readonly least: number; readonly greatest: number } | undefined {
  const to = arena.allocate(accumulatorBytes), vector = rows.vector(key)
  exports.scanAccumulatorInit(to, scanKind.i64)
  exports.scanAggregateI64(valuesOf(vector), vector.nulls, rows.rowCount, rows.selection, to)
  if (f64[to >>> 3] === 0) return undefined
  const least = Number(i64[(to >>> 3) + 1]!), greatest = Number(i64[(to >>> 3) + 2]!)
  return Number.isSafeInteger(least) && Number.isSafeInteger(greatest) ? { least, greatest } : undefined
}
