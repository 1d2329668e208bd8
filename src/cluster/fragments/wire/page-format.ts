/**
 * Rows of a page between nodes: the selected ones, by column. Little-endian; never change this: another layout is another
 * version of the handshake.
 *
 *   ┌ rows │ flag: with keys ┐
 *   ├ of each column that was asked for, in that order: u8 kind │ flag: with nulls │ bytes of text ┤  the latter of kind bytes
 *   ├ bytes of the keys, if there are keys ┤
 *   ├ of each column: nulls, ceil(rows / 8) bytes, bit = 1 means null │ values, 8 bytes a row, or u32 lengths, then the text ┤
 *   └ u32 lengths of the keys, then their bytes ┘
 *
 * The sections after the heads are as long as these say, so that one look tells whether a page is whole.
 */
import type { PhysicalKind } from '../../../lsm/layout.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { kindNumbers, readName } from './values.ts'

export interface PageHead {
  readonly rowCount: number
  readonly columns: readonly ColumnHead[]
  /** Undefined: without keys. */
  readonly keyBytes: number | undefined
}

export interface ColumnHead {
  readonly kind: PhysicalKind
  readonly hasNulls: boolean
  /** Of kind bytes; otherwise 0. */
  readonly textBytes: number
}

/** Rows in a page at most. */
export const pageRowsMax = 4096

export const nullsBytes = (rowCount: number): number => (rowCount + 7) >>> 3

/** Of a column's section. */
export function columnBytes({ kind, hasNulls, textBytes }: ColumnHead, rowCount: number): number {
  return (hasNulls ? nullsBytes(rowCount) : 0) + (kind === 'bytes' ? 4 * rowCount + textBytes : 8 * rowCount)
}

export const keySectionBytes = ({ rowCount, keyBytes }: PageHead): number => (keyBytes === undefined ? 0 : 4 * rowCount + keyBytes)

export function writePageHead(writer: ByteWriter, { rowCount, columns, keyBytes }: PageHead): void {
  writer.count(rowCount)
  writer.flag(keyBytes !== undefined)
  for (const column of columns) writeColumnHead(writer, column)
  if (keyBytes !== undefined) writer.count(keyBytes)
}

/** `kinds`: of the columns that were asked for; `hasKeys`: whether keys were. Sections follow; that they are all there has been checked. */
export function readPageHead(reader: ByteReader, kinds: readonly PhysicalKind[], hasKeys: boolean): PageHead {
  const rowCount = reader.count('rows', pageRowsMax)
  if (rowCount === 0) throw reader.wrong('rows', 'some', 0)
  if (reader.flag('with keys') !== hasKeys) throw reader.wrong('with keys', String(hasKeys), !hasKeys)
  const columns = kinds.map((kind, index) => readColumnHead(reader, `column ${index}`, kind))
  return { rowCount, columns, keyBytes: hasKeys ? reader.count('bytes of the keys') : undefined }
}

export function writeColumnHead(writer: ByteWriter, { kind, hasNulls, textBytes }: ColumnHead): void {
  writer.u8(kindNumbers[kind])
  writer.flag(hasNulls)
  if (kind === 'bytes') writer.count(textBytes)
}

export function readColumnHead(reader: ByteReader, field: string, expected: PhysicalKind): ColumnHead {
  const kind = readName(reader, `kind of ${field}`, kindNumbers)
  if (kind !== expected) throw reader.wrong(`kind of ${field}`, expected, kind)
  return { kind, hasNulls: reader.flag('with nulls'), textBytes: kind === 'bytes' ? reader.count('bytes of text') : 0 }
}
