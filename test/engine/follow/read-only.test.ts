/** A node that only reads, over storage like a bucket, beside the writer that it follows. */
import { expect, onTestFinished, test } from 'vitest'
import type { Engine, EngineRow, EngineSnapshot } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { openReadOnly } from '../../../src/engine/follow/open-read-only.ts'
import { createDeferred } from '../../../src/runtime/deferred.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom, systemRandom } from '../../../src/runtime/random.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import { openTestEngine, testSettings } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'

const bucket = (disk: MemoryDisk) => createMemoryStorage({ disk, appends: false, syncReads: false })

interface Node {
  readonly engine: Engine
  readonly sql: Sql
  rows(text: string): Promise<unknown[]>
}

function node(engine: Engine): Node {
  onTestFinished(() => engine.close())
  const sql = createSql(engine)
  return { engine, sql, rows: async (text) => [...((await sql.query(text)).at(-1)?.rows ?? [])] }
}

const writer = async (disk: MemoryDisk, settings: TestSettings = {}) => node(await openTestEngine(bucket(disk), { shards: 4, ...settings }))

async function reader(disk: MemoryDisk, settings: TestSettings = {}, clock = systemClock): Promise<Node> {
  return node(await openReadOnly({ storage: bucket(disk), settings: testSettings({ followMs: 20, ...settings }), clock, random: systemRandom }))
}

/** Waits until the reader gives what is expected. */
async function becomes(read: () => Promise<unknown>, expected: unknown): Promise<void> {
  await expect.poll(read, { interval: 5 }).toEqual(expected)
}

test('sees what the writer has written, and follows it', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk)
  await w.sql.query("CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")
  const r = await reader(disk)
  expect(await r.rows('SELECT k, v FROM t ORDER BY k')).toEqual([[1, 'a'], [2, 'b'], [3, 'c']])
  await w.sql.query("INSERT INTO t VALUES (4, 'd'); UPDATE t SET v = 'x' WHERE k = 1; DELETE FROM t WHERE k = 2")
  await becomes(() => r.rows('SELECT k, v FROM t ORDER BY k'), [[1, 'x'], [3, 'c'], [4, 'd']])
  await w.sql.query('ALTER TABLE t ADD COLUMN n BIGINT DEFAULT 7; CREATE TABLE u (k TEXT PRIMARY KEY); ALTER TABLE t RENAME COLUMN v TO w')
  await becomes(() => r.rows('SELECT k, w, n FROM t WHERE k = 3').catch(() => 'not yet'), [[3, 'c', 7]])
  expect(r.engine.tables().map(({ name }) => name).toSorted()).toEqual(['kv', 't', 'u'])
  await w.sql.query('DROP TABLE u; TRUNCATE TABLE t; INSERT INTO t VALUES (9, \'z\', 1)')
  await becomes(() => r.rows('SELECT k FROM t'), [[9]])
  await expect(r.rows('SELECT * FROM u')).rejects.toMatchObject({ code: '42P01' })
})

test('rows that its memtables and newer files both have are there when the memtables go', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk, { shards: 1 }), r = await reader(disk, { followMs: 60_000 })
  const insert = async (k: number): Promise<void> => void (await w.sql.query(`INSERT INTO t VALUES (${k}, ${10 * k})`))
  await w.sql.query('CREATE TABLE t (k BIGINT PRIMARY KEY, v BIGINT)')
  for (let k = 1; k <= 12; k += 2) {
    await insert(k)
    await r.engine.refresh!()
    await w.engine.flush()
    await insert(k + 1)
    // Both have the row before, one that follows by its log, the other by a file.
    await r.engine.refresh!()
    const upTo = (count: number): unknown[] => [[count, String(5 * count * (count + 1)), 1]]
    for (let again = 0; again < 2; again++) expect(await r.rows('SELECT COUNT(*), SUM(v), MIN(k) FROM t')).toEqual(upTo(k + 1))
    await w.engine.flush()
    await r.engine.refresh!()
    expect(await r.rows('SELECT COUNT(*), SUM(v), MIN(k) FROM t')).toEqual(upTo(k + 1))
  }
})

test('writes nothing, and refuses whatever would', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk)
  await w.sql.query('CREATE TABLE t (k BIGINT PRIMARY KEY)')
  const before = [...disk.keys()]
  const r = await reader(disk)
  for (const text of ['INSERT INTO t VALUES (1)', 'UPDATE t SET k = 2', 'DELETE FROM t', 'CREATE TABLE u (k BIGINT PRIMARY KEY)', 'DROP TABLE t', 'TRUNCATE TABLE t', 'ALTER TABLE t RENAME TO u', 'BEGIN; INSERT INTO t VALUES (1); COMMIT', 'INSERT INTO t SELECT k + 1 FROM t']) {
    await expect(r.sql.query(text), text).rejects.toMatchObject({ code: '25006' })
  }
  await expect(r.sql.query('INSERT INTO t VALUES (1)', undefined, { idempotencyKey: 'a' })).rejects.toMatchObject({ code: '25006' })
  await expect(r.engine.flush()).rejects.toMatchObject({ code: '25006' })
  expect(await r.sql.query('BEGIN; SELECT count(*) FROM t; COMMIT')).toHaveLength(3)
  expect([...disk.keys()]).toEqual(before)
})

