/**
 * Intervals: months, days and microseconds apart, since months and days have no fixed length. As a value an interval
 * is the text of the three, so that it travels as other values do; no column holds one.
 */
import { LsmtError } from '../../../errors.ts'
import { excerpt } from '../../scan/literal.ts'

export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: number
}

const second = 1_000_000
const units: Readonly<Record<string, Interval>> = {
  microsecond: { months: 0, days: 0, micros: 1 }, millisecond: { months: 0, days: 0, micros: 1_000 }, second: { months: 0, days: 0, micros: second }, sec: { months: 0, days: 0, micros: second }, s: { months: 0, days: 0, micros: second },
  minute: { months: 0, days: 0, micros: 60 * second }, min: { months: 0, days: 0, micros: 60 * second }, hour: { months: 0, days: 0, micros: 3600 * second }, h: { months: 0, days: 0, micros: 3600 * second }, hr: { months: 0, days: 0, micros: 3600 * second },
  day: { months: 0, days: 1, micros: 0 }, d: { months: 0, days: 1, micros: 0 }, week: { months: 0, days: 7, micros: 0 }, w: { months: 0, days: 7, micros: 0 },
  month: { months: 1, days: 0, micros: 0 }, mon: { months: 1, days: 0, micros: 0 }, year: { months: 12, days: 0, micros: 0 }, y: { months: 12, days: 0, micros: 0 }, yr: { months: 12, days: 0, micros: 0 },
}

/** '1 day', '-2 hours 30 minutes', '1 year 2 mons 03:04:05'. 22P02 for other texts. */
export function parseInterval(text: string): string {
  const pattern = /\s*(?:([+-]?)(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?|([+-]?\d+(?:\.\d+)?)\s*([a-zA-Z]+))\s*/gy
  let total: Interval = { months: 0, days: 0, micros: 0 }
  let end = 0
  for (const found of text.matchAll(pattern)) {
    end = found.index + found[0].length
    const [, sign, hours, minutes, seconds = '0', count, unit] = found
    if (count === undefined) total = plus(total, { months: 0, days: 0, micros: (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * second }, sign === '-' ? -1 : 1)
    else total = plus(total, unitOf(text, unit!), Number(count))
  }
  if (end === 0 || end < text.length) throw badInterval(text)
  return intervalValue(total)
}

function unitOf(text: string, word: string): Interval {
  const lower = word.toLowerCase()
  const unit = units[lower] ?? units[lower.replace(/s$/, '')]
  if (unit === undefined) throw badInterval(text)
  return unit
}

function plus(a: Interval, b: Interval, factor: number): Interval {
  const sum = { months: a.months + b.months * factor, days: a.days + b.days * factor, micros: Math.round(a.micros + b.micros * factor) }
  if (!Number.isSafeInteger(sum.months)) throw new LsmtError('22P02', 'an interval of a part of a month is not supported')
  const whole = Math.trunc(sum.days)
  return { months: sum.months, days: whole, micros: sum.micros + Math.round((sum.days - whole) * 86_400 * second) }
}

function badInterval(text: string): LsmtError {
  return new LsmtError('22P02', `"${excerpt(text)}" is not an interval`)
}

function intervalValue({ months, days, micros }: Interval): string {
  return `${months} ${days} ${micros}`
}

/** Months have 30 days and days 24 hours where intervals are compared, as PostgreSQL has it. */
function comparable(value: string): bigint {
  const { months, days, micros } = intervalOf(value)
  return (BigInt(months) * 30n + BigInt(days)) * 86_400_000_000n + BigInt(micros)
}

export function compareIntervals(a: string, b: string): number {
  const [x, y] = [comparable(a), comparable(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** `a + b`, or `a - b` with the sign -1. */
export function addIntervals(a: string, b: string, sign: 1 | -1): string {
  return intervalValue(plus(intervalOf(a), intervalOf(b), sign))
}

/** Parts of a month go into its 30 days, and parts of a day into the time, as PostgreSQL does it. */
export function timesInterval(value: string, factor: number): string {
  const { months, days, micros } = intervalOf(value)
  const product = { months: Math.trunc(months * factor), days: Math.trunc(days * factor) }
  const restDays = Math.round((months * factor - product.months) * 30 * second) / second
  const wholeDays = Math.trunc(restDays)
  const restMicros = Math.round((days * factor - product.days + restDays - wholeDays) * 86_400 * second)
  const time = Math.round(micros * factor + restMicros)
  if (!Number.isSafeInteger(product.months) || !Number.isSafeInteger(time)) throw new LsmtError('22003', 'interval out of range')
  return intervalValue({ months: product.months, days: product.days + wholeDays, micros: time })
}

/** Days and the time of the last one between two moments in microseconds. */
export function intervalBetween(days: number, micros: number): string {
  return intervalValue({ months: 0, days, micros })
}

/** '1 year 2 mons -3 days +04:05:06.7', as PostgreSQL shows intervals. */
export function intervalForm(value: string): string {
  const { months, days, micros } = intervalOf(value)
  const years = Math.trunc(months / 12)
  const parts: string[] = []
  let isBefore = false
  for (const [count, unit] of [[years, 'year'], [months - years * 12, 'mon'], [days, 'day']] as const) {
    if (count === 0) continue
    parts.push(`${isBefore && count > 0 ? '+' : ''}${count} ${unit}${count === 1 ? '' : 's'}`)
    isBefore = count < 0
  }
  if (parts.length === 0 || micros !== 0) parts.push((micros < 0 ? '-' : isBefore ? '+' : '') + clockForm(Math.abs(micros)))
  return parts.join(' ')
}

function clockForm(micros: number): string {
  const seconds = Math.floor(micros / second)
  const fraction = micros - seconds * second
  const two = (count: number): string => String(count).padStart(2, '0')
  const shown = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${shown}`
}

/** A field of an interval in millionths. 22023 for other fields. */
export function intervalField(field: string, value: string): bigint {
  const { months, days, micros } = intervalOf(value)
  const whole = (count: number): bigint => BigInt(count) * 1_000_000n
  switch (field) {
    case 'year':
      return whole(Math.trunc(months / 12))
    case 'month':
      return whole(months % 12)
    case 'day':
      return whole(days)
    case 'hour':
      return whole(Math.trunc(micros / (3600 * second)))
    case 'minute':
      return whole(Math.trunc(micros / (60 * second)) % 60)
    case 'second':
      return BigInt(micros % (60 * second))
    case 'milliseconds':
      return BigInt(micros % (60 * second)) * 1_000n
    case 'microseconds':
      return whole(micros % (60 * second))
    case 'epoch':
      // A year has 365.25 days here, and a month that is left over 30.
      return BigInt(Math.trunc(months / 12)) * 31_557_600_000_000n + BigInt(months % 12) * 2_592_000_000_000n + BigInt(days) * 86_400_000_000n + BigInt(micros)
    default:
      throw new LsmtError('22023', `there is no field "${field}" of an interval`)
  }
}

export function intervalOf(value: string): Interval {
  const [months, days, micros] = value.split(' ').map(Number)
  return { months: months!, days: days!, micros: micros! }
}
