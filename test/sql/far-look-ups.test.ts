/** Rows looked up by key where storage is far away: how often statements wait for it, and what they ask of it, by the number of keys. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { createSql } from '../../src/sql/sql.ts'
import type { QueryOptions, Sql } from '../../src/sql/sql.ts'
import type { MemoryDisk } from '../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'
import type { TestSettings } from '../engine/open-test-engine.ts'

const rowCount = 40_000
const shards = 4
const filled: MemoryDisk = new Map()
const reads = { rounds: 0, requests: 0, underWay: 0 }

/** Reads take some turns of the event loop; a round is a time in which some are under way. */
function farStorage(disk: MemoryDisk): Storage {
  const memory = createMemoryStorage({ disk, appends: false, syncReads: false })
  return {
    ...memory,
    async open(name, byteLength) {
      const object = await memory.open(name, byteLength)
      return {
        ...object,
        async read(into, at) {
          reads.requests++
          if (reads.underWay++ === 0) reads.rounds++
          for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
          await object.read(into, at)
          reads.underWay--
        },
      }
    },
  }
}

const open = (disk: MemoryDisk, settings: TestSettings = {}): Promise<Engine> => openTestEngine(farStorage(disk), { kernels: 'wasm', shards, ...settings, tree: { rowGroupBytes: 4_096, tableFileBytes: 256 * 1024, level1Bytes: 64 * 1024 * 1024, ...settings.tree } })

let engine: Engine
let sql: Sql

/** Every third key is there. */
beforeAll(async () => {
  const writer = await open(filled)
  const text = createSql(writer)
  await text.query('CREATE TABLE big (k INT PRIMARY KEY, t TEXT NOT NULL)')
  await text.query(`INSERT INTO big VALUES ${Array.from({ length: rowCount }, (_, i) => `(${i * 3}, 'text ${(i * 104_729) % 99_991}')`).join(', ')}`)
  await writer.flush()
  await writer.compact()
  await writer.close()
})

beforeEach(async () => {
  engine = await open(new Map(filled))
  sql = createSql(engine)
})

afterEach(() => engine.close())

async function cost(text: string, options: QueryOptions = {}): Promise<{ readonly rowCount: number; readonly rounds: number; readonly requests: number }> {
  const before = { ...reads }
  let rows = 0
  for await (const result of sql.run(text, undefined, options)) {
    if (result.kind !== 'rows') rows += result.kind === 'write' ? result.rowCount : 0
    else for await (const batch of Array.isArray(result.rows) ? [result.rows] : result.rows) rows += batch.length
  }
  return { rowCount: rows, rounds: reads.rounds - before.rounds, requests: reads.requests - before.requests }
}

/** Spread over all of the table, in no order, each once. */
const keysOf = (count: number, offset = 0): number[] => Array.from({ length: count }, (_, i) => ((i * 7_919) % rowCount) * 3 + offset)

describe.each([1, 100, 1000])('%i keys', (count) => {
  const list = keysOf(count).join(', ')

  test('of an IN list take two rounds, and no more requests than files have tails and row groups', async () => {
    const cold = await cost(`SELECT * FROM big WHERE k IN (${list})`)
    expect(cold).toMatchObject({ rowCount: count, rounds: 2 })
    if (count === 1) expect(cold.requests).toBe(2)
    expect(cold.requests).toBeLessThanOrEqual(2 * [...filled.keys()].filter((name) => name.endsWith('.sst')).length)
    expect(await cost(`SELECT * FROM big WHERE k IN (${list})`)).toEqual({ rowCount: count, rounds: 0, requests: 0 })
  })

  test('of an UPDATE take as many', async () => {
    expect(await cost(`UPDATE big SET t = 'new' WHERE k IN (${list})`)).toMatchObject({ rowCount: count, rounds: 2 })
  })

  test('of an INSERT that exist not take two, or three where a filter is wrong', async () => {
    const tuples = keysOf(count, 1).map((key) => `(${key}, 'new')`).join(', ')
    const cold = await cost(`INSERT INTO big VALUES ${tuples}`)
    expect(cold.rowCount).toBe(count)
    expect(cold.rounds).toBeLessThanOrEqual(3)
  })

  test('of ON CONFLICT take two', async () => {
    const tuples = keysOf(count).map((key) => `(${key}, 'new')`).join(', ')
    expect(await cost(`INSERT INTO big VALUES ${tuples} ON CONFLICT (k) DO UPDATE SET t = excluded.t`)).toMatchObject({ rowCount: count, rounds: 2 })
  })

  test('of a look-up join take two', async () => {
    await sql.query('CREATE TABLE IF NOT EXISTS small (id INT PRIMARY KEY)')
    await sql.query('DELETE FROM small')
    await sql.query(`INSERT INTO small VALUES ${keysOf(Math.min(count, 100)).map((key) => `(${key})`).join(', ')}`)
    expect(await cost('SELECT big.t FROM small JOIN big ON big.k = small.id')).toMatchObject({ rowCount: Math.min(count, 100), rounds: 2 })
  })
})

test('a cache that holds few of what many keys need slows their reads, and answers rightly', async () => {
  await engine.close()
  engine = await open(new Map(filled), { cacheBytesMax: 256 * 1024 })
  sql = createSql(engine)
  const keys = keysOf(1000)
  const [result] = (await sql.query(`SELECT k FROM big WHERE k IN (${keys.join(', ')}) ORDER BY k`)).values()
  expect(result).toMatchObject({ rows: keys.toSorted((a, b) => a - b).map((key) => [key]) })
})

test.each([
  ['an INSERT', `INSERT INTO big VALUES ${keysOf(100).map((key) => `(${key}, 'x')`).join(', ')}`],
  ['an INSERT of one row', "INSERT INTO big VALUES (3, 'x')"],
  ['ON CONFLICT', "INSERT INTO big VALUES (3, 'x') ON CONFLICT (k) DO UPDATE SET t = 'y'"],
  ['an UPDATE by key', "UPDATE big SET t = 'x' WHERE k = 3"],
  ['an UPDATE by condition', "UPDATE big SET t = 'x' WHERE t = 'text 7'"],
  ['a DELETE by key', 'DELETE FROM big WHERE k = 3'],
  ['an IN list', 'SELECT t FROM big WHERE k IN (3, 6)'],
])('maxStorageRequests bounds what %s looks up', async (_, text) => {
  await expect(cost(text, { maxStorageRequests: 1 })).rejects.toMatchObject({ code: '54000', message: 'the query needs more than 1 storage requests' })
})
