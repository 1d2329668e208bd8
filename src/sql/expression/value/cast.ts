/** Conversions between types, and texts of unknown type into the type they meet. */
import { LsmtError } from '../../../errors.ts'
import { formatDecimal, parseDecimal, roundDecimal } from '../../../engine/decimal.ts'
import type { EngineValue } from '../../../engine/engine.ts'
import type { ColumnType } from '../../../engine/schema.ts'
import { excerpt } from '../../scan/literal.ts'
import { slotKind } from '../../slot.ts'
import { assignTo, roundedToEven } from '../../value/assign.ts'
import { doubleType, isFloat, isInteger, isNumber, scaleOf, valueTypeName } from '../type.ts'
import type { ValueType } from '../type.ts'
import { parseInterval } from './interval.ts'
import { divide, integerOf, multiply, normal, outOfRange, rescale, subtract, remainder } from './number.ts'
import type { Integer } from './number.ts'
import { textForm } from './text-form.ts'

type Convert = (value: EngineValue) => EngineValue

const identity: Convert = (value) => value

/** How a value is cast; undefined when there is no such cast. 22P02 for bad texts, 22003 out of range. */
export function castOf(from: ValueType, to: ValueType): Convert | undefined {
  if (to.kind === 'text') return toText(from, to.lengthMax)
  if (from.kind === 'text' || from.kind === 'unknown') return textTo(to)
  if (isInteger(to)) return toInteger(from, to)
  if (to.kind === 'numeric') return toNumeric(from, to.scale, to.precision)
  if (isFloat(to)) return toDouble(from)
  if (to.kind === 'boolean') return from.kind === 'boolean' ? identity : from.kind === 'integer' ? (value) => (value === 0 ? 0 : 1) : undefined
  if (to.kind === 'timestamp' && from.kind === 'date') return (value) => timestampInRange(multiply(value as number, microsPerDay))
  if (to.kind === 'date' && from.kind === 'timestamp') return (value) => daysOf(value as Integer)
  return from.kind === to.kind ? identity : undefined
}

export const microsPerDay = 86_400_000_000

/** 22003 beyond 64 bits. */
export function timestampInRange(micros: Integer): Integer {
  if (typeof micros === 'bigint' && BigInt.asIntN(64, micros) !== micros) throw new LsmtError('22003', 'timestamp out of range')
  return micros
}

/** Whole days, rounded down. */
export function daysOf(micros: Integer): Integer {
  const rest = remainder(micros, microsPerDay)
  return divide(subtract(micros, rest < 0 ? normal(BigInt(rest) + BigInt(microsPerDay)) : rest), microsPerDay)
}

function toText(from: ValueType, lengthMax: number | undefined): Convert {
  const form = textForm(from)
  if (lengthMax === undefined) return from.kind === 'text' ? identity : form
  return (value) => {
    const text = form(value)
    return text.length <= lengthMax ? text : Array.from(text).slice(0, lengthMax).join('')
  }
}

/** A text as a value of a type, as when it is assigned to a column of that type. */
export function textTo(to: ValueType): Convert {
  if (to.kind === 'unknown') return identity
  if (to.kind === 'interval') return (value) => parseInterval(value as string)
  if (to.kind === 'numeric') return (value) => textToNumeric(to, value as string)
  const assign = assignTo({ name: '', type: to, notNull: false })
  if (!isInteger(to) || to.kind === 'bigint') return (value) => assign(slotKind.text, value)
  return (value) => integerOf(to, assign(slotKind.text, value) as Integer)
}

function textToNumeric(to: Extract<ColumnType, { kind: 'numeric' }>, text: string): Integer {
  const decimal = parseDecimal(text)
  if (decimal === undefined) throw new LsmtError('22P02', `"${excerpt(text)}" is not a value of type NUMERIC`)
  return inPrecision(normal(roundDecimal(decimal, to.scale)), to.precision, to)
}

function toInteger(from: ValueType, to: ValueType): Convert | undefined {
  if (isInteger(from)) return (value) => integerOf(to, value as Integer)
  if (from.kind === 'numeric') return (value) => integerOf(to, rescale(value as Integer, from.scale, 0))
  if (from.kind === 'boolean') return to.kind === 'integer' ? identity : undefined
  if (!isFloat(from)) return undefined
  return (value) => {
    const rounded = roundedToEven(value as number)
    if (rounded === undefined) throw outOfRange(to)
    return integerOf(to, rounded)
  }
}

function toNumeric(from: ValueType, scale: number, precision: number): Convert | undefined {
  const to = { kind: 'numeric', precision, scale } as const
  if (isInteger(from) || from.kind === 'numeric') return (value) => inPrecision(rescale(value as Integer, scaleOf(from), scale), precision, to)
  if (!isFloat(from)) return undefined
  return (value) => {
    const decimal = Number.isFinite(value) ? parseDecimal(String(value)) : undefined
    if (decimal === undefined) throw outOfRange(to)
    return inPrecision(normal(roundDecimal(decimal, scale)), precision, to)
  }
}

/** Results of computation (precision 38) hold any digits; declared types as many as they say. */
function inPrecision(value: Integer, precision: number, type: ValueType): Integer {
  if (precision > 18) return value
  const limit = 10 ** precision
  if (value >= limit || value <= -limit) throw new LsmtError('22003', `value out of range for type ${valueTypeName(type)}`)
  return value
}

function toDouble(from: ValueType): Convert | undefined {
  if (isFloat(from)) return identity
  if (from.kind === 'numeric') return (value) => finite(Number(formatDecimal(value as Integer, from.scale)))
  return isNumber(from) ? (value) => Number(value) : undefined
}

/** Of digits: a NUMERIC may have more than a DOUBLE PRECISION can hold. */
function finite(number: number): number {
  if (!Number.isFinite(number)) throw outOfRange(doubleType)
  return number
}
