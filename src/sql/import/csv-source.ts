/**
 * Bytes of CSV to rows. What is right and in a usual form goes from bytes to columns at once (`RowSink.addCsv`); where
 * that stops, the reader of csv-reader.ts reads a little: it knows all forms, and words what is wrong.
 */
import { LsmtError } from '../../errors.ts'
import { isKnownDelimiter } from '../../engine/write/columns/row-collector.ts'
import type { CsvReader } from './csv-reader.ts'
import type { RowSink, SourceRecord } from './source-record.ts'

/** What is read record by record before columns are tried again: more each time that these come no further. */
const slowBytesMin = 1024
const slowBytesMax = 1024 * 1024

export interface CsvSource {
  /** Adds bytes, undefined at the end, and gives what is complete to the sink. 22021 for what is no UTF-8. */
  read(bytes: Uint8Array | undefined, sink: RowSink): void
}

/** `isTaken` is asked for each record that was read by itself: false for a header and for what is to be passed over. */
export function createCsvSource(reader: CsvReader, delimiter: string, isTaken: (record: SourceRecord) => boolean): CsvSource {
  const byte = isKnownDelimiter(delimiter) ? delimiter.charCodeAt(0) : undefined
  let held = Buffer.alloc(0)
  /** Of `held`, what is still to be read. */
  let rest = held
  let bytesBefore = 0
  let slowBytes = slowBytesMin

  /** Brings bytes behind those that are left of the ones before. */
  function append(bytes: Uint8Array): void {
    const restBytes = rest.length, byteLength = restBytes + bytes.length
    const into = byteLength <= held.length ? held : Buffer.allocUnsafeSlow(Math.max(2 * held.length, byteLength))
    rest.copy(into)
    into.set(bytes, restBytes)
    held = into
    rest = held.subarray(0, byteLength)
  }

  function consume(byteLength: number): void {
    rest = rest.subarray(byteLength)
    bytesBefore += byteLength
  }

  /** Whether what follows has to be read record by record. */
  function addColumns(sink: RowSink): boolean {
    const records = byte === undefined ? undefined : sink.addCsv(rest, byte, reader.line)
    if (records === undefined) return true
    if (records.rowCount > 0) slowBytes = slowBytesMin
    reader.line += records.lineEnds
    consume(records.byteLength)
    return !records.isCut
  }

  /** Reads some records; false when there is none before more bytes come. */
  function addRecords(isEnd: boolean, sink: RowSink): boolean {
    for (; ; slowBytes *= 2) {
      const isAll = slowBytes >= rest.length
      const records = readSome(isAll ? rest.length : slowBytes, isEnd && isAll)
      for (const record of records) if (isTaken(record)) sink.add(record)
      if (records.length === 0 && !isAll) continue
      slowBytes = Math.min(2 * slowBytes, slowBytesMax)
      return records.length > 0
    }
  }

  function readSome(byteLength: number, isEnd: boolean): readonly SourceRecord[] {
    const piece = rest.subarray(0, isEnd ? byteLength : wholeCharacters(rest, byteLength))
    const records = reader.read(decoded(piece, bytesBefore), isEnd)
    consume(piece.length - Buffer.byteLength(reader.takeBack()))
    return records
  }

  return {
    read(bytes, sink) {
      const isEnd = bytes === undefined
      if (bytes !== undefined) append(bytes)
      if (bytesBefore === 0) {
        if (!isEnd && rest.length < byteOrderMark.length) return
        if (rest.subarray(0, byteOrderMark.length).equals(byteOrderMark)) consume(byteOrderMark.length)
      }
      while (rest.length > 0 && (addColumns(sink) || isEnd)) if (!addRecords(isEnd, sink)) return
    },
  }
}

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/** The length, or as much less as leaves out a character of which only the beginning is within. */
function wholeCharacters(utf8: Uint8Array, byteLength: number): number {
  for (let back = 1; back <= 3 && back <= byteLength; back++) {
    const byte = utf8[byteLength - back]!
    if ((byte & 0xc0) === 0x80) continue
    const characterBytes = byte >= 0xf8 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return characterBytes > back ? byteLength - back : byteLength
  }
  return byteLength
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Nothing is replaced silently: bytes that are no UTF-8 are named by their place. */
function decoded(bytes: Uint8Array, bytesBefore: number): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new LsmtError('22021', `the source is not valid UTF-8 in or after byte ${bytesBefore}`, { hint: 'convert it first, as iconv does' }, cause)
  }
}
