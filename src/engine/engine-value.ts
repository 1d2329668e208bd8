/** Users' values as engine values: the way back of src/engine/user-value.ts. Ranges and lengths are checked when the row is written. */
import { LsmtError } from '../errors.ts'
import { parseDecimal, roundDecimal } from './decimal.ts'
import type { EngineValue } from './engine.ts'
import { typeName } from './schema.ts'
import type { ColumnSchema } from './schema.ts'
import { parseDate, parseTimestamp } from './temporal.ts'
import type { UserValue } from './user-value.ts'

/** How values for a column are taken in; chosen once per column. 42804 for another type, 22P02 for text that says nothing of it. */
export function engineValueOf(column: ColumnSchema): (value: UserValue) => EngineValue {
  const { type } = column
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === null ? null : typeof value === 'boolean' ? Number(value) : refuse(column, value))
    case 'numeric':
      return (value) => (value === null ? null : numericValue(column, type.scale, value))
    case 'timestamp':
      return (value) => (value === null ? null : temporalValue(column, value, parseTimestamp))
    case 'date':
      return (value) => (value === null ? null : temporalValue(column, value, parseDate))
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'text':
    case 'bytea':
      return (value) => (typeof value === 'boolean' ? refuse(column, value) : value)
  }
}

function numericValue(column: ColumnSchema, scale: number, value: UserValue): EngineValue {
  if (typeof value === 'bigint') return value * 10n ** BigInt(scale)
  if (typeof value !== 'string' && !(typeof value === 'number' && Number.isFinite(value))) return refuse(column, value)
  const decimal = parseDecimal(String(value))
  if (decimal === undefined) throw badText(column, String(value))
  return roundDecimal(decimal, scale)
}

function temporalValue(column: ColumnSchema, value: UserValue, parse: (text: string) => number | bigint | undefined): EngineValue {
  if (typeof value !== 'string') return refuse(column, value)
  const parsed = parse(value)
  if (parsed === undefined) throw badText(column, value)
  return parsed
}

function badText(column: ColumnSchema, text: string): LsmtError {
  return new LsmtError('22P02', `'${text}' is no ${typeName(column.type)} for column "${column.name}"`)
}

function refuse(column: ColumnSchema, value: UserValue): never {
  const given = value instanceof Uint8Array ? 'bytes' : typeof value
  throw new LsmtError('42804', `column "${column.name}" is of type ${typeName(column.type)}, the value is ${given}`, { hint: 'TIMESTAMP and DATE are ISO 8601 texts, NUMERIC a text or number, BYTEA a Uint8Array' })
}
