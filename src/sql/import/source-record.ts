/** One record of what is imported, before its values meet columns, and where it goes. */
import type { CsvRecords } from '../../engine/write/columns/row-collector.ts'
import type { ErrorCode } from '../../errors.ts'
import type { ExactNumber } from '../slot.ts'

/** A value as it stands in the source: CSV has text only. undefined: the column's default. */
export type Cell = null | boolean | number | string | ExactNumber | undefined

export interface SourceRecord {
  /** The line it begins on, from 1. */
  readonly line: number
  /** By position of the columns that the source gives. */
  readonly cells: readonly Cell[]
  /** Why it is none, and in which column of the table if that is known. */
  readonly problem?: string
  readonly column?: string
  /** Nothing after it can be read. */
  readonly isLast?: true
}

/** What was wrong with one record. */
export interface LineError {
  readonly line: number
  readonly column?: string
  readonly code: ErrorCode
  readonly reason: string
}

/** Where rows go as they are read. */
export interface RowSink {
  add(record: SourceRecord): void
  /** As `RowCollector.addCsv`; undefined as well while nothing may be added that way. */
  addCsv(text: Uint8Array, delimiter: number, line: number): CsvRecords | undefined
}
