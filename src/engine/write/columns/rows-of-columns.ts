/** Rows given by column, and the same rows one by one. */
import type { EngineColumn, EngineColumns, EngineRow, EngineValue } from '../../engine.ts'

/** The value of a row of a column. */
export function columnValue({ values, nulls }: EngineColumn, row: number): EngineValue {
  return nulls !== undefined && nulls[row] === 1 ? null : values[row]!
}

/** Each row by ordinal, the hidden key left out. */
export function rowsOfColumns({ rowCount, columns }: EngineColumns): readonly EngineRow[] {
  return Array.from({ length: rowCount }, (_, row) => columns.map((column) => rowValue(column, row)))
}

function rowValue(column: EngineColumn, row: number): EngineValue {
  const value = columnValue(column, row)
  return column.fromText === true && typeof value === 'string' ? Buffer.from(value) : value
}
