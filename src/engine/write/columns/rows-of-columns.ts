/** Rows given by column, and the same rows one by one. */
import { canonicalInteger } from '../../check-value.ts'
import type { EngineColumn, EngineColumns, EngineRow, EngineValue } from '../../engine.ts'
import type { PackedTexts } from './row-collector.ts'

/** The value of a row of a column. */
export function columnValue({ values, nulls }: EngineColumn, row: number): EngineValue {
  if (nulls !== undefined && nulls[row] === 1) return null
  if (isPacked(values)) return packedValue(values, row)
  const value = values[row]!
  return typeof value === 'bigint' ? canonicalInteger(value) : value
}

export function isPacked(values: EngineColumn['values']): values is PackedTexts {
  return 'isText' in values
}

/** The rows from one up to another; numbers and packed texts are not copied. */
export function sliceColumns({ columns }: EngineColumns, from: number, to: number): EngineColumns {
  return { rowCount: to - from, columns: columns.map((column) => ({ ...column, values: sliceValues(column.values, from, to), ...(column.nulls !== undefined && { nulls: column.nulls.subarray(from, to) }) })) }
}

function sliceValues(values: EngineColumn['values'], from: number, to: number): EngineColumn['values'] {
  if (isPacked(values)) return { ...values, start: from === 0 ? values.start : values.ends[from - 1]!, ends: values.ends.subarray(from, to), length: to - from }
  return Array.isArray(values) ? (values as readonly EngineValue[]).slice(from, to) : (values as BigInt64Array).subarray(from, to)
}

function packedValue({ isText, bytes, start, ends }: PackedTexts, row: number): EngineValue {
  const value = bytes.subarray(row === 0 ? start : ends[row - 1], ends[row])
  return isText ? Buffer.from(value.buffer, value.byteOffset, value.length).toString() : value.slice()
}

/** Each row by ordinal, the hidden key left out. */
export function rowsOfColumns({ rowCount, columns }: EngineColumns): readonly EngineRow[] {
  return Array.from({ length: rowCount }, (_, row) => columns.map((column) => rowValue(column, row)))
}

function rowValue(column: EngineColumn, row: number): EngineValue {
  const value = columnValue(column, row)
  return column.fromText === true && typeof value === 'string' ? Buffer.from(value) : value
}
