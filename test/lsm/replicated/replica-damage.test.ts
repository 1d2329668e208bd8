import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { logFileName } from '../../../src/lsm/file-names.ts'
import { createInlineRunner } from '../../../src/lsm/compaction/inline-runner.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { steppingClock, tinySettings } from '../tree/open-test-tree.ts'
import { batchOf, entryAt, logAfter, openReplica } from './replica-fixture.ts'

const MiB = 1024 * 1024
const kernel = openTestKernel('js', 8 * MiB)
const put = (epoch: number, sequence: number): ReturnType<typeof entryAt> => entryAt(epoch, sequence, sequence === 1 ? batchOf(new Map(), { defines: true }) : batchOf(new Map([[sequence, `${epoch}`]])))

type Files = ReadonlyMap<string, Uint8Array>

/** Segment 1 has 1 to 6 of epoch 1, segment 2 cuts to 4, segment 3 has 5 and 6 of epoch 3, and 7 of epoch 4 is in the last. */
async function cutLog(): Promise<Files> {
  const storage = createMemoryStorage()
  const replica = await openReplica(kernel, storage, { settings: { ...tinySettings, logSegmentBytes: 1024 } })
  await replica.storeEpoch(1)
  for (let sequence = 1; sequence <= 6; sequence++) await replica.append([put(1, sequence)])
  await replica.storeEpoch(4)
  await replica.truncate(4)
  for (const entry of [put(3, 5), put(3, 6), put(4, 7)]) await replica.append([entry])
  await replica.close()
  const files = new Map<string, Uint8Array>()
  for (const { name } of await storage.list('')) files.set(name, await storage.read(name))
  return files
}

async function storageOf(files: Files, change: (name: string, bytes: Uint8Array) => Uint8Array | undefined): Promise<Storage> {
  const storage = createMemoryStorage()
  for (const [name, bytes] of files) {
    const changed = change(name, bytes.slice())
    if (changed !== undefined) await storage.createIfAbsent(name, [changed])
  }
  return storage
}

async function positions(storage: Storage): Promise<string> {
  const replica = await openReplica(kernel, storage)
  try {
    return (await logAfter(replica, 0)).map(({ epoch, lastSequence }) => `${epoch}:${lastSequence}`).join(' ')
  } finally {
    await replica.close()
  }
}

describe('a damaged replica', () => {
  it('is refused, or cut at its very end, whichever byte of its log is flipped', async () => {
    const files = await cutLog()
    const whole = '1:1 1:2 1:3 1:4 3:5 3:6 4:7'
    expect(await positions(await storageOf(files, (_, bytes) => bytes))).toBe(whole)
    const segments = [...files.keys()].filter((name) => name.startsWith('wal/'))
    expect(segments.map((name) => Number(name.slice(-24, -4)))).toEqual([1, 2, 3, 4])
    const outcomes = new Map<string, number>()
    for (const name of segments) {
      for (let at = 0; at < 500; at += 3) {
        const storage = await storageOf(files, (each, bytes) => {
          if (each === name) bytes[at]! ^= 1 << (at % 8)
          return bytes
        })
        const outcome = await positions(storage).catch((error: unknown) => {
          if (!(error instanceof LsmtError)) throw error
          return error.code
        })
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      }
    }
    // What was never acknowledged looks the same as a last record that is damaged.
    expect([...outcomes.keys()].toSorted()).toEqual(['1:1 1:2 1:3 1:4 3:5 3:6', whole, 'XX001'].toSorted())
  })

  it('is refused when the header of a cut is gone, since what was cut off would come back', async () => {
    const files = await cutLog()
    for (const change of [(bytes: Uint8Array) => bytes.fill(0, 0, 64), () => undefined]) {
      const storage = await storageOf(files, (name, bytes) => (name === logFileName(0, 2) ? change(bytes) : bytes))
      expect((await failureOf(openReplica(kernel, storage))).code).toBe('XX001')
    }
  })

  it('is refused when its record is damaged or gone, and never begins anew', async () => {
    const files = await cutLog()
    const record = [...files.keys()].find((name) => name.startsWith('replica/'))!
    for (let at = 0; at < files.get(record)!.length; at++) {
      const storage = await storageOf(files, (name, bytes) => {
        if (name === record) bytes[at]! ^= 16
        return bytes
      })
      expect((await failureOf(openReplica(kernel, storage))).code, `byte ${at}`).toBe('XX001')
    }
    expect((await failureOf(openReplica(kernel, await storageOf(files, (name, bytes) => (name === record ? undefined : bytes))))).code).toBe('XX001')
  })

  it('is refused when the log behind its files is gone', async () => {
    const storage = createMemoryStorage()
    const replica = await openReplica(kernel, storage)
    await replica.storeEpoch(1)
    await replica.append([put(1, 1), put(1, 2)])
    replica.commit(2)
    await replica.tree.flush()
    await replica.close()
    for (const { name } of await storage.list('wal/')) await storage.delete(name)
    expect((await failureOf(openReplica(kernel, storage))).message).toMatch(/the entry that ends at sequence 2/)
  })
})

