/** What queries ask of storage that is far away: counted, told by their stats, and bounded by `maxStorageRequests`. */
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { createSql } from '../../src/sql/sql.ts'
import type { QueryOptions, Sql } from '../../src/sql/sql.ts'
import type { QueryStats } from '../../src/sql/result.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { cacheOnDisk } from '../../src/storage/cache/cached-storage.ts'
import type { CachedStorage } from '../../src/storage/cache/cached-storage.ts'
import type { MemoryDisk } from '../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'
import { temporaryDirectory } from '../storage/temporary-directory.ts'

const rowCount = 20_000
const disk: MemoryDisk = new Map()
const storage = createMemoryStorage({ disk, appends: false, syncReads: false })
const open = (): Promise<Engine> => openTestEngine(storage, { kernels: 'wasm', shards: 1, tree: { rowGroupBytes: 4_096, tableFileBytes: 4 * 1024 * 1024, level1Bytes: 64 * 1024 * 1024 } })

let engine: Engine
let sql: Sql

beforeAll(async () => {
  const filled = await open()
  await createSql(filled).query('CREATE TABLE big (k INT PRIMARY KEY, n BIGINT, t TEXT)')
  await createSql(filled).query(`INSERT INTO big VALUES ${Array.from({ length: rowCount }, (_, i) => `(${i}, ${(i * 7_919) % rowCount}, 'text ${(i * 104_729) % 99_991}')`).join(', ')}`)
  await filled.flush()
  await filled.compact()
  await filled.close()
})

/** Nothing is in its cache. */
beforeEach(async () => {
  engine = await open()
  sql = createSql(engine)
})

afterEach(() => engine.close())

async function run(text: string, options: QueryOptions = {}): Promise<{ readonly rows: number; readonly stats: QueryStats; readonly reads: number }> {
  const before = storage.counts.reads
  for await (const result of sql.run(text, undefined, options)) {
    if (result.kind !== 'rows') throw new Error('rows were expected')
    let rows = 0
    for await (const batch of Array.isArray(result.rows) ? [result.rows] : result.rows) rows += batch.length
    return { rows, stats: result.stats, reads: storage.counts.reads - before }
  }
  throw new Error('there was no statement')
}

test('a cold point read takes two requests, a warm one none', async () => {
  const cold = await run('SELECT t FROM big WHERE k = 777')
  expect(cold).toMatchObject({ rows: 1, reads: 2, stats: { storageRequests: 2 } })
  expect(await run('SELECT t FROM big WHERE k = 778')).toMatchObject({ rows: 1, reads: 0, stats: { storageRequests: 0, bytesRead: 0 } })
})

test('a range of one in a hundred rows takes one more than its windows, which grow', async () => {
  const found = await run('SELECT * FROM big WHERE k BETWEEN 5000 AND 5199')
  expect(found).toMatchObject({ rows: 200, stats: { storageRequests: found.reads } })
  expect(found.reads).toBeLessThanOrEqual(3)
})

test('a whole table is read by few long requests', async () => {
  const found = await run('SELECT k, t FROM big')
  expect(found).toMatchObject({ rows: rowCount, stats: { storageRequests: found.reads } })
  expect(found.stats.rowGroupsTotal).toBeGreaterThan(80)
  // The tail, then windows of 1, 2, 4, 8, 16, 32 and 64 row groups.
  expect(found.reads).toBeLessThanOrEqual(9)
})

test('a query that ends early reads nothing ahead', async () => {
  expect((await run('SELECT k, t FROM big ORDER BY k LIMIT 3')).reads).toBe(2)
})

test('a budget refuses the request after the last one, before it is made', async () => {
  const text = 'SELECT k, t FROM big'
  const before = storage.counts.reads
  await expect(run(text, { maxStorageRequests: 2 })).rejects.toMatchObject({ code: '54000', message: 'the query needs more than 2 storage requests' })
  expect(storage.counts.reads - before).toBe(2)
  // What was read is in the cache; the rest is few.
  expect(await run(text, { maxStorageRequests: 20 })).toMatchObject({ rows: rowCount })
  expect(await run(text, { maxStorageRequests: 0 })).toMatchObject({ rows: rowCount, reads: 0 })
})

