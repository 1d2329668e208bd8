/** Aggregates and what they came to, between nodes. Never change these numbers: another layout is another version of the handshake. */
import type { GroupWork } from '../../../lsm/groups/group-rows.ts'
import type { PhysicalKind, PhysicalValue } from '../../../lsm/layout.ts'
import type { AggregateFunction, AggregatePartial, AggregateRequest, GroupedAggregateRequest } from '../../../lsm/tree.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { violation } from '../../transport/frame/frame.ts'
import { columnKind } from './check-expression.ts'
import { itemsMax } from './scan-requests.ts'
import { readList, readName, readValueOf, writeList, writeValue } from './values.ts'

const functionNumbers = { count: 1, min: 2, max: 3, sum: 4 } as const satisfies Record<AggregateFunction, number>
const partialNumbers = { count: 1, extreme: 2, sumI64: 3, sumF64: 4 } as const satisfies Record<AggregatePartial['kind'], number>

/** Ordinals are counted from 1; 0 is none. */
export function writeAggregates(writer: ByteWriter, aggregates: readonly GroupedAggregateRequest[]): void {
  writeList(writer, aggregates, ({ function: name, ordinal, distinct }) => {
    writer.u8(functionNumbers[name])
    writer.count(ordinal === undefined ? 0 : ordinal + 1)
    writer.flag(distinct === true)
  })
}

/** `kinds`: of what the scan may name. 40001 for a column that is not there. */
export function readAggregates(reader: ByteReader, kinds: readonly PhysicalKind[]): readonly GroupedAggregateRequest[] {
  return readList(reader, 'aggregates', itemsMax, () => {
    const name = readName(reader, 'an aggregate', functionNumbers)
    const place = reader.count('column of an aggregate', itemsMax), isDistinct = reader.flag('distinct')
    const kind = place === 0 ? undefined : columnKind(kinds, place - 1)
    if (kind === undefined ? name !== 'count' || isDistinct : name === 'sum' && kind === 'bytes') throw violation(`an aggregate ${name} over ${kind ?? 'rows'}`)
    return { function: name, ...(place > 0 && { ordinal: place - 1 }), ...(isDistinct && { distinct: true as const }) }
  })
}

export function writeGroupQuestion(writer: ByteWriter, { groupBy, aggregates }: Omit<GroupWork, 'columns'>): void {
  writeList(writer, groupBy, writer.count)
  writeAggregates(writer, aggregates)
}

export function readGroupQuestion(reader: ByteReader, kinds: readonly PhysicalKind[]): Omit<GroupWork, 'columns'> {
  const groupBy = readList(reader, 'keys', itemsMax, () => {
    const ordinal = reader.count('a key', itemsMax)
    columnKind(kinds, ordinal)
    return ordinal
  })
  return { groupBy, aggregates: readAggregates(reader, kinds) }
}

export function writePartials(writer: ByteWriter, partials: readonly AggregatePartial[]): void {
  writeList(writer, partials, (partial) => {
    writer.u8(partialNumbers[partial.kind])
    switch (partial.kind) {
      case 'count':
        return writer.count(partial.count)
      case 'extreme':
        return writeValue(writer, partial.value ?? null)
      case 'sumI64':
        writer.count(partial.count)
        writer.i64(BigInt.asIntN(64, partial.sum))
        return writer.i64(partial.sum >> 64n)
      case 'sumF64':
        writer.count(partial.count)
        writer.f64(partial.high)
        return writer.f64(partial.low)
    }
  })
}

/** One for each aggregate, of the kind that its column asks for; bytes are copied out of what was received. */
export function readPartials(reader: ByteReader, kinds: readonly PhysicalKind[], aggregates: readonly AggregateRequest[]): readonly AggregatePartial[] {
  const partials = readList(reader, 'partials', aggregates.length, (index) => readPartial(reader, kinds, aggregates[index]!))
  if (partials.length < aggregates.length) throw reader.wrong('partials', `${aggregates.length}`, partials.length)
  return partials
}

function readPartial(reader: ByteReader, kinds: readonly PhysicalKind[], { function: name, ordinal }: AggregateRequest): AggregatePartial {
  const kind = readName(reader, 'kind of a partial', partialNumbers)
  const column = ordinal === undefined ? undefined : kinds[ordinal]
  const expected = name === 'count' ? 'count' : name === 'sum' ? (column === 'f64' ? 'sumF64' : 'sumI64') : 'extreme'
  if (kind !== expected) throw reader.wrong('kind of a partial', expected, kind)
  if (expected === 'count') return { kind: 'count', count: reader.count('a count') }
  if (name === 'min' || name === 'max') return { kind: 'extreme', function: name, value: kept(readValueOf(reader, 'an extreme', column)) }
  const count = reader.count('a count')
  if (expected === 'sumF64') return { kind: 'sumF64', count, high: reader.double('a sum'), low: reader.double('low part of a sum') }
  const low = BigInt.asUintN(64, reader.i64('a sum'))
  return { kind: 'sumI64', count, sum: (reader.i64('high part of a sum') << 64n) | low }
}

const kept = (value: PhysicalValue | null): PhysicalValue | undefined => (value instanceof Uint8Array ? Uint8Array.from(value) : (value ?? undefined))
