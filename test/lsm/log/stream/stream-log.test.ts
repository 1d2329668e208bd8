import { describe, expect, it } from 'vitest'
import { streamFolder, streamObjectName } from '../../../../src/lsm/file-names.ts'
import { decodeObject, encodeObject } from '../../../../src/lsm/log/stream/object-format.ts'
import { createFaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import { copyFile } from '../../../../src/storage/memory-disk.ts'
import type { MemoryDisk } from '../../../../src/storage/memory-disk.ts'
import { createMemoryStorage } from '../../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../../src/storage/storage.ts'
import { batchOf, kernel, sequencesOf } from '../log-fixture.ts'
import { openStream, settings, stream } from './stream-fixture.ts'

const bucket = (disk: MemoryDisk = new Map()): Storage => createMemoryStorage({ disk, appends: false, syncReads: false })
const objectsOf = async (storage: Storage): Promise<readonly number[]> => (await storage.list(streamFolder(stream))).map(({ name }) => Number(/(\d+)\.wal$/.exec(name)![1]))

/** Three objects with data of both shards, behind the first fence. */
async function written(disk: MemoryDisk): Promise<void> {
  const { logs: [zero, one], close } = await openStream(bucket(disk))
  for (let sequence = 1; sequence <= 3; sequence++) await Promise.all([zero!.append(sequence, batchOf(sequence)), one!.append(sequence, batchOf(sequence, 1, 100))])
  await close()
}

describe('a log stream', () => {
  it('gives each shard back what it appended, after a given sequence', async () => {
    const disk: MemoryDisk = new Map()
    await written(disk)
    const again = await openStream(bucket(disk), [1, 3])
    expect(again.found.map(sequencesOf)).toEqual([[2, 3], []])
    expect(again.found[0]![1]).toMatchObject({ payload: Buffer.from(batchOf(3)), file: streamObjectName(stream, 4) })
    await again.logs[1]!.append(4, batchOf(4))
    await again.close()
    const third = await openStream(bucket(disk), [3, 3])
    expect(third.found.map(sequencesOf)).toEqual([[], [4]])
    await third.close()
  })

  it('makes what comes together one object, and what comes meanwhile the next', async () => {
    const storage = createFaultyStorage({ seed: 1, delayTurnsMax: 4, appends: false, syncReads: false })
    const { logs: [zero, one], close } = await openStream(storage)
    const before = storage.counts.creates
    const appends = Array.from({ length: 50 }, (_, i) => [zero!.append(i + 1, batchOf(i + 1)), one!.append(i + 1, batchOf(i + 1))]).flat()
    while (storage.counts.creates === before) await new Promise((resolve) => setImmediate(resolve))
    for (let sequence = 51; sequence <= 90; sequence++) appends.push(zero!.append(sequence, batchOf(sequence)))
    await Promise.all(appends)
    expect(storage.counts.creates - before).toBe(2)
    expect(zero!.counts).toMatchObject({ appends: 90, syncs: 2, groups: { sum: 140 } })
    expect(one!.counts).toMatchObject({ appends: 50, syncs: 0 })
    await close()
  })

  it('begins an object not sooner than asked, unless one is full or somebody waits for all', async () => {
    const storage = bucket()
    const { logs: [zero], close } = await openStream(storage, [0, 0], { settings: { ...settings, logFlushMs: 60_000, logObjectBytes: 4096 } })
    await zero!.append(1, batchOf(1))
    const before = storage.counts.creates
    const waiting = Array.from({ length: 5 }, (_, i) => zero!.append(i + 2, batchOf(i + 2, 1, 500)))
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(storage.counts.creates).toBe(before)
    for (let sequence = 7; sequence <= 12; sequence++) waiting.push(zero!.append(sequence, batchOf(sequence, 1, 500)))
    await Promise.all(waiting.slice(0, 8))
    expect(storage.counts.creates).toBe(before + 1)
    await zero!.sync()
    await Promise.all(waiting)
    expect(storage.counts.creates).toBe(before + 2)
    await close()
  })

  it.each(['memory', 'interval'] as const)('of durability %s answers before, and has all by the interval', async (durability) => {
    const disk: MemoryDisk = new Map()
    const storage = bucket(disk)
    const { logs: [zero], close } = await openStream(storage, [0, 0], { settings: { ...settings, durability } })
    const before = storage.counts.creates
    await zero!.append(1, batchOf(1))
    expect(storage.counts.creates).toBe(before)
    while (storage.counts.creates === before) await new Promise((resolve) => setTimeout(resolve, 1))
    await zero!.append(2, batchOf(2))
    await close()
    expect((await openStream(bucket(disk))).found.map(sequencesOf)).toEqual([[1, 2], []])
  })

  it('lets writers wait while more is queued than may be', async () => {
    const { logs: [zero], close } = await openStream(bucket(), [0, 0], { settings: { ...settings, logObjectBytes: 1024 } })
    const appends = [zero!.append(1, batchOf(1, 1, 5000))]
    const wait = zero!.admit(100)
    expect(wait).toBeInstanceOf(Promise)
    await wait
    expect(zero!.admit(100)).toBeUndefined()
    await Promise.all(appends)
    await close()
  })

  it('deletes objects that all shards have flushed, oldest first, never the newest with data', async () => {
    const disk: MemoryDisk = new Map()
    await written(disk)
    const storage = bucket(disk)
    const { logs: [zero, one], close } = await openStream(storage)
    expect(await objectsOf(storage)).toEqual([1, 2, 3, 4, 5])
    await zero!.truncateBelow(3)
    expect(await objectsOf(storage)).toEqual([2, 3, 4, 5])
    await one!.truncateBelow(2)
    expect(await objectsOf(storage)).toEqual([4, 5])
    await one!.truncateBelow(3)
    expect(await objectsOf(storage)).toEqual([4, 5])
    await zero!.append(4, batchOf(4))
    await zero!.truncateBelow(3)
    expect(await objectsOf(storage)).toEqual([6])
    await close()
  })

  it('asks the shards that keep the oldest object to flush, once, when there is too much', async () => {
    const { logs: [zero, one], close } = await openStream(bucket(), [0, 0], { keptBytesMax: 2000 })
    const asked: number[] = []
    for (const [shard, log] of [zero!, one!].entries()) log.onFlushWanted!(() => asked.push(shard))
    await one!.append(1, batchOf(1))
    for (let sequence = 1; sequence <= 10; sequence++) await zero!.append(sequence, batchOf(sequence, 1, 500))
    expect(asked).toEqual([1])
    await one!.truncateBelow(1)
    await zero!.append(11, batchOf(11))
    expect(asked).toEqual([1, 0])
    await close()
  })

  it('does not read, and deletes, an object under a name that was used and deleted', async () => {
    const disk: MemoryDisk = new Map()
    await written(disk)
    const storage = bucket(disk)
    const first = await openStream(storage, [3, 3])
    await Promise.all([first.logs[0]!.truncateBelow(3), first.logs[1]!.truncateBelow(3)])
    await first.close()
    expect(await objectsOf(storage)).toEqual([4, 5])
    const stray = { kind: 'data' as const, stream, id: 3, writerEpoch: 1, putId: 'ab'.repeat(16), previousPutId: 'cd'.repeat(16), lastSequences: [3, 3] }
    await storage.createIfAbsent(streamObjectName(stream, 3), [encodeObject(kernel, stray, [{ shard: 0, baseSequence: 4, lastSequence: 4, payload: batchOf(4) }])])
    const again = await openStream(storage, [3, 3])
    expect(again.found.map(sequencesOf)).toEqual([[], []])
    expect(await objectsOf(storage)).toEqual([4, 5, 6])
    await again.close()
  })

  it('does not grow by openings that write nothing', async () => {
    const disk: MemoryDisk = new Map()
    for (let opening = 0; opening < 60; opening++) {
      await (await openStream(bucket(disk))).close()
      expect((await objectsOf(bucket(disk))).length).toBeLessThan(20)
    }
    await written(disk)
    for (let opening = 0; opening < 60; opening++) await (await openStream(bucket(disk), [2, 3])).close()
    const last = await openStream(bucket(disk), [2, 3])
    expect(last.found.map(sequencesOf)).toEqual([[3], []])
    await last.close()
  })

  it.each([2, 3])('names object %i when it is missing and a shard needs it', async (id) => {
    const disk: MemoryDisk = new Map()
    await written(disk)
    disk.delete(streamObjectName(stream, id))
    await expect(openStream(bucket(disk))).rejects.toMatchObject({ code: 'XX001', evidence: { file: streamObjectName(stream, id) } })
    // Nobody needs what is in table files.
    await (await openStream(bucket(disk), [id - 1, id - 1])).close()
  })

  it.each([20, 60, 75, 90, 130, 150])('names a damaged object, byte %i', async (byteOffset) => {
    const disk: MemoryDisk = new Map()
    await written(disk)
    const name = streamObjectName(stream, 3)
    const file = copyFile(disk.get(name)!)
    file.room[byteOffset]! ^= 4
    disk.set(name, file)
    await expect(openStream(bucket(disk))).rejects.toMatchObject({ code: 'XX001', evidence: { file: name } })
  })

  it('refuses an object of another version by name', async () => {
    const disk: MemoryDisk = new Map()
    await written(disk)
    const name = streamObjectName(stream, 3)
    const bytes = await bucket(disk).read(name)
    expect(() => decodeObject(kernel, bytes, name, { stream, id: 4 })).toThrow(/object 4 of stream 0/)
    bytes[8] = 2
    // With the checksum that such a version would write.
    const { heap, memory, exports } = kernel
    const at = heap.allocate(112)
    memory.u8.set(bytes.subarray(0, 104), at)
    exports.checksumXxh64(at, 104, at + 104)
    bytes.set(memory.u8.slice(at + 104, at + 112), 104)
    expect(() => decodeObject(kernel, bytes, name, { stream, id: 3 })).toThrow(/format 2 .* reads 1/)
  })
})
