/** Databases in a bucket of a real S3 server with a cache on disk: what it spares, and that nothing that happens to it does harm. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { openDatabase } from '../../../src/engine/open-database.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { systemRandom } from '../../../src/runtime/random.ts'
import { createSql } from '../../../src/sql/sql.ts'
import type { S3Address } from '../../../src/storage/s3/s3-address.ts'
import { temporaryDirectory } from '../../storage/temporary-directory.ts'
import { describeS3, freshAddress } from '../../storage/s3/s3-server.ts'
import { testSettings } from '../open-test-engine.ts'

const rowCount = 2000
const engines = new Set<Engine>()
const cache = temporaryDirectory()

afterEach(async () => {
  for (const engine of engines) await engine.close()
  engines.clear()
})

afterAll(() => cache.remove())

/** Flushes and compactions run on a worker, as they do by default. */
async function open(address: S3Address, directory = cache.path): Promise<Engine> {
  const engine = await openDatabase({ address: { ...address, diskCache: { directory, bytesMax: 1 << 28 } }, settings: testSettings({ shards: 2, workers: 1, kernelMemoryBytes: 64 * 1024 * 1024 }), isShardCountGiven: false }, { clock: systemClock, random: systemRandom })
  engines.add(engine)
  return engine
}

async function close(engine: Engine): Promise<void> {
  engines.delete(engine)
  await engine.close()
}

/** A database that was filled with rows of one word, flushed and compacted by workers, and closed. */
async function filled(word: string, directory = cache.path): Promise<S3Address> {
  const address = await freshAddress()
  const engine = await open(address, directory)
  const sql = createSql(engine)
  await sql.query('CREATE TABLE big (k INT PRIMARY KEY, t TEXT)')
  for (let from = 0; from < rowCount; from += rowCount / 2) {
    await sql.query(`INSERT INTO big VALUES ${Array.from({ length: rowCount / 2 }, (_, i) => `(${from + i}, '${word} ${(i * 7_919) % 1009}')`).join(', ')}`)
    await engine.flush()
  }
  await engine.compact()
  expect(engine.stats().shards.every(({ background }) => background === undefined)).toBe(true)
  await close(engine)
  return address
}

/** Reads all rows; the requests that this took, as the query tells them and as the storage does. */
async function readAll(engine: Engine, word: string): Promise<{ readonly told: number; readonly made: number }> {
  const { counts } = engine.stats().storage
  const { reads } = counts
  for await (const result of createSql(engine).run(`SELECT t FROM big WHERE k < ${rowCount}`)) {
    if (result.kind !== 'rows') continue
    let rows = 0
    for await (const batch of Array.isArray(result.rows) ? [result.rows] : result.rows) rows += batch.filter(([text]) => String(text).startsWith(word)).length
    expect(rows).toBe(rowCount)
    return { told: result.stats.storageRequests, made: engine.stats().storage.counts.reads - reads }
  }
  throw new Error('there was no statement')
}

const blockFiles = (directory: string): string[] => readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))

describeS3('a cache on disk before a bucket', () => {
  let address: S3Address

  beforeAll(async () => {
    address = await filled('first')
  })

  it('has what workers wrote: reads after a compaction and a restart ask the bucket for no table file', async () => {
    const engine = await open(address)
    expect(await readAll(engine, 'first')).toEqual({ told: 0, made: 0 })
    const { diskCache } = engine.stats().storage
    expect(diskCache).toMatchObject({ misses: 0, damaged: 0, failures: 0 })
    expect(diskCache!.hits).toBeGreaterThan(0)
    expect(diskCache!.bytes).toBeGreaterThan(0)
  })

  it('is told of what a worker wrote while it runs, and counts it', async () => {
    const own = temporaryDirectory()
    const engine = await open(await freshAddress(), own.path)
    await engine.insert(engine.table('kv')!, Array.from({ length: 500 }, (_, i) => [`key ${i}`, 'value']), 'upsert')
    await engine.flush()
    const onDisk = (): number => blockFiles(own.path).reduce((sum, path) => sum + readFileSync(path).length, 0)
    // A worker tells of each file as it goes.
    await expect.poll(() => onDisk() > 0 && engine.stats().storage.diskCache!.bytes === onDisk()).toBe(true)
    expect(engine.stats().storage.diskCache!.bytes).toBe(onDisk())
    await close(engine)
    own.remove()
  })

  it('may be deleted while it is used, and be damaged', async () => {
    const engine = await open(address)
    rmSync(join(cache.path, 'lsmt-blocks'), { recursive: true })
    const cold = await readAll(engine, 'first')
    expect(cold.told).toBeGreaterThan(0)
    await close(engine)
    for (const path of blockFiles(cache.path)) {
      const bytes = readFileSync(path)
      bytes[bytes.length >> 1]! ^= 1
      writeFileSync(path, bytes)
    }
    const damaged = await open(address)
    const again = await readAll(damaged, 'first')
    expect(again.told).toBe(again.made)
    expect(again.told).toBeGreaterThan(0)
    expect(damaged.stats().storage.diskCache!.damaged).toBeGreaterThan(0)
    await close(damaged)
    expect(await readAll(await open(address), 'first')).toEqual({ told: 0, made: 0 })
  })

  it('serves several databases at a time, each its own rows', async () => {
    const [first, second] = [await open(address), await open(await filled('second'))]
    expect(await Promise.all([readAll(first, 'first'), readAll(second, 'second')])).toEqual([{ told: 0, made: 0 }, { told: 0, made: 0 }])
  })

  it('spares nothing where its disk takes nothing, and hinders nothing', async () => {
    const full = temporaryDirectory()
    writeFileSync(join(full.path, 'lsmt-blocks'), 'a file where the folder should be')
    const engine = await open(await filled('third', full.path), full.path)
    const { told, made } = await readAll(engine, 'third')
    await close(engine)
    full.remove()
    expect(told).toBe(made)
    expect(told).toBeGreaterThan(0)
  })
})
