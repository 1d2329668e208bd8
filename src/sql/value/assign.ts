/**
 * Values on their way into a column, by PostgreSQL's assignment rules: a text literal or parameter takes the column's
 * type (22P02 when it does not read as one), numbers go to numeric columns (rounded half away from zero to what the
 * column holds), and nothing else is cast (42804). Lengths, narrow integer ranges and NOT NULL are the engine's checks.
 */
import { LsmtError } from '../../errors.ts'
import { parseDecimal, roundDecimal } from '../../engine/decimal.ts'
import type { EngineValue } from '../../engine/engine.ts'
import { typeName } from '../../engine/schema.ts'
import type { ColumnSchema, ColumnType } from '../../engine/schema.ts'
import { parseDate, parseTimestamp } from '../../engine/temporal.ts'
import { excerpt, hexBytes } from '../scan/literal.ts'
import { slotKind } from '../slot.ts'
import type { SlotValue, SqlValue } from '../slot.ts'

/** From a slot's kind and value to what the column stores. */
export type Assign = (kind: number, value: SlotValue) => EngineValue

/** How values are assigned to a column; chosen once per plan. */
export function assignTo(column: ColumnSchema): Assign {
  const { type } = column
  const convert = converter(type)
  return (kind, value) => {
    if (kind === slotKind.null) return null
    const converted = convert(kind, value)
    if (converted === undefined) throw new LsmtError('42804', `column "${column.name}" is of type ${typeName(type)} but the value is ${describeKind(kind)}`, kind === slotKind.text ? {} : { hint: castHint(type) })
    return converted
  }
}

function castHint(type: ColumnType): string {
  return type.kind === 'text' || type.kind === 'timestamp' || type.kind === 'date' ? 'write the value as a text in single quotes' : 'there is no silent cast between types'
}

/** Undefined stands for a kind of value that the type does not take. */
type Convert = (kind: number, value: SlotValue) => EngineValue | undefined

function converter(type: ColumnType): Convert {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return (kind, value) => (kind === slotKind.integer ? (value as number) : toInteger(type, kind, value))
    case 'numeric':
      return (kind, value) => toNumeric(type, type.scale, kind, value)
    case 'double':
      return (kind, value) => (kind === slotKind.integer ? (value as number) : toDouble(type, kind, value))
    case 'text':
      return (kind, value) => (kind === slotKind.text ? (value as string) : undefined)
    case 'boolean':
      return (kind, value) => toBoolean(type, kind, value)
    case 'timestamp':
      return (kind, value) => toTimestamp(type, kind, value)
    case 'date':
      return (kind, value) => toDate(type, kind, value)
    case 'bytea':
      return toBytes
  }
}

const bigintMin = -(2n ** 63n)
const bigintMax = 2n ** 63n - 1n

/** A number when it is safe, otherwise a bigint; 22003 beyond 64 bits. */
export function storedInteger(type: ColumnType, value: bigint): number | bigint {
  if (value < bigintMin || value > bigintMax) throw new LsmtError('22003', `${excerpt(value.toString())} is out of range for type ${typeName(type)}`)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** The nearest whole number, of two the even one, as a DOUBLE becomes an integer. undefined for NaN and infinities. */
export function roundedToEven(value: number): number | bigint | undefined {
  if (!Number.isFinite(value)) return undefined
  const floor = Math.floor(value)
  const rounded = value - floor === 0.5 ? floor + (floor % 2 === 0 ? 0 : 1) : Math.round(value)
  return Number.isSafeInteger(rounded) ? rounded + 0 : BigInt(rounded)
}

function toInteger(type: ColumnType, kind: number, value: SlotValue): number | bigint | undefined {
  if (kind === slotKind.text) return storedInteger(type, integerText(type, value as string))
  const decimal = decimalOf(type, kind, value)
  return decimal === undefined ? undefined : storedInteger(type, roundDecimal(decimal, 0))
}

/** Whole digits with an optional sign. */
export function integerText(type: ColumnType, text: string): bigint {
  const trimmed = text.trim()
  if (!/^[+-]?\d{1,4000}$/.test(trimmed)) throw badText(type, text)
  return BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed)
}

function toNumeric(type: ColumnType, scale: number, kind: number, value: SlotValue): number | bigint | undefined {
  const decimal = kind === slotKind.text ? parseDecimal(value as string) : decimalOf(type, kind, value)
  if (decimal === undefined && kind === slotKind.text) throw badText(type, value as string)
  return decimal === undefined ? undefined : storedInteger(type, roundDecimal(decimal, scale))
}

/** The exact decimal of a number; undefined for what is none, 22003 for NaN and infinities. */
export function decimalOf(type: ColumnType, kind: number, value: SlotValue): ReturnType<typeof parseDecimal> {
  if (kind === slotKind.integer) return { unscaled: BigInt(value as number), scale: 0 }
  if (kind === slotKind.digits) return parseDecimal(value as string)
  if (kind !== slotKind.double) return undefined
  const number = value as number
  if (!Number.isFinite(number)) throw new LsmtError('22003', `${number} is out of range for type ${typeName(type)}`)
  return parseDecimal(String(number))
}