describe('a replica whose disk fails', () => {
  it('says so once, syncs nothing again, and takes nothing more', async () => {
    let isFailing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind, name }) => (isFailing && kind === 'sync' ? new LsmtError('58030', `no sync of ${name}`) : undefined) })
    const failures: Error[] = []
    const replica = await openReplica(kernel, storage, { onFailure: (error) => void failures.push(error) })
    await replica.storeEpoch(1)
    await replica.append([put(1, 1)])
    isFailing = true
    const [first, second] = await Promise.allSettled([replica.append([put(1, 2)]), replica.append([put(1, 3)])])
    expect([first.status, second.status]).toEqual(['rejected', 'rejected'])
    const syncs = storage.counts.syncs, asked = storage.operations.filter(({ kind }) => kind === 'sync').length
    isFailing = false
    await expect(replica.append([put(1, 4)])).rejects.toThrow(/no sync/)
    await expect(replica.truncate(1)).rejects.toThrow(/no sync/)
    expect(storage.counts.syncs).toBe(syncs)
    expect(storage.operations.filter(({ kind }) => kind === 'sync').length).toBe(asked)
    expect(failures.map(({ message }) => message)).toEqual([expect.stringMatching(/no sync/)])
    expect(replica.tree.stats.failure).toMatch(/no sync/)
    await replica.close().catch(() => undefined)
  })

  it('applies no more than memtables may hold while flushes wait, and all of it after', async () => {
    const storage = createMemoryStorage(), clock = steppingClock()
    const cache = createChunkCache(kernel.heap, 1 * MiB)
    const jobs = createInlineRunner({ storage, kernel, cache, clock, sliceMsMax: 2 })
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    const settings = { ...tinySettings, memtableBytesMax: 16 * 1024, frozenMemtablesMax: 1 }
    const replica = await openReplica(kernel, storage, { clock, cache, settings, jobs: { ...jobs, run: (job, signal) => gate.then(() => jobs.run(job, signal)) } })
    await replica.storeEpoch(1)
    const entries = Array.from({ length: 600 }, (_, i) => entryAt(1, i + 1, i === 0 ? batchOf(new Map(), { defines: true }) : batchOf(new Map([[i, 'x'.repeat(2000)]]))))
    await replica.append(entries)
    replica.commit(600)
    for (let turns = 0; turns < 300; turns++) await new Promise((resolve) => setImmediate(resolve))
    const stopped = replica.tree.visibleSequence
    expect(stopped).toBeLessThan(400)
    expect(replica.tree.stats.frozenMemtables).toBe(2)
    expect(replica.tree.stats.stall).toBe('stop')
    go()
    for (let turns = 0; turns < 5_000 && replica.tree.visibleSequence < 600; turns++) await new Promise((resolve) => setImmediate(resolve))
    expect(replica.tree.visibleSequence).toBe(600)
    await replica.close()
  })
})
