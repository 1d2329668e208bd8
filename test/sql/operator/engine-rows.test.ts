/** Objects of results that come by column are those of the rows that the same query gives one by one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import type { Database } from '../../../src/lsmt.ts'

const rowCount = 3_000
let db: Database

beforeAll(async () => {
  db = await open({ storage: 'memory', shards: 3 })
  await db.query('CREATE TABLE t (a BIGINT, b TEXT, price NUMERIC(9, 2), at TIMESTAMP, ok BOOLEAN, PRIMARY KEY (a))')
  await db.table('t').batch(Array.from({ length: rowCount }, (_, a) => ({ put: { a, b: a % 7 === 0 ? null : `text ${a % 30}`, price: a % 5 === 0 ? null : `${a}.50`, at: `2024-01-01T00:00:${String(a % 60).padStart(2, '0')}`, ok: a % 2 === 0 } })))
  await db.flush()
  await db.query("UPDATE t SET b = 'new' WHERE a % 50 = 3")
  await db.query('DELETE FROM t WHERE a % 40 = 1')
})

afterAll(() => db.close())

/** Of a scan's columns as they stand, and of the same beside a computed one, for which rows are needed. */
async function both(columns: string, rest: string): Promise<readonly (readonly unknown[])[]> {
  const byColumn = (await db.query(`SELECT ${columns} FROM t ${rest}`)).rows
  const byRow = (await db.query(`SELECT ${columns}, a + 0 AS computed FROM t ${rest}`)).rows
  return [byColumn, byRow.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'computed')))]
}

const conditions = ['', 'WHERE a >= 500 AND a < 2500', 'WHERE a >= 500 AND a < 900', "WHERE b = 'new'", 'WHERE a < 100 OR a > 2900', 'WHERE a IN (3, 4, 1, 5)', 'WHERE a > 5000']
const ends = ['ORDER BY a', 'ORDER BY a DESC', 'ORDER BY a LIMIT 0', 'ORDER BY a LIMIT 10', 'ORDER BY a LIMIT 1500', 'ORDER BY a DESC LIMIT 1200 OFFSET 7', 'ORDER BY a OFFSET 1030', 'ORDER BY a LIMIT 5 OFFSET 5000']

test.each(conditions.flatMap((condition) => ends.map((end) => `${condition} ${end}`)))('%s', async (rest) => {
  for (const columns of ['a, b, price, at, ok', 'ok, a', 'price']) {
    const [byColumn, byRow] = await both(columns, rest)
    expect(byColumn).toEqual(byRow)
  }
})

test('a stream of objects has those of the result', async () => {
  const streamed: unknown[] = []
  for await (const row of db.stream('SELECT b, a, at FROM t WHERE a > 20 ORDER BY a LIMIT 1100 OFFSET 30')) streamed.push(row)
  expect(streamed).toEqual((await db.query('SELECT b, a, at FROM t WHERE a > 20 ORDER BY a LIMIT 1100 OFFSET 30')).rows)
  expect(streamed).toHaveLength(1_100)
})

test('limits that are none say so', async () => {
  await expect(db.query('SELECT a FROM t ORDER BY a LIMIT -1')).rejects.toMatchObject({ code: '22023' })
  await expect(db.query('SELECT a FROM t WHERE a > 3 OFFSET -1')).rejects.toMatchObject({ code: '22023' })
})
