/** Engine values out of one found row. A handle is valid only until the next await, so everything is copied out. */
import type { LinearMemory } from '../../kernel/linear-memory.ts'
import type { RowHandle } from '../../lsm/tree.ts'
import type { EngineRow, EngineValue } from '../engine.ts'
import { physicalKind } from '../schema.ts'
import type { ColumnType, TableSchema } from '../schema.ts'
import { readText } from './text-bytes.ts'

/** How a column's value is read: its physical kind, with bytes told apart. */
export type ReadKind = 'i64' | 'f64' | 'text' | 'bytea'

export function readKind(type: ColumnType): ReadKind {
  const kind = physicalKind(type)
  if (kind !== 'bytes') return kind
  return type.kind === 'text' ? 'text' : 'bytea'
}

export function readKinds(table: TableSchema): readonly ReadKind[] {
  return table.columns.map((column) => readKind(column.type))
}

/** The columns asked for, in the order asked. */
export function readRow(memory: LinearMemory, kinds: readonly ReadKind[], handle: RowHandle, columns: readonly number[]): EngineRow {
  const row: EngineValue[] = []
  for (let i = 0; i < columns.length; i++) row.push(readValue(memory, kinds[columns[i]!]!, handle, columns[i]!))
  return row
}

/** One value of a found row. */
export function readValue(memory: LinearMemory, kind: ReadKind, handle: RowHandle, ordinal: number): EngineValue {
  if (handle.isNull(ordinal)) return null
  switch (kind) {
    case 'i64':
      return handle.i64Safe(ordinal) ?? handle.i64(ordinal)
    case 'f64':
      return handle.f64(ordinal)
    case 'text': {
      const { address, byteLength } = handle.bytes(ordinal)
      return readText(memory.buffer, address, byteLength)
    }
    case 'bytea': {
      const { address, byteLength } = handle.bytes(ordinal)
      return copyBytes(memory, address, byteLength)
    }
  }
}

/** Bytes as a caller may keep them: not shared, not in linear memory. */
export function copyBytes(memory: LinearMemory, address: number, byteLength: number): Uint8Array {
  const copy = new Uint8Array(byteLength)
  copy.set(memory.u8.subarray(address, address + byteLength))
  return copy
}
