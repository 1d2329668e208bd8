/** TIMESTAMP and DATE texts against JavaScript's Date, which knows the same calendar to the millisecond. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../src/errors.ts'
import { formatDate, formatTimestamp, parseDate, parseTimestamp } from '../../src/engine/temporal.ts'
import { seededRandom } from '../../src/runtime/random.ts'

test('agrees with Date and round-trips over the years 1 to 9999', () => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  const random = seededRandom(seed)
  const first = Date.parse('0001-01-01T00:00:00Z')
  const last = Date.parse('9999-12-31T23:59:59.999Z')
  for (let round = 0; round < 5_000; round++) {
    const ms = first + Math.floor(random.nextFloat() * (last - first))
    const iso = new Date(ms).toISOString()
    const micros = parseTimestamp(iso)!
    expect(BigInt(micros), `seed ${seed}: ${iso}`).toBe(BigInt(ms) * 1000n)
    expect(Date.parse(formatTimestamp(micros))).toBe(ms)
    const day = iso.slice(0, 10)
    expect(formatDate(parseDate(day)!)).toBe(day)
    expect(parseDate(day)).toBe(Math.floor(ms / 86_400_000))
  }
})

test('keeps microseconds and shows as many digits as are needed', () => {
  const shown = (text: string) => formatTimestamp(parseTimestamp(text)!)
  expect(shown('2024-01-02 03:04:05.123456')).toBe('2024-01-02T03:04:05.123456Z')
  expect(shown('2024-01-02T03:04:05.120')).toBe('2024-01-02T03:04:05.12Z')
  expect(shown('2024-01-02 03:04')).toBe('2024-01-02T03:04:00Z')
  expect(shown('2024-1-2')).toBe('2024-01-02T00:00:00Z')
  expect(shown('1969-12-31 23:59:59.999999')).toBe('1969-12-31T23:59:59.999999Z')
  expect(shown('2024-01-01 00:30:00+01:30')).toBe('2023-12-31T23:00:00Z')
  expect(shown('2024-12-31 24:00:00')).toBe('2025-01-01T00:00:00Z')
  expect(shown('0001-01-01 00:00:00.000001')).toBe('0001-01-01T00:00:00.000001Z')
  expect(formatTimestamp(2n ** 63n - 1n)).toBe('+294247-01-10T04:00:54.775807Z')
  expect(formatTimestamp(-(2n ** 63n))).toBe('-290308-12-21T19:59:05.224192Z')
})

test('refuses days and times that are not, and texts that are none', () => {
  for (const text of ['2023-02-29', '2024-13-01', '2024-00-01', '2024-01-32', '0000-01-01', '2024-01-01 25:00:00', '2024-01-01 10:60:00', '1900-02-29']) expect(() => parseTimestamp(text), text).toThrow(LsmtError)
  for (const text of ['', 'now', '2024', '2024-01', '2024-01-01x', '10:00:00', '2024-01-01 10', '2024-01-01T']) expect(parseTimestamp(text), text).toBeUndefined()
})
