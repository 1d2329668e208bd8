import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { newTable, scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const kv = newTable('t', { k: 'bigint', v: 'text' }, ['k'], 'upsert')
const put = (engine: Engine, table: TableSchema, k: number, v = `value ${k}`): Promise<number> => engine.insert(table, [[k, v]], 'upsert')
const syncsOf = (engine: Engine): number => engine.stats().shards.reduce((sum, { log }) => sum + log.syncs, 0)

describe('statements that share a batch', () => {
  test('64 writers at a time cost each shard one write and one sync', async () => {
    const storage = createMemoryStorage()
    const engine = await openTestEngine(storage, { shards: 4 })
    const table = await engine.createTable(kv)
    const before = { ...storage.counts }
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 64 }, (_, i) => put(engine, table, round * 64 + i)))
    expect(storage.counts.syncs - before.syncs).toBeLessThanOrEqual(10 * 4)
    expect(storage.counts.appends - before.appends).toBeLessThanOrEqual(10 * 4)
    expect(await scanAll(engine, table)).toHaveLength(640)
    await engine.close()
  })

  test('one that stands alone is acknowledged by one sync', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 4 })
    const table = await engine.createTable(kv)
    const before = syncsOf(engine)
    await put(engine, table, 1)
    expect(syncsOf(engine) - before).toBe(1)
    await engine.close()
  })

  test('the order of statements is that of their calls, whatever their size and kind', async () => {
    const disk = new Map()
    const engine = await openTestEngine(createMemoryStorage({ disk }), { shards: 1 })
    const table = await engine.createTable(kv)
    const long = 'x'.repeat(10_000)
    await Promise.all([
      put(engine, table, 1, 'first'), put(engine, table, 1, long), put(engine, table, 1, 'third'),
      put(engine, table, 2), engine.deleteRange(table, { values: [2], inclusive: true }, { values: [2], inclusive: true }), put(engine, table, 3),
    ])
    const expected = [[1, 'third'], [3, 'value 3']]
    expect(await scanAll(engine, table)).toEqual(expected)
    await engine.close()
    const again = await openTestEngine(createMemoryStorage({ disk }))
    expect(await scanAll(again, again.table('t')!)).toEqual(expected)
    await again.close()
  })

  test('what is held when the engine closes is durable', async () => {
    const disk = new Map()
    const engine = await openTestEngine(createMemoryStorage({ disk }), { shards: 4 })
    const table = await engine.createTable(kv)
    const written = Array.from({ length: 20 }, (_, k) => put(engine, table, k))
    await engine.close()
    await Promise.all(written)
    const again = await openTestEngine(createMemoryStorage({ disk }))
    expect(await scanAll(again, again.table('t')!)).toHaveLength(20)
    await again.close()
  })

  test('after a power loss all that was acknowledged is there', async () => {
    for (const seed of [1, 2, 3]) {
      const storage = createFaultyStorage({ seed, delayTurnsMax: 3 })
      const engine = await openTestEngine(storage, { shards: 2 })
      const table = await engine.createTable(kv)
      const acknowledged = new Set<number>()
      const writing = Array.from({ length: 200 }, (_, k) => put(engine, table, k).then(() => acknowledged.add(k), () => undefined))
      await Promise.race(writing.slice(50))
      const known = [...acknowledged]
      const again = await openTestEngine(storage.crash({ seed }))
      const found = new Set((await scanAll(again, again.table('t')!)).map(([k]) => k))
      expect(known.filter((k) => !found.has(k))).toEqual([])
      // Of a disk that is gone the journal cannot be deleted.
      await Promise.all([again.close(), Promise.all(writing).then(() => engine.close()).catch(() => undefined)])
    }
  })
})