test('takes newer files in place of what is in memory, without a row that changes', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk)
  await w.sql.query('CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT)')
  const r = await reader(disk, { followMs: 60_000 })
  const counts = (): readonly number[] => r.engine.stats().shards.map(({ memtableBytes }) => memtableBytes)
  const empty = counts()
  for (let from = 0; from < 4; from++) await w.sql.query(`INSERT INTO t VALUES ${Array.from({ length: 200 }, (_, i) => `(${from * 200 + i}, '${'x'.repeat(100)}')`).join()}`)
  await refresh(r)
  expect(await r.rows('SELECT count(*), sum(k) FROM t')).toEqual([[800, '319600']])
  expect(counts().every((bytes, shard) => bytes > empty[shard]!)).toBe(true)
  await w.engine.flush()
  await refresh(r)
  expect(counts().every((bytes, shard) => bytes <= empty[shard]!)).toBe(true)
  expect(await r.rows('SELECT count(*), sum(k) FROM t')).toEqual([[800, '319600']])
})

/** A look that begins now. */
async function refresh({ engine }: Node): Promise<void> {
  await engine.refresh?.()
}

test('a statement whose files are gone is run on newer ones; a snapshot that was read before is too old', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk, { shards: 1 })
  await w.sql.query('CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT)')
  const fill = async (v: string) => { await w.sql.query(`INSERT INTO t VALUES ${Array.from({ length: 300 }, (_, i) => `(${i}, '${`${i}${v}`.repeat(50)}')`).join()} ON CONFLICT (k) DO UPDATE SET v = excluded.v`) }
  await fill('old')
  await w.engine.flush()
  const r = await reader(disk, { followMs: 60_000 })
  const table = r.engine.table('t')!
  const used = r.engine.snapshot(), unused = r.engine.snapshot()
  expect(await r.engine.get(used, r.engine.table('kv')!, ['none'], [0])).toBeUndefined()
  const files = tableFiles(disk)
  await fill('new')
  await w.engine.compact()
  await expect.poll(() => tableFiles(disk).some((name) => files.includes(name))).toBe(false)
  await expect(scanAll(r.engine, table, used)).rejects.toMatchObject({ code: '40001', message: expect.stringContaining('too old') })
  expect(await scanAll(r.engine, table, unused)).toEqual(Array.from({ length: 300 }, (_, i) => [`${i}new`.repeat(50)]))
  expect(await r.rows("SELECT count(*) FROM t WHERE v LIKE '%new'")).toEqual([[300]])
  used.release()
  unused.release()
})

test('a read that takes long keeps its files from the writer, until it ends', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk, { shards: 2 })
  await w.sql.query('CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT)')
  const rewrite = async (v: string) => {
    await w.sql.query(`INSERT INTO t VALUES ${Array.from({ length: 100 }, (_, i) => `(${i}, '${v}')`).join()} ON CONFLICT (k) DO UPDATE SET v = excluded.v`)
    await w.engine.compact()
  }
  await rewrite('old')
  const r = await reader(disk, { pinAfterMs: 20 })
  const held = r.engine.snapshot()
  await expect.poll(() => r.engine.stats().following?.pins.held).toBe(1)
  const files = tableFiles(disk)
  expect([...disk.keys()].filter((name) => name.startsWith('checkpoints/'))).toHaveLength(1)
  await rewrite('new')
  await rewrite('newer')
  expect(tableFiles(disk)).toEqual(expect.arrayContaining([...files]))
  expect(new Set((await scanAll(r.engine, r.engine.table('t')!, held)).flat())).toEqual(new Set(['old']))
  held.release()
  await expect.poll(() => [...disk.keys()].filter((name) => name.startsWith('checkpoints/'))).toEqual([])
  await rewrite('newest')
  await expect.poll(() => files.every((name) => tableFiles(disk).includes(name))).toBe(false)
})

test('one that is pinned too late goes without', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk, { shards: 1 })
  await w.sql.query("INSERT INTO kv VALUES ('a', 'b')")
  await w.engine.flush()
  // It looks after its snapshots once the writer is through, however long that takes.
  const compacted = createDeferred()
  const r = await reader(disk, { pinAfterMs: 100, followMs: 60_000 }, { ...systemClock, sleep: async (ms, signal) => { await compacted.promise; await systemClock.sleep(ms, signal) } })
  const held = r.engine.snapshot()
  await w.sql.query("INSERT INTO kv VALUES ('a', 'c')")
  await w.engine.compact()
  compacted.resolve()
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(r.engine.stats().following?.pins).toEqual({ held: 0, trouble: undefined })
  expect([...disk.keys()].filter((name) => name.startsWith('checkpoints/'))).toEqual([])
  held.release()
})

