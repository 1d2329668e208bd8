/** Statements that read what they write, many at a time: each sees the state before itself, and none waits for itself. */
import { expect, test } from 'vitest'
import { createSql } from '../../src/sql/sql.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

async function openSql(): Promise<{ readonly query: (text: string) => Promise<unknown>; readonly close: () => Promise<void> }> {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 4 })
  const sql = createSql(engine)
  return { query: async (text) => (await sql.query(text)).at(-1)!.rows, close: () => engine.close() }
}

test('updates with subqueries over their own table go one after the other', async () => {
  const { query, close } = await openSql()
  await query('CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)')
  const writes = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? query('UPDATE t SET n = (SELECT max(u.n) FROM t AS u) + 1') : query('UPDATE t SET n = n + 1 WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.id = t.id AND u.n >= 0)')))
  await Promise.all(writes)
  expect(await query('SELECT n, count(*) FROM t GROUP BY n')).toEqual([[20, 3]])
  await close()
})

test('updates by key lose nothing to each other, subqueries or not', async () => {
  const { query, close } = await openSql()
  await query('CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t VALUES (1, 0), (2, 0)')
  const forms = ['UPDATE t SET n = n + 1 WHERE id = 1', 'UPDATE t SET n = (SELECT u.n FROM t AS u WHERE u.id = t.id) + 1 WHERE id IN (1, 2)', 'INSERT INTO t VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET n = (SELECT u.n FROM t AS u WHERE u.id = excluded.id) + 1']
  await Promise.all(Array.from({ length: 30 }, (_, i) => query(forms[i % 3]!)))
  expect(await query('SELECT n FROM t ORDER BY id')).toEqual([[30], [10]])
  await close()
})

test('an update that moves rows to keys which others write waits and is right', async () => {
  const { query, close } = await openSql()
  await query('CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t SELECT 1, 1')
  const results = await Promise.allSettled([query('UPDATE t SET id = 2, n = (SELECT count(*) FROM t) + n WHERE id = 1 RETURNING id, n'), query('INSERT INTO t VALUES (2, 9)'), query('UPDATE t SET n = n + 5 WHERE id = 1')])
  const rows = await query('SELECT id, n FROM t ORDER BY id')
  const moved = results[0].status === 'fulfilled'
  expect(moved).not.toBe(results[1].status === 'fulfilled')
  expect(moved ? [[[2, 2]], [[2, 7]]] : [[[1, 6], [2, 9]]]).toContainEqual(rows)
  await close()
})
