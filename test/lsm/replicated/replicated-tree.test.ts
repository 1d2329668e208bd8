import { describe, expect, it } from 'vitest'
import { abortBatch } from '../../../src/lsm/batch-builder.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { batchOf, entryAt, logAfter, openReplica, partAt, rowsOf } from './replica-fixture.ts'

const MiB = 1024 * 1024
const transaction = (number: number): Uint8Array => new Uint8Array(16).fill(number)
const define = (epoch: number): ReturnType<typeof entryAt> => entryAt(epoch, 1, batchOf(new Map(), { defines: true }))
const put = (epoch: number, sequence: number, text: string): ReturnType<typeof entryAt> => entryAt(epoch, sequence, batchOf(new Map([[sequence, text]])))

describe.each(kinds)('a replica, %s', (kind) => {
  it('shows what is committed, and after a restart what is in files until it is told', async () => {
    const storage = createMemoryStorage(), kernel = openTestKernel(kind, 8 * MiB)
    const seen: number[] = []
    const replica = await openReplica(kernel, storage, { onVisible: (sequence) => void seen.push(sequence) })
    expect(replica.found).toEqual({ storedEpoch: 0, startSequence: 0, lastSequence: 0, epochs: [{ epoch: 0, startSequence: 0 }] })
    await replica.storeEpoch(3)
    const entries = [define(1), put(1, 2, 'a'), put(3, 3, 'b'), put(3, 4, 'c')]
    await replica.append(entries)
    expect(await rowsOf(kernel, replica.tree)).toBeUndefined()
    replica.commit(3)
    expect(seen).toEqual([3])
    expect(await rowsOf(kernel, replica.tree)).toEqual(new Map([[2, 'a'], [3, 'b']]))
    expect(replica.tablesSequence).toBe(1)
    await replica.tree.flush()
    expect(replica.flushedSequence).toBe(3)
    await replica.close()

    const again = await openReplica(kernel, storage)
    expect(again.found).toEqual({ storedEpoch: 3, startSequence: 3, lastSequence: 4, epochs: [{ epoch: 3, startSequence: 3 }] })
    expect(again.tablesSequence).toBe(3)
    expect(await rowsOf(kernel, again.tree)).toEqual(new Map([[2, 'a'], [3, 'b']]))
    expect(await logAfter(again, 3)).toEqual(entries.slice(3))
    again.commit(4)
    expect(await rowsOf(kernel, again.tree)).toEqual(new Map([[2, 'a'], [3, 'b'], [4, 'c']]))
    await again.close()
    expect(kernel.heap.usedBytes).toBe(0)
  })

  it('takes little room for many epochs of few entries, and more for an epoch of many', async () => {
    const storage = createMemoryStorage(), kernel = openTestKernel(kind, 8 * MiB)
    const logBytes = async (): Promise<number> => (await storage.list('wal/0/')).reduce((sum, { byteLength }) => sum + byteLength, 0)
    const replica = await openReplica(kernel, storage, { settings: defaultTreeSettings })
    await replica.storeEpoch(41)
    await replica.append([define(1), ...Array.from({ length: 40 }, (_, i) => put(2 + i, 2 + i, 'a'))])
    expect(await logBytes()).toBeLessThan(4 * MiB)
    await replica.append(Array.from({ length: 60 }, (_, i) => put(41, 42 + i, 'b'.repeat(40_000))))
    const names = await storage.list('wal/0/')
    expect(names.length).toBeLessThan(41 + 8)
    await replica.close()
    const again = await openReplica(kernel, storage, { settings: defaultTreeSettings })
    expect(again.found).toMatchObject({ lastSequence: 101, epochs: { length: 42 } })
    await again.close()
  })

  it('cuts what was not committed, and goes on in an epoch that may be an older one', async () => {
    const storage = createMemoryStorage(), kernel = openTestKernel(kind, 8 * MiB)
    const replica = await openReplica(kernel, storage)
    await replica.storeEpoch(3)
    await replica.append([define(1), put(1, 2, 'a'), put(3, 3, 'lost'), put(3, 4, 'lost')])
    replica.commit(2)
    await replica.storeEpoch(4)
    await replica.truncate(2)
    const entries = [put(2, 3, 'x'), put(4, 4, 'y')]
    await replica.append(entries)
    await replica.truncate(3)
    await replica.close()
    const again = await openReplica(kernel, storage)
    expect(again.found).toEqual({ storedEpoch: 4, startSequence: 0, lastSequence: 3, epochs: [{ epoch: 0, startSequence: 0 }, { epoch: 1, startSequence: 0 }, { epoch: 2, startSequence: 2 }] })
    again.commit(3)
    expect(await rowsOf(kernel, again.tree)).toEqual(new Map([[2, 'a'], [3, 'x']]))
    expect(() => again.truncate(2)).toThrow(/committed up to 3/)
    await again.close()
  })

  it('holds a part back until it is released, and passes over one that is aborted', async () => {
    const storage = createMemoryStorage(), kernel = openTestKernel(kind, 8 * MiB)
    const replica = await openReplica(kernel, storage)
    await replica.storeEpoch(1)
    await replica.append([define(1), partAt(1, 2, new Map([[2, 'a']]), transaction(1)), put(1, 3, 'b'), partAt(1, 4, new Map([[4, 'c']]), transaction(2)), entryAt(1, 5, abortBatch([transaction(2)])), put(1, 6, 'd')])
    replica.commit(4)
    expect(replica.tree.visibleSequence).toBe(1)
    // Ahead of what is committed here: the abort before its end is not to be missed.
    replica.release(5)
    expect(replica.tree.visibleSequence).toBe(1)
    const seenBefore = replica.visibleParts()
    expect(replica.logged()).toEqual({ parts: [expect.objectContaining({ baseSequence: 2 }), expect.objectContaining({ baseSequence: 4, transactionId: '02'.repeat(16) })], aborted: new Set(['02'.repeat(16)]) })
    replica.commit(6)
    expect(replica.tree.visibleSequence).toBe(6)
    expect(await rowsOf(kernel, replica.tree)).toEqual(new Map([[2, 'a'], [3, 'b'], [6, 'd']]))
    const visible = [{ baseSequence: 2, participants: [{ shard: 0, baseSequence: 2 }, { shard: 1, baseSequence: 1 }] }]
    expect(replica.visibleParts()).toEqual(visible)
    expect(seenBefore).toEqual([])
    expect(replica.partsAfter).toBe(0)
    replica.settle(1)
    expect(replica.partsAfter).toBe(1)
    await replica.tree.flush()
    expect(replica.logged()).toEqual({ parts: [], aborted: new Set() })
    await replica.close()
    const again = await openReplica(kernel, storage)
    expect(again.visibleParts()).toEqual(visible)
    expect(again.partsAfter).toBe(6)
    again.settle(3)
    expect(again.visibleParts()).toEqual([])
    await again.close()
  })

  it('refuses batches that are not what they are said to be, and takes nothing of them', async () => {
    const kernel = openTestKernel(kind, 8 * MiB)
    const replica = await openReplica(kernel, createMemoryStorage())
    await replica.storeEpoch(1)
    const good = define(1)
    expect(() => replica.append([good, { ...put(1, 2, 'a'), lastSequence: 3 }])).toThrow(/corrupt write batch/)
    expect(() => replica.append([good, put(1, 3, 'gap')])).toThrow(/internal error/)
    await replica.append([good])
    expect(() => replica.tree.append(good.batch)).toThrow(/internal error/)
    await replica.close()
    expect((await failureOf(openReplica(kernel, createMemoryStorage(), { durability: 'memory' }))).code).toBe('0A000')
  })
})
