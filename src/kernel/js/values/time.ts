/** Twin of assembly/values/time.ts: ISO 8601 dates and times in their usual widths. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'

/** Days, or microseconds, since 1970 UTC. */
export function storeTime({ u8, i64 }: LinearMemory, from: Pointer, to: Pointer, isDate: boolean, out: Pointer): boolean {
  const byteLength = to - from
  if (byteLength < 10 || (isDate && byteLength !== 10)) return false
  const days = readDay(u8, from)
  if (days === undefined) return false
  if (isDate) {
    i64[out >>> 3] = BigInt(days)
    return true
  }
  const time = byteLength === 10 ? 0 : readTime(u8, from + 10, to)
  if (time === undefined) return false
  i64[out >>> 3] = BigInt(days) * 86_400_000_000n + BigInt(time)
  return true
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** Two digits, -1 when they are none. */
function two(u8: Uint8Array, at: Pointer): number {
  return isDigit(u8[at]!) && isDigit(u8[at + 1]!) ? (u8[at]! - 0x30) * 10 + u8[at + 1]! - 0x30 : -1
}

/** YYYY-MM-DD to days, undefined when there is no such day. */
function readDay(u8: Uint8Array, at: Pointer): number | undefined {
  const century = two(u8, at), ofCentury = two(u8, at + 2), month = two(u8, at + 5), day = two(u8, at + 8)
  if (century < 0 || ofCentury < 0 || u8[at + 4] !== 0x2d || u8[at + 7] !== 0x2d) return undefined
  const year = century * 100 + ofCentury
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return daysFromCivil(year, month, day)
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}

/** ` HH:MM[:SS[.f…]][Z|±HH[[:]MM]]` to microseconds. */
function readTime(u8: Uint8Array, start: Pointer, to: Pointer): number | undefined {
  const separator = u8[start]!
  if (to - start < 6 || (separator !== 0x20 && (separator | 0x20) !== 0x74)) return undefined
  const hour = two(u8, start + 1), minute = two(u8, start + 4)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || u8[start + 3] !== 0x3a) return undefined
  let micros = (hour * 3600 + minute * 60) * 1_000_000
  let at = start + 6
  if (at < to && u8[at] === 0x3a) {
    const second = at + 3 <= to ? two(u8, at + 1) : -1
    if (second < 0 || second > 59) return undefined
    micros += second * 1_000_000
    at += 3
    if (at < to && u8[at] === 0x2e) {
      const point = at++
      for (let unit = 100_000; at < to && isDigit(u8[at]!); at++, unit /= 10) micros += Math.floor(unit) * (u8[at]! - 0x30)
      if (at - point < 2 || at - point > 7) return undefined
    }
  }
  const offset = readOffset(u8, at, to)
  return offset === undefined ? undefined : micros - offset
}

function readOffset(u8: Uint8Array, at: Pointer, to: Pointer): number | undefined {
  if (at === to) return 0
  const sign = u8[at]!
  if ((sign | 0x20) === 0x7a) return at + 1 === to ? 0 : undefined
  if ((sign !== 0x2b && sign !== 0x2d) || to - at < 3) return undefined
  const hours = two(u8, at + 1)
  let minutes = 0
  if (to - at > 3) {
    const minutesAt = u8[at + 3] === 0x3a ? at + 4 : at + 3
    minutes = minutesAt + 2 === to ? two(u8, minutesAt) : -1
  }
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return undefined
  const seconds = hours * 3600 + minutes * 60
  return (sign === 0x2d ? -seconds : seconds) * 1_000_000
}
