/** Texts under idempotency keys, over every engine: answered again as the first time, and never applied twice. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { answersLengthMax, unitsMax } from '../../src/sql/run/keyed/keyed-text.ts'
import { createSql, defaultSqlSettings } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import type { SqlParameters } from '../../src/sql/slot.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'
import { testEngines } from './test-engines.ts'

for (const [title, open] of testEngines) {
  describe(`idempotency keys over ${title}`, () => {
    let engine: Engine
    let sql: Sql
    beforeEach(async () => {
      engine = await open()
      sql = createSql(engine)
      await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT, v TEXT)')
    })
    afterEach(async () => {
      await engine.close()
    })

    const keyed = (idempotencyKey: string, text: string, parameters?: SqlParameters): ReturnType<Sql['query']> => sql.query(text, parameters, { idempotencyKey })
    const table = async (): Promise<unknown> => (await sql.query('SELECT * FROM t ORDER BY id'))[0]!.rows

    /** Runs a text, something else, and the text again. */
    async function twice(text: string, between = "UPDATE t SET v = 'between'"): Promise<void> {
      const first = await keyed('k', text)
      const before = await table()
      await sql.query(between)
      const after = await table()
      expect(await keyed('k', text)).toEqual(first)
      expect(await table()).toEqual(after)
      expect(before).not.toEqual([])
    }

    test.each([
      ['INSERT', 'INSERT INTO t VALUES (1, 1, NULL)'],
      ['INSERT of many rows', `INSERT INTO t VALUES ${Array.from({ length: 50 }, (_, i) => `(${i}, 1, 'x')`).join(', ')}`],
      ['INSERT without effect', 'INSERT INTO t VALUES (1, 1, NULL); INSERT INTO t VALUES (1, 2, NULL) ON CONFLICT DO NOTHING'],
      ['INSERT … RETURNING', "INSERT INTO t VALUES (1, 9223372036854775807, 'ü''') RETURNING *, 0.1::DOUBLE PRECISION, 'NaN'::DOUBLE PRECISION AS nan, -0.0::DOUBLE PRECISION AS zero, '\\x00ff'::BYTEA AS b, TIMESTAMP '2026-01-01' AS at, NULL AS nothing"],
      ['ON CONFLICT DO UPDATE … RETURNING', 'INSERT INTO t VALUES (1, 1, NULL); INSERT INTO t VALUES (1, 5, NULL), (2, 6, NULL) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n RETURNING id, n'],
      ['UPDATE', 'INSERT INTO t VALUES (1, 1, NULL), (2, 2, NULL); UPDATE t SET n = n + 1 WHERE n > 0; UPDATE t SET n = n * 10 WHERE id = 1 RETURNING n; UPDATE t SET n = 0 WHERE id = 77'],
      ['DELETE', 'INSERT INTO t VALUES (1, 1, NULL), (2, 2, NULL), (3, 3, NULL); DELETE FROM t WHERE id > 2; DELETE FROM t WHERE id = 1 RETURNING id, n; DELETE FROM t WHERE n = 99'],
      ['a transaction', 'BEGIN; INSERT INTO t VALUES (1, 1, NULL); SAVEPOINT s; UPDATE t SET n = 7; ROLLBACK TO s; SELECT n, count(*) FROM t GROUP BY n; UPDATE t SET n = n + 1 RETURNING n; COMMIT'],
      ['a transaction between others', 'INSERT INTO t VALUES (1, 1, NULL); BEGIN; UPDATE t SET n = n + 1; COMMIT; UPDATE t SET n = n * 10; BEGIN; UPDATE t SET n = n + 1 WHERE id = 5; COMMIT'],
    ])('%s is answered again and not applied again', async (_, text) => {
      await twice(text)
    })

    test('statements about tables are applied once', async () => {
      const text = 'CREATE TABLE a (id BIGINT PRIMARY KEY); CREATE TABLE b (id BIGINT PRIMARY KEY); INSERT INTO a VALUES (1); ALTER TABLE a ADD COLUMN n BIGINT; TRUNCATE t; DROP TABLE a; DROP TABLE b; CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY)'
      const first = await keyed('k', text)
      await sql.query('CREATE TABLE a (id BIGINT PRIMARY KEY); INSERT INTO t VALUES (1, 1, NULL)')
      expect(await keyed('k', text)).toEqual(first)
      expect(engine.table('a')).toBeDefined()
      expect(await table()).toEqual([[1, 1, null]])
    })

    test('a text that broke off goes on where it ended', async () => {
      const text = 'INSERT INTO t VALUES (1, 1, NULL); UPDATE t SET n = n + 1; INSERT INTO missing VALUES (1); UPDATE t SET n = n + 1'
      for (let i = 0; i < 3; i++) await expect(keyed('k', text)).rejects.toMatchObject({ code: '42P01' })
      expect(await table()).toEqual([[1, 2, null]])
      await sql.query('CREATE TABLE missing (id BIGINT PRIMARY KEY)')
      expect((await keyed('k', text)).map(({ rowCount }) => rowCount)).toEqual([1, 1, 1, 1])
      expect((await keyed('k', text)).map(({ rowCount }) => rowCount)).toEqual([1, 1, 1, 1])
      expect(await table()).toEqual([[1, 3, null]])
    })

    test('a transaction that failed or was rolled back runs again', async () => {
      const text = 'BEGIN; INSERT INTO t VALUES (1, 1, NULL); INSERT INTO t SELECT id, 2, NULL FROM t; COMMIT'
      await expect(keyed('k', text)).rejects.toMatchObject({ code: '23505' })
      expect(await table()).toEqual([])
      await sql.query('INSERT INTO t VALUES (1, 5, NULL)')
      await expect(keyed('k', text)).rejects.toMatchObject({ code: '23505' })
      await keyed('r', 'BEGIN; UPDATE t SET n = n + 1; ROLLBACK')
      await keyed('r', 'BEGIN; UPDATE t SET n = n + 1; ROLLBACK')
      expect(await table()).toEqual([[1, 5, null]])
    })

    test('what only reads is read again', async () => {
      const text = 'INSERT INTO t VALUES (1, 1, NULL); SELECT n FROM t'
      expect((await keyed('k', text))[1]!.rows).toEqual([[1]])
      await sql.query('UPDATE t SET n = 2')
      expect((await keyed('k', text))[1]!.rows).toEqual([[2]])
      expect((await keyed('x', 'EXPLAIN INSERT INTO t VALUES (2, 2, NULL)'))[0]!.kind).toBe('rows')
      await expect(keyed('y', 'EXPLAIN ANALYZE INSERT INTO t VALUES (2, 2, NULL)')).rejects.toMatchObject({ code: '0A000' })
      expect(await sql.query('SELECT n FROM t', undefined, { idempotencyKey: 'k', mayWrite: false })).toHaveLength(1)
    })

    test('a key that comes with another request is refused', async () => {
      await keyed('k', 'INSERT INTO t VALUES ($1, $2, $3)', [1, 2n, 'x'])
      const refusal = { code: '22023', message: expect.stringContaining('another request') as string }
      await expect(keyed('k', 'INSERT INTO t VALUES ($1, $2,  $3)', [1, 2n, 'x'])).rejects.toMatchObject(refusal)
      for (const parameters of [[2, 2n, 'x'], [1, 2, 'x'], [1, { digits: '2' }, 'x'], [1, 2n, Buffer.from('x')], [1, 2n, null]]) {
        await expect(keyed('k', 'INSERT INTO t VALUES ($1, $2, $3)', parameters)).rejects.toMatchObject(refusal)
      }
      expect((await keyed('k', 'INSERT INTO t VALUES ($1, $2, $3)', [1, 2n, 'x']))[0]!.rowCount).toBe(1)
      await keyed('named', 'INSERT INTO t VALUES (:a, :b, NULL)', { a: 8, b: 9 })
      expect((await keyed('named', 'INSERT INTO t VALUES (:a, :b, NULL)', { b: 9, a: 8 }))[0]!.rowCount).toBe(1)
    })

    // The model lets statements with RETURNING that run at once overwrite each other.
    test.skipIf(title === 'the model engine')('of requests that come at once one is applied, the others wait for its answer', async () => {
      await sql.query('INSERT INTO t VALUES (1, 0, NULL)')
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => keyed(`k${i % 4}`, `UPDATE t SET n = n + 1 RETURNING n -- ${i % 4}`)))
      expect(new Set(answers.map(([answer]) => answer!.rows[0]![0]))).toEqual(new Set([1, 2, 3, 4]))
      expect(await table()).toEqual([[1, 4, null]])
    })

    test('who gives up waiting for a key does not keep it', async () => {
      const first = sql.start(sql.prepare('INSERT INTO t VALUES (1, 1, NULL); SELECT 1'), undefined, { idempotencyKey: 'k' })
      await first.next()
      const controller = new AbortController()
      const waiting = sql.query('SELECT 2', undefined, { idempotencyKey: 'k', signal: controller.signal })
      controller.abort()
      await expect(waiting).rejects.toMatchObject({ code: '57014' })
      first.close()
      expect(await keyed('k', 'INSERT INTO t VALUES (1, 1, NULL); SELECT 1')).toHaveLength(2)
    })

    // The model writes before it asks for the record.
    test.skipIf(title === 'the model engine')('keys and answers have limits, and beyond them nothing is written', async () => {
      for (const key of ['', 'x'.repeat(256)]) await expect(keyed(key, 'INSERT INTO t VALUES (1, 1, NULL)')).rejects.toMatchObject({ code: '22023' })
      await expect(keyed('\ud800', 'INSERT INTO t VALUES (1, 1, NULL)')).rejects.toMatchObject({ code: '22021' })
      const long = 'x'.repeat(answersLengthMax)
      await expect(keyed('k', 'INSERT INTO t VALUES (1, 1, $1) RETURNING v', [long])).rejects.toMatchObject({ code: '54000' })
      await expect(keyed('l', 'BEGIN; INSERT INTO t VALUES (1, 1, $1); SELECT * FROM t; COMMIT', [long])).rejects.toMatchObject({ code: '54000' })
      expect(await table()).toEqual([])
      expect((await keyed('m'.repeat(255), 'INSERT INTO t VALUES (1, 0, NULL)'))[0]!.rowCount).toBe(1)
    })
  })
}

