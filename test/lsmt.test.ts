import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LsmtError, open } from '../src/lsmt.ts'
import type { Database, OpenOptions } from '../src/lsmt.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lsmt-entry-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const small: OpenOptions = { kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, workers: 0 }

describe('an embedded database', () => {
  test('keeps what was written by SQL and by key', async () => {
    const dataDir = join(folder, 'kept')
    const db = await open({ ...small, dataDir })
    expect(await db.query('INSERT INTO kv VALUES ($1, $2)', ['hello', 'world'])).toEqual({ columns: [], rows: [], rowCount: 1 })
    await db.table('kv').put({ key: 'a', value: 'b' })
    expect(await db.query('SELECT value FROM kv WHERE key = $1', ['hello'])).toEqual({ columns: [{ name: 'value', type: 'TEXT' }], rows: [{ value: 'world' }], rowCount: 1 })
    await db.close()
    const again = await open({ ...small, dataDir })
    await again.flush()
    await again.compact()
    expect((await again.query('SELECT key, value FROM kv ORDER BY key')).rows).toEqual([{ key: 'a', value: 'b' }, { key: 'hello', value: 'world' }])
    expect(again.table('kv').getSync('hello')).toEqual({ key: 'hello', value: 'world' })
    await again.close()
  })

  test('tells the columns of a plan once for all its results, so that nobody can change them for others', async () => {
    const db = await open({ ...small, storage: 'memory' })
    await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY, n TEXT)')
    const { columns } = await db.query('SELECT n FROM t WHERE id = $1', [1])
    expect(() => (columns as unknown[]).pop()).toThrow(TypeError)
    expect(() => Object.assign(columns[0]!, { name: 'another' })).toThrow(TypeError)
    expect((await db.query('SELECT n FROM t WHERE id = $1', [2])).columns).toBe(columns)
    await db.query('DROP TABLE t; CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)')
    expect((await db.query('SELECT n FROM t WHERE id = $1', [1])).columns).toEqual([{ name: 'n', type: 'BIGINT' }])
    expect((await db.query('INSERT INTO t VALUES (1, 2)')).columns).toEqual([])
    await db.close()
  })

  test('gives one result per statement, or the last', async () => {
    const db = await open({ ...small, storage: 'memory' })
    const text = "CREATE TABLE t (id BIGINT PRIMARY KEY, n NUMERIC(5,2)); INSERT INTO t VALUES (1, 2.5), (2, 3); SELECT id, n FROM t ORDER BY id"
    const results = await db.queryAll(text)
    expect(results.map((result) => result.rowCount)).toEqual([0, 2, 2])
    expect((await db.query('SELECT id FROM t; SELECT n FROM t WHERE id = 2')).rows).toEqual([{ n: '3.00' }])
    await expect(db.query('SELECT nope FROM t')).rejects.toBeInstanceOf(LsmtError)
    await db.close()
  })

  test('spills to its directory what a query may not hold in memory, within limits', async () => {
    const dataDir = join(folder, 'spilled')
    const files = (): readonly string[] => readdirSync(join(dataDir, 'tmp'))
    const text = 'SELECT COUNT(*) AS n FROM (SELECT a.key || b.key AS k FROM kv a CROSS JOIN kv b ORDER BY k) s'
    const open50 = async (options: OpenOptions): Promise<Database> => {
      const db = await open({ ...small, ...options, dataDir })
      await db.query(`INSERT INTO kv VALUES ${Array.from({ length: 50 }, (_, i) => `('key ${i}', '')`).join(', ')}`)
      return db
    }
    const spilling = await open50({ queryMemoryBytesMax: 16_384 })
    const answer = spilling.query(text)
    let filesSeen = 0
    let isOver = false
    const look = (): void => {
      filesSeen = Math.max(filesSeen, files().length)
      if (!isOver) setImmediate(look)
    }
    look()
    expect((await answer).rows).toEqual([{ n: 2_500 }])
    isOver = true
    expect([filesSeen > 0, files()]).toEqual([true, []])
    await spilling.close()
    const limited = await open50({ queryMemoryBytesMax: 16_384, querySpillBytesMax: 4_096 })
    await expect(limited.query(text)).rejects.toMatchObject({ code: '53200' })
    expect(files()).toEqual([])
    await limited.close()
  })

  test('runs a transaction of one text, and leaves none open', async () => {
    const db = await open({ ...small, storage: 'memory' })
    const results = await db.queryAll("BEGIN; INSERT INTO kv VALUES ('a', '1'); SELECT value FROM kv WHERE key = 'a'; COMMIT")
    expect(results.map(({ rowCount }) => rowCount)).toEqual([0, 1, 1, 0])
    await expect(db.query("BEGIN; UPDATE kv SET value = $1 WHERE key = 'a'; SELECT nothing FROM kv; COMMIT", ['2'])).rejects.toMatchObject({ code: '42703' })
    await expect(db.query('BEGIN')).rejects.toMatchObject({ code: '25000' })
    await expect(db.query('COMMIT')).rejects.toMatchObject({ code: '25P01' })
    // Nobody holds the table.
    expect((await db.query("UPDATE kv SET value = '3' WHERE key = 'a' RETURNING value")).rows).toEqual([{ value: '3' }])
    await db.close()
  })

  test('streams the rows of a statement, and ends it when it is left', async () => {
    const db = await open({ ...small, storage: 'memory' })
    await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY, n NUMERIC(9,1))')
    await db.table('t').putColumns({ id: Int32Array.from({ length: 20_000 }, (_, i) => i), n: Int32Array.from({ length: 20_000 }, (_, i) => i) })
    let sum = 0
    for await (const { id, n } of db.stream('SELECT id, n FROM t WHERE id >= $1 ORDER BY id', [10_000])) {
      if (sum === 0) expect([id, n]).toEqual([10_000, '10000.0'])
      sum += id as number
    }
    expect(sum).toBe(149_995_000)
    const left = db.stream('SELECT id FROM t ORDER BY id')
    expect((await left.next()).value).toEqual({ id: 0 })
    await left.return(undefined)
    const abort = new AbortController()
    const cancelled = db.stream('SELECT id FROM t', [], { signal: abort.signal })
    await cancelled.next()
    abort.abort()
    await expect((async () => { for await (const _ of cancelled); })()).rejects.toMatchObject({ code: '57014' })
    const changed = []
    for await (const row of db.stream('DELETE FROM t WHERE id < 3 RETURNING id')) changed.push(row['id'])
    expect(changed).toEqual([0, 1, 2])
    expect((await db.stream("CREATE TABLE u (id BIGINT)").next()).done).toBe(true)
    await expect(db.stream('SELECT 1; SELECT 2').next()).rejects.toMatchObject({ code: '0A000' })
    await expect(db.stream('SELECT nope FROM t').next()).rejects.toMatchObject({ code: '42703' })
    const open20 = db.stream('SELECT id FROM t ORDER BY id')
    await open20.next()
    await db.close()
    await expect((async () => { for await (const _ of open20); })()).rejects.toMatchObject({ code: '55000' })
  })

  test('streams a result many times larger than what it keeps', async () => {
    const db = await open({ ...small, storage: 'memory' })
    await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)')
    for (let from = 0; from < 40; from++) await db.table('t').putColumns({ id: Int32Array.from({ length: 1_000 }, (_, i) => from * 1_000 + i), v: Array.from({ length: 1_000 }, (_, i) => `${i}`.repeat(20)) })
    const heapBytes = (): number => process.memoryUsage().heapUsed
    let rows = 0, most = 0
    const start = heapBytes()
    for await (const _ of db.stream('SELECT a.id, a.v, b.v AS w FROM t a CROSS JOIN (SELECT v FROM t WHERE id < 20) b')) if (rows++ % 10_000 === 0) most = Math.max(most, heapBytes() - start)
    expect(rows).toBe(800_000)
    expect(most).toBeLessThan(150 * 1024 * 1024)
    await db.close()
  })

  test('keeps nothing in memory storage', async () => {
    const db = await open({ ...small, storage: 'memory' })
    await db.table('kv').put({ key: 'a', value: 'b' })
    await db.close()
    const again = await open({ ...small, storage: 'memory' })
    expect(again.table('kv').getSync('a')).toBeUndefined()
    await again.close()
  })

  test('is open once', async () => {
    const dataDir = join(folder, 'once')
    const db = await open({ ...small, dataDir })
    await expect(open({ ...small, dataDir })).rejects.toMatchObject({ code: '55006' })
    await db.close()
    await (await open({ ...small, dataDir })).close()
  })

  test.each<[string, object]>([
    ['an unknown option', { shard: 4 }],
    ['an unknown tree option', { tree: { memtableBytes: 1 } }],
    ['an unknown storage', { storage: 'tape' }],
    ['a bad value', { durability: 'maybe' }],
  ])('refuses %s', async (_, options) => {
    await expect(open({ ...small, storage: 'memory', ...options })).rejects.toMatchObject({ code: '22023' })
  })

  test('refuses another shard count than it has, and lets the directory go', async () => {
    const dataDir = join(folder, 'shards')
    await (await open({ ...small, dataDir, shards: 2 })).close()
    await expect(open({ ...small, dataDir, shards: 3 })).rejects.toMatchObject({ code: '22023' })
    const db = await open({ ...small, dataDir })
    expect(db.stats().shards).toHaveLength(2)
    await db.close()
  })

  test('after close everything is refused', async () => {
    const db = await open({ ...small, storage: 'memory' })
    const kv = db.table('kv')
    await db.close()
    await db.close()
    expect(() => kv.getSync('a')).toThrow(expect.objectContaining({ code: '55000' }))
    await expect(kv.put({ key: 'a', value: 'b' })).rejects.toMatchObject({ code: '55000' })
    await expect(db.query('SELECT key FROM kv')).rejects.toMatchObject({ code: '55000' })
    await expect(db.flush()).rejects.toMatchObject({ code: '55000' })
  })

  test('lets writes in progress end when it is closed: none hangs, and none that succeeded is lost', async () => {
    const dataDir = join(folder, 'closing')
    const db = await open({ ...small, dataDir, shards: 3 })
    await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY, v TEXT)')
    const kv = db.table('kv')
    const writes = Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? db.query('INSERT INTO t VALUES ($1, $2)', [i % 50, String(i)]) : kv.batch([{ put: { key: `${i}`, value: '' } }, { put: { key: `${i}+`, value: '' } }])))
    const settled = Promise.allSettled(writes)
    await new Promise((resolve) => setImmediate(resolve))
    await db.close()
    const outcomes = await settled
    const again = await open({ ...small, dataDir })
    for (const [i, outcome] of outcomes.entries()) if (outcome.status === 'fulfilled' && i % 3 !== 0) expect(again.table('kv').getSync(`${i}+`), `write ${i}`).toBeDefined()
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(['23505', '55000']).toContain((outcome.reason as LsmtError).code)
    await again.close()
  })
})
