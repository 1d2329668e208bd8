/** Writers that are faster than flushes wait for memory; none is let in to find that there is none and to end its shard's writes. */
import { afterEach, expect, it } from 'vitest'
import { open } from '../../src/lsmt.ts'
import type { Database } from '../../src/lsmt.ts'

const MiB = 1024 * 1024

let db: Database | undefined
afterEach(() => db?.close())

async function openSmall(): Promise<Database> {
  db = await open({ storage: 'memory', durability: 'interval', workers: 0, kernelMemoryBytes: 32 * MiB, shards: 2 })
  await db.query('CREATE TABLE items (k INTEGER PRIMARY KEY, v TEXT)')
  return db
}

const value = (k: number, byteLength: number): string => String(k).padEnd(byteLength, 'abcdefghij')

it('takes long values from many writers at once in little memory', async () => {
  const database = await openSmall()
  const table = database.table('items')
  await database.flush()
  const before = database.stats().kernelMemoryBytes.used
  const count = 120, byteLength = 400_000
  await Promise.all(Array.from({ length: count }, (_, k) => table.put({ k, v: value(k, byteLength) })))
  expect(database.stats().admission.waitedMs).toBeGreaterThan(0)
  await database.compact()
  for (let k = 0; k < count; k++) expect((await table.get(k))?.['v']).toBe(value(k, byteLength))
  await table.batch(Array.from({ length: count }, (_, k) => ({ delete: k })))
  await database.compact()
  const { kernelMemoryBytes, cacheBytes } = database.stats()
  expect(kernelMemoryBytes.used - cacheBytes).toBeLessThan(before + MiB)
})

it('tells a writer when open scans keep the memory, and goes on once they end', async () => {
  const database = await openSmall()
  const table = database.table('items')
  const scans: AsyncGenerator[] = []
  const outcome = (async () => {
    for (let k = 0; k < 100; k++) {
      await table.put({ k, v: value(k, 400_000) })
      if (k % 8 !== 0) continue
      const scan = table.scan()
      await scan.next()
      scans.push(scan)
    }
  })()
  // Whichever runs out first, the memtables' share, the room for the log's copy or what a scan itself needs, nothing was appended.
  await expect(outcome).rejects.toMatchObject({ code: '53200', message: expect.stringMatching(/snapshots|log record|free bytes in a row/) as unknown })
  for (const scan of scans) await scan.return(undefined)
  await table.put({ k: 1000, v: 'written' })
  expect(await table.get(1000)).toEqual({ k: 1000, v: 'written' })
})

it('refuses a row that background work could not rewrite', async () => {
  const database = await openSmall()
  await expect(database.table('items').put({ k: 1, v: value(1, 2 * MiB) })).rejects.toMatchObject({ code: '54000' })
})
