/**
 * Values of a source as what columns store. Text takes the column's type by the rules of SQL's literals (assign.ts), with
 * short ways for what most columns of most files hold; JSON's bytes are base64, as answers have them.
 */
import { canonicalInteger, checkValue } from '../../engine/check-value.ts'
import type { EngineValue } from '../../engine/engine.ts'
import { typeName } from '../../engine/schema.ts'
import type { ColumnSchema, TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { slotKind } from '../slot.ts'
import { assignTo } from '../value/assign.ts'
import type { Assign } from '../value/assign.ts'
import type { Cell } from './source-record.ts'

export type SourceFormat = 'csv' | 'jsonl'
export type ReadCell = (cell: Exclude<Cell, undefined>) => EngineValue

/** How cells of a column are read. 22P02, 42804, 22003, 22001 and 23502 as an INSERT of the value would say. */
export function cellReader(table: TableSchema, column: ColumnSchema, format: SourceFormat): ReadCell {
  const assign = assignTo(column)
  const read = textReader(column, format, assign)
  return (cell) => checkValue(table, column, typeof cell === 'string' ? read(cell) : cell === null ? null : plainValue(assign, cell))
}

function plainValue(assign: Assign, cell: Exclude<Cell, undefined | null | string>): EngineValue {
  if (typeof cell === 'boolean') return assign(slotKind.boolean, cell)
  if (typeof cell !== 'number') return assign(slotKind.digits, cell.digits)
  return assign(Number.isSafeInteger(cell) ? slotKind.integer : slotKind.double, cell)
}

function textReader({ type }: ColumnSchema, format: SourceFormat, assign: Assign): (text: string) => EngineValue {
  const assigned = (text: string): EngineValue => assign(slotKind.text, text)
  switch (type.kind) {
    case 'text':
      return (text) => text
    case 'smallint':
    case 'integer':
    case 'bigint':
      return (text) => shortDecimal(text, 0) ?? assigned(text)
    case 'numeric':
      return (text) => shortDecimal(text, type.scale) ?? canonical(assigned(text))
    case 'bytea':
      return format === 'csv' ? assigned : (text) => base64Bytes(text, typeName(type))
    case 'double':
    case 'boolean':
    case 'timestamp':
    case 'date':
      return assigned
  }
}

function canonical(value: EngineValue): EngineValue {
  return typeof value === 'bigint' ? canonicalInteger(value) : value
}

/** Powers that keep what is short enough exact. */
const powers = Array.from({ length: 19 }, (_, exponent) => 10 ** exponent)
const shortDigitsMax = 15

/** The unscaled integer of a plain decimal whose digits fit a JavaScript number; undefined for all else. */
function shortDecimal(text: string, scale: number): number | undefined {
  const { length } = text
  const from = text.charCodeAt(0) === 0x2d ? 1 : 0
  if (length === from || length > shortDigitsMax) return undefined
  let value = 0
  let point = -1
  for (let at = from; at < length; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit >= 0 && digit <= 9) value = value * 10 + digit
    else if (digit === -2 && point < 0) point = at
    else return undefined
  }
  const missing = point < 0 ? scale : scale - (length - 1 - point)
  const digits = length - from - (point < 0 ? 0 : 1)
  if (missing < 0 || digits === 0 || digits + missing > shortDigitsMax || (point >= 0 && scale === 0)) return undefined
  const unscaled = value * powers[missing]!
  return from === 1 && unscaled !== 0 ? -unscaled : unscaled
}

function base64Bytes(text: string, type: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) throw new LsmtError('22P02', `"${text.slice(0, 40)}" is not base64, as which JSON holds ${type}`)
  return new Uint8Array(bytes)
}
