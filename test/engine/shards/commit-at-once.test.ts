/**
 * A statement over several shards that comes alone, where writes wait for no disk: in all logs and visible when the call returns,
 * and whole or not there, whatever a log or the process does meanwhile.
 */
import { describe, expect, test } from 'vitest'
import type { Engine, EngineRow } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultOptions, FaultyStorage, StorageOperation } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const shards = 4
const rowsOf = (statement: number): EngineRow[] => Array.from({ length: 24 }, (_, i) => [`key ${i}`, `${statement}`])
const impatient = { ...systemClock, sleep: (ms: number) => systemClock.sleep(Math.min(ms, 2)) }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const insert = (engine: Engine, statement: number): Promise<number> => engine.insert(engine.table('kv')!, rowsOf(statement), 'upsert')

/** The statements whose rows are seen. */
async function seen(engine: Engine): Promise<readonly unknown[]> {
  return [...new Set((await scanAll(engine, engine.table('kv')!)).map(([, statement]) => statement))]
}

/** So many statements, so that every log has a segment to write to. */
async function openWith(storage: FaultyStorage, statements: number): Promise<Engine> {
  const engine = await openTestEngine(storage, { shards, durability: 'interval' }, undefined, impatient)
  for (let i = 1; i <= statements; i++) await insert(engine, i)
  await turn()
  return engine
}

describe('a statement over several shards that comes alone', () => {
  test('is visible when the call returns, by one write of each log', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards, durability: 'interval' })
    for (let i = 1; i <= 3; i++) await insert(engine, i)
    await turn()
    const rows = engine.rowsByKey(engine.table('kv')!, [1])
    const before = engine.stats().shards.map(({ log }) => log.appends)
    const written = insert(engine, 4)
    expect(rowsOf(4).map((row) => rows.get(undefined, [row[0]!]))).toEqual(rowsOf(4).map(() => ['4']))
    expect(engine.stats().shards.map(({ log }, shard) => log.appends - before[shard]!)).toEqual([1, 1, 1, 1])
    expect(await written).toBe(24)
    await engine.close()
  })

  test('keeps its place among others, whoever goes alone', async () => {
    const disk = new Map()
    const engine = await openTestEngine(createMemoryStorage({ disk }), { shards, durability: 'interval' })
    let last = 0
    for (let round = 0; round < 60; round++) {
      const inserts = Array.from({ length: 1 + (round % 3) }, () => insert(engine, ++last))
      const one = round % 4 === 0 ? engine.insert(engine.table('kv')!, [['key 0', `${last}`]], 'upsert') : undefined
      await Promise.all([...inserts, one])
      expect(await seen(engine)).toEqual([`${last}`])
    }
    await engine.close()
    const again = await openTestEngine(createMemoryStorage({ disk }))
    expect(await seen(again)).toEqual([`${last}`])
    await again.close()
  })

  test.each([0, 1, 2, 3])('waits where the log of shard %i has no room, seen nowhere before, and is whole then', async (shard) => {
    let isFull = false
    const fail = ({ kind, name }: StorageOperation): LsmtError | undefined => (isFull && (name.startsWith(`wal/${shard}/`) ? kind === 'write' : kind === 'append') ? new LsmtError('53100', `no room for ${name}`) : undefined)
    const storage = createFaultyStorage({ seed: 1, fail })
    const engine = await openWith(storage, 3)
    isFull = true
    let isDone = false
    const written = insert(engine, 4).then(() => (isDone = true))
    for (let i = 0; i < 5; i++) await turn()
    expect([isDone, await seen(engine)]).toEqual([false, ['3']])
    isFull = false
    await written
    expect(await seen(engine)).toEqual(['4'])
    await engine.close()
    const again = await openTestEngine(storage.restart({ seed: 2 }))
    expect(await seen(again)).toEqual(['4'])
    await again.close()
  })

  test.each([0, 1, 2, 3])('of which the log of shard %i failed is nowhere, and ends writes', async (shard) => {
    const eio = new LsmtError('58030', 'input/output error', { file: 'wal' })
    let isFailing = false
    const storage = createFaultyStorage({ seed: 1, fail: ({ kind, name }) => (isFailing && kind === 'write' && name.startsWith(`wal/${shard}/`) ? eio : undefined) })
    const engine = await openWith(storage, 3)
    isFailing = true
    await expect(insert(engine, 4)).rejects.toMatchObject({ code: '40003', cause: eio })
    isFailing = false
    await expect(insert(engine, 5)).rejects.toMatchObject({ code: '55000' })
    expect(await seen(engine)).toEqual(['3'])
    await engine.close().catch(() => undefined)
    const again = await openTestEngine(storage.restart({ seed: 2 }))
    expect(await seen(again)).toEqual(['3'])
    await again.close()
  })

  test('is whole or not there when the process ends at any write of a log', async () => {
    const first = createFaultyStorage({ seed: 1 })
    await (await openWith(first, 12)).close()
    const writes = first.operations.filter(({ kind, name }) => kind === 'write' && name.startsWith('wal/'))
    expect(writes.length).toBeGreaterThan(40)
    for (const { number } of writes.filter((_, i) => i % 3 === 0)) {
      const options: FaultOptions = { seed: number, crashAtOperation: number }
      const storage = createFaultyStorage(options)
      let acknowledged = 0
      const engine = await openTestEngine(storage, { shards, durability: 'interval' }).catch(() => undefined)
      try {
        for (let i = 1; engine !== undefined && i <= 12; i++) {
          await insert(engine, i)
          acknowledged = i
        }
      } catch (error) {
        if (!storage.crashed) throw error
      }
      await engine?.close().catch(() => undefined)
      const again = await openTestEngine(storage.restart({ seed: 2 }), { shards })
      const found = await seen(again)
      expect(found.length, `crash at ${number}`).toBeLessThanOrEqual(1)
      expect(Number(found[0] ?? 0), `crash at ${number}`).toBeGreaterThanOrEqual(acknowledged)
      await again.close()
    }
  })
})
