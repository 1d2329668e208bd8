/**
 * The first rows of an order, between nodes. Never change this: another layout is another version of the handshake.
 *
 *   question  │ keys: ordinal, flag descending, flag nulls first │ other ordinals │ limit
 *   answer    │ rows: values of the keys, then of the others
 */
import type { PhysicalKind, PhysicalValue } from '../../../lsm/layout.ts'
import type { RankValue } from '../../../lsm/top/rank.ts'
import type { TopKey, TopRows } from '../../../lsm/top/top-rows.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { columnKind } from './check-expression.ts'
import { itemsMax } from './scan-requests.ts'
import { readList, readValueOf, writeList, writeValue } from './values.ts'

export type TopQuestion = Pick<TopRows, 'keys' | 'others' | 'limit'>

export function writeTopQuestion(writer: ByteWriter, { keys, others, limit }: TopQuestion): void {
  writeList(writer, keys, ({ ordinal, descending, nullsFirst }) => {
    writer.count(ordinal)
    writer.flag(descending)
    writer.flag(nullsFirst)
  })
  writeList(writer, others, writer.count)
  writer.count(limit)
}

/** `columns`: of the table; trees do not order by computed ones. 40001 for a column that is not there. */
export function readTopQuestion(reader: ByteReader, columns: readonly PhysicalKind[]): TopQuestion {
  const ordinalOf = (field: string): number => {
    const ordinal = reader.count(field, itemsMax)
    columnKind(columns, ordinal)
    return ordinal
  }
  const keys = readList(reader, 'keys', itemsMax, (): TopKey => ({ ordinal: ordinalOf('a key'), descending: reader.flag('descending'), nullsFirst: reader.flag('nulls first') }))
  if (keys.length === 0) throw reader.wrong('keys', 'some', 'none')
  const others = readList(reader, 'other columns', itemsMax, () => ordinalOf('a column')), limit = reader.count('limit')
  if (limit === 0) throw reader.wrong('limit', 'at least 1', 0)
  return { keys, others, limit }
}

/** `kinds`: of the row's values. */
export function writeRankedRow(writer: ByteWriter, kinds: readonly PhysicalKind[], row: readonly RankValue[]): void {
  row.forEach((value, i) => writeValue(writer, kinds[i] === 'i64' && typeof value === 'number' ? BigInt(value) : value))
}

/** Bytes are copied out of what was received. */
export function readRankedRow(reader: ByteReader, kinds: readonly PhysicalKind[]): readonly RankValue[] {
  return kinds.map((kind, i) => rankValueOf(readValueOf(reader, `value ${i} of a row`, kind)))
}

function rankValueOf(value: PhysicalValue | null): RankValue {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}
