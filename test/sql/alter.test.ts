/** Tables that change keep their rows, through memtables, files, compaction and reopening, and under running writes. */
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { LsmtError } from '../../src/errors.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { createSql } from '../../src/sql/sql.ts'
import type { Sql } from '../../src/sql/sql.ts'
import { openKeyedTable } from '../../src/engine/keyed/kv-table.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

async function rowsOf(sql: Sql, text: string): Promise<unknown> {
  return (await sql.query(text)).at(-1)!.rows
}

test('columns added, dropped and renamed read the same from memtables, files and after reopening', async () => {
  const disk = new Map()
  let engine = await openTestEngine(createMemoryStorage({ disk }), { shards: 2 })
  let sql = createSql(engine)
  const settle: readonly ((engine: Engine) => Promise<unknown>)[] = [
    async () => {},
    (current) => current.flush(),
    (current) => current.compact(),
    async (current) => {
      await current.close()
      engine = await openTestEngine(createMemoryStorage({ disk }))
      sql = createSql(engine)
    },
  ]
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, n INT)')
  await sql.query("INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)")
  await engine.flush()
  await sql.query("ALTER TABLE t ADD COLUMN extra DOUBLE PRECISION; INSERT INTO t VALUES (4, 'four', 40, 0.5); ALTER TABLE t DROP COLUMN n; ALTER TABLE t ADD n TEXT; UPDATE t SET n = 'new' WHERE id = 2")
  for (const step of settle) {
    await step(engine)
    expect(await rowsOf(sql, 'SELECT * FROM t')).toEqual([[1, 'one', null, null], [2, 'two', null, 'new'], [3, 'three', null, null], [4, 'four', 0.5, null]])
    expect(await rowsOf(sql, 'SELECT id FROM t WHERE extra IS NULL AND n IS NULL')).toEqual([[1], [3]])
    expect(await rowsOf(sql, 'SELECT id FROM t WHERE extra > 0')).toEqual([[4]])
    expect(await rowsOf(sql, 'SELECT COUNT(*), COUNT(extra), SUM(extra), MAX(n), COUNT(n) FROM t')).toEqual([[4, 1, 0.5, 'new', 1]])
    expect(await rowsOf(sql, 'SELECT n, extra FROM t WHERE id = 1')).toEqual([[null, null]])
  }
  await sql.query("TRUNCATE t; INSERT INTO t (id) VALUES (9)")
  for (const step of settle) {
    await step(engine)
    expect(await rowsOf(sql, 'SELECT * FROM t')).toEqual([[9, null, null, null]])
  }
  await engine.close()
})

test('statements under way when a table changes are planned anew; none is lost or fails', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 3 })
  const sql = createSql(engine)
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY, n INT DEFAULT 0); CREATE TABLE log (n INT)')
  const table = openKeyedTable(engine, 't')
  const writes: Promise<unknown>[] = []
  for (let index = 0; index < 40; index++) {
    writes.push(sql.query(`INSERT INTO t (id) VALUES (${index})`), sql.query(`INSERT INTO log (n) VALUES (${index})`), table.put({ id: 1000 + index, n: index }))
    if (index % 10 === 5) writes.push(sql.query(`ALTER TABLE t ADD COLUMN c${index} TEXT; ALTER TABLE log ADD COLUMN c${index} TEXT`))
    if (index % 4 === 3) writes.push(sql.query(`UPDATE t SET n = 1 WHERE id < ${index}`))
    await new Promise<void>((resolve) => {
      setImmediate(resolve)
    })
  }
  await Promise.all(writes)
  expect(await rowsOf(sql, 'SELECT COUNT(*) FROM t')).toEqual([[80]])
  expect(await rowsOf(sql, 'SELECT COUNT(n), COUNT(*), COUNT(c35) FROM log')).toEqual([[40, 40, 0]])
  await engine.close()
})

test('a table is truncated between writes: each is in it whole, or gone whole', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 3 })
  const sql = createSql(engine)
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY)')
  const writes = Array.from({ length: 60 }, (_, index) =>
    index % 15 === 7 ? sql.query('TRUNCATE t') : sql.query(`INSERT INTO t VALUES (${2 * index}), (${2 * index + 1})`),
  )
  await Promise.all(writes)
  const rows = (await rowsOf(sql, 'SELECT id FROM t')) as readonly (readonly number[])[]
  expect(rows.length % 2).toBe(0)
  for (let at = 0; at < rows.length; at += 2) expect(rows[at + 1]![0]).toBe(rows[at]![0]! + 1)
  await engine.close()
})

test('two changes of one table at once both count', async () => {
  const engine = await openTestEngine(createMemoryStorage())
  const sql = createSql(engine)
  await sql.query('CREATE TABLE t (id BIGINT PRIMARY KEY)')
  const outcomes = await Promise.allSettled([sql.query('ALTER TABLE t ADD a INT'), sql.query('ALTER TABLE t ADD b INT'), sql.query('ALTER TABLE t ADD a TEXT'), sql.query('ALTER TABLE t RENAME TO u')])
  expect(outcomes.map((outcome) => (outcome.status === 'rejected' && outcome.reason instanceof LsmtError ? outcome.reason.code : 'done'))).toEqual(['done', 'done', '42701', 'done'])
  expect(await rowsOf(sql, 'DESCRIBE u')).toEqual([['id', 'BIGINT', false, 1, null], ['a', 'INTEGER', true, null, null], ['b', 'INTEGER', true, null, null]])
  await engine.close()
})

test('a column added with a default reads the same from memtables, files and after reopening, and later ones do as well', async () => {
  const disk = new Map()
  let engine = await openTestEngine(createMemoryStorage({ disk }), { shards: 2 })
  let sql = createSql(engine)
  await sql.query("CREATE TABLE t (id BIGINT PRIMARY KEY); INSERT INTO t VALUES (1), (2)")
  await engine.flush()
  await sql.query("INSERT INTO t VALUES (3); ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT 'x'; INSERT INTO t VALUES (4, 'y'); ALTER TABLE t ADD COLUMN n BIGINT DEFAULT 7; ALTER TABLE t ALTER COLUMN n DROP DEFAULT; INSERT INTO t (id) VALUES (5)")
  const reopen = async (): Promise<void> => {
    await engine.close()
    engine = await openTestEngine(createMemoryStorage({ disk }))
    sql = createSql(engine)
  }
  for (const settle of [async () => {}, reopen, () => engine.flush(), reopen, () => engine.compact(), reopen]) {
    await settle()
    expect(await rowsOf(sql, 'SELECT * FROM t ORDER BY id')).toEqual([[1, 'x', 7], [2, 'x', 7], [3, 'x', 7], [4, 'y', 7], [5, 'x', null]])
    expect(await rowsOf(sql, "SELECT COUNT(*), SUM(n), MIN(a) FROM t WHERE a = 'x' AND n > 6")).toEqual([[3, '21', 'x']])
    expect(await rowsOf(sql, 'SELECT id FROM t ORDER BY n DESC NULLS LAST, id LIMIT 2')).toEqual([[1], [2]])
    expect(await rowsOf(sql, "SELECT n FROM t WHERE id = 1")).toEqual([[7]])
  }
  const long = 'x'.repeat(70_000)
  await expect(sql.query(`ALTER TABLE t ADD COLUMN long TEXT DEFAULT '${long}'`)).rejects.toMatchObject({ code: '54000' })
  await engine.close()
})
