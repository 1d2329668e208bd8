/**
 * What a column accepts. Every row passes here before it is encoded, so that nothing in a tree ever
 * violates its schema. Rows come back as given unless a value has a shorter form of the same meaning.
 */
import { LsmtError } from '../errors.ts'
import { formatDecimal } from './decimal.ts'
import type { EngineRow, EngineValue } from './engine.ts'
import { typeName } from './schema.ts'
import type { ColumnSchema, ColumnType, TableSchema } from './schema.ts'

const integerLimits = {
  smallint: [-32_768, 32_767],
  integer: [-2_147_483_648, 2_147_483_647],
} as const

const bigintMin = -(2n ** 63n)
const bigintMax = 2n ** 63n - 1n

/**
 * A row of `table` by ordinal, checked: 23502 null in NOT NULL, 42804 wrong type, 22003 out of range, 22001 too long,
 * 22021 text that is not Unicode.
 */
export function checkRow(table: TableSchema, row: EngineRow): EngineRow {
  const { columns } = table
  if (row.length !== columns.length) {
    throw new LsmtError('42804', `table "${table.name}" has ${columns.length} columns, the row has ${row.length} values`)
  }
  let checked = row
  for (let ordinal = 0; ordinal < columns.length; ordinal++) {
    const column = columns[ordinal]!
    const value = row[ordinal]!
    const accepted = checkValue(table, column, value)
    if (!Object.is(accepted, value)) checked = checked.with(ordinal, accepted)
  }
  return checked
}

/** One value for one column, checked. */
export function checkValue(table: TableSchema, column: ColumnSchema, value: EngineValue): EngineValue {
  if (value === null) {
    if (column.notNull) throw new LsmtError('23502', `null value in column "${column.name}" of table "${table.name}"`)
    return null
  }
  switch (column.type.kind) {
    case 'smallint':
    case 'integer':
      return checkSmallInteger(column, value)
    case 'bigint':
    case 'timestamp':
    case 'date':
      return checkInteger(column, value)
    case 'numeric':
      return checkNumeric(column, column.type.precision, value)
    case 'boolean':
      if (value !== 0 && value !== 1) throw mismatch(column, value)
      return value
    case 'double':
      if (typeof value !== 'number') throw mismatch(column, value)
      return value
    case 'text':
      return checkText(column, column.type.lengthMax, value)
    case 'bytea':
      if (!(value instanceof Uint8Array)) throw mismatch(column, value)
      return value
  }
}

/** The one form of a 64-bit integer: a number when safe, otherwise a bigint. */
export function canonicalInteger(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value === 0 ? 0 : value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function checkInteger(column: ColumnSchema, value: EngineValue): number | bigint {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) throw mismatch(column, value)
    if (!Number.isSafeInteger(value)) throw outOfRange(column, value)
    return value === 0 ? 0 : value
  }
  if (typeof value !== 'bigint') throw mismatch(column, value)
  if (value < bigintMin || value > bigintMax) throw outOfRange(column, value)
  return canonicalInteger(value)
}

function checkSmallInteger(column: ColumnSchema, value: EngineValue): number | bigint {
  const integer = checkInteger(column, value)
  if (!fitsInteger(column.type, integer)) throw outOfRange(column, integer)
  return integer
}

function checkNumeric(column: ColumnSchema, precision: number, unscaled: EngineValue): number | bigint {
  const integer = checkInteger(column, unscaled)
  if (!isNumericWithin(precision, integer)) throw outOfRange(column, integer)
  return integer
}

/** Whether an integer, in the form of the column's values, is within the column's range. */
export function fitsInteger(type: ColumnType, value: number | bigint): boolean {
  if (type.kind === 'smallint' || type.kind === 'integer') {
    const [min, max] = integerLimits[type.kind]
    return value >= min && value <= max
  }
  return type.kind !== 'numeric' || isNumericWithin(type.precision, value)
}

function isNumericWithin(precision: number, unscaled: number | bigint): boolean {
  const limit = 10n ** BigInt(precision)
  return unscaled < limit && unscaled > -limit
}

function checkText(column: ColumnSchema, lengthMax: number | undefined, value: EngineValue): string {
  if (typeof value !== 'string') throw mismatch(column, value)
  if (!isWellFormed(value)) throw notUnicode(`column "${column.name}"`, value)
  if (lengthMax !== undefined && value.length > lengthMax && codePointCount(value) > lengthMax) {
    throw new LsmtError('22001', `value too long for column "${column.name}" of type ${typeName(column.type)}: ${codePointCount(value)} characters`)
  }
  return value
}

/** False when the text has a surrogate without its other half, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** 22021 that says where the text stops being Unicode. */
export function notUnicode(where: string, text: string): LsmtError {
  const index = text.search(/\p{Surrogate}/u)
  const unit = text.charCodeAt(index).toString(16)
  return new LsmtError('22021', `text for ${where} has the lone surrogate \\u${unit} at index ${index}, which is not valid Unicode`)
}

function codePointCount(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function mismatch(column: ColumnSchema, value: EngineValue): LsmtError {
  return new LsmtError('42804', `column "${column.name}" is of type ${typeName(column.type)}, the value is ${describe(value)}`)
}

function outOfRange({ name, type }: ColumnSchema, value: number | bigint): LsmtError {
  const shown = formatDecimal(BigInt(value), type.kind === 'numeric' ? type.scale : 0)
  return new LsmtError('22003', `${shown} is out of range for column "${name}" of type ${typeName(type)}`)
}

function describe(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value === 'string') return `the text '${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`
  return `${typeof value} ${String(value)}`
}

