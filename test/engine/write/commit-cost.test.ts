/** What 1,000 commits ask of the disk. */
import { describe, expect, test } from 'vitest'
import type { Durability } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../open-test-engine.ts'

/** Writes and syncs of as many rows by so many writers, each of which waits for its answer before it writes again. */
async function asked(writers: number, rows: number, inlineSyncMsMax: number, durability: Durability = 'sync'): Promise<{ readonly writes: number; readonly syncs: number }> {
  const storage = createMemoryStorage()
  const engine = await openTestEngine(storage, { shards: 8, inlineSyncMsMax, durability, tree: { memtableBytesMax: 16 * 1024 * 1024, logSegmentBytes: 16 * 1024 * 1024 } })
  const kv = engine.table('kv')!
  let next = 0
  const write = async (): Promise<void> => {
    for (let i = next++; i < rows; i = next++) await engine.insert(kv, [[`key ${i}`, 'value']], 'upsert')
  }
  // The journal is made while others write by themselves.
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 64 }, (_, i) => engine.insert(kv, [[`${i}`, '']], 'upsert')))
  const before = { ...storage.counts }
  await Promise.all(Array.from({ length: writers }, write))
  const { appends, syncs } = storage.counts
  await engine.close()
  return { writes: appends - before.appends, syncs: syncs - before.syncs }
}

// Longer than any sync, or never.
describe.each([['on this thread', 1e9], ['on the pool', 0]])('syncs %s', (_, inlineSyncMsMax) => {
  test('one writer: a write and a sync for each', async () => {
    const { writes, syncs } = await asked(1, 1_000, inlineSyncMsMax)
    expect(syncs).toBe(1_000)
    expect(writes).toBeLessThan(1_010)
  })

  test('64 writers: a write and a sync for each 64', async () => {
    const { writes, syncs } = await asked(64, 1_024, inlineSyncMsMax)
    expect(syncs).toBe(16)
    expect(writes).toBeLessThan(16 + 10)
  })
})

describe('writes that wait for no disk', () => {
  test('one writer: a write for each', async () => {
    const { writes } = await asked(1, 1_000, 0, 'interval')
    expect(writes).toBe(1_000)
  })

  test('64 writers: a write of each shard for each 64, and one of who came first', async () => {
    const { writes } = await asked(64, 1_024, 0, 'interval')
    expect(writes).toBeLessThanOrEqual(17 * (8 + 1))
  })

  test('one who writes alone sees it when the call returns', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 2, durability: 'interval' })
    const kv = engine.table('kv')!, rows = engine.rowsByKey(kv, [1])
    for (let i = 0; i < 10; i++) await engine.insert(kv, [[`key ${i % 2}`, 'before']], 'upsert')
    await new Promise((resolve) => setImmediate(resolve))
    const written = engine.insert(kv, [['key 0', 'after']], 'upsert')
    expect(rows.get(undefined, ['key 0'])).toEqual(['after'])
    expect(await written).toBe(1)
    await engine.close()
  })

  test('the order of statements is that of their calls, whoever goes alone', async () => {
    const disk = new Map()
    const engine = await openTestEngine(createMemoryStorage({ disk }), { shards: 1, durability: 'interval' })
    const kv = engine.table('kv')!, rows = engine.rowsByKey(kv, [0, 1])
    for (let i = 0; i < 200; i++) {
      const key = `key ${i % 3}`
      const puts = Array.from({ length: 1 + (i % 4) }, (_, n) => engine.insert(kv, [[key, `${i} ${n}`]], 'upsert'))
      const deleted = i % 5 === 0 ? engine.write(kv, [{ delete: [key] }]) : undefined
      await Promise.all([...puts, deleted])
      const expected = deleted === undefined ? [key, `${i} ${i % 4}`] : undefined
      expect(rows.get(undefined, [key])).toEqual(expected)
    }
    await engine.close()
    const again = await openTestEngine(createMemoryStorage({ disk }))
    const found = again.rowsByKey(again.table('kv')!, [1])
    expect(['key 0', 'key 1', 'key 2'].map((key) => found.get(undefined, [key]))).toEqual([['198 2'], ['199 3'], ['197 1']])
    await again.close()
  })
})
