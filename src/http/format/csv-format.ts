/**
 * CSV by RFC 4180 with a header, NULL and quotes as PostgreSQL's COPY has them: NULL is nothing at all, the empty text
 * is `""`, and what holds a comma, quote or end of line is quoted. BYTEA is `\x` and hexadecimal digits, so that it can
 * be copied back.
 */
import { formatDecimal } from '../../engine/decimal.ts'
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import type { ColumnType } from '../../engine/schema.ts'
import { formatDate, formatTimestamp } from '../../engine/temporal.ts'
import { TextRows, textChunkSize } from './result-format.ts'
import type { ResultFormat } from './result-format.ts'

type Integer = number | bigint
type CsvEncoder = (value: EngineValue) => string

/** A statement without rows leaves an empty body. */
export const csvFormat: ResultFormat = {
  contentType: 'text/csv; charset=utf-8; header=present',
  takesAll: false,
  chunkSize: textChunkSize,
  begin(columns) {
    const encoders = columns.map(({ type }) => csvEncoder(type))
    const head = columns.length === 0 ? '' : `${columns.map(({ name }) => csvText(name)).join(',')}\r\n`
    return { head, rows: new TextRows((row) => rowCsv(encoders, row)) }
  },
  end: () => '',
}

function rowCsv(encoders: readonly CsvEncoder[], row: EngineRow): string {
  let text = ''
  for (let index = 0; index < encoders.length; index++) {
    const value = row[index]!
    if (index > 0) text += ','
    if (value !== null) text += encoders[index]!(value)
  }
  return `${text}\r\n`
}

function csvEncoder(type: ColumnType): CsvEncoder {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return String
    case 'double':
      return (value) => (Object.is(value, -0) ? '-0' : String(value))
    case 'numeric':
      return (value) => formatDecimal(value as Integer, type.scale)
    case 'timestamp':
      return (value) => formatTimestamp(value as Integer)
    case 'date':
      return (value) => formatDate(value as Integer)
    case 'boolean':
      return (value) => (value === 0 ? 'false' : 'true')
    case 'bytea':
      return (value) => `\\x${hex(value as Uint8Array)}`
    case 'text':
      return (value) => csvText(value as string)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** `\.` alone ends the data of a COPY. */
function csvText(text: string): string {
  return text === '' || text === '\\.' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
