/** What a bucket is asked for: each request costs. */
import { describe, expect, test } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage, StorageCounts } from '../../../src/storage/storage.ts'
import { openTestEngine } from '../open-test-engine.ts'
import { turn } from './two-writers.ts'

const shards = 8
const settings = { shards, kernels: 'js', kernelMemoryBytes: 32 * 1024 * 1024, cacheBytesMax: 4 * 1024 * 1024 } as const

/** Creations take some turns, as those of a bucket take time; reads of what is not there count as well. */
function slowBucket(): Storage {
  const memory = createMemoryStorage({ appends: false, syncReads: false })
  const { counts } = memory
  return {
    ...memory,
    async createIfAbsent(name, parts) {
      for (let turns = 0; turns < 10; turns++) await turn()
      return memory.createIfAbsent(name, parts)
    },
    read: (name) => memory.read(name).catch((error: unknown) => {
      counts.reads++
      throw error
    }),
  }
}

async function countedIn(storage: Storage, work: () => Promise<unknown>): Promise<Pick<StorageCounts, 'creates' | 'reads' | 'lists' | 'deletes'>> {
  const before = { ...storage.counts }
  await work()
  const { creates, reads, lists, deletes } = storage.counts
  return { creates: creates - before.creates, reads: reads - before.reads, lists: lists - before.lists, deletes: deletes - before.deletes }
}

describe('requests to a bucket', () => {
  test('1,000 writes of one row by 64 writers share objects: one creation and one look each', async () => {
    const storage = slowBucket()
    const engine = await openTestEngine(storage, settings)
    const kv = engine.table('kv')!
    let next = 0
    const writer = async (): Promise<void> => {
      while (next < 1000) await engine.insert(kv, [[`key ${next++}`, 'value']], 'upsert')
    }
    const counts = await countedIn(storage, () => Promise.all(Array.from({ length: 64 }, writer)))
    expect(counts.creates).toBeLessThanOrEqual(20)
    expect(counts).toEqual({ creates: counts.creates, reads: counts.creates, lists: 0, deletes: 0 })
    await engine.close()
  })

  test('a flush of one shard, and an opening and closing', async () => {
    const storage = slowBucket()
    const engine = await openTestEngine(storage, settings)
    await engine.flush()
    await engine.insert(engine.table('kv')!, [['one', 'row']], 'upsert')
    // A table file and a manifest; a look; the manifest before the last goes.
    expect(await countedIn(storage, () => engine.flush())).toEqual({ creates: 2, reads: 1, lists: 0, deletes: 1 })
    await engine.close()
    const opening = await countedIn(storage, async () => { await (await openTestEngine(storage, settings)).close() })
    // Format, log's end, claim; the claim and the fence are made, the log is listed again; manifests and table files of all
    // shards are listed, each shard's manifest read and published, the oldest goes; looks. The writer says that it ends.
    expect(opening).toEqual({ creates: 3 + shards, reads: 9 + shards, lists: 5, deletes: shards })
  })
})
