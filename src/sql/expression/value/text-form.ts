/** Values as casts to TEXT show them, by PostgreSQL's forms. */
import { formatDecimal } from '../../../engine/decimal.ts'
import type { EngineValue } from '../../../engine/engine.ts'
import { formatDate, formatTimestamp } from '../../../engine/temporal.ts'
import { scaleOf } from '../type.ts'
import type { ValueType } from '../type.ts'
import { intervalForm } from './interval.ts'

export function textForm(type: ValueType): (value: EngineValue) => string {
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === 0 ? 'false' : 'true')
    case 'numeric':
      return (value) => formatDecimal(value as number | bigint, scaleOf(type))
    case 'double':
      return (value) => doubleText(value as number)
    case 'timestamp':
      return (value) => formatTimestamp(value as number | bigint).replace('T', ' ').replace('Z', '')
    case 'date':
      return (value) => formatDate(value as number)
    case 'bytea':
      return (value) => `\\x${Buffer.from(value as Uint8Array).toString('hex')}`
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'text':
    case 'unknown':
      return (value) => String(value)
    case 'interval':
      return (value) => intervalForm(value as string)
  }
}

/** The shortest digits that read back, with an exponent from 1e15 and below 1e-4. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const size = Math.abs(value)
  if (size === 0 || !Number.isFinite(size) || (size >= 1e-4 && size < 1e15)) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}
