/** The order of writes, what ends them, what holds them back, and what recovery asks. */
import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { assignParticipants } from '../../../src/lsm/batch.ts'
import { abortBatch, createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { Job, JobResult, JobRunner } from '../../../src/lsm/compaction/job.ts'
import { recoverTree } from '../../../src/lsm/open-tree.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { loadManifest, publishManifest } from '../../../src/lsm/manifest-store.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree, testTreeOptions, tinySettings } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const layout = layouts[0]!
const rowOf = (key: number): Row => [BigInt(key), Buffer.from('x'.repeat(200)), key, 1n]
const openKernel = (): Kernel => openTestKernel('wasm', 16 * 1024 * 1024)

function putBatch(keys: readonly number[], partCount = 0): Uint8Array {
  const builder = createBatchBuilder()
  for (const key of keys) builder.put(layout.tableId, encodeKey(layout, rowOf(key)), encodeRow(layout, rowOf(key)))
  return builder.finish(partCount)
}

async function define(tree: Tree): Promise<void> {
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  await tree.append(builder.finish()).applied
}

async function count(tree: Tree): Promise<number> {
  const snapshot = tree.snapshot()
  const [partial] = await tree.aggregate(snapshot, { tableId: layout.tableId, columns: [], predicate: [] }, [{ function: 'count' }])
  snapshot.release()
  return partial?.kind === 'count' ? partial.count : -1
}

async function openDefined(kernel: Kernel, storage: Storage, more: Parameters<typeof openTestTree>[2] = {}): Promise<Tree> {
  const tree = await openTestTree(kernel, storage, more)
  await define(tree)
  return tree
}

const turns = async (n: number): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve))
}