function toDouble(type: ColumnType, kind: number, value: SlotValue): number | undefined {
  if (kind === slotKind.double) return value as number
  if (kind === slotKind.digits) return finiteNumber(type, value as string)
  return kind === slotKind.text ? doubleText(type, value as string) : undefined
}

const doublePattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const doubleNames: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN], ['infinity', Infinity], ['+infinity', Infinity], ['-infinity', -Infinity], ['inf', Infinity], ['+inf', Infinity], ['-inf', -Infinity],
])

function doubleText(type: ColumnType, text: string): number {
  const trimmed = text.trim()
  if (doublePattern.test(trimmed)) return finiteNumber(type, trimmed)
  const named = doubleNames.get(trimmed.toLowerCase())
  if (named === undefined) throw badText(type, text)
  return named
}

function finiteNumber(type: ColumnType, digits: string): number {
  const number = Number(digits)
  if (!Number.isFinite(number)) throw new LsmtError('22003', `${excerpt(digits)} is out of range for type ${typeName(type)}`)
  return number
}

const trueTexts = new Set(['t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1'])
const falseTexts = new Set(['f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0'])

function toBoolean(type: ColumnType, kind: number, value: SlotValue): number | undefined {
  if (kind === slotKind.boolean) return value === true ? 1 : 0
  if (kind !== slotKind.text) return undefined
  const word = (value as string).trim().toLowerCase()
  if (trueTexts.has(word)) return 1
  if (falseTexts.has(word)) return 0
  throw badText(type, value as string)
}

function toTimestamp(type: ColumnType, kind: number, value: SlotValue): number | bigint | undefined {
  if (kind !== slotKind.text && kind !== slotKind.timestamp && kind !== slotKind.date) return undefined
  const micros = parseTimestamp(value as string)
  if (micros === undefined) throw badText(type, value as string)
  return micros
}

function toDate(type: ColumnType, kind: number, value: SlotValue): number | undefined {
  if (kind !== slotKind.text && kind !== slotKind.timestamp && kind !== slotKind.date) return undefined
  const days = parseDate(value as string)
  if (days === undefined) throw badText(type, value as string)
  return days
}

function toBytes(kind: number, value: SlotValue): Uint8Array | undefined {
  if (kind === slotKind.bytes) return value as Uint8Array
  if (kind !== slotKind.text) return undefined
  const text = value as string
  return text.startsWith('\\x') || text.startsWith('\\X') ? hexBytes(text.slice(2)) : escapedBytes(text)
}

/** PostgreSQL's older form: text as UTF-8, \\ for a backslash, \ooo for any byte. */
function escapedBytes(text: string): Uint8Array {
  if (!text.includes('\\')) return new Uint8Array(Buffer.from(text, 'utf8'))
  const pieces = text.split(/(\\\\|\\[0-3][0-7]{2}|\\)/)
  const bytes = pieces.map((piece) => {
    if (piece === '\\\\') return Buffer.from('\\')
    if (piece === '\\') throw new LsmtError('22P02', `bad escape in a value for type BYTEA: "${excerpt(text)}"`)
    return /^\\[0-3]/.test(piece) ? Buffer.from([Number.parseInt(piece.slice(1), 8)]) : Buffer.from(piece, 'utf8')
  })
  return new Uint8Array(Buffer.concat(bytes))
}

function badText(type: ColumnType, text: string): LsmtError {
  return new LsmtError('22P02', `"${excerpt(text)}" is not a value of type ${typeName(type)}`)
}

export function describeKind(kind: number): string {
  switch (kind) {
    case slotKind.boolean:
      return 'a boolean'
    case slotKind.integer:
    case slotKind.digits:
    case slotKind.double:
      return 'a number'
    case slotKind.text:
      return 'a text'
    case slotKind.bytes:
      return 'bytes'
    case slotKind.timestamp:
      return 'a timestamp'
    case slotKind.date:
      return 'a date'
    default:
      return 'null'
  }
}

/** A value with its sign turned, as `- $1` asks; 42883 for what has no sign. */
export function negated({ kind, value }: SqlValue): SqlValue {
  switch (kind) {
    case slotKind.null:
      return { kind, value }
    case slotKind.integer:
      return { kind, value: value === 0 ? 0 : -(value as number) }
    case slotKind.double:
      return { kind, value: -(value as number) }
    case slotKind.digits: {
      const digits = value as string
      return { kind, value: digits.startsWith('-') ? digits.slice(1) : `-${digits}` }
    }
    default:
      throw new LsmtError('42883', `there is no operator - for ${describeKind(kind)}`)
  }
}
