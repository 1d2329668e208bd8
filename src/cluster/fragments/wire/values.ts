/**
 * Values of columns between nodes: every bit of them survives. Never change these numbers: another layout is another
 * version of the handshake.
 *
 *   u8 kind: 0 null │ 1 then i64 │ 2 then f64 │ 3 then length and bytes
 */
import type { PhysicalKind, PhysicalValue } from '../../../lsm/layout.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'

export const kindNumbers = { i64: 1, f64: 2, bytes: 3 } as const satisfies Record<PhysicalKind, number>
const nullNumber = 0

export function writeValue(writer: ByteWriter, value: PhysicalValue | null): void {
  if (value === null) writer.u8(nullNumber)
  else if (typeof value === 'bigint') {
    writer.u8(kindNumbers.i64)
    writer.i64(value)
  } else if (typeof value === 'number') {
    writer.u8(kindNumbers.f64)
    writer.f64(value)
  } else {
    writer.u8(kindNumbers.bytes)
    writer.sized(value)
  }
}

/** Bytes are a view of what was received. */
export function readValue(reader: ByteReader, field: string): PhysicalValue | null {
  const kind = reader.u8(field)
  switch (kind) {
    case nullNumber:
      return null
    case kindNumbers.i64:
      return reader.i64(field)
    case kindNumbers.f64:
      return reader.double(field)
    case kindNumbers.bytes:
      return reader.sized(field)
    default:
      throw reader.wrong(field, `a value of kind 0 to ${kindNumbers.bytes}`, kind)
  }
}

/** A value that is of the column's kind, if it is known, or null. */
export function readValueOf(reader: ByteReader, field: string, kind: PhysicalKind | undefined): PhysicalValue | null {
  const value = readValue(reader, field)
  if (value !== null && kind !== undefined && kindOfValue(value) !== kind) throw reader.wrong(field, kind, kindOfValue(value))
  return value
}

export function kindOfValue(value: PhysicalValue): PhysicalKind {
  if (typeof value === 'bigint') return 'i64'
  return typeof value === 'number' ? 'f64' : 'bytes'
}

/** Items with their number before them. */
export function writeList<Item>(writer: ByteWriter, items: readonly Item[], write: (item: Item) => void): void {
  writer.count(items.length)
  for (const item of items) write(item)
}

/** At most `max`; each item takes a byte at least, so that a number alone makes no long list. */
export function readList<Item>(reader: ByteReader, field: string, max: number, read: (index: number) => Item): readonly Item[] {
  const items: Item[] = []
  for (let left = reader.count(`how many ${field}`, max); left > 0; left--) items.push(read(items.length))
  return items
}

/** One of a closed set of names, by its number. */
export function readName<Name extends string>(reader: ByteReader, field: string, numbers: Readonly<Record<Name, number>>): Name {
  const number = reader.u8(field)
  for (const name in numbers) if (numbers[name] === number) return name
  throw reader.wrong(field, `one of ${Object.keys(numbers).join(', ')}`, number)
}
