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

test('reads all that it writes', () => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  const random = seededRandom(seed)
  const ends = [2n ** 63n - 1n, -(2n ** 63n)]
  for (let round = 0; round < 5_000; round++) {
    const micros = ends[round] ?? BigInt.asIntN(64, BigInt(random.nextU32()) << 32n | BigInt(random.nextU32())) >> BigInt(random.below(16))
    const text = formatTimestamp(micros)
    expect(BigInt(parseTimestamp(text)!), `seed ${seed}: ${text}`).toBe(micros)
    const day = formatDate(micros / 86_400_000_000n)
    expect(BigInt(parseDate(day)!), `seed ${seed}: ${day}`).toBe(micros / 86_400_000_000n)
  }
  for (const day of ['0000-01-01', '0000-02-29', '-000001-12-31', '+010000-01-01']) expect(formatDate(parseDate(day)!)).toBe(day)
  for (const beyond of ['+294247-01-10T04:00:54.775808Z', '-290308-12-21T19:59:05.224191Z', '+999999-01-01']) expect(() => parseTimestamp(beyond), beyond).toThrow(LsmtError)
  for (const other of ['10000-01-01', '+10000-01-01', '+0010000-01-01']) expect(parseTimestamp(other), other).toBeUndefined()
})

test('refuses days and times that are not, and texts that are none', () => {
  for (const text of ['2023-02-29', '2024-13-01', '2024-00-01', '2024-01-32', '2024-01-01 25:00:00', '2024-01-01 10:60:00', '1900-02-29', '0001-02-29']) expect(() => parseTimestamp(text), text).toThrow(LsmtError)
  for (const text of ['', 'now', '2024', '2024-01', '2024-01-01x', '10:00:00', '2024-01-01 10', '2024-01-01T']) expect(parseTimestamp(text), text).toBeUndefined()
})
