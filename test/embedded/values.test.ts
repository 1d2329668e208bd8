/** Values in and out: BigInt where a number would lose digits, Uint8Array for bytes, ISO text for times; never a Date. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open } from '../../src/lsmt.ts'
import type { Database, UserValue } from '../../src/lsmt.ts'

let db: Database
beforeAll(async () => {
  db = await open({ storage: 'memory', workers: 0 })
})
afterAll(() => db.close())

const values: readonly (readonly [string, UserValue, UserValue])[] = [
  ['BIGINT', 2 ** 53 - 1, 2 ** 53 - 1],
  ['BIGINT', BigInt(2 ** 53 - 1), 2 ** 53 - 1],
  ['BIGINT', 2n ** 53n, 2n ** 53n],
  ['BIGINT', -(2n ** 53n), -(2n ** 53n)],
  ['BIGINT', 2n ** 63n - 1n, 2n ** 63n - 1n],
  ['BIGINT', -(2n ** 63n), -(2n ** 63n)],
  ['DOUBLE PRECISION', Number.NaN, Number.NaN],
  ['DOUBLE PRECISION', -Infinity, -Infinity],
  ['NUMERIC(18,4)', '12345678901234.5678', '12345678901234.5678'],
  ['BOOLEAN', true, true],
  ['TEXT', 'naïve ☃', 'naïve ☃'],
  ['BYTEA', Uint8Array.of(0, 255), Uint8Array.of(0, 255)],
  ['BYTEA', Buffer.from([1]), Uint8Array.of(1)],
  ['TIMESTAMP', '2026-02-03T04:05:06.789012Z', '2026-02-03T04:05:06.789012Z'],
  ['TIMESTAMP', '2026-02-03T04:05:06+02:00', '2026-02-03T02:05:06Z'],
  ['DATE', '2026-02-03', '2026-02-03'],
  ['BIGINT', null, null],
]

test.each(values.map(([type, given, expected]) => ({ type, given, expected })))('$type $given', async ({ type, given, expected }) => {
  await db.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id TEXT PRIMARY KEY, v ${type})`)
  const table = db.table('t')
  await db.query('INSERT INTO t VALUES ($1, $2)', ['by sql', given])
  await table.put({ id: 'by key', v: given })
  const seen = [table.getSync('by sql')?.['v'], (await table.get('by key'))?.['v']]
  for await (const row of db.stream('SELECT v FROM t')) seen.push(row['v'])
  for await (const row of table.scan()) seen.push(row['v'])
  for (const { v } of (await db.query('SELECT v FROM t ORDER BY id')).rows) seen.push(v)
  expect(seen).toEqual(Array(8).fill(expected))
  for (const value of seen) {
    expect(value).not.toBeInstanceOf(Date)
    if (type === 'BYTEA') expect(Object.getPrototypeOf(value)).toBe(Uint8Array.prototype)
  }
})

test('a Date is refused, as a parameter and in a row', async () => {
  await db.query('DROP TABLE IF EXISTS t; CREATE TABLE t (id TEXT PRIMARY KEY, v TIMESTAMP)')
  const date = new Date(0) as unknown as string
  await expect(db.query('INSERT INTO t VALUES ($1, $2)', ['a', date])).rejects.toMatchObject({ code: '22023' })
  await expect(db.table('t').put({ id: 'a', v: date })).rejects.toMatchObject({ code: '42804' })
  expect((await db.query('SELECT COUNT(*) AS n FROM t')).rows).toEqual([{ n: 0 }])
})

test('times that SQL makes are ISO text too', async () => {
  const { rows } = await db.query("SELECT CURRENT_TIMESTAMP AS now, CURRENT_DATE AS today, DATE '2026-01-31' AS d, TIMESTAMP '2026-01-31 10:00:00' AS t, SUM(x) AS sum FROM (VALUES (9223372036854775807)) AS v (x)")
  expect(rows).toEqual([{ now: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as unknown, today: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as unknown, d: '2026-01-31', t: '2026-01-31T10:00:00Z', sum: expect.anything() as unknown }])
})