test.each(['SELECT t FROM big WHERE k = 777', 'SELECT COUNT(*) FROM big WHERE n < 100', 'SELECT t, COUNT(*) FROM big GROUP BY t', 'SELECT k FROM big ORDER BY n LIMIT 5', 'EXPLAIN ANALYZE SELECT * FROM big', 'SELECT * FROM big AS a JOIN big AS b ON a.k = b.n'])('a budget bounds %s', async (text) => {
  await expect(run(text, { maxStorageRequests: 1 })).rejects.toMatchObject({ code: '54000' })
})

test('a budget is of all statements of a text, and no one else meets it', async () => {
  const point = 'SELECT t FROM big WHERE k = 777'
  await expect(sql.query('SELECT t FROM big WHERE k = 777; SELECT t FROM big WHERE k = 15000', undefined, { maxStorageRequests: 2 })).rejects.toMatchObject({ code: '54000' })
  const [refused, answered] = await Promise.allSettled([run('SELECT t FROM big WHERE k = 10000', { maxStorageRequests: 0 }), run('SELECT t FROM big WHERE k = 10000')])
  expect(refused).toMatchObject({ status: 'rejected', reason: { code: '54000' } })
  expect(answered).toMatchObject({ status: 'fulfilled', value: { rows: 1 } })
  for (const maxStorageRequests of [-1, 1.5, Number.NaN]) await expect(run(point, { maxStorageRequests })).rejects.toMatchObject({ code: '22023' })
})

test('EXPLAIN ANALYZE tells each request once', async () => {
  const before = storage.counts.reads
  const explained = await run('EXPLAIN ANALYZE SELECT SUM(n) FROM big WHERE t <> $$x$$', { maxStorageRequests: 100 })
  const { storageRequests } = explained.stats
  expect(storageRequests).toBe(storage.counts.reads - before)
  // By the prices of AWS, which are the default.
  const lines = (await sql.query('EXPLAIN ANALYZE SELECT t FROM big WHERE k = 15000; EXPLAIN (ANALYZE, FORMAT JSON) SELECT t FROM big WHERE k = 1')).map(({ rows }) => rows.flat().join('\n'))
  expect(lines[0]).toContain('Estimated Cost: 0.000000400 USD for storage requests')
  expect(lines[1]).toMatch(/"Estimated USD": /)
})

test('the engine tells what it asked of storage, and what that costs', async () => {
  await run('SELECT t FROM big WHERE k = 777')
  const { counts, estimatedUsd } = engine.stats().storage
  expect(counts).toEqual(storage.counts)
  expect(estimatedUsd).toBeCloseTo(((counts.creates + counts.lists) * 0.005 + counts.reads * 0.0004) / 1000, 12)
})

test('behind a cache on disk, a budget that refuses a request that others wait for too concerns one query alone', async () => {
  const directory = temporaryDirectory()
  const bucket = cacheOnDisk(createMemoryStorage({ disk, appends: false, syncReads: false }), { directory: directory.path, bytesMax: 1 << 30 }, systemClock)
  await engine.close()
  engine = await openTestEngine(bucket, { kernels: 'wasm', shards: 1 })
  sql = createSql(engine)
  const text = 'SELECT t FROM big WHERE k = 10000'
  const outcomes = await Promise.allSettled([0, 100, 100, 100].map((maxStorageRequests) => sql.query(text, undefined, { maxStorageRequests })))
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value[0]?.rows.length : (outcome.reason as { code: string }).code))).toEqual(['54000', 1, 1, 1])
  await engine.close()
  await bucket.close()
  engine = await open()
  directory.remove()
})

test('after a restart a cache on disk answers what was read before', async () => {
  const directory = temporaryDirectory()
  const openCached = async (): Promise<{ readonly cached: Engine; readonly bucket: CachedStorage }> => {
    const bucket = cacheOnDisk(createMemoryStorage({ disk, appends: false, syncReads: false }), { directory: directory.path, bytesMax: 1 << 30 }, systemClock)
    return { bucket, cached: await openTestEngine(bucket, { kernels: 'wasm', shards: 1 }) }
  }
  await engine.close()
  for (const reads of [2, 0]) {
    const { cached, bucket } = await openCached()
    const before = bucket.counts.reads
    expect(await createSql(cached).query('SELECT COUNT(t) FROM big WHERE k < 500')).toMatchObject([{ rows: [[500]] }])
    expect(bucket.counts.reads - before).toBeLessThanOrEqual(reads)
    await cached.close()
    await bucket.close()
  }
  directory.remove()
  engine = await open()
})
