/** ISO 8601 dates and times of the years 1 to 9999, in their usual widths; the rarer forms of src/engine/temporal.ts are not known here. */

const MICROS: i64 = 1000000

/** Days, or microseconds, since 1970 UTC. */
export function storeTime(from: usize, to: usize, isDate: bool, out: usize): bool {
  const bytes = to - from
  if (bytes < 10 || (isDate && bytes != 10)) return false
  const days = readDay(from)
  if (days == i64.MIN_VALUE) return false
  if (isDate) {
    store<i64>(out, days)
    return true
  }
  const time = bytes == 10 ? 0 : readTime(from + 10, to)
  if (time == i64.MIN_VALUE) return false
  store<i64>(out, days * 86400 * MICROS + time)
  return true
}

/** Two digits, -1 when they are none. */
function two(at: usize): i32 {
  const tens = <u32>load<u8>(at) - 0x30, ones = <u32>load<u8>(at, 1) - 0x30
  return tens < 10 && ones < 10 ? <i32>(tens * 10 + ones) : -1
}

/** YYYY-MM-DD to days, the smallest i64 when there is no such day. */
function readDay(at: usize): i64 {
  const century = two(at), ofCentury = two(at + 2), month = two(at + 5), day = two(at + 8)
  if (century < 0 || ofCentury < 0 || load<u8>(at, 4) != 0x2d || load<u8>(at, 7) != 0x2d) return i64.MIN_VALUE
  const year = century * 100 + ofCentury
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return i64.MIN_VALUE
  return daysFromCivil(year, month, day)
}

function daysInMonth(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31
}

/** Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil, for years from 1 on. */
function daysFromCivil(year: i32, month: i32, day: i32): i64 {
  const y = month <= 2 ? year - 1 : year
  const era = y / 400
  const yearOfEra = y - era * 400
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  return <i64>(era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468)
}

/** ` HH:MM[:SS[.f…]][Z|±HH[[:]MM]]` to microseconds. */
function readTime(start: usize, to: usize): i64 {
  const separator = load<u8>(start)
  if (to - start < 6 || (separator != 0x20 && (separator | 0x20) != 0x74)) return i64.MIN_VALUE
  const hour = two(start + 1), minute = two(start + 4)
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || load<u8>(start, 3) != 0x3a) return i64.MIN_VALUE
  let micros = <i64>(hour * 3600 + minute * 60) * MICROS
  let at = start + 6
  if (at < to && load<u8>(at) == 0x3a) {
    const second = at + 3 <= to ? two(at + 1) : -1
    if (second < 0 || second > 59) return i64.MIN_VALUE
    micros += <i64>second * MICROS
    at += 3
    if (at < to && load<u8>(at) == 0x2e) {
      const point = at++
      let unit = MICROS
      for (; at < to && <u32>load<u8>(at) - 0x30 < 10; at++) {
        unit /= 10
        micros += unit * <i64>(load<u8>(at) - 0x30)
      }
      if (at - point < 2 || at - point > 7) return i64.MIN_VALUE
    }
  }
  const offset = readOffset(at, to)
  return offset == i64.MIN_VALUE ? offset : micros - offset
}

function readOffset(at: usize, to: usize): i64 {
  if (at == to) return 0
  const sign = load<u8>(at)
  if ((sign | 0x20) == 0x7a) return at + 1 == to ? 0 : i64.MIN_VALUE
  if ((sign != 0x2b && sign != 0x2d) || to - at < 3) return i64.MIN_VALUE
  const hours = two(at + 1)
  let minutes = 0
  if (to - at > 3) {
    const minutesAt = load<u8>(at, 3) == 0x3a ? at + 4 : at + 3
    minutes = minutesAt + 2 == to ? two(minutesAt) : -1
  }
  if (hours < 0 || hours > 15 || minutes < 0 || minutes > 59) return i64.MIN_VALUE
  const seconds = <i64>(hours * 3600 + minutes * 60)
  return (sign == 0x2d ? -seconds : seconds) * MICROS
}
