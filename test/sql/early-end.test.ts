/** Queries that need few rows read few bytes, counted from a cold cache. */
import { beforeAll, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { createSql } from '../../src/sql/sql.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

const rowCount = 8_000
const storage = createMemoryStorage()
const open = (): Promise<Engine> => openTestEngine(storage, { kernels: 'wasm', shards: 2, tree: { rowGroupBytes: 2_048 } })

beforeAll(async () => {
  const engine = await open()
  const sql = createSql(engine)
  await sql.query('CREATE TABLE big (a INT, b INT, n BIGINT, t TEXT, PRIMARY KEY (a, b))')
  await sql.query(`INSERT INTO big VALUES ${Array.from({ length: rowCount }, (_, i) => `(${Math.floor(i / 2_000)}, ${i % 2_000}, ${(i * 7_919) % rowCount}, 'text ${(i * 104_729) % 99_991}')`).join(', ')}`)
  await engine.flush()
  await engine.compact()
  await engine.close()
})

/** Of a database that was just opened, so nothing is in its cache but what `before` has read. */
async function bytesRead(text: string, before = 'SHOW TABLES'): Promise<number> {
  const engine = await open()
  try {
    await createSql(engine).query(before)
    for await (const result of createSql(engine).run(text)) {
      if (result.kind !== 'rows') throw new Error('rows were expected')
      let count = 0
      for await (const batch of Array.isArray(result.rows) ? [result.rows] : result.rows) count += batch.length
      expect(count, text).toBeGreaterThan(0)
      return result.stats.bytesRead
    }
    throw new Error('there was no statement')
  } finally {
    await engine.close()
  }
}

test.each([
  'SELECT a, b, t FROM big ORDER BY a, b LIMIT 5',
  'SELECT a, b, t FROM big ORDER BY a DESC, b DESC LIMIT 5',
  'SELECT b, t FROM big WHERE a = 2 ORDER BY b LIMIT 5',
  'SELECT b, t FROM big WHERE a = 2 ORDER BY b DESC LIMIT 5',
  'SELECT t FROM big LIMIT 5',
  "SELECT 1 WHERE EXISTS (SELECT t FROM big WHERE t <> '')",
  'SELECT x.t FROM big AS x CROSS JOIN (VALUES (1), (2)) AS y LIMIT 5',
])('%s', async (text) => {
  const all = await bytesRead("SELECT a, b, t FROM big WHERE t <> ''")
  expect(all).toBeGreaterThan(100_000)
  expect(await bytesRead(text)).toBeLessThan(all / 8)
})

test.each(['SELECT MIN(a) FROM big', 'SELECT MAX(a) FROM big', 'SELECT MIN(n), MAX(n), COUNT(*) FROM big'])('%s is known without reading row groups', async (text) => {
  // Footers are read by the first query that needs them.
  expect(await bytesRead(text, 'SELECT MAX(b) FROM big')).toBe(0)
})

test('how many rows there are is known without reading anything', async () => {
  expect(await bytesRead('SELECT COUNT(*) FROM big')).toBe(0)
})
