import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { temporaryDirectory } from '../../storage/temporary-directory.ts'
import { until } from '../../until.ts'
import { batchOf, kernel, openLog, readAll, sequencesOf } from './log-fixture.ts'
import { createLogRounds } from '../../../src/lsm/log/rounds/log-rounds.ts'
import { createDiskRoom } from '../../../src/lsm/disk-room.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createDeferred } from '../../../src/runtime/deferred.ts'
import type { Deferred } from '../../../src/runtime/deferred.ts'
import type { Storage } from '../../../src/storage/storage.ts'

describe('the log', () => {
  it('gives back what was appended, after a given sequence', async () => {
    const storage = createMemoryStorage()
    const log = await openLog(storage)
    for (const [base, count, body] of [[1, 1, 0], [2, 3, 5], [5, 0, 8], [6, 1, 1000]] as const) await log.append(base, batchOf(base, count, body))
    await log.close()
    const { all, lastSequence, lastSegmentNumber, recordCount, cuts } = await readAll(storage)
    expect(all.map((record) => record.payload)).toEqual([batchOf(1, 1, 0), batchOf(2, 3, 5), batchOf(5, 0, 8), batchOf(6, 1, 1000)])
    expect({ lastSequence, lastSegmentNumber, recordCount, cuts }).toEqual({ lastSequence: 6, lastSegmentNumber: 1, recordCount: 4, cuts: [] })
    expect(all[0]).toMatchObject({ file: 'wal/3/00000000000000000001.wal', byteOffset: 64 })
    expect(sequencesOf((await readAll(storage, 4)).all)).toEqual([5, 6])
    expect(sequencesOf((await readAll(storage, 3)).all)).toEqual([2, 5, 6])
    expect(sequencesOf((await readAll(storage, 6)).all)).toEqual([])
  })

  it('is empty where there is none', async () => {
    expect(await readAll(createMemoryStorage())).toMatchObject({ all: [], lastSequence: 0, lastSegmentNumber: 0 })
  })

  it('makes 100 concurrent appends durable by one sync and one write', async () => {
    const storage = createMemoryStorage()
    const log = await openLog(storage)
    await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(i + 1, batchOf(i + 1))))
    expect(storage.counts).toMatchObject({ syncs: 1, appends: 1 })
    expect(log.counts).toMatchObject({ appends: 100, syncs: 1, segments: 1 })
    await log.close()
  })

  it('lets those who come during a sync share the next', async () => {
    const storage = createFaultyStorage({ seed: 1, delayTurnsMax: 4 })
    const log = await openLog(storage)
    const appends = [log.append(1, batchOf(1))]
    while (storage.counts.appends === 0) await new Promise((resolve) => setImmediate(resolve))
    for (let sequence = 2; sequence <= 50; sequence++) appends.push(log.append(sequence, batchOf(sequence)))
    await Promise.all(appends)
    expect(storage.counts).toMatchObject({ syncs: 2, appends: 2 })
    await log.close()
  })

  it('rolls through segments, and gives a record larger than a segment one of its own', async () => {
    const storage = createMemoryStorage()
    const log = await openLog(storage, { settings: { logSegmentBytes: 4096 } })
    const bodies = Array.from({ length: 60 }, (_, i) => (i === 30 ? 300_000 : 200))
    for (const [i, body] of bodies.entries()) await log.append(i + 1, batchOf(i + 1, 1, body))
    expect(log.counts.segments).toBeGreaterThan(4)
    await log.close()
    const { all } = await readAll(storage)
    expect(all.map((record) => record.payload)).toEqual(bodies.map((body, i) => batchOf(i + 1, 1, body)))
    expect((await storage.list('')).length).toBe(log.counts.segments)
  })

  it('continues after a restart, and truncates what is flushed', async () => {
    const storage = createMemoryStorage()
    const first = await openLog(storage, { settings: { logSegmentBytes: 2048 } })
    for (let sequence = 1; sequence <= 30; sequence++) await first.append(sequence, batchOf(sequence))
    await first.close()
    const recovered = await readAll(storage)
    const second = await openLog(storage, { writerEpoch: 2, firstSegmentNumber: recovered.lastSegmentNumber + 1, baseSequence: recovered.lastSequence })
    for (let sequence = 31; sequence <= 40; sequence++) await second.append(sequence, batchOf(sequence))
    await second.truncateBelow(29)
    expect(sequencesOf((await readAll(storage)).all)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    await second.truncateBelow(30)
    expect(sequencesOf((await readAll(storage, 30)).all)).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 40])
    second.roll()
    await second.append(41, batchOf(41))
    await second.truncateBelow(40)
    expect(second.counts.segments).toBe(1)
    expect(sequencesOf((await readAll(storage, 40)).all)).toEqual([41])
    expect((await failureOf(readAll(storage, 39))).code).toBe('XX001')
    await second.close()
  })

  it.each([true, false])('truncates a segment that is flushed before it has ended, at close at the latest (awaited: %s)', async (isAwaited) => {
    const storage = createFaultyStorage({ seed: 1, delayTurnsMax: 4 })
    const log = await openLog(storage)
    for (let sequence = 1; sequence <= 5; sequence++) await log.append(sequence, batchOf(sequence))
    log.roll()
    const truncated = log.truncateBelow(5)
    if (isAwaited) {
      await truncated
      expect(sequencesOf((await readAll(storage)).all)).toEqual([])
    }
    await log.close()
    expect(await storage.list('')).toEqual([])
  })

  it('rolls without waiting for the next segment where it was told before that it would', async () => {
    const storage = createFaultyStorage({ seed: 1 })
    const log = await openLog(storage)
    await log.append(1, batchOf(1))
    log.expectRoll!()
    log.expectRoll!()
    await expect.poll(async () => (await storage.list('')).length).toBe(2)
    const before = storage.operations.length
    log.roll()
    await log.append(2, batchOf(2))
    expect(storage.operations.slice(before).map(({ kind }) => kind)).toEqual(['write', 'sync'])
    await log.truncateBelow(1)
    expect(sequencesOf((await readAll(storage, 1)).all)).toEqual([2])
    await log.close()
    log.expectRoll!()
    expect((await storage.list('')).length).toBe(1)
  })

  it('begins anew with a small segment where one was left that was nowhere near full', async () => {
    const MiB = 1024 * 1024, sizes: number[] = []
    const memory = createMemoryStorage()
    const storage: Storage = { ...memory, createAppend: (name, byteLength) => { sizes.push(byteLength); return memory.createAppend(name, byteLength) } }
    const log = await openLog(storage, { settings: { logSegmentBytes: 8 * MiB } })
    let sequence = 0
    const appendMany = async (records: number): Promise<void> => {
      for (let i = 0; i < records; i++) await log.append(++sequence, batchOf(sequence, 1, 100_000))
    }
    await appendMany(35)
    expect(sizes).toEqual([1, 2, 4].map((each) => each * MiB))
    log.roll()
    await appendMany(8)
    expect(sizes).toEqual([1, 2, 4, 1, 2].map((each) => each * MiB))
    await log.close()
    expect((await readAll(storage)).all.length).toBe(sequence)
  })

  it('leaves no segment behind that nothing was written to', async () => {
    const storage = createMemoryStorage()
    await (await openLog(storage)).close()
    expect(await storage.list('')).toEqual([])
    const used = kernel.heap.usedBytes
    const log = await openLog(storage)
    log.roll()
    await log.sync()
    await log.close()
    expect(await storage.list('')).toEqual([])
    expect(kernel.heap.usedBytes).toBe(used)
    expect((await failureOf(log.append(1, batchOf(1)))).code).toBe('55000')
  })

  it('acknowledges before the sync for `memory` and `interval`, and syncs when asked, at intervals and at close', async () => {
    const storage = createMemoryStorage()
    const memory = await openLog(storage, { durability: 'memory' })
    await memory.append(1, batchOf(1))
    expect(storage.counts.appends).toBe(0)
    await memory.sync()
    expect(storage.counts).toMatchObject({ appends: 1, syncs: 1 })
    await memory.append(2, batchOf(2))
    await memory.close()
    expect(storage.counts).toMatchObject({ appends: 2, syncs: 2 })
    const interval = await openLog(storage, { durability: 'interval', syncIntervalMs: 500, firstSegmentNumber: 2, baseSequence: 2 })
    const beganMs = performance.now()
    await interval.append(3, batchOf(3))
    await interval.append(4, batchOf(4))
    // On a machine that stands still in between, the interval has gone by.
    if (performance.now() - beganMs < 500) expect(storage.counts).toMatchObject({ appends: 4, syncs: 2 })
    while (storage.counts.syncs < 3) await new Promise((resolve) => setTimeout(resolve, 2))
    await interval.close()
    expect(sequencesOf((await readAll(storage)).all)).toEqual([1, 2, 3, 4])
  })

  it('writes on while the sync of an interval is under way, and has no other beside it', async () => {
    const { storage, syncs, letGo, log } = await openIntervals()
    await log.append(1, batchOf(1))
    await until(() => syncs.length === 1)
    // Of the next interval, for which these wait.
    await log.append(2, batchOf(2))
    const third = log.append(3, batchOf(3))
    const asked = log.sync()
    let isDurable = false
    void asked.then(() => { isDurable = true })
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect([syncs.length, isDurable]).toEqual([1, false])
    syncs[0]!.resolve()
    await until(() => syncs.length === 2)
    expect(isDurable).toBe(false)
    letGo()
    await Promise.all([third, asked])
    await log.close()
    expect(sequencesOf((await readAll(storage)).all)).toEqual([1, 2, 3])
  })

  it('counts as durable what was written before the sync of an interval began, not what came meanwhile', async () => {
    const { storage, syncs, letGo, log } = await openIntervals()
    await log.append(1, batchOf(1))
    await until(() => syncs.length === 1)
    await log.append(2, batchOf(2))
    syncs[0]!.resolve()
    await until(() => syncs.length === 2)
    await log.append(3, batchOf(3))
    letGo()
    await log.close()
    const { all } = await readAll(storage)
    const file = Buffer.from(await storage.read(all[0]!.file))
    // Each record tells up to where the log was durable when it was written.
    expect(all.map(({ byteOffset }) => file.readDoubleLE(byteOffset + 24))).toEqual([0, 0, 1])
  })

  it('stops for good when the sync of an interval fails, though nobody waits for it', async () => {
    const { syncs, log } = await openIntervals()
    await log.append(1, batchOf(1))
    await until(() => syncs.length === 1)
    await log.append(2, batchOf(2))
    const eio = new LsmtError('58030', 'cannot sync wal', { file: 'wal/3/00000000000000000001.wal' })
    syncs[0]!.reject(eio)
    await until(() => log.failure !== undefined)
    expect(log.failure).toBe(eio)
    expect(await failureOf(log.append(3, batchOf(3)))).toBe(eio)
    expect(await failureOf(log.sync())).toBe(eio)
    await log.close()
    expect(syncs.length).toBe(1)
  })

  it('stops for good at the first failed sync', async () => {
    const eio = new LsmtError('58030', 'cannot sync wal', { file: 'wal/3/00000000000000000001.wal' })
    let failing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (failing && kind === 'sync' ? eio : undefined) })
    const log = await openLog(storage)
    await log.append(1, batchOf(1))
    failing = true
    const waiting = [2, 3].map((sequence) => failureOf(log.append(sequence, batchOf(sequence))))
    expect(await Promise.all(waiting)).toEqual([eio, eio])
    failing = false
    expect(await failureOf(log.append(4, batchOf(4)))).toBe(eio)
    expect(await failureOf(log.sync())).toBe(eio)
    expect(log.failure).toBe(eio)
    await log.close()
    expect(sequencesOf((await readAll(storage.crash({ seed: 1 }))).all)[0]).toBe(1)
  })

  it('stops when the next segment cannot be made', async () => {
    const eio = new LsmtError('58030', 'cannot write', { file: 'wal' })
    let failing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (failing && kind === 'createAppend' ? eio : undefined) })
    const log = await openLog(storage, { settings: { logSegmentBytes: 1024 } })
    failing = true
    let sequence = 0
    const failure = await failureOf(async () => { while (sequence < 1000) await log.append(++sequence, batchOf(sequence)) })
    expect(failure).toBe(eio)
    await log.close()
    expect(sequencesOf((await readAll(storage)).all).slice(0, sequence - 1)).toEqual(Array.from({ length: sequence - 1 }, (_, i) => i + 1))
  })

  it.each(['createAppend', 'write'] as const)('waits for room when a %s finds none, and loses and doubles nothing', async (failingKind) => {
    const full = new LsmtError('53100', 'disk full', { file: 'wal' })
    let isFull = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (isFull && (kind === failingKind || kind === 'append') ? full : undefined) })
    const clock = { ...systemClock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
    const room = createDiskRoom(storage, clock)
    const log = await openLog(storage, { settings: { logSegmentBytes: 2048 }, room })
    await log.append(1, batchOf(1))
    isFull = true
    const appended = Array.from({ length: 99 }, (_, i) => log.append(i + 2, batchOf(i + 2, 1, i === 50 ? 300_000 : 30)))
    let arrived = 0
    for (const each of appended) void each.then(() => { arrived++ })
    while (room.refusal === undefined) await clock.sleep()
    for (let turn = 0; turn < 20; turn++) await clock.sleep()
    expect([room.refusal.code, log.failure]).toEqual(['53100', undefined])
    expect(arrived).toBeLessThan(99)
    isFull = false
    await Promise.all(appended)
    expect([room.refusal, room.counts.timesFull > 0]).toEqual([undefined, true])
    expect(sequencesOf((await readAll(storage.crash({ seed: 5 }))).all)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    room.close()
  })

  it('leaves the round while it waits for room, so that other logs go on', async () => {
    const full = new LsmtError('53100', 'disk full', { file: 'wal' })
    let isFull = true
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (isFull && (kind === 'write' || kind === 'append') ? full : undefined) })
    const clock = { ...systemClock, sleep: () => new Promise<void>((resolve) => setImmediate(resolve)) }
    const room = createDiskRoom(storage, clock)
    const rounds = createLogRounds()
    const [waiting, other] = [await openLog(storage, { room, rounds }), await openLog(createMemoryStorage(), { rounds })]
    let isWritten = false
    const waits = waiting.append(1, batchOf(1)).then(() => { isWritten = true })
    await other.append(1, batchOf(1))
    await other.append(2, batchOf(2))
    expect(isWritten).toBe(false)
    isFull = false
    await waits
    await Promise.all([waiting.close(), other.close()])
    room.close()
  })

  it('never syncs again what failed to sync for want of room', async () => {
    const full = new LsmtError('53100', 'disk full', { file: 'wal' })
    let syncs = 0
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (kind === 'sync' && ++syncs > 0 ? full : undefined) })
    const log = await openLog(storage)
    expect(await failureOf(log.append(1, batchOf(1)))).toBe(full)
    expect([log.failure, syncs]).toEqual([full, 1])
    await log.close()
  })

  it('admits a record when it has a preallocated place for it, and says so when there cannot be one', async () => {
    const full = new LsmtError('53100', 'disk full', { file: 'wal' })
    let isFull = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (isFull && kind === 'createAppend' ? full : undefined) })
    const log = await openLog(storage, { settings: { logSegmentBytes: 2048 } })
    // The first segment is made when somebody first needs it.
    await log.admit(1000)
    await log.append(1, batchOf(1, 1, 500))
    expect(log.admit(1000)).toBeUndefined()
    isFull = true
    await expect(log.admit(1600)).rejects.toBe(full)
    isFull = false
    await log.admit(100_000)
    const before = storage.operations.length
    await log.append(2, batchOf(2, 1, 90_000))
    expect(storage.operations.slice(before).map(({ kind }) => kind).filter((kind) => kind !== 'createAppend')).toEqual(['write', 'sync'])
    await log.close()
    expect(sequencesOf((await readAll(storage)).all)).toEqual([1, 2])
  })

  it('refuses one record too large for its memory, and goes on', async () => {
    const storage = createMemoryStorage()
    const log = await openLog(storage)
    expect((await failureOf(log.append(1, batchOf(1, 1, 40_000_000)))).code).toBe('53200')
    await log.append(1, batchOf(1))
    await log.close()
    expect(sequencesOf((await readAll(storage)).all)).toEqual([1])
  })

  it('runs on a local disk', async () => {
    const directory = temporaryDirectory()
    const storage = await openLocalStorage(directory.path)
    const log = await openLog(storage, { settings: { logSegmentBytes: 8192 } })
    await Promise.all(Array.from({ length: 500 }, (_, i) => log.append(i + 1, batchOf(i + 1))))
    await log.close()
    const { all } = await readAll(storage)
    expect(all.map((record) => record.payload)).toEqual(Array.from({ length: 500 }, (_, i) => batchOf(i + 1)))
    await storage.close()
    directory.remove()
  })
})

/** A log of intervals that are over at once, and its syncs, each of which waits for the test until it says `letGo`. */
async function openIntervals() {
  const storage = createMemoryStorage()
  const syncs: Deferred[] = []
  let isHolding = true
  const held: Storage = {
    ...storage,
    createAppend: async (name, byteLength) => {
      const file = await storage.createAppend(name, byteLength)
      const sync = async (): Promise<void> => {
        const mayGo = createDeferred()
        syncs.push(mayGo)
        if (isHolding) await mayGo.promise
        await file.sync()
      }
      return { ...file, sync }
    },
  }
  const letGo = (): void => {
    isHolding = false
    for (const { resolve } of syncs) resolve()
  }
  const clock = { ...systemClock, sleep: () => Promise.resolve() }
  return { storage, syncs, letGo, log: await openLog(held, { durability: 'interval', clock }) }
}