describe('writes to a tree', () => {
  it('have the log make its next segment before a memtable is full, which then waits for none', async () => {
    const storage = createFaultyStorage({ seed: 1 })
    const logSegmentBytes = 1024 * 1024
    const tree = await openDefined(openKernel(), storage, { settings: { ...tinySettings, logSegmentBytes } })
    const segments = async (): Promise<number> => (await storage.list('wal/')).length
    let key = 0
    const isPrepared = async (): Promise<boolean> => {
      await tree.append(putBatch([key++])).applied
      return (await segments()) === 2
    }
    while (!(await isPrepared())) expect(tree.stats.flushes).toBe(0)
    expect(tree.stats.memtableBytes).toBeLessThan(tinySettings.memtableBytesMax)
    const before = storage.operations.length
    while (tree.stats.flushes + tree.stats.frozenMemtables === 0) await tree.append(putBatch([key++])).applied
    await tree.sync()
    const made = storage.operations.slice(before).filter(({ kind, name }) => kind === 'createAppend' && name.startsWith('wal/'))
    expect(made).toEqual([])
    await tree.close()
  })

  it('that are taken at once are visible when the call returns, freeze what is full, and wait for all that came before', async () => {
    const disk = new Map(), kernel = openKernel()
    const tree = await openDefined(kernel, createMemoryStorage({ disk }), { durability: 'interval' })
    let open = (): void => undefined
    const gated = tree.append(putBatch([1, 2]), { durableEverywhere: new Promise<void>((resolve) => (open = resolve)) })
    await gated.durable
    const behind = tree.appendAtOnce!(putBatch([3]))
    expect([behind instanceof Promise, tree.visibleSequence]).toEqual([true, 1])
    open()
    await behind
    expect(tree.visibleSequence).toBe(4)
    let atOnce = 0
    for (let key = 4; key <= 400; key++) {
      const wait = tree.admit(1_000)
      if (wait !== undefined) await wait
      const applied = tree.appendAtOnce!(putBatch([key]))
      if (applied === undefined) atOnce++
      expect(tree.visibleSequence).toBe(applied === undefined ? key + 1 : key)
      await applied
    }
    expect(atOnce).toBeGreaterThan(0)
    expect(tree.stats.flushes + tree.stats.frozenMemtables).toBeGreaterThan(0)
    expect(await count(tree)).toBe(400)
    await tree.close()
    const again = await openTestTree(openKernel(), createMemoryStorage({ disk }))
    expect(await count(again)).toBe(400)
    await again.close()
  })

  it('end when one that was to be taken at once could not be written', async () => {
    const eio = new LsmtError('58030', 'input/output error', { file: 'wal' })
    let failing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (failing && kind === 'write' ? eio : undefined) })
    const tree = await openDefined(openKernel(), storage, { durability: 'interval' })
    expect(tree.appendAtOnce!(putBatch([1]))).toBeUndefined()
    failing = true
    await expect(tree.appendAtOnce!(putBatch([2]))).rejects.toMatchObject({ code: '40003', cause: eio })
    failing = false
    await expect(tree.appendAtOnce!(putBatch([3]))).rejects.toMatchObject({ code: '55000' })
    expect([await count(tree), tree.stats.failure]).toEqual([1, eio.message])
    await tree.close()
  })

  it('are visible in log order, a gated batch and all behind it only when the gate opens', async () => {
    const tree = await openDefined(openKernel(), createMemoryStorage())
    let open = (): void => undefined
    const gate = { durableEverywhere: new Promise<void>((resolve) => (open = resolve)) }
    const first = tree.append(putBatch([1])), gated = tree.append(putBatch([2, 3]), gate), last = tree.append(putBatch([4]))
    expect([first, gated, last].map(({ baseSequence }) => baseSequence)).toEqual([2, 3, 5])
    await Promise.all([first.applied, gated.durable, last.durable])
    await turns(5)
    expect(tree.visibleSequence).toBe(2)
    expect(await count(tree)).toBe(1)
    open()
    await Promise.all([gated.applied, last.applied])
    expect(tree.visibleSequence).toBe(5)
    expect(tree.nextSequence).toBe(6)
    expect(await count(tree)).toBe(4)
    await tree.close()
    await expect(tree.append(putBatch([9])).applied).rejects.toMatchObject({ code: '55000' })
  })

  it('end with the first failed sync, while reads go on', async () => {
    let isBroken = false
    const failure = new LsmtError('58030', 'the disk is gone')
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (isBroken && kind === 'sync' ? failure : undefined) })
    const tree = await openDefined(openKernel(), storage)
    await tree.append(putBatch([1])).applied
    isBroken = true
    const broken = [tree.append(putBatch([2])), tree.append(putBatch([3]))]
    for (const { applied } of broken) await expect(applied).rejects.toMatchObject({ code: '40003', message: expect.stringMatching(/not known/), cause: failure })
    isBroken = false
    await expect(tree.append(putBatch([4])).durable).rejects.toMatchObject({ code: '55000', cause: failure })
    await expect(tree.flush()).rejects.toThrow(/the disk is gone/)
    expect(tree.stats.failure).toMatch(/the disk is gone/)
    expect(await count(tree)).toBe(1)
    await tree.close()
  })

  it('end when a part elsewhere failed, since a flush would count this one as written', async () => {
    const tree = await openDefined(openKernel(), createMemoryStorage())
    const gated = tree.append(putBatch([1]), { durableEverywhere: Promise.reject(new LsmtError('58030', 'the other shard failed')) })
    const behind = tree.append(putBatch([2]))
    await expect(gated.applied).rejects.toMatchObject({ code: '40003', cause: { message: 'the other shard failed' } })
    await expect(behind.applied).rejects.toMatchObject({ code: '40003', cause: { message: 'the other shard failed' } })
    expect(await count(tree)).toBe(0)
    await tree.close()
  })

  it('end when another writer has taken over', async () => {
    const storage = createMemoryStorage()
    const overtaken = await openDefined(openKernel(), storage)
    await overtaken.append(putBatch([1])).applied
    const found = (await loadManifest(storage, openKernel(), 0))!
    await publishManifest(storage, openKernel(), { ...found, id: found.id + 1, writerEpoch: found.writerEpoch + 1 })
    await expect(overtaken.flush()).rejects.toMatchObject({ code: '55006' })
    await expect(overtaken.append(putBatch([2])).applied).rejects.toMatchObject({ code: '55006' })
    await overtaken.close()
    const next = await openTestTree(openKernel(), storage)
    expect(await count(next)).toBe(1)
    await next.close()
  })

  it('wait when flushes cannot keep up, and are let go by the next one', async () => {
    const kernel = openKernel(), storage = createMemoryStorage()
    const held: (() => void)[] = []
    let isHeld = true
    const options = testTreeOptions(kernel, storage)
    const jobs: JobRunner = {
      fallback: undefined,
      pinnedBytesMax: 1 << 20,
      storageCounts: options.jobs.storageCounts,
      close: options.jobs.close,
      async run(job: Job, signal: AbortSignal): Promise<JobResult> {
        if (isHeld) await new Promise<void>((resolve) => held.push(resolve))
        return options.jobs.run(job, signal)
      },
    }
    const tree = await openDefined(kernel, storage, { cache: options.cache, jobs, settings: { ...tinySettings, frozenMemtablesMax: 1, memtableBytesMax: 20_000 } })
    for (let i = 0; tree.stats.stall !== 'stop'; i++) await tree.append(putBatch([i])).applied
    expect(tree.stats.frozenMemtables).toBe(2)
    let isAdmitted = false
    const admitted = tree.admit(100)!.then(() => (isAdmitted = true))
    await turns(10)
    expect(isAdmitted).toBe(false)
    isHeld = false
    for (const release of held) release()
    await admitted
    expect(tree.stats.stall).toBe('none')
    expect(tree.stats.stalledMs.stop).toBeGreaterThan(0)
    expect(tree.admit(100)).toBeUndefined()
    await tree.close()
  })

  it('are slowed down by degrees when level 0 grows, and stop at its limit', async () => {
    const settings = { ...tinySettings, level0RunsCompact: 100, level0RunsSlow: 2, level0RunsStop: 4 }
    const tree = await openDefined(openKernel(), createMemoryStorage(), { settings })
    for (const [runs, stall] of [[1, 'none'], [2, 'slow'], [3, 'slow'], [4, 'stop']] as const) {
      await tree.append(putBatch([runs])).applied
      await tree.flush()
      expect(tree.stats.stall, `${runs} runs`).toBe(stall)
      if (stall === 'slow') await tree.admit(1000)
    }
    expect(tree.stats.stalledMs.slow).toBeGreaterThan(0)
    const stopped = tree.admit(1000)
    await tree.compact()
    await stopped
    expect(tree.stats.stall).toBe('none')
    await tree.close()
  })

  it('learn why a flush fails, and go on when it succeeds again', async () => {
    let isFull = true
    const full = new LsmtError('53100', 'no space left')
    const storage = createFaultyStorage({ seed: 2, fail: ({ kind, name }) => (isFull && kind === 'publish' && name.startsWith('sst/') ? full : undefined) })
    const tree = await openDefined(openKernel(), storage)
    await tree.append(putBatch([1, 2])).applied
    await expect(tree.flush()).rejects.toThrow(/no space left/)
    expect(tree.stats.background).toMatch(/no space left/)
    expect(tree.stats.failure).toBeUndefined()
    isFull = false
    await tree.append(putBatch([3])).applied
    await tree.flush()
    expect(tree.stats.frozenMemtables).toBe(0)
    expect(await count(tree)).toBe(3)
    await tree.close()
  })
})

