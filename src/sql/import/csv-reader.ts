/**
 * CSV by RFC 4180 as it arrives: records with the line they begin on, NULL (nothing at all) told apart from the empty
 * text (`""`), as PostgreSQL's COPY has it. `csv-parse` is what the tests compare with; here it would take ten to a
 * hundred times as long, since it tells quoted fields only to a callback for each (figures in ARCHITECTURE.md).
 */
import type { SourceRecord } from './source-record.ts'

export interface CsvReader {
  /** Adds text; returns the records that are complete. A record that is none says so in its `problem`. */
  read(text: string, isEnd: boolean): SourceRecord[]
  /** What was read and belongs to no record yet; it is forgotten here, for others to go on with. */
  takeBack(): string
  /** The line that comes next. */
  line: number
}

const quote = 0x22, lineFeed = 0x0a, carriageReturn = 0x0d

/** `delimiter` is one character; a record that goes on for more than `recordLengthMax` characters is given up. */
export function createCsvReader(delimiter: string, recordLengthMax: number): CsvReader {
  let tail = ''
  const reader: CsvReader = {
    line: 1,
    takeBack() {
      const given = tail
      tail = ''
      return given
    },
    read(more, isEnd) {
      const scan: Scan = { text: tail === '' ? more : tail + more, isEnd, delimiter: delimiter.charCodeAt(0), at: 0, line: reader.line }
      const records: SourceRecord[] = []
      for (let record = nextRecord(scan); record !== undefined; record = nextRecord(scan)) records.push(record)
      tail = scan.text.slice(scan.at)
      reader.line = scan.line
      if (tail.length > recordLengthMax) {
        records.push({ line: scan.line, cells: [], problem: `a record of more than ${recordLengthMax} characters: is a quote not closed?`, isLast: true })
        tail = ''
      }
      return records
    },
  }
  return reader
}

interface Scan {
  readonly text: string
  /** Nothing follows `text`. */
  readonly isEnd: boolean
  readonly delimiter: number
  /** Where the next record begins, and on which line. */
  at: number
  line: number
}

/** undefined when the text ends before the record does. */
function nextRecord(scan: Scan): SourceRecord | undefined {
  const { text, isEnd, delimiter } = scan
  if (scan.at === text.length) return undefined
  const cells: (string | null)[] = []
  let at = scan.at
  let hasQuotes = false
  for (;;) {
    const isQuoted = text.charCodeAt(at) === quote
    hasQuotes ||= isQuoted
    const end = isQuoted ? quotedEnd(text, at, isEnd) : plainEnd(text, at, delimiter)
    if (end < 0) return isEnd ? broken(scan, text.length, `column ${cells.length + 1}: a quote is not closed`) : undefined
    if (end === text.length && !isEnd) return undefined
    cells.push(cellOf(text, at, end))
    const after = text.charCodeAt(end)
    if (after === delimiter) {
      at = end + 1
      // A delimiter at the very end is followed by one more field, which is empty.
      if (at === text.length && !isEnd) return undefined
      continue
    }
    if (end < text.length && after !== lineFeed && after !== carriageReturn) return misquoted(scan, end, `column ${cells.length}: ${isQuoted ? 'text after the closing quote' : 'a quote within an unquoted value'}`)
    const next = afterLineEnd(text, end, isEnd)
    if (next === undefined) return undefined
    return finished(scan, next, cells, hasQuotes)
  }
}

function cellOf(text: string, from: number, end: number): string | null {
  if (from === end) return null
  if (text.charCodeAt(from) !== quote) return text.slice(from, end)
  const inner = text.slice(from + 1, end - 1)
  return inner.includes('"') ? inner.replaceAll('""', '"') : inner
}

/** The index after the closing quote; -1 when there is none. */
function quotedEnd(text: string, from: number, isEnd: boolean): number {
  for (let at = from + 1; ; ) {
    const found = text.indexOf('"', at)
    if (found < 0) return -1
    if (found + 1 === text.length) return isEnd ? found + 1 : -1
    if (text.charCodeAt(found + 1) !== quote) return found + 1
    at = found + 2
  }
}

/** The index of what ends an unquoted value, be it a quote that may not stand there. */
function plainEnd(text: string, from: number, delimiter: number): number {
  let at = from
  for (; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === delimiter || unit === lineFeed || unit === carriageReturn || unit === quote) break
  }
  return at
}

/** Lines end with LF, CR LF or CR. undefined when it takes more text to know. */
function afterLineEnd(text: string, end: number, isEnd: boolean): number | undefined {
  if (end === text.length) return end
  if (text.charCodeAt(end) === lineFeed) return end + 1
  if (end + 1 === text.length && !isEnd) return undefined
  return text.charCodeAt(end + 1) === lineFeed ? end + 2 : end + 1
}

function finished(scan: Scan, next: number, cells: readonly (string | null)[], hasQuotes: boolean): SourceRecord {
  const { line } = scan
  scan.at = next
  // Only quoted values hold line ends.
  scan.line += hasQuotes ? 1 + innerLines(cells) : 1
  return { line, cells }
}

function innerLines(cells: readonly (string | null)[]): number {
  let count = 0
  for (const cell of cells) {
    if (cell === null || !/[\r\n]/.test(cell)) continue
    count += cell.split(/\r\n|\r|\n/).length - 1
  }
  return count
}

/** Reading goes on with the line after the one where the record went wrong. */
function misquoted(scan: Scan, at: number, problem: string): SourceRecord | undefined {
  const end = scan.text.indexOf('\n', at)
  if (end < 0 && !scan.isEnd) return undefined
  return broken(scan, end < 0 ? scan.text.length : end + 1, problem)
}

function broken(scan: Scan, next: number, problem: string): SourceRecord {
  const { line } = scan
  scan.line += scan.text.slice(scan.at, next).split('\n').length - 1
  scan.at = next
  return { line, cells: [], problem }
}
