/** Records that are written in the step in which they come, since nothing has to be waited for. */
import { describe, expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { groupBounds } from '../../../src/lsm/log/log.ts'
import type { Log } from '../../../src/lsm/log/log.ts'
import type { LogWriterOptions } from '../../../src/lsm/log/log-writer.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { failureOf } from '../../storage/storage-conformance.ts'
import { until } from '../../until.ts'
import { batchOf, openLog, readAll, sequencesOf } from './log-fixture.ts'

/** A log that has its first record, and so a segment. */
async function openBegun(storage: Storage, options: Partial<LogWriterOptions> = {}): Promise<Log> {
  const log = await openLog(storage, { durability: 'interval', ...options })
  await log.append(1, batchOf(1))
  return log
}

const atOnce = (log: Log, sequence: number, bodyBytes?: number): boolean => log.appendAtOnce!(sequence, batchOf(sequence, 1, bodyBytes))

describe('a record that is written at once', () => {
  it('is with the operating system when the call returns, one write for each, and synced at intervals', async () => {
    const storage = createMemoryStorage()
    const log = await openBegun(storage)
    const before = { ...storage.counts }
    for (let sequence = 2; sequence <= 11; sequence++) expect(atOnce(log, sequence)).toBe(true)
    expect(storage.counts.appends - before.appends).toBe(10)
    expect(sequencesOf((await readAll(storage)).all)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1))
    expect(log.counts).toMatchObject({ appends: 11, groups: { sum: 11, counts: [11, ...Array.from({ length: groupBounds.length }, () => 0)] } })
    await until(() => storage.counts.syncs > before.syncs)
    await log.close()
  })

  it.each(['sync', 'memory'] as const)('is none where durability is `%s`', async (durability) => {
    const log = await openBegun(createMemoryStorage(), { durability })
    expect(atOnce(log, 2)).toBe(false)
    await log.append(2, batchOf(2))
    await log.close()
  })

  it('is none before the first segment, behind what is queued, where it has no place, and in a closed log', async () => {
    const storage = createMemoryStorage()
    const log = await openLog(storage, { durability: 'interval', settings: { logSegmentBytes: 4096 } })
    expect(atOnce(log, 1)).toBe(false)
    const appended = log.append(1, batchOf(1))
    expect(atOnce(log, 2)).toBe(false)
    await appended
    expect(atOnce(log, 2, 4096)).toBe(false)
    expect(atOnce(log, 2)).toBe(true)
    log.roll()
    expect(atOnce(log, 3)).toBe(false)
    await log.append(3, batchOf(3))
    expect(atOnce(log, 4)).toBe(true)
    await log.close()
    expect(atOnce(log, 5)).toBe(false)
    expect(sequencesOf((await readAll(storage)).all)).toEqual([1, 2, 3, 4])
  })

  it('is none where the disk has no room for it, and nothing of it is left', async () => {
    const full = new LsmtError('53100', 'disk full', { file: 'wal' })
    let isFull = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (isFull && kind === 'write' ? full : undefined) })
    const log = await openBegun(storage)
    isFull = true
    expect(atOnce(log, 2, 200)).toBe(false)
    expect(log.failure).toBeUndefined()
    isFull = false
    expect(atOnce(log, 2)).toBe(true)
    await log.append(3, batchOf(3))
    await log.close()
    expect((await readAll(storage)).all.map(({ payload }) => payload)).toEqual([1, 2, 3].map((sequence) => batchOf(sequence)))
  })

  it('ends the log when it fails in any other way', async () => {
    const eio = new LsmtError('58030', 'input/output error', { file: 'wal' })
    let failing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (failing && kind === 'write' ? eio : undefined) })
    const log = await openBegun(storage)
    failing = true
    expect(() => atOnce(log, 2)).toThrow(eio)
    expect(log.failure).toBe(eio)
    failing = false
    expect(atOnce(log, 2)).toBe(false)
    expect(await failureOf(log.append(2, batchOf(2)))).toBe(eio)
    await log.close()
    expect(sequencesOf((await readAll(storage)).all)).toEqual([1])
  })

  it('comes no more once a sync beside has failed', async () => {
    const eio = new LsmtError('58030', 'input/output error', { file: 'wal' })
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind }) => (kind === 'sync' ? eio : undefined) })
    const log = await openBegun(storage)
    await until(() => log.failure !== undefined)
    expect(atOnce(log, 2)).toBe(false)
    await log.close()
  })
})
