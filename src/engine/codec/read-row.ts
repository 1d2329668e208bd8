/** Engine values out of one found row. A handle is valid only until the next await, so everything is copied out. */
import { cellStates } from '../../kernel/column.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { RowHandle } from '../../lsm/tree.ts'
import type { EngineRow, EngineValue } from '../engine.ts'
import { physicalKind } from '../schema.ts'
import type { ColumnType, TableSchema } from '../schema.ts'
import { readAscii, readText } from './text-bytes.ts'

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

/** The same with the bytes that are wanted as text. */
export function kindsAsText(kinds: readonly ReadKind[], asText: ReadonlySet<number> | undefined): readonly ReadKind[] {
  return asText === undefined ? kinds : kinds.map((kind, ordinal) => (kind === 'bytea' && asText.has(ordinal) ? 'text' : kind))
}

export interface RowReader {
  readonly kinds: readonly ReadKind[]
  /** By ordinal: the column's place in the key, or -1. */
  readonly placeInKey: readonly number[]
}

/** The columns asked for, in the order asked. Columns of the key are taken from `key`, by which the row was found. */
export function readRow(memory: LinearMemory, reader: RowReader, handle: RowHandle, columns: readonly number[], key: EngineRow): EngineRow {
  // Of one column mostly: a list that grows would have room for sixteen.
  if (columns.length === 1) return [readCell(memory, reader, handle, columns[0]!, key)]
  const row: EngineValue[] = []
  for (let i = 0; i < columns.length; i++) row.push(readCell(memory, reader, handle, columns[i]!, key))
  return row
}

function readCell(memory: LinearMemory, { kinds, placeInKey }: RowReader, handle: RowHandle, ordinal: number, key: EngineRow): EngineValue {
  const place = placeInKey[ordinal]!
  return place < 0 ? readValue(memory, kinds[ordinal]!, handle, ordinal) : keyValue(kinds[ordinal]!, key[place]!)
}

/** A key's value as it would be read: bytes are the caller's own, -0 is 0. */
function keyValue(kind: ReadKind, value: EngineValue): EngineValue {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return kind === 'text' ? Buffer.from(value).toString() : Uint8Array.from(value)
  return value === 0 ? 0 : value
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
      const { address, byteLength, isAscii } = handle.bytes(ordinal)
      return isAscii === true ? readAscii(memory.buffer, address, byteLength) : readText(memory.buffer, address, byteLength)
    }
    case 'bytea': {
      const { address, byteLength } = handle.bytes(ordinal)
      return copyBytes(memory, address, byteLength)
    }
  }
}

/** One value that stands in a cell, by what is told of it (`cellStates`). */
export function readCellAt(memory: LinearMemory, kind: ReadKind, cell: Pointer, state: number): EngineValue {
  const { buffer, u32, i32, i64, f64 } = memory
  if (state === cellStates.isNull) return null
  const word = cell >>> 2
  switch (kind) {
    case 'i64': {
      const value = i32[word + 1]! * 0x1_0000_0000 + u32[word]!
      return Number.isSafeInteger(value) ? value : i64[cell >>> 3]!
    }
    case 'f64':
      return f64[cell >>> 3]!
    case 'text':
      return state === cellStates.isAscii ? readAscii(buffer, u32[word]!, u32[word + 1]!) : readText(buffer, u32[word]!, u32[word + 1]!)
    case 'bytea':
      return copyBytes(memory, u32[word]!, u32[word + 1]!)
  }
}

/** Bytes as a caller may keep them: not shared, not in linear memory. */
export function copyBytes(memory: LinearMemory, address: number, byteLength: number): Uint8Array {
  const copy = new Uint8Array(byteLength)
  copy.set(memory.u8.subarray(address, address + byteLength))
  return copy
}
