/** Timestamps by the proleptic Gregorian calendar in UTC: their fields, beginnings of units, and intervals added. */
import { LsmtError } from '../../../errors.ts'
import { daysOf, microsPerDay, timestampInRange } from './cast.ts'
import { intervalBetween, intervalOf } from './interval.ts'
import { add, multiply, normal, subtract } from './number.ts'
import type { Integer } from './number.ts'

interface Moment {
  readonly days: number
  readonly microsOfDay: number
  readonly year: number
  readonly month: number
  readonly day: number
}

/** Years that calendar arithmetic is defined for, as JavaScript's Date counts. */
function momentOf(micros: Integer): Moment {
  const days = Number(daysOf(micros))
  const date = new Date(days * 86_400_000)
  if (Number.isNaN(date.getTime())) throw new LsmtError('22003', 'timestamp out of range')
  return { days, microsOfDay: Number(subtract(micros, multiply(days, microsPerDay))), year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}

/** Days since 1970 of a day; days and months beyond their range count on. */
export function daysFrom(year: number, month: number, day: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getTime() / 86_400_000
}

/** Months first (the day cut to the month's last), then days, then time. */
export function addInterval(micros: Integer, interval: string, sign: number): Integer {
  const { months, days, micros: time } = intervalOf(interval)
  const rest = add(multiply(days * sign, microsPerDay), time * sign)
  if (months === 0) return timestampInRange(add(micros, rest))
  const moment = momentOf(micros)
  const count = moment.year * 12 + moment.month - 1 + months * sign
  const year = Math.floor(count / 12)
  const month = count - year * 12 + 1
  const last = daysFrom(year, month + 1, 1) - daysFrom(year, month, 1)
  const day = daysFrom(year, month, Math.min(moment.day, last))
  if (Number.isNaN(day)) throw new LsmtError('22003', 'timestamp out of range')
  return timestampInRange(add(add(multiply(day, microsPerDay), moment.microsOfDay), rest))
}

/** From one moment to a later one: whole days and the time beyond them, both negative when it is an earlier one. */
export function intervalSince(later: Integer, earlier: Integer): string {
  const micros = BigInt(later) - BigInt(earlier)
  return intervalBetween(Number(micros / BigInt(microsPerDay)), Number(micros % BigInt(microsPerDay)))
}

const timeUnits: Readonly<Record<string, number>> = { microsecond: 1, microseconds: 1, millisecond: 1_000, milliseconds: 1_000, second: 1_000_000, minute: 60_000_000, hour: 3_600_000_000 }

/** The beginning of the unit that a timestamp is in. 22023 for other units. */
export function truncateTo(unit: string, micros: Integer): Integer {
  const moment = momentOf(micros)
  const size = timeUnits[unit]
  const ofDay = (days: number, time = 0): Integer => add(multiply(days, microsPerDay), time)
  if (size !== undefined) return ofDay(moment.days, Math.floor(moment.microsOfDay / size) * size)
  const { year, month, days } = moment
  switch (unit) {
    case 'day':
      return ofDay(days)
    case 'week':
      return ofDay(days - ((((days + 3) % 7) + 7) % 7))
    case 'month':
      return ofDay(daysFrom(year, month, 1))
    case 'quarter':
      return ofDay(daysFrom(year, month - ((month - 1) % 3), 1))
    case 'year':
      return ofDay(daysFrom(year, 1, 1))
    case 'decade':
      return ofDay(daysFrom(Math.floor(year / 10) * 10, 1, 1))
    case 'century':
      return ofDay(daysFrom((Math.ceil(year / 100) - 1) * 100 + 1, 1, 1))
    case 'millennium':
      return ofDay(daysFrom((Math.ceil(year / 1000) - 1) * 1000 + 1, 1, 1))
    default:
      throw new LsmtError('22023', `there is no unit "${unit}" of a timestamp`)
  }
}

/** A field of a timestamp in millionths. 22023 for other fields. */
export function fieldOf(field: string, micros: Integer): Integer {
  const { days, microsOfDay, year, month, day } = momentOf(micros)
  const whole = (value: number): Integer => multiply(value, 1_000_000)
  switch (field) {
    case 'year':
      return whole(year)
    case 'isoyear':
      return whole(momentOf(multiply(thursdayOf(days), microsPerDay)).year)
    case 'decade':
      return whole(Math.floor(year / 10))
    case 'century':
      return whole(Math.ceil(year / 100))
    case 'millennium':
      return whole(Math.ceil(year / 1000))
    case 'quarter':
      return whole(Math.ceil(month / 3))
    case 'month':
      return whole(month)
    case 'day':
      return whole(day)
    case 'hour':
      return whole(Math.floor(microsOfDay / 3_600_000_000))
    case 'minute':
      return whole(Math.floor(microsOfDay / 60_000_000) % 60)
    case 'second':
      return microsOfDay % 60_000_000
    case 'milliseconds':
      return (microsOfDay % 60_000_000) * 1_000
    case 'microseconds':
      return whole(microsOfDay % 60_000_000)
    case 'dow':
      return whole((((days + 4) % 7) + 7) % 7)
    case 'isodow':
      return whole(((((days + 3) % 7) + 7) % 7) + 1)
    case 'doy':
      return whole(days - daysFrom(year, 1, 1) + 1)
    case 'week':
      return whole(isoWeek(days))
    case 'epoch':
      return normal(BigInt(micros))
    default:
      throw new LsmtError('22023', `there is no field "${field}" of a timestamp`)
  }
}

/** The Thursday of the week of a day: weeks begin on Mondays and belong to its year. */
function thursdayOf(days: number): number {
  return days - ((((days + 3) % 7) + 7) % 7) + 3
}

/** The week of the year that the week's Thursday is in. */
function isoWeek(days: number): number {
  const thursday = thursdayOf(days)
  const { year } = momentOf(multiply(thursday, microsPerDay))
  return Math.floor((thursday - daysFrom(year, 1, 1)) / 7) + 1
}
