/**
 * Parameters that were not taken as they were given: values beyond the last placeholder were dropped without a word, half a
 * surrogate pair in an expression became U+FFFD in its answer, and a number too large for a double became Infinity.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { open } from '../../src/lsmt.ts'
import type { Database } from '../../src/lsmt.ts'
import { parseExactJson } from '../../src/sql/value/exact-json.ts'
import type { SqlParameters } from '../../src/sql/slot.ts'
import { createSql } from '../../src/sql/sql.ts'
import { openModelEngine } from '../engine/model-engine.ts'

let db: Database
beforeAll(async () => {
  db = await open({ storage: 'memory', kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, workers: 0 })
})
afterAll(() => db.close())

describe('more parameters than placeholders', () => {
  test.each<[string, SqlParameters, string]>([
    ['SELECT value FROM kv WHERE key = $1', ['a', 'b'], '2 given as parameters, and $1 is the last of the statement'],
    ['SELECT 1', [1], '1 given as parameters, and the statement has none'],
    ['UPSERT INTO kv VALUES ($1, $2)', ['a', 'b', 'c'], '3 given as parameters, and $2 is the last of the statement'],
    ["UPSERT INTO kv VALUES ('a', 'b'), ($1, $2)", ['a', 'b', 'c'], '3 given as parameters, and $2 is the last of the statement'],
    [`UPSERT INTO kv VALUES ${Array.from({ length: 1_000 }, (_, i) => `('${i}', 'x')`).join(', ')}`, ['a'], '1 given as parameters, and the statement has none'],
    ['SELECT $1; SELECT $2', ['a', 'b', 'c'], '3 given as parameters, and $2 is the last of the statement'],
  ])('%.60s', async (text, parameters, message) => {
    await expect(db.query(text, parameters)).rejects.toMatchObject({ code: '08P01', message })
    await expect(db.transaction({ write: ['kv'] }, (tx) => tx.query(text, parameters))).rejects.toMatchObject({ code: '08P01', message })
    await expect(db.stream(text, parameters).next()).rejects.toMatchObject({ code: text.includes(';') ? '0A000' : '08P01' })
    expect((await db.query('SELECT key FROM kv')).rowCount).toBe(0)
  })

  test('those of a text are for all of its statements, and need not all be used', async () => {
    const results = await db.queryAll('SELECT $1; SELECT $3', [1, 2, 3])
    expect(results.map(({ rows }) => Object.values(rows[0]!))).toEqual([[1], [3]])
  })

  test('an object may have more names than the statement, as that of a row has', async () => {
    expect((await db.query('SELECT :a AS a', { a: 1, b: 2 })).rows).toEqual([{ a: 1 }])
  })
})

test.each(['SELECT $1', 'SELECT length($1)', "SELECT $1 = 'a'", 'SELECT key FROM kv WHERE key = $1', 'SELECT key FROM kv WHERE key || value = $1', 'SELECT key FROM kv WHERE key LIKE $1', 'SELECT key FROM kv WHERE key IN ($1)', "UPSERT INTO kv VALUES ($1, 'x')", "UPSERT INTO kv VALUES (lower($1), 'x')", 'UPDATE kv SET value = $1', 'DELETE FROM kv WHERE value > $1'])('half a surrogate pair is 22021: %s', async (text) => {
  await db.query("UPSERT INTO kv VALUES ('there', 'x')")
  for (const half of ['\ud800', 'a\udc00', '\ud83dx']) await expect(db.query(text, [half])).rejects.toMatchObject({ code: '22021', message: expect.stringContaining('lone surrogate') as string })
  await db.query("DELETE FROM kv WHERE key = 'there'")
})

test('half a surrogate pair is no key', async () => {
  const kv = db.table('kv')
  await expect(kv.put({ key: '\ud800', value: 'x' })).rejects.toMatchObject({ code: '22021' })
  await expect(kv.put({ key: 'a', value: '\ud800' })).rejects.toMatchObject({ code: '22021' })
  await expect(kv.get('\ud800')).rejects.toMatchObject({ code: '22021' })
  await expect(kv.delete('\ud800')).rejects.toMatchObject({ code: '22021' })
})

describe('digits beyond a double', () => {
  const huge = parseExactJson('[1e999]') as SqlParameters
  test.each<[string, SqlParameters | undefined]>([
    ['SELECT CAST($1 AS DOUBLE PRECISION)', huge],
    ['SELECT CAST(1e999 AS DOUBLE PRECISION)', undefined],
    ['SELECT CAST(-1e309 AS DOUBLE PRECISION)', undefined],
    [`SELECT CAST(${'9'.repeat(400)} AS DOUBLE PRECISION)`, undefined],
    ['SELECT sqrt(1e999)', undefined],
    ['SELECT 1e999 + CAST(1 AS DOUBLE PRECISION)', undefined],
  ])('%.60s', async (text, parameters) => {
    await expect(createSql(openModelEngine()).query(text, parameters)).rejects.toMatchObject({ code: '22003' })
  })

  test('a NUMERIC keeps them, and Infinity is what says so itself', async () => {
    const [digits, infinite] = await createSql(openModelEngine()).query("SELECT $1 + 0.5 > 1e998; SELECT CAST('-Infinity' AS DOUBLE PRECISION)", huge)
    expect([digits!.rows, infinite!.rows]).toEqual([[[true]], [[-Infinity]]])
  })
})
