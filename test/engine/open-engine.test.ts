import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { MemoryDisk } from '../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openLocalStorage } from '../../src/storage/local-storage.ts'
import { describeEngine } from './engine-conformance.ts'
import { scanAll } from './engine-fixtures.ts'
import { runDifferential } from './engine-differential.ts'
import { openTestEngine } from './open-test-engine.ts'
import type { TestSettings } from './open-test-engine.ts'

const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'lsmt-engine-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** An engine on a folder of a disk; closing it closes the storage. */
async function openLocal(folder: string, settings: TestSettings): Promise<Engine> {
  const storage = await openLocalStorage(folder)
  const engine = await openTestEngine(storage, settings, folder)
  const { close } = engine
  return Object.assign(engine, { close: async () => { await close(); await storage.close() } })
}

const isBuilt = existsSync(fileURLToPath(new URL('../../dist/compaction-worker.js', import.meta.url)))

describeEngine('engine, memory storage, js kernels, 1 shard', () => openTestEngine(createMemoryStorage(), { shards: 1, kernels: 'js' }))
describeEngine('engine, storage like a bucket, wasm kernels, 8 shards', () => openTestEngine(createMemoryStorage({ appends: false, syncReads: false }), { shards: 8 }))
describeEngine('engine, local storage, wasm kernels, 3 shards, no worker', () => openLocal(newFolder(), { shards: 3, workers: 0 }))
describe.skipIf(!isBuilt)('with a worker', () => {
  describeEngine('engine, local storage, wasm kernels, 2 shards, 1 worker', () => openLocal(newFolder(), { shards: 2, workers: 1 }))
  describeEngine('engine, local storage, wasm kernels, 3 shards, 2 workers', () => openLocal(newFolder(), { shards: 3, workers: 2 }))
})

describe('random operations with reopenings agree with the model', () => {
  const steps = process.env['LSMT_TEST_FULL'] === '1' ? 4_000 : 250
  test.each([[1, 'js', true], [4, 'wasm', true], [4, 'wasm', false]] as const)('%i shards, %s kernels, appends %s', async (shards, kernels, appends) => {
    for (const seed of [11, 12]) {
      const disk = new Map()
      await runDifferential({ open: () => openTestEngine(createMemoryStorage({ disk, appends, syncReads: appends && seed % 2 === 0 }), { shards, kernels, tree: { memtableBytesMax: 32 * 1024 } }), reopens: true, steps, seed })
    }
  }, 300_000)
})

