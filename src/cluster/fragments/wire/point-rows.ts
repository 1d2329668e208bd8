/**
 * Point reads between nodes. Never change this: another layout is another version of the handshake.
 *
 *   question  │ view │ table │ columns of the table as the asker knows it │ keys
 *   answer    │ sequence that it shows │ u8 0 absent, 1 there, 2 too large for an answer: ask for a stream │ columns, values by ordinal
 *
 * The row of one key is an answer, those of several are a stream: the sequence, then rows in the order of the keys, perhaps
 * without the last.
 */
import type { PhysicalKind, PhysicalValue } from '../../../lsm/layout.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { itemsMax } from './scan-requests.ts'
import { readList, readName, readValueOf, writeList, writeValue } from './values.ts'

/** What follows the view. */
export interface RowsQuestion {
  readonly tableId: number
  readonly columnCount: number
  readonly keys: readonly Uint8Array[]
}

/** Values by ordinal. */
export type PointRow = readonly (PhysicalValue | null)[]

/** How many keys one question has at most. */
export const keysMax = 65_536

const found = { absent: 0, there: 1, tooLarge: 2 } as const
const tableIdMax = 0xffff_ffff

export function writeRowsQuestion(writer: ByteWriter, { tableId, columnCount, keys }: RowsQuestion): void {
  writer.count(tableId)
  writer.count(columnCount)
  writeList(writer, keys, writer.sized)
}

export function readRowsQuestion(reader: ByteReader): RowsQuestion {
  const tableId = reader.count('table', tableIdMax), columnCount = reader.count('columns of the table', itemsMax)
  const keys = readList(reader, 'keys', keysMax, () => reader.sized('a key'))
  if (keys.length === 0) throw reader.wrong('keys', 'some', 'none')
  reader.end()
  return { tableId, columnCount, keys }
}

export function writePointRow(writer: ByteWriter, row: PointRow | undefined): void {
  writer.u8(row === undefined ? found.absent : found.there)
  if (row !== undefined) writeList(writer, row, (value) => writeValue(writer, value))
}

export const writeTooLarge = (writer: ByteWriter): void => writer.u8(found.tooLarge)

/** Bytes are views of what was received. A row may have more columns than the asker knows of. */
export function readPointRow(reader: ByteReader, kinds: readonly PhysicalKind[]): PointRow | undefined | 'tooLarge' {
  const name = readName(reader, 'what was found', found)
  if (name !== 'there') return name === 'absent' ? undefined : 'tooLarge'
  const row = readList(reader, 'values', itemsMax, (ordinal) => readValueOf(reader, `column ${ordinal}`, kinds[ordinal]))
  if (row.length < kinds.length) throw reader.wrong('values', `at least ${kinds.length}`, row.length)
  return row
}
