/**
 * TIMESTAMP and DATE as text: ISO 8601 in the proleptic Gregorian calendar, UTC. TIMESTAMP counts microseconds
 * since 1970, DATE days. Text is accepted with or without offset; without one it is UTC. Years are 0000 to 9999, or have a
 * sign and six digits, as ISO 8601 extends them and as they are written here, which is all that a TIMESTAMP holds.
 */
import { LsmtError } from '../errors.ts'

const datePattern = /^(\d{4}|[+-]\d{6})-(\d{1,2})-(\d{1,2})$/
const timestampPattern = /^(\d{4}|[+-]\d{6})-(\d{1,2})-(\d{1,2})(?:[Tt ]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?)?\s*(?:([Zz]|UTC)|([+-])(\d{2})(?::?(\d{2}))?)?$/

const secondsOfDay = 86_400
const safeSecondsMax = Math.floor(Number.MAX_SAFE_INTEGER / 1_000_000) - 1

/** Days since 1970; undefined when the text is no date, 22003 when there is no such day. */
export function parseDate(text: string): number | undefined {
  const found = datePattern.exec(text.trim())
  if (found !== null) return daysOf(text, Number(found[1]), Number(found[2]), Number(found[3]))
  const micros = parseTimestamp(text)
  return micros === undefined ? undefined : Number(floorDivide(BigInt(micros), 86_400_000_000n))
}

/** Microseconds since 1970 UTC, as a number when safe; undefined when the text is no timestamp, 22003 when there is no such time. */
export function parseTimestamp(text: string): number | bigint | undefined {
  const found = timestampPattern.exec(text.trim())
  if (found === null) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', , sign, offsetHours = '0', offsetMinutes = '0'] = found
  const days = daysOf(text, Number(year), Number(month), Number(day))
  const time = timeOf(text, Number(hour), Number(minute), Number(second))
  const offset = offsetOf(text, Number(offsetHours), Number(offsetMinutes)) * (sign === '-' ? -1 : 1)
  return micros(text, days * secondsOfDay + time - offset, fractionMicros(fraction))
}

/** Microseconds of a fraction of at most nine digits, rounded half up. */
function fractionMicros(fraction: string): number {
  return Math.round(Number(fraction.padEnd(9, '0')) / 1000)
}

function micros(text: string, seconds: number, fraction: number): number | bigint {
  if (Math.abs(seconds) <= safeSecondsMax) return seconds * 1_000_000 + fraction
  const exact = BigInt(seconds) * 1_000_000n + BigInt(fraction)
  if (BigInt.asIntN(64, exact) !== exact) throw noSuch('time', text)
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact
}

function timeOf(text: string, hour: number, minute: number, second: number): number {
  if (hour > 24 || minute > 59 || second > 60 || (hour === 24 && (minute > 0 || second > 0))) throw noSuch('time', text)
  return hour * 3600 + minute * 60 + second
}

function offsetOf(text: string, hours: number, minutes: number): number {
  if (hours > 15 || minutes > 59) throw noSuch('offset', text)
  return hours * 3600 + minutes * 60
}

function daysOf(text: string, year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) throw noSuch('day', text)
  return daysFromCivil(year, month, day)
}

function noSuch(what: string, text: string): LsmtError {
  return new LsmtError('22003', `there is no such ${what}: "${text.slice(0, 60)}"`)
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** YYYY-MM-DD; years outside of 0 to 9999 have a sign and six digits, as ISO 8601 extends them. */
export function formatDate(days: number | bigint): string {
  return typeof days === 'number' && Math.abs(days) <= plainDaysMax ? formatDay(days) : formatFarDate(BigInt(days))
}

/** Days for which numbers are exact all the way. */
const plainDaysMax = 1e9

function formatDay(days: number): string {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  return formatDayOfEra(z - era * 146_097, (yearOfEra) => formatYear(era * 400 + yearOfEra))
}

function formatFarDate(days: bigint): string {
  const z = days + 719_468n
  const era = floorDivide(z, 146_097n)
  return formatDayOfEra(Number(z - era * 146_097n), (yearOfEra) => formatYear(era * 400n + BigInt(yearOfEra)))
}

/** Howard Hinnant, as above: civil_from_days. */
function formatDayOfEra(dayOfEra: number, formatYearOfEra: (yearOfEra: number) => string): string {
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted + (shifted < 10 ? 3 : -9)
  return `${formatYearOfEra(yearOfEra + (month <= 2 ? 1 : 0))}-${twoDigits(month)}-${twoDigits(day)}`
}

function formatYear(year: number | bigint): string {
  if (year >= 1000 && year <= 9999) return String(year)
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0')
  return `${year < 0 ? '-' : '+'}${String(year < 0 ? -year : year).padStart(6, '0')}`
}

const microsOfDay = 86_400_000_000

/** YYYY-MM-DDTHH:MM:SS[.f…]Z with as many fraction digits as are needed. */
export function formatTimestamp(value: number | bigint): string {
  if (typeof value === 'number') {
    const days = Math.floor(value / microsOfDay)
    return `${formatDate(days)}T${formatTime(value - days * microsOfDay)}Z`
  }
  const days = floorDivide(value, BigInt(microsOfDay))
  return `${formatDate(days)}T${formatTime(Number(value - days * BigInt(microsOfDay)))}Z`
}

function formatTime(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = micros - seconds * 1_000_000
  const shown = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`
  return `${twoDigits(Math.floor(seconds / 3600))}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}${shown}`
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}
