/** INSERT of many rows: whether their keys exist is asked once a shard where they come in order, and found all the same. */
import { expect, test } from 'vitest'
import { createSql } from '../../../src/sql/sql.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../open-test-engine.ts'

test('rows in the order of their keys look up none of them, others do, and no duplicate comes in', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 2 })
  const sql = createSql(engine)
  const lookedUp = (): number => engine.stats().shards.reduce((sum, { filters: { absent, present, wrong } }) => sum + absent + present + wrong, 0)
  const insert = (keys: readonly number[]): Promise<unknown> => sql.query(`INSERT INTO t VALUES ${keys.map((key) => `(${key}, 'row ${key}')`).join(', ')}`)
  const range = (from: number, step = 1): number[] => Array.from({ length: 500 }, (_, i) => from + i * step)
  await sql.query('CREATE TABLE t (id INT PRIMARY KEY, v TEXT)')
  for (let from = 0; from < 5_000; from += 500) {
    await insert(range(from))
    if (from % 1_000 === 0) await engine.flush()
  }
  await engine.flush()
  await insert(range(-500))
  expect(lookedUp()).toBe(0)
  await engine.flush()
  // The last one of many in a memtable, one in a file; and one deleted, which is no row but a key.
  await insert(range(10_000))
  await expect(insert(range(10_499))).rejects.toMatchObject({ code: '23505' })
  await expect(insert(range(4_999))).rejects.toMatchObject({ code: '23505' })
  await expect(insert(range(-999))).rejects.toMatchObject({ code: '23505' })
  await sql.query('DELETE FROM t WHERE id = 4999')
  await insert(range(4_999))
  expect(lookedUp()).toBeGreaterThan(0)
  const [{ rows } = { rows: undefined }] = await sql.query('SELECT count(*) AS n FROM t')
  expect(rows).toEqual([[6_499]])
  await engine.close()
})
