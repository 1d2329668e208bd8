/** Functions of timestamps, dates and intervals. */
import { LsmtError } from '../../../errors.ts'
import { strictCall } from '../bound.ts'
import { dateType, doubleType, integerType, intervalType, numericType, textType, timestampType } from '../type.ts'
import type { ValueType } from '../type.ts'
import { addInterval, daysFrom, fieldOf, truncateTo } from '../value/calendar.ts'
import { intervalField } from '../value/interval.ts'
import { add, multiply, normal, rescale } from '../value/number.ts'
import type { Integer } from '../value/number.ts'
import { anyOf, asParameter, fixed } from './signature.ts'
import type { Builder } from './signature.ts'

export const timeFunctions: Readonly<Record<string, Builder>> = {
  date_trunc: fixed([textType, timestampType], timestampType, (unit, time) => truncateTo((unit as string).toLowerCase(), time as Integer)),
  date_part: anyOf(
    fixed([textType, intervalType], doubleType, (field, interval) => inUnits(intervalField((field as string).toLowerCase(), interval as string))),
    fixed([textType, timestampType], doubleType, (field, time) => inUnits(fieldOf((field as string).toLowerCase(), time as Integer))),
  ),
  extract: anyOf(
    extracted(intervalType, (field, interval) => normal(intervalField(field, interval as string))),
    extracted(timestampType, (field, time) => fieldOf(field, time as Integer)),
  ),
  date_add: fixed([timestampType, intervalType], timestampType, (time, interval) => addInterval(time as Integer, interval as string, 1)),
  date_subtract: fixed([timestampType, intervalType], timestampType, (time, interval) => addInterval(time as Integer, interval as string, -1)),
  make_date: fixed([integerType, integerType, integerType], dateType, (year, month, day) => existingDay(year as number, month as number, day as number)),
  make_timestamp: fixed([integerType, integerType, integerType, integerType, integerType, doubleType], timestampType, (...parts) => existingTime(parts as number[])),
  to_timestamp: fixed([doubleType], timestampType, (seconds) => microsOf(seconds as number)),
}

function inUnits(millionths: Integer | bigint): number {
  return Number(millionths) / 1_000_000
}

/** Digits after the point that a field needs; all others are whole. */
const fieldScales: Readonly<Record<string, number>> = { second: 6, epoch: 6, milliseconds: 3 }

/** A field as NUMERIC. Which field it is stands in the statement, and with it the scale. */
function extracted(of: ValueType, fieldIn: (field: string, value: unknown) => Integer): Builder {
  return (name, args) => {
    const [field, value] = args
    // A text could be a timestamp as well as an interval.
    const given = value === undefined || value.type.kind === 'unknown' ? undefined : asParameter(value, of)
    if (field?.kind !== 'constant' || typeof field.value !== 'string' || given === undefined || args.length !== 2) return undefined
    const word = field.value.toLowerCase()
    const scale = fieldScales[word] ?? 0
    return strictCall(`${name} ${word}`, [given], numericType(scale), (at) => rescale(fieldIn(word, at), 6, scale))
  }
}

function existingDay(year: number, month: number, day: number): number {
  const days = daysFrom(year, month, day)
  if (year < 1 || month < 1 || month > 12 || day < 1 || days >= daysFrom(year, month + 1, 1)) throw new LsmtError('22003', `there is no such day: ${year}-${month}-${day}`)
  return days
}

function existingTime([year, month, day, hour, minute, seconds]: readonly number[]): Integer {
  if (hour! < 0 || hour! > 23 || minute! < 0 || minute! > 59 || !(seconds! >= 0 && seconds! < 60)) throw new LsmtError('22003', `there is no such time: ${hour}:${minute}:${seconds}`)
  return add(multiply(existingDay(year!, month!, day!), 86_400_000_000), (hour! * 60 + minute!) * 60_000_000 + Math.round(seconds! * 1_000_000))
}

function microsOf(seconds: number): Integer {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 9e12) throw new LsmtError('22003', 'timestamp out of range')
  const whole = Math.floor(seconds)
  return add(multiply(whole, 1_000_000), Math.round((seconds - whole) * 1_000_000))
}
