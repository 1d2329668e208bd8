/** An UPDATE that waits for its rows while their table is dropped tells so, instead of having found none. */
import { expect, it } from 'vitest'
import { open } from '../../src/lsmt.ts'

it('is 42P01 rather than no rows', async () => {
  const db = await open({ storage: 'memory', workers: 0, shards: 1, kernelMemoryBytes: 16 * 1024 * 1024 })
  await db.query('CREATE TABLE t (k INTEGER PRIMARY KEY, n INTEGER)')
  await db.query('INSERT INTO t VALUES (1, 1)')
  const update = (): Promise<unknown> => db.query('UPDATE t SET n = 2 WHERE k = 1').then(({ rowCount }) => rowCount, (error: { code: string }) => error.code)
  const first = update(), second = update()
  // The first is in the log now, and the second waits for it; the drop stands right behind the first.
  for (let i = 0; i < 20; i++) await Promise.resolve()
  await db.query('DROP TABLE t')
  expect([1, '42P01']).toContain(await first)
  expect(await second).toBe('42P01')
  await db.close()
})
