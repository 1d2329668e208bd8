/** Records as rows by column, checked one by one, so that every error has its line. */
import { checkValue } from '../../engine/check-value.ts'
import type { Engine, EngineColumns, EngineRow, EngineValue } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { CsvRecords } from '../../engine/write/columns/row-collector.ts'
import { columnValue, sliceColumns } from '../../engine/write/columns/rows-of-columns.ts'
import { LsmtError } from '../../errors.ts'
import { columnDefault } from '../bind/column-default.ts'
import { cellReader } from './cell-value.ts'
import type { ReadCell, SourceFormat } from './cell-value.ts'
import type { LineError, SourceRecord } from './source-record.ts'

/** Rows that are written together. */
export interface RowBatch {
  readonly columns: EngineColumns
  /** By row: the line it came from. */
  readonly lines: Uint32Array
}

export interface BatchBuilder {
  readonly rowCount: number
  /** Adds a record as a row, or says what is wrong with it. */
  add(record: SourceRecord): LineError | undefined
  /** As `RowCollector.addCsv`: what is right and in a usual form. */
  addCsv(text: Uint8Array, delimiter: number, line: number): CsvRecords | undefined
  /** The rows so far; it is empty again. */
  take(): RowBatch
}

/** `targets`: the ordinals that cells stand for, by position. `nowMicros`: what `now()` is in defaults. 23502 when no row could be one. */
export function createBatchBuilder(engine: Pick<Engine, 'collectRows'>, table: TableSchema, targets: readonly number[], format: SourceFormat, nowMicros: number): BatchBuilder {
  const first = table.hiddenKey ? 1 : 0
  const defaults = table.columns.map((column) => defaultValue(column, nowMicros))
  for (let ordinal = first; ordinal < defaults.length; ordinal++) if (!targets.includes(ordinal)) checkValue(table, table.columns[ordinal]!, defaults[ordinal]!)
  const readers = targets.map((ordinal) => cellReader(table, table.columns[ordinal]!, format))
  const row: EngineValue[] = defaults.slice(first)
  const collector = engine.collectRows(table, { targets, defaults })

  /** Reads the record into `row`. */
  function readCells({ cells }: SourceRecord, at: { place: number }): void {
    for (; at.place < targets.length; at.place++) {
      const ordinal = targets[at.place]!
      const cell = cells[at.place]
      row[ordinal - first] = cell === undefined ? checkedDefault(readers[at.place]!, defaults[ordinal]!) : readers[at.place]!(cell)
    }
  }

  return {
    get rowCount() {
      return collector.rowCount
    },
    add(record) {
      const { line, problem, column, cells } = record
      if (problem !== undefined) return { line, ...(column !== undefined && { column }), code: column === undefined ? '22P02' : '42703', reason: problem }
      if (cells.length !== targets.length) return { line, code: '22P02', reason: `the line has ${cells.length} values for ${targets.length} columns` }
      const at = { place: 0 }
      try {
        readCells(record, at)
      } catch (error) {
        if (!(error instanceof LsmtError)) throw error
        return { line, column: table.columns[targets[at.place]!]!.name, code: error.code, reason: error.message }
      }
      collector.add(row, line)
      return undefined
    },
    addCsv: collector.addCsv,
    take: collector.take,
  }
}

/** A default of NULL may be one that the column does not take. */
function checkedDefault(read: ReadCell, value: EngineValue): EngineValue {
  return value === null ? read(null) : value
}

function defaultValue(column: TableSchema['columns'][number], nowMicros: number): EngineValue {
  if (column.dropped === true) return null
  const found = columnDefault(column)
  return found.kind === 'clock' ? found.valueAt(nowMicros) : found.value
}

/** The rows of a batch that `keep` is true of, by index. */
export function selectRows({ columns: { columns }, lines }: RowBatch, keep: readonly boolean[]): RowBatch {
  const chosen = keep.flatMap((isKept, index) => (isKept ? [index] : []))
  return {
    columns: { rowCount: chosen.length, columns: columns.map((column) => ({ values: chosen.map((index) => columnValue(column, index)) })) },
    lines: Uint32Array.from(chosen, (index) => lines[index]!),
  }
}

/** The rows from one index up to another. */
export function sliceRows(batch: RowBatch, from: number, to = batch.lines.length): RowBatch {
  return { columns: sliceColumns(batch.columns, from, to), lines: batch.lines.subarray(from, to) }
}

/** The key of each row. */
export function keysOf(table: TableSchema, { columns: { columns, rowCount } }: RowBatch): readonly EngineRow[] {
  return Array.from({ length: rowCount }, (_, index) => table.primaryKey.map((ordinal) => columnValue(columns[ordinal]!, index)))
}
