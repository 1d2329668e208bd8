/**
 * What a scan asks for, between nodes. Never change this: another layout is another version of the handshake.
 *
 *   ┌ table │ columns of the table as the asker knows it │ u8 flags │ lower │ upper ┐  bounds where the flags say so
 *   ├ ordinals │ terms: ordinal, u8 comparison, value │ conditions │ computed columns ┤  lists with their numbers
 *
 * Pace and share are the asker's own and stay with it.
 */
import { LsmtError } from '../../../errors.ts'
import { comparison } from '../../../kernel/zone-map.ts'
import type { PhysicalKind, TableLayout } from '../../../lsm/layout.ts'
import type { PredicateTerm, ScanRequest } from '../../../lsm/tree.ts'
import { scanKinds } from '../../../lsm/vector/scan-columns.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { violation } from '../../transport/frame/frame.ts'
import { checkExpression, columnKind } from './check-expression.ts'
import { readExpression, writeExpression } from './expressions.ts'
import { kindOfValue, readList, readName, readValue, writeList, writeValue } from './values.ts'

/** A scan as it came, over a table that may have been changed since it was planned. */
export interface AskedScan {
  readonly request: ScanRequest
  /** How many columns the table had for whoever planned it. */
  readonly columnCount: number
}

const flag = { lower: 1, upper: 2, reverse: 4, startsSmall: 8, withoutKeys: 16 } as const
const flagsAll = 31
const tableIdMax = 0xffff_ffff
/** Of lists of columns, terms, expressions. */
export const itemsMax = 0xffff

export function writeScan(writer: ByteWriter, { columns: known }: TableLayout, request: ScanRequest): void {
  const { tableId, lower, upper, columns, predicate, conditions = [], computed = [] } = request
  writer.count(tableId)
  writer.count(known.length)
  writer.u8(flagsOf(request))
  if (lower !== undefined) writer.sized(lower)
  if (upper !== undefined) writer.sized(upper)
  writeList(writer, columns, writer.count)
  writeList(writer, predicate, (term) => writeTerm(writer, term))
  writeList(writer, conditions, (each) => writeExpression(writer, each))
  writeList(writer, computed, (each) => writeExpression(writer, each))
}

function flagsOf({ lower, upper, reverse, startsSmall, keys }: ScanRequest): number {
  return (lower === undefined ? 0 : flag.lower) | (upper === undefined ? 0 : flag.upper) | (reverse === true ? flag.reverse : 0) | (startsSmall === true ? flag.startsSmall : 0) | (keys === false ? flag.withoutKeys : 0)
}

function writeTerm(writer: ByteWriter, { ordinal, comparison: name, value }: PredicateTerm): void {
  writer.count(ordinal)
  writer.u8(comparison[name])
  writeValue(writer, value ?? null)
}

/** Bounds, constants and patterns are views of what was received. */
export function readScan(reader: ByteReader): AskedScan {
  const tableId = reader.count('table', tableIdMax), columnCount = reader.count('columns of the table', itemsMax)
  const flags = reader.u8('flags')
  if (flags > flagsAll) throw reader.wrong('flags', `at most ${flagsAll}`, flags)
  const bounds = { ...((flags & flag.lower) !== 0 && { lower: reader.sized('lower bound') }), ...((flags & flag.upper) !== 0 && { upper: reader.sized('upper bound') }) }
  const request: ScanRequest = {
    tableId, ...bounds,
    reverse: (flags & flag.reverse) !== 0,
    ...((flags & flag.startsSmall) !== 0 && { startsSmall: true as const }),
    ...((flags & flag.withoutKeys) !== 0 && { keys: false as const }),
    columns: readList(reader, 'columns', itemsMax, () => reader.count('a column', itemsMax)),
    predicate: readList(reader, 'terms', itemsMax, () => readTerm(reader)),
    conditions: readList(reader, 'conditions', itemsMax, () => readExpression(reader)),
    computed: readList(reader, 'computed columns', itemsMax, () => readExpression(reader)),
  }
  return { request, columnCount }
}

function readTerm(reader: ByteReader): PredicateTerm {
  const ordinal = reader.count('column of a term', itemsMax), name = readName(reader, 'comparison of a term', comparison)
  const value = readValue(reader, 'constant of a term')
  if ((value === null) !== (name === 'isNull' || name === 'isNotNull')) throw reader.wrong('constant of a term', `what ${name} takes`, value)
  return value === null ? { ordinal, comparison: name } : { ordinal, comparison: name, value }
}

/** Physical kinds by ordinal of what the scan may name in the table as it is here. 40001 where that is not the table it was planned for. */
export function checkScan({ columns }: TableLayout, { request, columnCount }: AskedScan): readonly PhysicalKind[] {
  const { predicate, conditions = [], computed = [] } = request
  if (columns.length < columnCount || (columns.length > columnCount && computed.length > 0)) throw new LsmtError('40001', `table ${request.tableId} has ${columns.length} columns here, and had ${columnCount} for whoever asks: it was changed meanwhile`)
  for (const { ordinal, value } of predicate) {
    const kind = columnKind(columns, ordinal)
    if (value !== undefined && kindOfValue(value) !== kind) throw violation(`a term compares column ${ordinal} of kind ${kind} with ${kindOfValue(value)}`)
  }
  for (const condition of conditions) if (checkExpression(columns, condition) !== 'boolean') throw violation('a condition that is no truth')
  for (const each of computed) checkExpression(columns, each)
  const kinds = scanKinds(columns, computed)
  for (const ordinal of request.columns) columnKind(kinds, ordinal)
  return kinds
}