test('an INSERT … SELECT that is staged is recorded with what makes its rows visible', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { kernels: 'js', shards: 2 })
  const sql = createSql(engine, { ...defaultSqlSettings, queryMemoryBytesMax: 256 * 1024 })
  await sql.query('CREATE TABLE a (id BIGINT PRIMARY KEY, v TEXT); CREATE TABLE b (id BIGINT PRIMARY KEY, v TEXT); CREATE TABLE c (id BIGINT PRIMARY KEY, v TEXT)')
  await sql.query(`INSERT INTO a VALUES ${Array.from({ length: 3000 }, (_, i) => `(${i}, '${'x'.repeat(50)}')`).join(', ')}; INSERT INTO c VALUES (-1, NULL)`)
  for (const text of ['INSERT INTO b SELECT * FROM a', 'INSERT INTO c SELECT * FROM a', 'INSERT INTO c SELECT id - 2000, v FROM a ON CONFLICT DO NOTHING']) {
    const first = await sql.query(text, undefined, { idempotencyKey: text })
    expect(first[0]!.rowCount).toBeGreaterThan(1999)
    await sql.query('DELETE FROM b WHERE id < 10; DELETE FROM c WHERE id < 10')
    expect(await sql.query(text, undefined, { idempotencyKey: text })).toEqual(first)
    expect((await sql.query('SELECT count(*) FROM b WHERE id < 10; SELECT count(*) FROM c WHERE id < 10')).map(({ rows }) => rows)).toEqual([[[0]], [[0]]])
  }
  await engine.close()
})

test('a long text under a key is a transaction, or has a limit', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { kernels: 'js', shards: 1, tree: { memtableBytesMax: 16 * 1024 * 1024, logSegmentBytes: 16 * 1024 * 1024 } })
  const sql = createSql(engine)
  await sql.query("INSERT INTO kv VALUES ('n', '')")
  const many = "UPDATE kv SET value = value || 'x';".repeat(unitsMax + 5)
  const length = async (): Promise<unknown> => (await sql.query('SELECT LENGTH(value) FROM kv'))[0]!.rows[0]![0]
  for (let i = 0; i < 2; i++) await expect(sql.query(many, undefined, { idempotencyKey: 'k' })).rejects.toMatchObject({ code: '54000' })
  expect(await length()).toBe(unitsMax)
  for (let i = 0; i < 2; i++) expect(await sql.query(`BEGIN;${many}COMMIT`, undefined, { idempotencyKey: 't' })).toHaveLength(unitsMax + 7)
  expect(await length()).toBe(2 * unitsMax + 5)
  await engine.close()
})
