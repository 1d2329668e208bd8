/** Owners of a shard in a bucket, one after the other: what one has acknowledged the next one has, and nothing else is ever seen. */
import { describe, expect, test } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { refusalOf } from '../../../src/cluster/replica/refusal.ts'
import { abortBatch } from '../../../src/lsm/batch-builder.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { MemoryDisk } from '../../../src/storage/memory-disk.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { until } from '../../until.ts'
import { batchOf, partAt, rowsOf } from '../../lsm/replicated/replica-fixture.ts'
import { nodeNamed, testOwner, testStore } from './owners.ts'
import type { TestOwner } from './owners.ts'

const bucketOf = (disk: MemoryDisk): Storage => createMemoryStorage({ disk, appends: false, syncReads: false })
const row = (key: number, text = `row ${key}`): Uint8Array => batchOf(new Map([[key, text]]))
const defining = batchOf(new Map([[0, 'first']]), { defines: true })
const id = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
const idText = (byte: number): string => Buffer.from(id(byte)).toString('hex')

async function ready(owner: TestOwner): Promise<TestOwner> {
  await until(() => owner.replica.status().isReady)
  return owner
}

const kindOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'done', (error: unknown) => refusalOf(error)?.kind ?? (error instanceof LsmtError ? error.code : error))

const rows = async ({ replica, kernel }: TestOwner): Promise<readonly number[] | undefined> => {
  const found = await rowsOf(kernel, replica.tree)
  return found && [...found.keys()]
}

