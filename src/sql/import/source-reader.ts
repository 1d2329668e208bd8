/** Bytes as they arrive to records, whatever the format; the header of a CSV says which columns it gives. */
import { visibleOrdinals } from '../../engine/schema.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { createCsvReader } from './csv-reader.ts'
import { createCsvSource } from './csv-source.ts'
import { createJsonReader } from './json-reader.ts'
import type { RowSink, SourceRecord } from './source-record.ts'

export interface CsvOptions {
  /** One character; default ','. */
  readonly delimiter?: string
  /** Whether the first line names the columns; without one all of the table's are given, in their order. Default true. */
  readonly header?: boolean
  /** What its values stand for, by name; instead of the names of a header, which is then passed over. */
  readonly columns?: readonly string[]
}

export interface SourceReader {
  /** Adds bytes, undefined at the end, and gives the sink what is complete. 22021 for what is no UTF-8. */
  read(bytes: Uint8Array | undefined, sink: RowSink): void
  /** The ordinals that cells stand for; undefined until a CSV's header was read. */
  readonly targets: readonly number[] | undefined
}

/** Longest record in characters; a row may not take more bytes either. */
const recordLengthMax = 16 * 1024 * 1024

export function createSourceReader(table: TableSchema, format: 'csv' | 'jsonl', csv: CsvOptions = {}): SourceReader {
  return format === 'csv' ? csvSource(table, csv) : jsonSource(table)
}

function jsonSource(table: TableSchema): SourceReader {
  const reader = createJsonReader(table, recordLengthMax)
  const decoder = createTextDecoder()
  return {
    targets: reader.targets,
    read(bytes, sink) {
      for (const record of reader.read(decoder.decode(bytes), bytes === undefined)) sink.add(record)
    },
  }
}

function csvSource(table: TableSchema, { delimiter = ',', header = true, columns }: CsvOptions): SourceReader {
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) throw new LsmtError('22023', 'the delimiter of a CSV is one character, and no quote or end of line')
  const given = columns === undefined ? undefined : namedTargets(table, columns, 'the list of columns')
  let targets = header ? undefined : (given ?? visibleOrdinals(table))
  const source = createCsvSource(createCsvReader(delimiter, recordLengthMax), delimiter, (record) => {
    if (targets === undefined) {
      targets = headerTargets(table, record, given)
      return false
    }
    // An empty line is a null only where a line has one value.
    return targets.length === 1 || record.problem !== undefined || record.cells.length !== 1 || record.cells[0] !== null
  })
  return {
    get targets() {
      return targets
    },
    read: source.read,
  }
}

function headerTargets(table: TableSchema, { cells, problem }: SourceRecord, given: readonly number[] | undefined): readonly number[] {
  if (problem !== undefined) throw new LsmtError('22P02', `the header: ${problem}`)
  return given ?? namedTargets(table, cells, 'the header')
}

function namedTargets(table: TableSchema, names: SourceRecord['cells'], where: string): readonly number[] {
  const visible = visibleOrdinals(table)
  const targets = names.map((name) => {
    const ordinal = visible.find((each) => table.columns[each]!.name === name)
    if (ordinal === undefined) throw new LsmtError('42703', `${where} names column ${JSON.stringify(name ?? '')}, which table "${table.name}" does not have`, { hint: `its columns are ${visible.map((each) => table.columns[each]!.name).join(', ')}` })
    return ordinal
  })
  if (new Set(targets).size < targets.length) throw new LsmtError('42701', `${where} names a column twice`)
  return targets
}

interface BytesDecoder {
  decode(bytes: Uint8Array | undefined): string
}

/** Nothing is replaced silently: bytes that are no UTF-8 are named by their place. A byte order mark is dropped. */
function createTextDecoder(): BytesDecoder {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let bytesBefore = 0
  return {
    decode(bytes) {
      try {
        const text = decoder.decode(bytes, { stream: bytes !== undefined })
        bytesBefore += bytes?.length ?? 0
        return text
      } catch (cause) {
        throw new LsmtError('22021', `the source is not valid UTF-8 in or after byte ${bytesBefore}`, { hint: 'convert it first, as iconv does' }, cause)
      }
    },
  }
}