test('the state of a checkpoint can be opened while the writer goes on', async () => {
  const disk: MemoryDisk = new Map()
  const w = await writer(disk)
  await w.sql.query("CREATE TABLE t (k BIGINT PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'old'), (2, 'old'), (3, 'old')")
  const id = await w.engine.storeCheckpoint({ name: 'before' })
  await w.sql.query("UPDATE t SET v = 'new'; DROP TABLE kv")
  await w.engine.compact()
  const at = node(await openReadOnly({ storage: bucket(disk), settings: testSettings(), clock: systemClock, random: systemRandom, atCheckpoint: id }))
  expect(await at.rows('SELECT DISTINCT v FROM t')).toEqual([['old']])
  expect(at.engine.table('kv')).toBeDefined()
  await w.sql.query("UPDATE t SET v = 'newer'")
  await w.engine.compact()
  expect(await at.rows('SELECT v, count(*) FROM t GROUP BY v')).toEqual([['old', 3]])
  await expect(openReadOnly({ storage: bucket(disk), settings: testSettings(), clock: systemClock, random: systemRandom, atCheckpoint: '0'.repeat(32) })).rejects.toMatchObject({ code: '58P01' })
})

const tableFiles = (disk: MemoryDisk): readonly string[] => [...disk.keys()].filter((name) => name.startsWith('sst/'))

async function scanAll(engine: Engine, table: TableSchema, snapshot: EngineSnapshot): Promise<EngineRow[]> {
  const rows: EngineRow[] = []
  for await (const page of engine.scan(snapshot, { table, ordered: true, columns: [1], predicate: [] })) rows.push(...page)
  return rows
}

const seeds = process.env['LSMT_TEST_FULL'] === '1' ? 150 : 3
test('never shows half a statement, nor an older state after a newer one, nor less than was acknowledged before it looked', { timeout: 300_000 }, async () => {
  for (let seed = 1; seed <= seeds; seed++) await followRandomly(seed)
})

/** Every statement writes the same number to all rows, in all shards. */
async function followRandomly(seed: number): Promise<void> {
  const random = seededRandom(seed), below = (n: number): number => random.nextU32() % n
  const disk: MemoryDisk = new Map()
  const open = () => openTestEngine(bucket(disk), { shards: 3, logObjectBytes: 1024, tree: { memtableBytesMax: 8 * 1024 } })
  let engine = await open()
  let sql = createSql(engine)
  const rows = 24, filler = 'y'.repeat(40)
  const write = async (n: number): Promise<void> => { await sql.query(`INSERT INTO t VALUES ${Array.from({ length: rows }, (_, i) => `(${i}, ${n}, '${filler}')`).join()} ON CONFLICT (k) DO UPDATE SET v = excluded.v`) }
  await sql.query('CREATE TABLE t (k BIGINT PRIMARY KEY, v BIGINT, f TEXT)')
  await write(0)
  const follower = await openReadOnly({ storage: bucket(disk), settings: testSettings({ followMs: 60_000, kernelMemoryBytes: 64 * 1024 * 1024 }), clock: systemClock, random: systemRandom })
  const readers = createSql(follower)
  let n = 0, acknowledged = 0, seen = 0
  const look = async (): Promise<void> => {
    const least = acknowledged
    await follower.refresh?.()
    const found = await readers.query('SELECT min(v), max(v), count(*) FROM t')
    const [min, max, count] = found[0]!.rows[0] as readonly number[]
    expect([min, count], `seed ${seed}`).toEqual([max, rows])
    expect(min, `seed ${seed}`).toBeGreaterThanOrEqual(Math.max(seen, least))
    seen = min!
  }
  try {
    for (let step = 0; step < 40; step++) {
      const kind = below(12)
      const looking = below(2) === 0 ? look() : undefined
      if (kind < 7) {
        await write(++n)
        acknowledged = n
      } else if (kind === 7) await engine.flush()
      else if (kind === 8) await engine.compact()
      else if (kind === 9) {
        // The one before is left as it is: it finds out.
        const left = engine
        engine = await open()
        sql = createSql(engine)
        await left.close().catch(() => undefined)
      } else if (kind === 10) {
        await sql.query(`ALTER TABLE t ADD COLUMN c${step} BIGINT DEFAULT ${step}`)
        await sql.query(`ALTER TABLE t DROP COLUMN c${step}`)
      }
      await looking
      if (below(3) === 0) await look()
    }
    await look()
    expect(seen).toBe(n)
  } finally {
    await follower.close()
    await engine.close()
  }
}
