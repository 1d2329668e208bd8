/** Offsets of the plan and its columns, as drawn in src/kernel/values.ts. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { valuesColumnBytes, valuesPlanBytes } from '../../values.ts'

export const planField = { targetCount: 0, targets: 4, keyCount: 8, keys: 12, keyForm: 16, valueCount: 20, values: 24, fixedBytes: 28, tableId: 32, shards: 36, pending: 40, pendingMax: 44, pendingCount: 48 } as const
export const columnField = { type: 0, notNull: 4, values: 8, nulls: 12, limit: 16, kind: 20, min: 24, max: 32, default: 40, defaultState: 48 } as const

export const keyForm = { i64: 1, bytes: 2, composite: 3 } as const
export const columnKind = { i64: 1, f64: 2, bytes: 3 } as const

export function word({ u32 }: LinearMemory, record: Pointer, field: number): number {
  return u32[(record + field) >>> 2]!
}

/** The i-th column of a list of ordinals. */
export function columnAt(memory: LinearMemory, plan: Pointer, ordinals: Pointer, i: number): Pointer {
  return plan + valuesPlanBytes + word(memory, ordinals, 4 * i) * valuesColumnBytes
}

export function valueAt(memory: LinearMemory, column: Pointer, row: number): Pointer {
  return word(memory, column, columnField.values) + 8 * row
}

export function isNull(memory: LinearMemory, column: Pointer, row: number): boolean {
  return ((memory.u8[word(memory, column, columnField.nulls) + (row >>> 3)]! >>> (row & 7)) & 1) !== 0
}

export function setNull(memory: LinearMemory, column: Pointer, row: number): void {
  memory.u8[word(memory, column, columnField.nulls) + (row >>> 3)]! |= 1 << (row & 7)
  storeWords(memory, valueAt(memory, column, row), 0, 0)
}

/** Two u32 at a multiple of 8. */
export function storeWords({ u32 }: LinearMemory, at: Pointer, low: number, high: number): void {
  u32[at >>> 2] = low
  u32[(at >>> 2) + 1] = high
}
