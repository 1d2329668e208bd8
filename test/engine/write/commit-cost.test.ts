/** What 1,000 commits ask of the disk. */
import { describe, expect, test } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestEngine } from '../open-test-engine.ts'

/** Writes and syncs of as many rows by so many writers, each of which waits for its answer before it writes again. */
async function asked(writers: number, rows: number, inlineSyncMsMax: number): Promise<{ readonly writes: number; readonly syncs: number }> {
  const storage = createMemoryStorage()
  const engine = await openTestEngine(storage, { shards: 8, inlineSyncMsMax, tree: { memtableBytesMax: 16 * 1024 * 1024, logSegmentBytes: 16 * 1024 * 1024 } })
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
