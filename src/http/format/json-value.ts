/**
 * Engine values as JSON text, chosen once per column: BIGINT beyond 2^53-1 as a string of digits, NUMERIC as a string,
 * NaN and infinities as strings, BYTEA as base64. The column's type says how to read it back; nothing is lost.
 */
import { formatDecimal } from '../../engine/decimal.ts'
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { typeName } from '../../engine/schema.ts'
import type { ColumnType } from '../../engine/schema.ts'
import { formatDate, formatTimestamp } from '../../engine/temporal.ts'
import type { ResultColumn } from '../../sql/plan.ts'

type JsonEncoder = (value: Exclude<EngineValue, null>) => string

type Integer = number | bigint

function encoderOf(type: ColumnType): JsonEncoder {
  switch (type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return (value) => (typeof value === 'number' ? String(value) : `"${String(value)}"`)
    case 'double':
      return (value) => doubleJson(value as number)
    case 'numeric':
      return (value) => `"${formatDecimal(value as Integer, type.scale)}"`
    case 'timestamp':
      return (value) => `"${formatTimestamp(value as Integer)}"`
    case 'date':
      return (value) => `"${formatDate(value as Integer)}"`
    case 'boolean':
      return (value) => (value === 0 ? 'false' : 'true')
    case 'bytea':
      return (value) => `"${base64(value as Uint8Array)}"`
    case 'text':
      return (value) => textJson(value as string)
  }
}

function doubleJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  return Object.is(value, -0) ? '-0' : String(value)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** All but quotes, backslashes and control characters. Texts of the engine are well-formed Unicode: nothing else is to be escaped. */
const special = /[^ !#-[\]-\uffff]/

function textJson(text: string): string {
  return special.test(text) ? JSON.stringify(text) : `"${text}"`
}

/** How a row of values of these types is written; `end` is its bracket and what stands behind. */
export function rowJson(types: readonly ColumnType[], end: string): (row: EngineRow) => string {
  const encoders = types.map(encoderOf)
  return (row) => {
    let text = '['
    for (let index = 0; index < encoders.length; index++) {
      if (index > 0) text += ','
      const value = row[index]!
      text += value === null ? 'null' : encoders[index]!(value)
    }
    return text + end
  }
}

export function columnsJson(columns: readonly ResultColumn[]): string {
  return JSON.stringify(columns.map(({ name, type }) => ({ name, type: typeName(type) })))
}