describe('a shard in a bucket', () => {
  test('is opened by the owner that the configuration names, written by the coordinator that has opened it, and closed when it is given to another one', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const a = testOwner(store, bucketOf(disk), 'a'), b = testOwner(store, bucketOf(disk), 'b')
    expect(await kindOf(a.replica.open(1))).toBe('notLeader')
    store.give(a.self)
    await ready(a)
    expect(a.replica.status()).toMatchObject({ role: 'leader', epoch: 1, leader: 'a', copies: 1, commitSequence: 0 })
    expect(await kindOf(a.replica.append(1, 1, defining.slice(), 'visible'))).toBe('notReady')
    expect(await a.replica.open(1)).toEqual({ lastSequence: 0, flushedSequence: 0, parts: [], aborted: new Set(), epoch: 1 })
    expect(await a.replica.append(1, 1, defining.slice(), 'visible')).toEqual({ copies: 1 })
    expect(await kindOf(a.replica.append(1, 4, row(1), 'visible'))).toBe('gap')
    await Promise.all([1, 2, 3].map((key) => a.replica.append(1, 2 + key, row(key), 'visible')))
    expect(await kindOf(a.replica.append(1, 3, row(1), 'visible'))).toBe('done')
    expect(await rows(a)).toEqual([0, 1, 2, 3])
    expect(a.replica.mayServe()).toBe(true)
    expect((await a.replica.read({ kind: 'lease' }, 5)).deadlineMs).toBeLessThan(Infinity)
    store.give(b.self)
    await ready(b)
    expect(await kindOf(a.replica.append(1, 6, row(4), 'visible'))).toBe('notLeader')
    expect(await kindOf(a.replica.read({ kind: 'lease' }))).toBe('notLeader')
    expect(await rows(b)).toEqual([0, 1, 2, 3])
    expect(await b.replica.open(1)).toMatchObject({ lastSequence: 5, epoch: 2 })
    await b.replica.append(1, 6, row(4), 'visible')
    expect(await rows(b)).toEqual([0, 1, 2, 3, 4])
    store.coordinator = 2
    expect(await kindOf(b.replica.open(1))).toBe('fenced')
    await b.replica.open(2)
    expect(await kindOf(b.replica.append(1, 7, row(5), 'visible'))).toBe('fenced')
    await a.close()
    await b.close()
  })

  test('shows parts of statements over several shards once they are released, whoever owns it then, and never aborted ones', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const a = testOwner(store, bucketOf(disk), 'a')
    store.give(a.self)
    await ready(a)
    await a.replica.open(1)
    await a.replica.append(1, 1, defining.slice(), 'visible')
    await a.replica.append(1, 3, partAt(0, 3, new Map([[1, 'kept']]), id(1)).batch, 'committed')
    await a.replica.append(1, 4, partAt(0, 4, new Map([[2, 'lost']]), id(2)).batch, 'committed')
    await a.replica.append(1, 5, row(3), 'committed')
    expect(await rows(a)).toEqual([0])
    await a.replica.release(1, 3, 0)
    expect(await rows(a)).toEqual([0, 1])
    expect(a.replica.replicated.visibleParts().map(({ baseSequence }) => baseSequence)).toEqual([3])
    const b = testOwner(store, bucketOf(disk), 'b')
    store.give(b.self)
    await ready(b)
    expect(await rows(b)).toEqual([0])
    expect(b.replica.mayServe()).toBe(false)
    const found = await b.replica.open(1)
    expect(found).toMatchObject({ lastSequence: 5, flushedSequence: 0 })
    expect(found.parts.map(({ transactionId, baseSequence }) => [transactionId, baseSequence])).toEqual([[idText(1), 3], [idText(2), 4]])
    await b.replica.append(1, 6, abortBatch([id(2)]), 'committed')
    expect(await rows(b)).toEqual([0])
    const read = b.replica.read({ kind: 'lease' })
    await b.replica.release(1, 6, 0)
    await read
    expect(await rows(b)).toEqual([0, 1, 3])
    expect(b.replica.mayServe()).toBe(true)
    await a.close()
    // A third one finds the abort in the log, and in files what was visible.
    expect(b.replica.replicated.visibleParts().map(({ baseSequence }) => baseSequence)).toEqual([3])
    await b.replica.release(1, 6, 4)
    expect(b.replica.replicated.visibleParts()).toEqual([])
    await b.replica.tree.flush()
    const c = testOwner(store, bucketOf(disk), 'c')
    store.give(c.self)
    await ready(c)
    expect(await rows(c)).toEqual([0, 1, 3])
    // Whether the other shards show those parts is not known any more, and is told so.
    expect(c.replica.replicated).toMatchObject({ partsAfter: 6, tablesSequence: 6, flushedSequence: 6 })
    await b.close()
    await c.close()
  })

  test('is given up by an owner that resigns: what is in memory goes to files first', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const a = testOwner(store, bucketOf(disk), 'a')
    store.give(a.self)
    await ready(a)
    await a.replica.open(1)
    await a.replica.append(1, 1, defining.slice(), 'visible')
    await a.replica.resign()
    expect(store.at.configuration).toMatchObject({ epoch: 1, leader: null })
    expect(a.replica.status().role).toBe('follower')
    expect([...disk.keys()].some((name) => /writer\/.*\.ended$/.test(name))).toBe(true)
    store.give(a.self)
    await ready(a)
    expect(a.replica.status()).toMatchObject({ epoch: 2, flushedSequence: 2 })
    expect(await rows(a)).toEqual([0])
    await a.close()
  })

  test('looks for later claims before it answers without a lease, and confirms a lease that it got anew', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const storage = bucketOf(disk)
    const a = testOwner(store, storage, 'a')
    store.give(a.self)
    await ready(a)
    expect(await a.replica.read({ kind: 'linearizable' })).toEqual({ deadlineMs: Infinity })
    const { configuration: { version } } = store.at
    store.renewLease('a')
    expect(a.replica.mayServe()).toBe(false)
    expect(await a.replica.read({ kind: 'lease' })).toEqual({ deadlineMs: Infinity })
    await until(() => a.replica.mayServe())
    expect(store.at.configuration).toMatchObject({ version: version + 1, epoch: 1, leader: { node: 'a' } })
    await a.close()
  })

  test('is given up by an owner who finds a later claim, which the configuration does not know of', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const a = testOwner(store, bucketOf(disk), 'a')
    store.give(a.self)
    await ready(a)
    await a.replica.open(1)
    await a.replica.append(1, 1, defining.slice(), 'visible')
    const other = testStore(nodeNamed('b'))
    const b = testOwner(other, bucketOf(disk), 'b')
    other.give(b.self)
    await ready(b)
    expect(await kindOf(a.replica.append(1, 3, row(1), 'visible'))).toBe('notLeader')
    expect(['notLeader', 'notReady']).toContain(await kindOf(a.replica.read({ kind: 'linearizable' })))
    await until(() => store.at.configuration.leader === null)
    expect(await rows(b)).toEqual([0])
    await a.close()
    await b.close()
  })

  test('is not served by who comes late: another one has it by then', async () => {
    const disk: MemoryDisk = new Map()
    const store = testStore(nodeNamed('a'))
    const slow = bucketOf(disk)
    let isHeld = true
    const a = testOwner(store, { ...slow, list: async (prefix) => { while (isHeld) await new Promise((resolve) => setTimeout(resolve, 5)); return await slow.list(prefix) } }, 'a')
    store.give(a.self)
    await until(() => a.replica.status().role === 'elected')
    const b = testOwner(store, bucketOf(disk), 'b')
    store.give(b.self)
    await ready(b)
    await b.replica.open(1)
    await b.replica.append(1, 1, defining.slice(), 'visible')
    isHeld = false
    await until(() => a.replica.status().role === 'follower')
    // It has interrupted b by its claim; b notices with its next write, gives the shard up and gets it again.
    expect(['done', 'notLeader']).toContain(await kindOf(b.replica.append(1, 3, row(1), 'visible')))
    if (store.at.configuration.leader === null || !b.replica.status().isReady) {
      await until(() => store.at.configuration.leader === null)
      store.give(b.self)
      await ready(b)
    }
    expect((await rows(b))?.[0]).toBe(0)
    await a.close()
    await b.close()
  })
})
