import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../../src/errors.ts'
import { systemClock } from '../../../../src/runtime/clock.ts'
import { roundBytesMax } from '../../../../src/lsm/log/journal/commit-journal.ts'
import { createFaultyStorage } from '../../../../src/storage/faulty-storage.ts'
import type { FaultyStorage, StorageOperation } from '../../../../src/storage/faulty-storage.ts'
import { openLocalStorage } from '../../../../src/storage/local-storage.ts'
import { createMemoryStorage } from '../../../../src/storage/memory-storage.ts'
import { failureOf } from '../../../storage/storage-conformance.ts'
import { temporaryDirectory } from '../../../storage/temporary-directory.ts'
import { batchOf, kernel } from '../log-fixture.ts'
import { allShards, findRecords, openLogs, range, sequencesByShard, untilUsed } from './journal-fixture.ts'

const journalFiles = async (storage: Pick<FaultyStorage, 'list'>): Promise<readonly string[]> => (await storage.list('wal/journal/')).map(({ name }) => name)
const isJournal = ({ name }: StorageOperation): boolean => name.startsWith('wal/journal/')
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('the commit journal', () => {
  it('makes what 64 writers have for 8 shards durable by one write and one sync', async () => {
    const storage = createMemoryStorage()
    const opened = await openLogs(storage, { shards: 8 })
    // Each log has begun its own file.
    await opened.round(range(0, 7))
    await untilUsed(opened)
    const { syncs, appends } = storage.counts
    for (let round = 0; round < 10; round++) await opened.round(range(0, 63).map((writer) => writer % 8))
    expect({ syncs: storage.counts.syncs - syncs, appends: storage.counts.appends - appends }).toEqual({ syncs: 10, appends: 10 })
    expect(opened.journal.counts).toMatchObject({ rounds: 11, failure: undefined, segments: 1 })
    await opened.close()
    expect(sequencesByShard(await findRecords(storage, { shards: 8 }))).toEqual(opened.next.map((next) => range(1, next - 1)))
  })

  it('is only made once several logs have written together a few times, and is gone after a close', async () => {
    const storage = createMemoryStorage()
    const opened = await openLogs(storage)
    for (let i = 0; i < 40; i++) await opened.round([i % 4])
    expect([await journalFiles(storage), opened.journal.counts.declined]).toEqual([[], 0])
    await opened.round(allShards)
    expect(await journalFiles(storage)).toEqual([])
    await untilUsed(opened)
    expect(await journalFiles(storage)).toEqual(['wal/journal/00000000000000000001.wal'])
    await opened.close()
    expect(await journalFiles(storage)).toEqual([])
    expect(kernel.heap.usedBytes).toBe(0)
  })

  it('leaves alone what a single log writes, what is large, what is to be synced in its own file, and other durabilities', async () => {
    const storage = createMemoryStorage()
    const opened = await openLogs(storage, { journalSegmentBytes: 1024 * 1024, logSegmentBytes: 1024 * 1024 })
    await untilUsed(opened)
    const { rounds } = opened.journal.counts
    await opened.round([2])
    await opened.round(allShards, roundBytesMax / 4 + 1)
    await Promise.all([opened.round([1]), opened.logs[1]!.sync(), opened.round([2])])
    expect(opened.journal.counts.rounds).toBe(rounds)
    await opened.round(allShards, roundBytesMax / 4 - 1_000)
    expect(opened.journal.counts.rounds).toBe(rounds + 1)
    await opened.close()
    const unsynced = await openLogs(createMemoryStorage(), { durability: 'interval' })
    for (let i = 0; i < 20; i++) await unsynced.round(allShards)
    expect(unsynced.journal.counts).toMatchObject({ rounds: 0, declined: 0, segments: 0 })
    await unsynced.close()
  })

  it('keeps what is in no other file when the power goes, and a restart takes it over once', async () => {
    const first = createFaultyStorage({ seed: 1 })
    const opened = await openLogs(first)
    await untilUsed(opened)
    for (let i = 0; i < 5; i++) await opened.round([0, 1, 3])
    const expected = opened.next.map((next) => range(1, next - 1))
    const second = first.crash({ seed: 2 })
    await opened.close().catch(() => undefined)
    expect(sequencesByShard(await findRecords(second))).toEqual(expected)
    const again = await openLogs(second, { writerEpoch: 2 })
    expect(await journalFiles(second)).toEqual([])
    expect(again.next).toEqual(opened.next)
    await again.round(allShards)
    await again.close()
    const records = await findRecords(second)
    expect(sequencesByShard(records)).toEqual(again.next.map((next) => range(1, next - 1)))
    for (const record of records.flat()) expect(record.payload).toEqual(batchOf(record.baseSequence))
  })

  it('passes over what is in table files, also where a log ends before them', async () => {
    const first = createFaultyStorage({ seed: 1 })
    const opened = await openLogs(first)
    await untilUsed(opened)
    for (let i = 0; i < 5; i++) await opened.round(allShards)
    const last = opened.next[0]! - 1
    const second = first.crash({ seed: 2 })
    await opened.close().catch(() => undefined)
    const flushed = [last, last - 2, 0, 3]
    const again = await openLogs(second, { flushed, writerEpoch: 2 })
    expect(again.next).toEqual(opened.next)
    await again.round(allShards)
    await again.close()
    expect(sequencesByShard(await findRecords(second, { flushed }))).toEqual(flushed.map((from) => range(from + 1, last + 1)))
  })

  it('lets segments go once the logs have what they hold, one sync for each log, and says so before', async () => {
    const storage = createFaultyStorage({ seed: 1 })
    const opened = await openLogs(storage, { journalSegmentBytes: 2048, logSegmentBytes: 1024 * 1024 })
    await untilUsed(opened)
    const from = storage.operations.length
    while (storage.operations.slice(from).filter((each) => each.kind === 'delete' && isJournal(each)).length < 3) {
      await opened.round(allShards)
      await turn()
    }
    const operations = storage.operations.slice(from).filter(({ kind }) => kind === 'sync' || kind === 'delete')
    const firstDelete = operations.findIndex(({ kind }) => kind === 'delete')
    const before = operations.slice(0, firstDelete)
    expect(operations[firstDelete]!.name).toBe('wal/journal/00000000000000000001.wal')
    // The logs in turn, and a round of the next segment after them.
    expect(before.filter((each) => !isJournal(each)).map(({ name }) => name.slice(0, 6))).toEqual(['wal/0/', 'wal/1/', 'wal/2/', 'wal/3/'])
    expect(before.at(-1)!.name).toBe('wal/journal/00000000000000000002.wal')
    expect((await journalFiles(storage)).length).toBeLessThanOrEqual(4)
    const { rounds, declined } = opened.journal.counts
    expect(declined).toBeLessThan(rounds)
    await opened.close()
    expect(await journalFiles(storage)).toEqual([])
  })

  it('keeps what a log that failed has nowhere else, and declines when two full segments wait for it', async () => {
    const eio = new LsmtError('58030', 'cannot sync', { file: 'wal/2' })
    let failing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind, name }) => (failing && kind === 'sync' && name.startsWith('wal/2/') ? eio : undefined) })
    const opened = await openLogs(storage, { journalSegmentBytes: 2048 })
    await untilUsed(opened)
    failing = true
    const others = [0, 1, 3]
    for (let i = 0; i < 60; i++) await opened.round(opened.logs[2]!.failure === undefined ? allShards : others).catch((error: unknown) => expect(error).toBe(eio))
    expect(opened.logs.map(({ failure }) => failure)).toEqual([undefined, undefined, eio, undefined])
    expect(opened.journal.counts).toMatchObject({ segments: 3, failure: undefined })
    expect(opened.journal.counts.declined).toBeGreaterThan(20)
    failing = false
    await opened.close()
    expect((await journalFiles(storage)).length).toBe(3)
    const found = sequencesByShard(await findRecords(storage.crash({ seed: 5 })))
    for (const shard of others) expect(found[shard]).toEqual(range(1, opened.next[shard]! - 1))
    // Of the log that failed all that was acknowledged: its last record may be there or not.
    expect(found[2]!.length).toBeGreaterThanOrEqual(opened.next[2]! - 2)
    expect(found[2]).toEqual(range(1, found[2]!.length))
  })

  it.each(['sync', 'write'] as const)('fails all logs of a round whose %s failed, and no other; what it held stays for the next opening', async (failingKind) => {
    const eio = new LsmtError('58030', 'cannot make the journal durable', { file: 'wal/journal' })
    let failing = false
    const storage = createFaultyStorage({ seed: 1, fail: (operation) => (failing && operation.kind === failingKind && isJournal(operation) ? eio : undefined) })
    const opened = await openLogs(storage)
    await untilUsed(opened)
    await opened.round(allShards)
    const acknowledged = opened.next.map((next) => next - 1)
    failing = true
    const outcomes = await Promise.all([0, 1].map((shard) => failureOf(opened.logs[shard]!.append(opened.next[shard]!, batchOf(opened.next[shard]!)))))
    expect(outcomes).toEqual([eio, eio])
    failing = false
    expect(opened.logs.map(({ failure }) => failure)).toEqual([eio, eio, undefined, undefined])
    expect(await failureOf(opened.logs[0]!.append(opened.next[0]! + 1, batchOf(opened.next[0]! + 1)))).toBe(eio)
    // The others write by themselves from now on.
    const { syncs } = storage.counts
    await opened.round([2, 3])
    expect([storage.counts.syncs - syncs, opened.journal.counts.failure]).toEqual([2, eio.message])
    await opened.close()
    expect(await journalFiles(storage)).not.toEqual([])
    const found = sequencesByShard(await findRecords(storage.crash({ seed: 3 })))
    for (const shard of [0, 1]) expect(found[shard]!.slice(0, acknowledged[shard])).toEqual(range(1, acknowledged[shard]!))
    for (const shard of [2, 3]) expect(found[shard]).toEqual(range(1, acknowledged[shard]! + 1))
  })

  it.each(['createAppend', 'write'] as const)('declines when a %s of it finds no room, which refuses no write, and loses and doubles nothing', async (failingKind) => {
    const full = new LsmtError('53100', 'disk full', { file: 'wal' })
    let isFull = false, nowMs = 0, tries = 0
    const storage = createFaultyStorage({ seed: 1, fail: (operation) => {
      if (!isFull || operation.kind !== failingKind || !isJournal(operation)) return undefined
      tries++
      return full
    } })
    const opened = await openLogs(storage, { journalSegmentBytes: 2048, clock: { ...systemClock, monotonicMs: () => nowMs } })
    await untilUsed(opened)
    isFull = true
    const before = opened.journal.counts.declined
    while (tries === 0 || opened.journal.counts.declined === before) await opened.round(allShards)
    const { rounds, declined } = opened.journal.counts
    for (let i = 0; i < 10; i++) await opened.round(allShards)
    expect(opened.journal.counts).toMatchObject({ rounds, failure: 'disk full' })
    expect(opened.journal.counts.declined).toBeGreaterThanOrEqual(declined + 10)
    expect([failingKind === 'write' ? tries : tries + 10, opened.room.refusal, ...opened.logs.map(({ failure }) => failure)]).toEqual([11, undefined, undefined, undefined, undefined, undefined])
    isFull = false
    nowMs = 10_000
    while (opened.journal.counts.rounds === rounds) await opened.round(allShards)
    expect(opened.journal.counts.failure).toBeUndefined()
    const expected = opened.next.map((next) => range(1, next - 1))
    const records = await findRecords(storage.crash({ seed: 4 }))
    expect(sequencesByShard(records)).toEqual(expected)
    await opened.close().catch(() => undefined)
  })

  it('works on a local disk, and a directory from before has none', async () => {
    const directory = temporaryDirectory()
    const storage = await openLocalStorage(directory.path)
    const before = await openLogs(storage, { durability: 'interval' })
    await before.round(allShards)
    await before.close()
    const opened = await openLogs(storage, { journalSegmentBytes: 16 * 1024, writerEpoch: 2 })
    for (let i = 0; i < 300; i++) await opened.round(allShards)
    expect(opened.journal.counts.rounds).toBeGreaterThan(200)
    await opened.close()
    expect((await storage.list('wal/')).map(({ name }) => name.split('/')[1])).not.toContain('journal')
    expect(sequencesByShard(await findRecords(storage))).toEqual(opened.next.map(() => range(1, 301)))
    await storage.close()
    directory.remove()
  })
})