describe('opening', () => {
  test('refuses another number of shards when it was asked for', async () => {
    const disk = new Map()
    await (await openTestEngine(createMemoryStorage({ disk }), { shards: 3 })).close()
    await expect(openTestEngine(createMemoryStorage({ disk }), { shards: 4 })).rejects.toMatchObject({ code: '22023' })
    const engine = await openTestEngine(createMemoryStorage({ disk }))
    expect(engine.stats().shards).toHaveLength(3)
    await engine.close()
  })

  test('makes no log segment larger than a memtable, with which it ends', async () => {
    const storage = createMemoryStorage()
    const engine = await openTestEngine(storage, { shards: 1, tree: { memtableBytesMax: 64 * 1024, logSegmentBytes: 1024 * 1024 } })
    await engine.insert(engine.table('kv')!, [['a', 'x']], 'upsert')
    expect((await storage.list('wal/')).map(({ byteLength }) => byteLength)).toEqual([64 * 1024])
    await engine.close()
  })

  test.each<[string, TestSettings]>([
    ['durability', { durability: 'never' as 'sync' }],
    ['kernels', { kernels: 'native' as 'js' }],
    ['workers', { workers: -1 }],
    ['readers', { readers: 0.5 }],
    ['readerRowsMin', { readerRowsMin: -1 }],
    ['shards', { shards: 0 }],
    ['memory of queries', { queryMemoryBytesMax: 0 }],
    ['tree sizes', { tree: { memtableBytesMax: Number.NaN } }],
    ['level 0 limits', { tree: { level0RunsSlow: 3, level0RunsCompact: 5 } }],
  ])('refuses bad %s', async (_, settings) => {
    await expect(openTestEngine(createMemoryStorage(), settings)).rejects.toMatchObject({ code: '22023' })
  })

  test('keeps the catalog and never gives a table id twice', async () => {
    const disk = new Map()
    const first = await openTestEngine(createMemoryStorage({ disk }))
    const columns = [{ name: 'id', type: { kind: 'bigint' }, notNull: true }] as const
    const dropped = await first.createTable({ name: 't', columns, primaryKey: [0], onInsert: 'error' })
    await first.dropTable('t')
    await first.close()
    const second = await openTestEngine(createMemoryStorage({ disk }))
    expect(second.tables().map((table) => table.name)).toEqual(['kv'])
    expect((await second.createTable({ name: 't', columns, primaryKey: [0], onInsert: 'error' })).tableId).toBeGreaterThan(dropped.tableId)
    await second.close()
  })

  test('a statement larger than the memory can take is refused whole', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { kernelMemoryBytes: 16 * 1024 * 1024 })
    const kv = engine.table('kv')!
    await expect(engine.insert(kv, [['small', 'x'], ['large', 'x'.repeat(4 * 1024 * 1024)]], 'upsert')).rejects.toMatchObject({ code: '54000' })
    expect(await engine.get(undefined, kv, ['small'], [1])).toBeUndefined()
    await engine.insert(kv, [['small', 'x']], 'upsert')
    expect(await engine.get(undefined, kv, ['small'], [1])).toEqual(['x'])
    await engine.close()
  })

  test('keys of up to 32 KiB are taken, many at once, and longer ones are refused', async () => {
    const engine = await openTestEngine(createMemoryStorage())
    const kv = engine.table('kv')!
    const rows = Array.from({ length: 100 }, (_, i) => [`${i}`.padStart(32 * 1024, 'k'), `${i}`])
    await engine.insert(kv, rows, 'insert')
    expect(await engine.get(undefined, kv, [rows[57]![0]!], [1])).toEqual(['57'])
    await engine.flush()
    expect(await engine.get(undefined, kv, [rows[99]![0]!], [1])).toEqual(['99'])
    for (const key of ['k'.repeat(32 * 1024 + 1), 'é'.repeat(20_000)]) {
      await expect(engine.insert(kv, [['short', 'x'], [key, 'x']], 'upsert')).rejects.toMatchObject({ code: '54000' })
      expect(() => engine.get(undefined, kv, [key], [1])).toThrow(expect.objectContaining({ code: '54000' }))
    }
    expect(await engine.get(undefined, kv, ['short'], [1])).toBeUndefined()
    await engine.close()
  })

  test('a statement of many megabytes passes whole', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 2 })
    const kv = engine.table('kv')!
    const rows = Array.from({ length: 3000 }, (_, i) => [`key ${i}`, `${i}`.repeat(1000)])
    await engine.insert(kv, rows, 'insert')
    expect(await engine.get(undefined, kv, ['key 2999'], [1])).toEqual(['2999'.repeat(1000)])
    const snapshot = engine.snapshot()
    expect(await engine.aggregate(snapshot, { table: kv, ordered: false, columns: [], predicate: [] }, [{ function: 'count' }])).toEqual([3000])
    snapshot.release()
    await engine.close()
  })
})

test('rows that were staged and not published are dropped by the next opening', async () => {
  const disk: MemoryDisk = new Map()
  const first = await openTestEngine(createMemoryStorage({ disk }), { shards: 3 })
  const kv = first.table('kv')!
  const staged = await first.stageTable(kv)
  await first.insert(staged, [['a', 'staged'], ['b', 'staged']], 'upsert')
  const published = await first.stageTable(kv)
  await first.insert(published, [['c', 'published']], 'upsert')
  await first.publishStaged(published, kv, 'upsert')
  await first.flush()
  await first.close()
  const second = await openTestEngine(createMemoryStorage({ disk }), { shards: 3 })
  expect(await scanAll(second, second.table('kv')!)).toEqual([['c', 'published']])
  await expect(scanAll(second, staged)).rejects.toMatchObject({ code: '40001' })
  await second.compact()
  expect(second.stats().shards.reduce((files, { levels }) => files + levels.reduce((sum, level) => sum + level.files, 0), 0)).toBeLessThanOrEqual(4)
  await second.close()
})
