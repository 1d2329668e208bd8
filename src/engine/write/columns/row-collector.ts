/** Rows on their way in, kept by column with the lines that they came from. */

/** Texts (valid UTF-8) or bytes, one after the other: row i has what stands before its end, the first from `start` on. */
export interface PackedTexts {
  readonly isText: boolean
  readonly bytes: Uint8Array
  readonly start: number
  readonly ends: Uint32Array
  readonly length: number
}

export interface RowCollector<Value, Columns> {
  readonly rowCount: number
  /** Adds a row, the hidden key left out, of values that their columns take. */
  add(row: readonly Value[], line: number): void
  /**
   * Adds the records of CSV at the beginning of `text`, which begins on `line`, up to the first that is wrong or not
   * known here, or goes on behind it. `delimiter` is one byte, of `isKnownDelimiter`. Undefined where no record can be read here.
   */
  addCsv(text: Uint8Array, delimiter: number, line: number): CsvRecords | undefined
  /** The rows so far; it is empty again. */
  take(): CollectedRows<Columns>
}

export interface CsvRecords {
  readonly rowCount: number
  readonly byteLength: number
  readonly lineEnds: number
  /** Of the last one; undefined when there is none. */
  readonly lastLine: number | undefined
  /** What follows may be whole when there is more of it. */
  readonly isCut: boolean
}

export interface CollectedRows<Columns> {
  readonly columns: Columns
  /** By row. */
  readonly lines: Uint32Array
}

/** What numbers consist of would end them too late, and some bytes are only halves of characters. */
export function isKnownDelimiter(delimiter: string): boolean {
  return /^[\t !#$%&'()*,/:;<=>?@[\\\]^_`{|}~]$/.test(delimiter)
}
