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

export function intervalOf(value: string): Interval {
  const [months, days, micros] = value.split(' ').map(Number)
  return { months: months!, days: days!, micros: micros! }
}
