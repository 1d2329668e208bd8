/** The parser sees a shape once for each version of the catalog, however many rows or values come. */
import { beforeEach, expect, test, vi } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import type * as parseModule from '../../src/sql/parse.ts'
import type { Sql } from '../../src/sql/sql.ts'
import { createGenerationCache } from '../../src/sql/shape-cache.ts'
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