describe('recovery of a tree', () => {
  const transactionId = new Uint8Array(16).fill(7)

  it('lists parts and aborts before it changes anything, and replays only the parts that are kept', async () => {
    const storage = createMemoryStorage()
    const tree = await openDefined(openKernel(), storage)
    const part = putBatch([10, 11], 2)
    const parts = [{ shard: 0, baseSequence: tree.nextSequence }, { shard: 3, baseSequence: 99 }]
    assignParticipants(part, { transactionId, parts })
    await tree.append(part).applied
    await tree.append(putBatch([12])).applied
    await tree.append(abortBatch([new Uint8Array(16).fill(9)])).applied
    const next = tree.nextSequence
    await tree.close()

    const { creates, deletes } = storage.counts
    const kernel = openKernel()
    const recovered = await recoverTree(testTreeOptions(kernel, storage))
    expect(recovered.parts).toEqual([{ transactionId: '07'.repeat(16), baseSequence: 2, participants: parts }])
    expect([...recovered.aborted]).toEqual(['09'.repeat(16)])
    expect(recovered.flushedSequence).toBe(0)
    expect({ creates: storage.counts.creates, deletes: storage.counts.deletes }).toEqual({ creates, deletes })
    const without = await recovered.open(() => false)
    expect(await count(without)).toBe(1)
    expect(without.nextSequence).toBe(next)
    await without.close()
    const withPart = await openTestTree(openKernel(), storage)
    expect(await count(withPart)).toBe(3)
    await withPart.close()
  })

  it('brings nothing of a dropped table back, and deletes its files', async () => {
    const storage = createMemoryStorage()
    const tree = await openDefined(openKernel(), storage)
    await tree.append(putBatch([1, 2, 3])).applied
    await tree.flush()
    const builder = createBatchBuilder()
    builder.dropTable(layout.tableId)
    await tree.append(builder.finish()).applied
    expect(tree.layouts.size).toBe(0)
    await tree.close()
    const reopened = await openTestTree(openKernel(), storage)
    expect(reopened.layouts.size).toBe(0)
    await reopened.flush()
    await expect.poll(() => storage.list('sst/')).toEqual([])
    await reopened.close()
    const again = await openTestTree(openKernel(), storage)
    expect(again.layouts.size).toBe(0)
    await again.close()
  })
})
