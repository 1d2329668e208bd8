/** Transactions that last as long as a function: all or nothing, alone on the tables that they write, of one snapshot, bounded. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineTable, LsmtError, open } from '../../src/lsmt.ts'
import type { Database, Transaction } from '../../src/lsmt.ts'

let db: Database
beforeEach(async () => {
  db = await open({ storage: 'memory', workers: 0, shards: 3 })
  await db.query("CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT); INSERT INTO t VALUES (1, 10), (2, 20), (3, 30); CREATE TABLE log (line TEXT)")
})
afterEach(() => db.close())

const write = ['t']

async function numbers(from: Pick<Transaction, 'query'> = db): Promise<readonly unknown[]> {
  return (await from.query('SELECT n FROM t ORDER BY id')).rows.map(({ n }) => n)
}

async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    expect(error).toBeInstanceOf(LsmtError)
    return (error as LsmtError).code
  }
  return 'none'
}

const forever = new Promise<never>(() => {})

test('commits what was written by SQL and by key, gives what the function gives, and is seen from then on', async () => {
  const given = await db.transaction({ write: ['t', 'log', 'kv'] }, async (tx) => {
    expect(await tx.query('UPDATE t SET n = n + 1 WHERE id < 3 RETURNING n')).toMatchObject({ rows: [{ n: 11 }, { n: 21 }], rowCount: 2 })
    await tx.table('t').put({ id: 4, n: 40 })
    await tx.table('kv').batch([{ put: { key: 'a', value: 'b' } }, { put: { key: 'c', value: 'd' } }])
    await tx.query("INSERT INTO log VALUES ('x'), ('y')")
    expect([await numbers(tx), tx.table('t').getSync(4), (await tx.table('kv').get('c'))?.['value']]).toEqual([[11, 21, 30, 40], { id: 4, n: 40 }, 'd'])
    expect((await tx.queryAll('SELECT COUNT(*) AS n FROM log; SELECT SUM(n) AS s FROM t')).map(({ rows }) => rows[0])).toEqual([{ n: 2 }, { s: '102' }])
    expect([await numbers(), db.table('kv').getSync('a')]).toEqual([[10, 20, 30], undefined])
    return 'done'
  })
  expect([given, await numbers(), db.table('kv').getSync('a')]).toEqual(['done', [11, 21, 30, 40], { key: 'a', value: 'b' }])
})

test('is there after the database was closed and opened', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'lsmt-transaction-'))
  const first = await open({ dataDir, workers: 0 })
  await first.transaction({ write: ['kv'] }, async (tx) => {
    for (let i = 0; i < 50; i++) await tx.table('kv').put({ key: `k${i}`, value: '' })
  })
  await first.close()
  const again = await open({ dataDir, workers: 0 })
  expect((await again.query('SELECT COUNT(*) AS n FROM kv')).rows).toEqual([{ n: 50 }])
  await again.close()
  rmSync(dataDir, { recursive: true })
})

test('writes nothing when the function throws, and lets its tables go', async () => {
  const reason = new Error('changed my mind')
  await expect(db.transaction({ write }, async (tx) => {
    await tx.query('DELETE FROM t')
    await tx.table('t').put({ id: 9, n: 9 })
    throw reason
  })).rejects.toBe(reason)
  await expect(db.transaction({ write }, () => { throw reason })).rejects.toBe(reason)
  await db.query('UPDATE t SET n = n + 1')
  expect(await numbers()).toEqual([11, 21, 31])
})

test('what fails changes nothing, and the transaction may go on', async () => {
  await db.transaction({ write }, async (tx) => {
    expect(await codeOf(tx.query('INSERT INTO t VALUES (7, 7), (1, 1)'))).toBe('23505')
    expect(await codeOf(tx.query('INSERT INTO t VALUES (8, 8); SELECT 1 / 0'))).toBe('22012')
    expect(await codeOf(tx.table('t').put({ id: 'text' }))).toBe('42804')
    await tx.query('SAVEPOINT a; DELETE FROM t; ROLLBACK TO a')
    expect(await codeOf(tx.query('DELETE FROM t; SAVEPOINT b; SELECT 1 / 0'))).toBe('22012')
    await tx.query('INSERT INTO t VALUES (9, 90)')
    expect(await codeOf(tx.query('ROLLBACK TO b'))).toBe('3B001')
    await tx.query('RELEASE a')
  })
  expect(await numbers()).toEqual([10, 20, 30, 90])
})

test('writes only what it named, and neither the catalog nor its own end', async () => {
  await db.transaction({ write }, async (tx) => {
    expect(await codeOf(tx.query("INSERT INTO kv VALUES ('a', 'b')"))).toBe('25006')
    expect(await codeOf(tx.table('kv').put({ key: 'a' }))).toBe('25006')
    expect(await codeOf(tx.table('kv').putColumns({ key: ['a'] }))).toBe('25006')
    expect(await codeOf(tx.table('kv').deleteRange({}))).toBe('25006')
    for (const text of ['CREATE TABLE u (id BIGINT)', 'DROP TABLE t', 'TRUNCATE t', 'COMMIT', 'ROLLBACK']) expect(await codeOf(tx.query(text)), text).toBe('0A000')
    expect(await codeOf(tx.query('BEGIN'))).toBe('25001')
    expect(await codeOf(() => tx.table('u'))).toBe('42P01')
  })
  expect(await codeOf(db.transaction({ write: ['nope'] }, () => forever))).toBe('42P01')
  await expect(db.transaction({ write: [] }, (tx) => tx.query('DELETE FROM t'))).rejects.toMatchObject({ code: '25006', message: expect.stringContaining('"t"') as unknown })
})

test('takes definitions, whose rows are typed', async () => {
  const typed = defineTable('t', { id: 'bigint', n: 'bigint?' }, { key: 'id' })
  const sum = await db.transaction({ write: [typed] }, async (tx) => {
    const table = tx.table(typed)
    await table.put({ id: 4, n: 1 })
    let total = 0
    for await (const { n } of table.scan()) total += Number(n ?? 0)
    return total
  })
  expect(sum).toBe(61)
})

test('has its tables for itself: no increment is lost among many, plain ones in between', async () => {
  const increment = (): Promise<void> => db.transaction({ write }, async (tx) => {
    const { n } = (await tx.table('t').get(1))!
    await new Promise((resolve) => setImmediate(resolve))
    await tx.table('t').put({ id: 1, n: Number(n) + 1 })
  })
  await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? db.query('UPDATE t SET n = n + 1 WHERE id = 1') : increment())))
  expect((await numbers())[0]).toBe(40)
})

test('reads one snapshot of what it does not write', async () => {
  await db.transaction({ write: ['kv'] }, async (tx) => {
    await db.query('UPDATE t SET n = 0')
    expect([await numbers(tx), tx.table('t').getSync(1)]).toEqual([[10, 20, 30], { id: 1, n: 10 }])
  })
  expect(await numbers()).toEqual([0, 0, 0])
})

test('what was started without waiting runs in order, and is part of it', async () => {
  await db.transaction({ write }, async (tx) => {
    const outcomes = await Promise.allSettled([tx.query('INSERT INTO t VALUES (5, 1)'), tx.query('INSERT INTO t VALUES (5, 2)'), tx.query('UPDATE t SET n = n * 10 WHERE id = 5')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    void tx.table('t').put({ id: 6, n: 60 })
    void tx.query('UPDATE t SET n = n + 1 WHERE id = 6; UPDATE t SET n = n + 1 WHERE id = 6')
  })
  expect(await numbers()).toEqual([10, 20, 30, 10, 62])
})

test('rows that are read as they come are of one state, and end with it', async () => {
  let left: AsyncGenerator | undefined
  await db.transaction({ write }, async (tx) => {
    const table = tx.table('t')
    await table.put({ id: 0, n: 0 })
    const seen: unknown[] = []
    for await (const { id } of table.scan()) {
      seen.push(id)
      expect((await tx.query('SELECT COUNT(*) AS n FROM t')).rows).toEqual([{ n: 4 }])
      expect([await codeOf(table.put({ id: 99 })), await codeOf(tx.query('DELETE FROM t'))]).toEqual(['55000', '55000'])
    }
    expect(seen).toEqual([0, 1, 2, 3])
    await table.delete(0)
    left = table.scan()
    expect((await left.next()).value).toEqual({ id: 1, n: 10 })
  })
  expect(await codeOf(async () => { for await (const _ of left!); })).toBe('25P01')
  expect(await numbers()).toEqual([10, 20, 30])
})

test('a function that does not end is over in time, and what it does later is refused', async () => {
  let late: Transaction | undefined
  const started = performance.now()
  await expect(db.transaction({ write, timeoutMs: 500 }, async (tx) => {
    late = tx
    await tx.query('DELETE FROM t')
    await forever
  })).rejects.toMatchObject({ code: '57014', message: 'the transaction took longer than 500 ms' })
  expect(performance.now() - started).toBeLessThan(20_000)
  expect([await codeOf(late!.query('DELETE FROM t')), await codeOf(late!.table('kv').get('a')), await codeOf(() => late!.table('t').getSync(1))]).toEqual(['57014', '57014', '57014'])
  await db.query('UPDATE t SET n = n + 1')
  expect(await numbers()).toEqual([11, 21, 31])
})

test('a query that does not end is stopped too', async () => {
  const sum = 'SELECT SUM(a.id * b.id) AS s FROM big a CROSS JOIN big b CROSS JOIN big c'
  await db.query('CREATE TABLE big (id BIGINT PRIMARY KEY)')
  await db.table('big').putColumns({ id: Int32Array.from({ length: 3_000 }, (_, i) => i) })
  expect(await codeOf(db.transaction({ write, timeoutMs: 100 }, (tx) => tx.query(sum)))).toBe('57014')
  await db.query('DELETE FROM t')
})

test('waiting is bounded: for tables that another has, and for those that it has itself', async () => {
  let end = (): void => {}
  const first = db.transaction({ write }, () => new Promise<void>((resolve) => (end = resolve)))
  expect(await codeOf(db.transaction({ write, timeoutMs: 30 }, () => 'never'))).toBe('57014')
  expect(await codeOf(db.transaction({ write, signal: AbortSignal.timeout(30) }, () => 'never'))).toBe('57014')
  end()
  await first
  let self: Promise<unknown> | undefined
  expect(await codeOf(db.transaction({ write, timeoutMs: 500 }, () => (self = db.query('UPDATE t SET n = 1'))))).toBe('57014')
  await self
  expect(await numbers()).toEqual([1, 1, 1])
})

test('a signal ends it', async () => {
  const abort = new AbortController()
  const running = db.transaction({ write, signal: abort.signal }, async (tx) => {
    await tx.query('DELETE FROM t')
    abort.abort()
    await forever
  })
  expect(await codeOf(running)).toBe('57014')
  expect(await codeOf(db.transaction({ write, signal: abort.signal }, () => 1))).toBe('57014')
  expect(await numbers()).toEqual([10, 20, 30])
})

test('a database that is closed meanwhile ends it', async () => {
  const other = await open({ storage: 'memory', workers: 0 })
  const running = other.transaction({ write: ['kv'] }, async (tx) => {
    await tx.table('kv').put({ key: 'a' })
    await other.close()
    await tx.table('kv').put({ key: 'b' })
  })
  expect(await codeOf(running)).toBe('55000')
})

test.each<[string, unknown, unknown]>([
  ['no options', undefined, () => {}],
  ['no tables', {}, () => {}],
  ['a name in place of names', { write: 't' }, () => {}],
  ['a table that is none', { write: [5] }, () => {}],
  ['an unknown option', { write, timeout: 5 }, () => {}],
  ['no time', { write, timeoutMs: 0 }, () => {}],
  ['no function', { write }, undefined],
])('refuses %s', async (_, options, run) => {
  expect(await codeOf(db.transaction(options as never, run as never))).toBe('22023')
})

test('a statement takes no options of its own', async () => {
  await db.transaction({ write }, async (tx) => {
    expect(await codeOf((tx as unknown as Database).query('SELECT 1', [], { idempotencyKey: 'a' }))).toBe('22023')
  })
})
