/** `workers: 0` and `readers: 0` leave everything to the thread that opened the database; needs the compiled worker (`npm run build`). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { open } from '../../src/lsmt.ts'

const folder = mkdtempSync(join(tmpdir(), 'lsmt-threads-'))
let started = 0
const count = (): void => void started++
process.on('worker', count)
afterAll(() => {
  process.off('worker', count)
  rmSync(folder, { recursive: true })
})

test.each([[0, 0, 0], [1, 0, 1], [0, 1, 1]])('%i workers and %i readers are %i threads', async (workers, readers, threads) => {
  started = 0
  const db = await open({ dataDir: join(folder, `${workers}${readers}`), shards: 2, workers, readers, readerRowsMin: 0 })
  await db.query('CREATE TABLE t (id BIGINT PRIMARY KEY)')
  await db.table('t').putColumns({ id: Int32Array.from({ length: 20_000 }, (_, i) => i) })
  await db.flush()
  await db.compact()
  expect((await db.query('SELECT COUNT(*) AS n, SUM(id) AS s FROM t WHERE id % 2 = 0')).rows).toEqual([{ n: 10_000, s: '99990000' }])
  await db.close()
  expect(started).toBe(threads)
})
