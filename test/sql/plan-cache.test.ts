/** The parser sees a shape once for each version of the catalog, however many rows or values come. */
import { beforeEach, expect, test, vi } from 'vitest'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import type * as parseModule from '../../src/sql/parse.ts'
import type { Sql } from '../../src/sql/sql.ts'
import { createGenerationCache } from '../../src/sql/shape-cache.ts'
import { createDeferred } from '../../src/runtime/deferred.ts'
import { openModelEngine } from '../engine/model-engine.ts'

const parsed = vi.hoisted(() => ({ shapes: [] as string[] }))
vi.mock('../../src/sql/parse.ts', async (importOriginal) => {
  const original = await importOriginal<typeof parseModule>()
  return {
    parseStatement: (...args: Parameters<typeof original.parseStatement>) => {
      parsed.shapes.push(args[0])
      return original.parseStatement(...args)
    },
  }
})

let sql: Sql
beforeEach(() => {
  sql = createSql(openModelEngine())
  parsed.shapes.length = 0
})

test('reads and writes of one shape are parsed once', async () => {
  for (let index = 0; index < 50; index++) {
    await sql.query(`INSERT INTO kv VALUES ('k${index}', 'v${index}')`)
    await sql.query(`SELECT value FROM kv WHERE key = 'k${index}'`)
    await sql.query('SELECT value FROM kv WHERE key = $1', [`k${index}`])
  }
  expect(parsed.shapes).toEqual(['insert into kv values ( ? , ? )', 'select value from kv where key = ?'])
})

test('every kind of statement is parsed the first time only, and answers as without a cache', async () => {
  const uncached = createSql(openModelEngine(), { ...defaultSqlSettings, planCacheEntriesMax: 0 })
  for (const each of [sql, uncached]) await each.query('CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT, c NUMERIC(8, 2))')
  const kinds = (i: number): readonly string[] => [
    `INSERT INTO t VALUES (${i}, 'text ${i}', ${i}.25)`, `INSERT INTO t (a, b) VALUES (${i + 100}, 'x'), (${i + 200}, 'it''s ${i}')`, `INSERT INTO t VALUES (${i}, NULL, -${i}) ON CONFLICT (a) DO UPDATE SET c = t.c + ${i} RETURNING a, c`,
    `UPSERT INTO t VALUES (${i + 300}, '', DEFAULT)`, `INSERT INTO t SELECT a + 1000, 'copy ${i}', c FROM t WHERE a = ${i}`, `UPDATE t SET b = 'changed ${i}' WHERE a = ${i}`, `UPDATE t SET c = c * ${i} WHERE b > 'text ${i}'`,
    `SELECT * FROM t WHERE a = ${i}`, `SELECT a, b FROM t WHERE a IN (${i}, -${i}, ${i + 100}) ORDER BY 1`, `SELECT COUNT(*), SUM(c) FROM t WHERE a < ${i * 50} AND b LIKE '%${i}%'`,
    `SELECT x.a, ${i} + 1 FROM t x JOIN t y ON x.a = y.a WHERE x.a > ${i} ORDER BY x.a LIMIT ${i}`, `DELETE FROM t WHERE a = ${i + 100}`, `DELETE FROM t WHERE b = 'copy ${i}' RETURNING a`,
    `INSERT INTO t (a, b, c) VALUES (${i} + 400, upper('x${i}'), DEFAULT), ((SELECT max(a) + 2000 FROM t), 'y', ${i} * 2)`, `UPDATE t SET (b, c) = (b || '${i}', c + ${i}) WHERE a = ${i} AND c > -${i}`, `UPDATE t SET c = (SELECT count(*) FROM t AS u WHERE u.a < t.a) + ${i} WHERE b LIKE '%${i}' OR a IN (${i}, 401) RETURNING a, c * ${i}`,
    `UPDATE t SET b = u.b FROM t AS u WHERE u.a = t.a + ${i} AND t.a < ${i}`, `DELETE FROM t USING t AS u WHERE u.a = t.a + 1000 AND u.b = 'copy ${i}'`, `INSERT INTO t VALUES (${i}, 'v', 1), (${i + 500}, 'w', 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b || '${i}' WHERE t.c < ${i} RETURNING a + ${i}`,
  ]
  for (let i = 1; i <= 6; i++) {
    parsed.shapes.length = 0
    const answers = []
    for (const text of kinds(i)) answers.push(await sql.query(text))
    if (i > 1) expect(parsed.shapes).toEqual([])
    for (const [index, text] of kinds(i).entries()) expect(await uncached.query(text), text).toEqual(answers[index])
  }
})

test('errors in statements that are known by their literals alone say where', async () => {
  await sql.query("INSERT INTO kv VALUES ('a', 'b')")
  await expect(sql.query("INSERT INTO kv VALUES ('a', 5)")).rejects.toMatchObject({ code: '42804', evidence: { position: 29 } })
  await sql.query('CREATE TABLE t (a INT PRIMARY KEY)')
  await sql.query('SELECT a FROM t WHERE a = 1')
  await sql.query('ALTER TABLE t RENAME COLUMN a TO b')
  await expect(sql.query('SELECT a FROM t WHERE a = 2')).rejects.toMatchObject({ code: '42703', evidence: { position: 23 } })
})

test('a thousand rows are parsed as one tuple', async () => {
  const rows = Array.from({ length: 1000 }, (_, index) => `('k${index}', 'v')`).join(', ')
  const [result] = await sql.query(`INSERT INTO kv VALUES ${rows}`)
  expect(result!.rowCount).toBe(1000)
  expect(parsed.shapes).toEqual(['insert into kv values ( ? , ? )'])
})

test('a changed catalog makes plans anew', async () => {
  await sql.query('CREATE TABLE t (a INT PRIMARY KEY, b TEXT)')
  await sql.query("INSERT INTO t VALUES (1, 'text')")
  await sql.query('DROP TABLE t; CREATE TABLE t (b INT PRIMARY KEY, a DOUBLE PRECISION)')
  await expect(sql.query("INSERT INTO t VALUES (1, 'text')")).rejects.toMatchObject({ code: '22P02' })
  await sql.query('INSERT INTO t VALUES (1, 2.5)')
  const [result] = await sql.query('SELECT * FROM t')
  expect(result!.rows).toEqual([[1, 2.5]])
})

test('errors are not kept', async () => {
  await expect(sql.query('SELECT a FROM later')).rejects.toMatchObject({ code: '42P01' })
  await sql.query('CREATE TABLE later (a INT PRIMARY KEY)')
  expect((await sql.query('SELECT a FROM later'))[0]!.rows).toEqual([])
})

test('a statement is planned when the catalog is as new as it must be', async () => {
  const engine = openModelEngine()
  const fresh = createDeferred()
  const following = createSql({ ...engine, table: engine.table, freshCatalog: () => fresh.promise })
  const answer = following.query('SELECT count(*) AS n FROM later')
  await createSql(engine).query('CREATE TABLE later (a INT PRIMARY KEY)')
  fresh.resolve()
  expect((await answer)[0]!.rows).toEqual([[0]])
})

test('the cache stays within its bound and keeps what is used', () => {
  const cache = createGenerationCache<number>(10)
  cache.set('kept', 0)
  for (let index = 1; index < 100; index++) {
    cache.set(`k${index}`, index)
    expect(cache.get('kept')).toBe(0)
    expect(cache.size).toBeLessThanOrEqual(10)
  }
  expect(cache.get('k1')).toBeUndefined()
})
