/** Records of requests over real trees: how long they are kept, what they cost, and what a restart finds. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Engine, EngineRequest } from '../../../src/engine/engine.ts'
import type { RequestRecord } from '../../../src/engine/requests/request-record.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../../src/settings.ts'
import { openEngine } from '../../../src/engine/open-engine.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { kinds } from '../../kernel/both-kinds.ts'

let engine: Engine
let nowMicros = 1_700_000_000_000_000n

afterEach(async () => {
  await engine.close()
})

async function open(storage: Storage, kernels: 'wasm' | 'js', limits = {}): Promise<void> {
  const settings = { ...defaultDatabaseSettings, shards: 3, kernels, workers: 0, kernelMemoryBytes: 128 * 1024 * 1024, ...limits }
  engine = await openEngine({ storage, settings, clock: { ...systemClock, wallMicros: () => nowMicros }, random: seededRandom(1) })
}

const record = (progress: number): RequestRecord => ({ fingerprint: Uint8Array.of(1, 2, progress), progress, answer: `answer ${progress}` })

async function withRequest<T>(key: string, use: (request: EngineRequest) => Promise<T>): Promise<T> {
  const request = await engine.request(key)
  try {
    return await use(request)
  } finally {
    request.release()
  }
}

/** Puts a row and the key's record. */
const put = (key: string, value = key, progress = 1): Promise<void> =>
  withRequest(key, async (request) => {
    await request.recording(() => record(progress)).insert(engine.table('kv')!, [[key, value]], 'upsert')
  })
const recorded = (key: string): Promise<RequestRecord | undefined> => withRequest(key, async (request) => request.record)
const logAppends = (): number[] => engine.stats().shards.map(({ log }) => log.appends)

describe.each(kinds)('records, kernels %s', (kernels) => {
  test('come with the write, and survive flush, compaction and reopening', async () => {
    const storage = createMemoryStorage()
    await open(storage, kernels)
    expect(await recorded('a')).toBeUndefined()
    await put('a', 'x', 1)
    await put('a', 'y', 2)
    expect(await recorded('a')).toEqual(record(2))
    await engine.flush()
    await put('b')
    await put('a', 'z', 3)
    await engine.compact()
    await engine.close()
    await open(storage, kernels)
    expect(await recorded('a')).toEqual(record(3))
    expect(await recorded('b')).toEqual(record(1))
    expect(engine.tables().map(({ name }) => name)).toEqual(['kv'])
    await put('c')
    await engine.close()
    await open(storage, kernels)
    expect(await recorded('c')).toEqual(record(1))
  })

  test('of a write that failed or was not made is not there', async () => {
    await open(createMemoryStorage(), kernels)
    const table = await engine.createTable({ name: 't', columns: [{ name: 'id', type: { kind: 'bigint' }, notNull: true }], primaryKey: [0], onInsert: 'error' })
    await engine.insert(table, [[1]], 'insert')
    await withRequest('a', async (request) => {
      const session = request.recording(() => record(1))
      await expect(session.insert(table, [[2], [1]], 'insert')).rejects.toMatchObject({ code: '23505' })
      expect(await session.update(table, [[7]], () => 'delete')).toBe(0)
      const begun = await session.begin(() => [table])
      await begun.insert(table, [[3]], 'insert')
      begun.rollback()
      expect(session.isRecorded).toBe(false)
    })
    expect(await recorded('a')).toBeUndefined()
  })

  test('tell the number of rows that the write tells', async () => {
    await open(createMemoryStorage(), kernels)
    const kv = engine.table('kv')!
    const told: number[] = []
    await withRequest('a', async (request) => {
      const session = request.recording((rowCount) => (told.push(rowCount), record(1)))
      const counts = [
        await session.insert(kv, [['a', '1'], ['b', '2'], ['c', '3']], 'upsert'),
        await session.insert(kv, [['c', '1'], ['d', '2']], 'insert-or-ignore'),
        await session.insertColumns(kv, { rowCount: 2, columns: [{ values: ['x', 'y'] }, { values: ['1', '2'] }] }, 'insert'),
        await session.insertOrUpdate(kv, [['a', '9'], ['b', '9'], ['q', '9']], (existing) => (existing[0] === 'a' ? 'keep' : existing)),
        await session.update(kv, [['a'], ['none']], (row) => row.with(1, 'u')),
        await session.updateWhere(kv, { predicate: [] }, (row) => (row[0] === 'a' ? 'delete' : 'keep')),
        await session.deleteWhere(kv, { predicate: [] }),
      ]
      expect(told).toEqual(counts)
    })
  })

  test('are forgotten when as many newer ones came twice, and not before so many', async () => {
    const storage = createMemoryStorage()
    await open(storage, kernels, { idempotencyKeysMax: 20 })
    for (let i = 0; i < 100; i++) {
      await put(`k${i}`)
      if (i % 17 === 0) await engine.flush()
      if (i % 30 === 29) {
        await engine.close()
        await open(storage, kernels, { idempotencyKeysMax: 20 })
      }
      for (let age = 0; age <= Math.min(i, 20); age++) expect(await recorded(`k${i - age}`), `after ${i}, of ${i - age}`).toBeDefined()
      if (i >= 45) expect(await recorded(`k${i - 45}`), `after ${i}`).toBeUndefined()
    }
    await engine.compact()
    expect(await recorded('k99')).toBeDefined()
    expect(await recorded('k10')).toBeUndefined()
  })

  test('are forgotten with time, and not before it', async () => {
    await open(createMemoryStorage(), kernels, { idempotencyKeepMs: 60_000 })
    await put('old')
    for (let second = 1; second <= 130; second += 3) {
      nowMicros += 3_000_000n
      await put(`at ${second}`)
      if (second < 60) expect(await recorded('old')).toBeDefined()
    }
    expect(await recorded('old')).toBeUndefined()
    expect(await recorded('at 100')).toBeDefined()
  })

  test('those that come while old ones are being forgotten stay', async () => {
    await open(createMemoryStorage(), kernels, { idempotencyKeysMax: 10 })
    const keys = Array.from({ length: 300 }, (_, i) => `k${i}`)
    for (let from = 0; from < keys.length; from += 10) {
      await Promise.all(keys.slice(from, from + 10).map((key) => put(key)))
      for (const key of keys.slice(from, from + 10)) expect(await recorded(key), key).toBeDefined()
    }
  })
})

test('a write of one shard stays one: the record goes into its log with it', async () => {
  await open(createMemoryStorage(), 'js')
  await put('first')
  for (let i = 0; i < 10; i++) {
    const before = logAppends()
    await put(`k${i}`)
    expect(logAppends().reduce((sum, appends, shard) => sum + appends - before[shard]!, 0)).toBe(1)
  }
})

test('a database that never saw a key has no tables for them', async () => {
  await open(createMemoryStorage(), 'js')
  const before = logAppends()
  await engine.insert(engine.table('kv')!, [['a', 'b']], 'upsert')
  expect(logAppends().reduce((sum, appends, shard) => sum + appends - before[shard]!, 0)).toBe(1)
})
