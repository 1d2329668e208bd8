/** What a shard costs its owner: each request is paid for, and who takes a shard over waits for them one after the other. */
import { describe, expect, test } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { batchOf } from '../../lsm/replicated/replica-fixture.ts'
import { until } from '../../until.ts'
import { nodeNamed, testOwner, testStore } from './owners.ts'

/** Reads of what is not there count as well; creations of large objects like others. */
function countingBucket(disk: MemoryDisk): Storage {
  const memory = createMemoryStorage({ disk, appends: false, syncReads: false })
  return {
    ...memory,
    read: (name) => memory.read(name).catch((error: unknown) => {
      memory.counts.reads++
      throw error
    }),
  }
}

async function countedIn(storage: Storage, work: () => Promise<unknown>): Promise<object> {
  const before = { ...storage.counts }
  await work()
  const { creates, reads, lists, deletes } = storage.counts
  return { creates: creates - before.creates, reads: reads - before.reads, lists: lists - before.lists, deletes: deletes - before.deletes }
}

describe('requests of a shard in a bucket', () => {
  test('of an opening: a claim, a fence and a manifest are created, whatever the shard holds', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const [bucketA, bucketB] = [countingBucket(disk), countingBucket(disk)]
    const a = testOwner(store, bucketA, 'a'), b = testOwner(store, bucketB, 'b')
    const opened = async (owner: typeof a): Promise<void> => {
      store.give(owner.self)
      await until(() => owner.replica.status().isReady)
    }
    // With the format, which is made once.
    expect(await countedIn(bucketA, () => opened(a))).toEqual({ creates: 4, reads: 4, lists: 6, deletes: 0 })
    await a.replica.open(1)
    const append = (from: number, count: number): Promise<unknown> => Promise.all(Array.from({ length: count }, (_, i) => a.replica.append(1, from + i, batchOf(new Map([[from + i, 'row']]), { defines: false }), 'visible')))
    await a.replica.append(1, 1, batchOf(new Map(), { defines: true }), 'visible')
    // What comes in one turn is one object, and one look for later claims.
    expect(await countedIn(bucketA, () => append(2, 100))).toEqual({ creates: 1, reads: 1, lists: 0, deletes: 0 })
    await a.replica.tree.flush()
    await append(102, 10)
    expect(await countedIn(bucketB, () => opened(b))).toEqual({ creates: 3, reads: 9, lists: 5, deletes: 1 })
    await a.close()
    await b.close()
  })
})
