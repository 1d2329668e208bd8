/** INSERT … SELECT of more rows than memory holds and one statement writes: all or none, with the same outcome as of few. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { createSql, defaultSqlSettings } from '../../../src/sql/sql.ts'
import type { Sql } from '../../../src/sql/sql.ts'
import { defaultDatabaseSettings } from '../../../src/settings.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { filesLeft } from '../operator/spill/spill-world.ts'
import { openTestEngine } from '../../engine/open-test-engine.ts'

const KiB = 1024
const rowCount = 3_000
let storage: FaultyStorage
let engine: Engine
let sql: Sql

beforeEach(async () => {
  storage = createFaultyStorage({ seed: 1 })
  engine = await openTestEngine(storage, { shards: 2, kernelMemoryBytes: 32 * KiB * KiB, cacheBytesMax: 2 * KiB * KiB })
  // All that queries may hold is a fraction of what is written.
  sql = createSql(engine, { ...defaultSqlSettings, queryMemoryBytesMax: 64 * KiB, queriesMemoryBytesMax: 512 * KiB })
  await sql.query('CREATE TABLE big (id BIGINT PRIMARY KEY, t TEXT); CREATE TABLE copy (id BIGINT PRIMARY KEY, t TEXT); CREATE TABLE listed (n BIGINT)')
  const text = 'x'.repeat(1_000)
  for (let from = 0; from < rowCount; from += 500) await sql.query(`INSERT INTO big VALUES ${Array.from({ length: 500 }, (_, i) => `(${from + i}, '${from + i} ${text}')`).join(', ')}`)
})

afterEach(() => engine.close())

async function one(text: string): Promise<readonly unknown[]> {
  return (await sql.query(text)).at(-1)!.rows[0]!
}

async function changed(text: string): Promise<number> {
  return (await sql.query(text)).at(-1)!.rowCount
}

const everything = [rowCount, (rowCount * (rowCount - 1)) / 2]
const countAndSum = 'SELECT COUNT(*), SUM(id) FROM copy'

describe('outside of a transaction', () => {
  test('into an empty table, and beside rows that are there', async () => {
    expect(await changed('INSERT INTO copy SELECT id, t FROM big')).toBe(rowCount)
    expect((await one(countAndSum)).map(Number)).toEqual(everything)
    expect(await changed('INSERT INTO copy SELECT -1 - id, t FROM copy')).toBe(rowCount)
    expect((await one('SELECT COUNT(*), MIN(id), MAX(id) FROM copy'))).toEqual([2 * rowCount, -rowCount, rowCount - 1])
    expect(await one('SELECT COUNT(*) FROM copy a JOIN big b ON a.t = b.t AND a.id = b.id')).toEqual([rowCount])
  })

  test.each([12_000, 16_000])('rows that memory has no room for beside what the query and a transaction keep there: of %i just loaded', async (loaded) => {
    const roomy = await openTestEngine(createFaultyStorage({ seed: 2 }), { shards: 2, kernelMemoryBytes: 32 * KiB * KiB, cacheBytesMax: 2 * KiB * KiB, tree: defaultDatabaseSettings.tree })
    try {
      const db = createSql(roomy, { ...defaultSqlSettings, queryMemoryBytesMax: 4 * KiB * KiB })
      await db.query("CREATE TABLE source (id BIGINT PRIMARY KEY, t TEXT); CREATE TABLE filled (id BIGINT PRIMARY KEY, t TEXT); INSERT INTO filled VALUES (-1, '')")
      // At once, so that flushes come when the next statement has begun.
      const quarter = loaded / 4
      await Promise.all([0, 1, 2, 3].map((part) => db.query(`INSERT INTO source VALUES ${Array.from({ length: quarter }, (_, i) => `(${part * quarter + i}, '${'x'.repeat(900)}')`).join(', ')}`)))
      expect((await db.query('INSERT INTO filled SELECT id, t FROM source WHERE id < 6000')).at(-1)!.rowCount).toBe(6_000)
      await db.query('DELETE FROM filled WHERE id >= 0')
      expect((await db.query('INSERT INTO filled SELECT id, t FROM source')).at(-1)!.rowCount).toBe(loaded)
    } finally {
      await roomy.close()
    }
  })

  test('a key that exists leaves all as it was, wherever it comes', async () => {
    for (const id of [0, rowCount - 1]) {
      await sql.query(`DELETE FROM copy WHERE id >= 0; INSERT INTO copy VALUES (${id}, 'kept')`)
      await expect(sql.query('INSERT INTO copy SELECT id, t FROM big')).rejects.toMatchObject({ code: '23505' })
      await expect(sql.query('INSERT INTO copy SELECT id % 2000 + 5000, t FROM big')).rejects.toMatchObject({ code: '23505' })
      expect(await one('SELECT COUNT(*), MIN(t) FROM copy')).toEqual([1, 'kept'])
    }
  })

  test('a row that fails leaves all as it was', async () => {
    await expect(sql.query('INSERT INTO copy SELECT id + 0 * (10 / (id - 2990)), t FROM big')).rejects.toMatchObject({ code: '22012' })
    await expect(sql.query('INSERT INTO copy SELECT NULLIF(id, 2990), t FROM big')).rejects.toMatchObject({ code: '23502' })
    expect(await one('SELECT COUNT(*) FROM copy')).toEqual([0])
    expect(await changed('INSERT INTO copy SELECT id, t FROM big')).toBe(rowCount)
  })

  test('UPSERT replaces, DO NOTHING keeps', async () => {
    await sql.query("INSERT INTO copy VALUES (7, 'kept')")
    expect(await changed('INSERT INTO copy SELECT id, t FROM big WHERE id < 1000 ON CONFLICT DO NOTHING')).toBe(999)
    expect(await one('SELECT t FROM copy WHERE id = 7')).toEqual(['kept'])
    expect(await changed('UPSERT INTO copy SELECT id, t FROM big')).toBe(rowCount)
    expect(await one('SELECT COUNT(*) FROM copy WHERE t <> \'kept\'')).toEqual([rowCount])
  })

  test('rows under a hidden key keep the order of the query', async () => {
    await sql.query('INSERT INTO listed VALUES (-1)')
    await sql.query('INSERT INTO listed SELECT id FROM big ORDER BY id DESC')
    const rows = (await sql.query('SELECT n FROM listed')).at(-1)!.rows.map(([n]) => n)
    expect(rows).toEqual([-1, ...Array.from({ length: rowCount }, (_, i) => rowCount - 1 - i)])
  })
})

describe('within a transaction', () => {
  test('its rows are seen by it, and by others once it is over', async () => {
    expect((await sql.query('BEGIN; INSERT INTO copy SELECT id, t FROM big WHERE id < 1000; INSERT INTO copy SELECT id + 5000, t FROM copy; SELECT COUNT(*), MAX(id) FROM copy; COMMIT')).at(3)!.rows).toEqual([[2_000, 5_999]])
    expect(await one('SELECT COUNT(*) FROM copy')).toEqual([2_000])
  })

  test('it writes no more than one statement may, which others may outside of it', async () => {
    const doubled = 'INSERT INTO copy SELECT id, t FROM big; INSERT INTO copy SELECT id + 5000, t FROM copy'
    const twice = 'SELECT a.id + b.n * 10000, a.t FROM copy a CROSS JOIN (VALUES (1), (2)) AS b (n)'
    await expect(sql.query(`BEGIN; ${doubled}; INSERT INTO copy ${twice}; COMMIT`)).rejects.toMatchObject({ code: '54000' })
    await sql.query(doubled)
    expect(await changed(`INSERT INTO copy ${twice}`)).toBe(4 * rowCount)
    expect(await one('SELECT COUNT(*), COUNT(DISTINCT id) FROM copy')).toEqual([6 * rowCount, 6 * rowCount])
  })

  test('a failure undoes all of it', async () => {
    await expect(sql.query("BEGIN; INSERT INTO copy VALUES (999, 'x'); INSERT INTO copy SELECT id, t FROM big WHERE id < 1000; COMMIT")).rejects.toMatchObject({ code: '23505' })
    expect(await one('SELECT COUNT(*) FROM copy')).toEqual([0])
  })
})

test('what was spilled or staged is gone, however it ended', async () => {
  await sql.query('INSERT INTO copy SELECT id, t FROM big ON CONFLICT DO NOTHING')
  await expect(sql.query('INSERT INTO copy SELECT id, t FROM big')).rejects.toMatchObject({ code: '23505' })
  const stop = new AbortController()
  const stopped = sql.query('INSERT INTO copy SELECT id + 10000, t FROM big', [], { signal: stop.signal })
  await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  await expect(stopped).rejects.toMatchObject({ code: '57014' })
  expect(filesLeft(storage)).toBe(0)
  expect(await one('SELECT COUNT(*) FROM copy')).toEqual([rowCount])
})
