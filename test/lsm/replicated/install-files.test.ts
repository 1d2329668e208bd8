/** Files of one replica in place of another's, with the power lost in every operation of the disk: what is found again is the old or the new. */
import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { installFiles } from '../../../src/lsm/replicated/install-files.ts'
import type { ExportedFiles, FetchedFiles, ReplicatedTree } from '../../../src/lsm/replicated/replicated-tree.ts'
import { changingKinds, createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { fullTests, kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { batchOf, commitTo, entryAt, logAfter, openReplica, partAt, rowsOf } from './replica-fixture.ts'

const MiB = 1024 * 1024
const kernel: Kernel = openTestKernel('wasm', 16 * MiB)

/** `count` entries of one row each, the first one with the table. */
async function fill(replica: ReplicatedTree, epoch: number, count: number, text: string): Promise<void> {
  await replica.storeEpoch(epoch)
  const entries = Array.from({ length: count }, (_, i) => entryAt(epoch, i + 1, i === 0 ? batchOf(new Map(), { defines: true }) : batchOf(new Map([[i % 50, `${text}${i} ${'.'.repeat(60)}`]]))))
  await replica.append(entries)
}

async function* piecesOf(exported: ExportedFiles, name: string, byteLength: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < byteLength; at += 700) yield await exported.read(name, at, Math.min(700, byteLength - at))
}

const fetchedOf = (exported: ExportedFiles): FetchedFiles => ({ ...exported, read: ({ name, byteLength }) => piecesOf(exported, name, byteLength) })

/** A replica with files of several levels, and entries behind them. */
async function openSource(of: Kernel = kernel): Promise<ReplicatedTree> {
  const source = await openReplica(of, createMemoryStorage())
  await fill(source, 5, 400, 'new')
  await commitTo(source, 300)
  await source.tree.compact()
  await commitTo(source, 380)
  return source
}

/** What stands on the disk of a follower whose log went another way. */
async function makeOld(storage: Storage): Promise<void> {
  const old = await openReplica(kernel, storage)
  await fill(old, 2, 450, 'old')
  await commitTo(old, 100)
  await old.tree.flush()
  await commitTo(old, 200)
  await old.close()
}

describe('installing files', () => {
  it.each(kinds)('brings rows, position and epoch, and the log goes on behind them, %s', async (kind) => {
    const here = openTestKernel(kind, 16 * MiB)
    const source = await openSource(here)
    const exported = await source.exportFiles()
    expect(exported.through).toEqual({ sequence: 380, epoch: 5 })
    expect(exported.files.length).toBeGreaterThan(1)
    const storage = createMemoryStorage()
    const old = await openReplica(here, storage)
    await fill(old, 2, 450, 'old')
    await old.close()
    await installFiles({ storage, kernel: here, shard: 0 }, fetchedOf(exported))
    const rows = await rowsOf(here, source.tree)
    for (let opening = 0; opening < 2; opening++) {
      const replica = await openReplica(here, storage)
      const lastSequence = opening === 0 ? 380 : 400
      expect(replica.found).toEqual({ storedEpoch: 5, startSequence: 380, lastSequence, epochs: [{ epoch: 5, startSequence: 380 }] })
      expect(await rowsOf(here, replica.tree)).toEqual(rows)
      if (opening === 0) await replica.append(await logAfter(source, 380))
      else await commitTo(replica, 400)
      if (opening === 1) await commitTo(source, 400)
      expect(await rowsOf(here, replica.tree)).toEqual(await rowsOf(here, source.tree))
      await replica.close()
    }
    exported.release()
    await source.close()
    expect(here.heap.usedBytes).toBe(0)
  })

  it('leaves the old or the new, whatever operation the power is lost in', async () => {
    const source = await openSource()
    const exported = await source.exportFiles()
    const newRows = await rowsOf(kernel, source.tree)
    for (const seed of fullTests ? [1, 2, 3, 4, 5] : [1]) {
      const counted = createFaultyStorage({ seed })
      await makeOld(counted)
      const first = counted.operations.length
      await installFiles({ storage: counted, kernel, shard: 0 }, fetchedOf(exported))
      const points = counted.operations.slice(first).filter(({ kind }) => changingKinds.includes(kind))
      expect(points.length).toBeGreaterThan(10)
      const found = { old: 0, new: 0 }
      for (const { number, kind, name } of points) {
        const context = `seed ${seed}, crash at operation ${number} (${kind} ${name})`
        const disk = createFaultyStorage({ seed, crashAtOperation: number })
        await makeOld(disk)
        await installFiles({ storage: disk, kernel, shard: 0 }, fetchedOf(exported)).catch((error: unknown) => {
          if (!disk.crashed) throw error
        })
        expect(disk.crashed, context).toBe(true)
        found[await judge(disk.crash({ seed }), newRows, context)]++
      }
      expect(found.old).toBeGreaterThan(0)
      expect(found.new).toBeGreaterThan(0)
    }
    exported.release()
    await source.close()
  })

  /** Opens twice, since the first opening may have to end the installation. */
  async function judge(storage: Storage, newRows: ReadonlyMap<number, string> | undefined, context: string): Promise<'old' | 'new'> {
    let outcome: 'old' | 'new' = 'old'
    for (let opening = 0; opening < 2; opening++) {
      const replica = await openReplica(kernel, storage)
      const { found } = replica
      outcome = found.startSequence === 380 ? 'new' : 'old'
      if (outcome === 'new') {
        expect(found, context).toEqual({ storedEpoch: 5, startSequence: 380, lastSequence: 380, epochs: [{ epoch: 5, startSequence: 380 }] })
        expect(await rowsOf(kernel, replica.tree), context).toEqual(newRows)
      } else {
        expect(found, context).toMatchObject({ startSequence: 100, lastSequence: 450, epochs: [{ epoch: 2, startSequence: 100 }] })
        expect([2, 5], context).toContain(found.storedEpoch)
        await commitTo(replica, 200)
        expect((await rowsOf(kernel, replica.tree))?.get(49), context).toMatch(/^old199 /)
      }
      await replica.close()
    }
    // And what did not come to be can be done again.
    if (outcome === 'new') return outcome
    const source = await openSource()
    const exported = await source.exportFiles()
    await installFiles({ storage, kernel, shard: 0 }, fetchedOf(exported))
    exported.release()
    await source.close()
    const replica = await openReplica(kernel, storage)
    expect(await rowsOf(kernel, replica.tree), context).toEqual(newRows)
    await replica.close()
    return outcome
  }

  it('refuses damaged, missing and foreign files, and changes nothing', async () => {
    const used = kernel.heap.usedBytes
    const source = await openSource()
    const exported = await source.exportFiles()
    const storage = createMemoryStorage()
    await makeOld(storage)
    const names = async (): Promise<readonly string[]> => (await storage.list('')).map(({ name }) => name)
    const before = await names()
    const largest = exported.files.toSorted((a, b) => b.byteLength - a.byteLength)[0]!
    for (let at = 0; at < largest.byteLength; at += 97) {
      const damaged: FetchedFiles = { ...exported, read: ({ name, byteLength }) => withFlip(piecesOf(exported, name, byteLength), name === largest.name ? at : undefined) }
      expect((await failureOf(installFiles({ storage, kernel, shard: 0 }, damaged))).code, `flip at ${at}`).toBe('XX001')
    }
    const short: FetchedFiles = { ...exported, read: ({ name, byteLength }) => piecesOf(exported, name, byteLength - 1) }
    const fewer: FetchedFiles = { ...fetchedOf(exported), files: exported.files.slice(1) }
    const elsewhere: FetchedFiles = { ...fetchedOf(exported), through: { sequence: 381, epoch: 5 } }
    const state = exported.state.slice()
    state[40]! ^= 1
    for (const wrong of [short, fewer, elsewhere, { ...fetchedOf(exported), state }]) expect((await failureOf(installFiles({ storage, kernel, shard: 0 }, wrong))).code).toBe('XX001')
    expect(await failureOf(installFiles({ storage, kernel, shard: 1 }, fetchedOf(exported)))).toBeInstanceOf(LsmtError)
    const replica = await openReplica(kernel, storage)
    expect(replica.found).toMatchObject({ storedEpoch: 2, startSequence: 100, lastSequence: 450 })
    await replica.close()
    expect((await names()).filter((name) => name.startsWith('sst/'))).toEqual(before.filter((name) => name.startsWith('sst/')))
    exported.release()
    await source.close()
    expect(kernel.heap.usedBytes).toBe(used)
  })

  async function* withFlip(pieces: AsyncIterable<Uint8Array>, flipAt: number | undefined): AsyncGenerator<Uint8Array> {
    let at = 0
    for await (const piece of pieces) {
      if (flipAt !== undefined && flipAt >= at && flipAt < at + piece.length) piece[flipAt - at]! ^= 4
      at += piece.length
      yield piece
    }
  }

  it('keeps the log behind exported files until they are released, and tells what is trimmed', async () => {
    const trimmed: number[] = []
    const source = await openReplica(kernel, createMemoryStorage(), { recentBytesMax: 1000, onTrimmed: (sequence) => void trimmed.push(sequence) })
    await fill(source, 5, 400, 'new')
    await commitTo(source, 300)
    const exported = await source.exportFiles()
    expect(exported.through.sequence).toBe(300)
    await commitTo(source, 400)
    await source.tree.flush()
    expect(source.flushedSequence).toBe(400)
    expect((await logAfter(source, 300)).length).toBe(100)
    expect(trimmed.at(-1)).toBe(300)
    exported.release()
    expect(trimmed.at(-1)).toBeGreaterThan(390)
    await source.close()
  })

  it('brings parts that may not be visible in their other shards', async () => {
    const source = await openReplica(kernel, createMemoryStorage())
    await source.storeEpoch(1)
    await source.append([entryAt(1, 1, batchOf(new Map(), { defines: true })), partAt(1, 2, new Map([[1, 'a']]), new Uint8Array(16).fill(7))])
    source.commit(2)
    source.release(2)
    const exported = await source.exportFiles()
    const storage = createMemoryStorage()
    await installFiles({ storage, kernel, shard: 0 }, fetchedOf(exported))
    const replica = await openReplica(kernel, storage)
    expect(replica.visibleParts()).toEqual(source.visibleParts())
    await replica.close()
    exported.release()
    await source.close()
  })
})
