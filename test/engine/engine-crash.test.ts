/**
 * Power losses at any moment, several in a row on one disk: every statement over several shards is there as a whole or
 * not at all, every acknowledged one is there, and one that was undone never comes back.
 */
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Durability } from '../../src/settings.ts'
import { createFaultyStorage } from '../../src/storage/faulty-storage.ts'
import type { FaultOptions, FaultyStorage } from '../../src/storage/faulty-storage.ts'
import { createLedger, judge, openTables, writeUntilCrash } from './crash-ledger.ts'
import { newTable, scanAll } from './engine-fixtures.ts'
import { openTestEngine } from './open-test-engine.ts'
import type { TestSettings } from './open-test-engine.ts'

type StorageKind = Pick<FaultOptions, 'appends' | 'syncReads'>
const likeBucket: StorageKind = { appends: false, syncReads: false }
const rounds = 5
/** Statements of all rounds: fewer would not have met much. */
const writtenMin = 15

/** Opens what a restarted process finds; the power may go again while it recovers. */
async function recover(disk: FaultyStorage, random: Random, settings: TestSettings, kind: StorageKind): Promise<{ readonly engine: Engine; readonly storage: FaultyStorage }> {
  let storage = disk
  for (;;) {
    const isLast = random.below(2) === 0
    storage = storage.crash({ ...kind, seed: random.nextU32(), delayTurnsMax: 2, ...(!isLast && { crashAtOperation: 1 + random.below(60) }) })
    try {
      const engine = await openTestEngine(storage, settings)
      // What is to crash later crashes in what comes next, or not at all.
      if (isLast) return { engine, storage }
      await engine.close().catch(() => {})
    } catch (error) {
      if (!storage.crashed) throw error
    }
  }
}

async function run(seed: number, durability: Durability, kind: StorageKind = {}, given: TestSettings = {}): Promise<{ readonly written: number; readonly undone: number }> {
  const random = seededRandom(seed)
  const settings: TestSettings = { shards: 4, kernels: 'js', durability, syncIntervalMs: 2, ...given }
  const ledger = createLedger()
  let storage = createFaultyStorage({ ...kind, seed })
  let engine = await openTestEngine(storage, settings)
  await openTables(engine)
  for (let round = 0; round < rounds; round++) {
    await engine.close()
    storage = storage.crash({ ...kind, seed: random.nextU32(), delayTurnsMax: 2, crashAtOperation: 60 + random.below(200) })
    try {
      engine = await openTestEngine(storage, settings)
      await writeUntilCrash(engine, random, ledger)
    } catch (error) {
      if (!storage.crashed) throw error
    }
    await engine.close().catch((error: unknown) => {
      if (!storage.crashed) throw error
    })
    ;({ engine, storage } = await recover(storage, random, settings, kind))
    await judge(engine, ledger, durability === 'sync')
  }
  await engine.close()
  return { written: ledger.next - 1, undone: ledger.gone.size }
}

describe('power losses', () => {
  const seeds = Array.from({ length: process.env['LSMT_TEST_FULL'] === '1' ? 60 : 6 }, (_, i) => 100 + i)
  let undone = 0

  test.each(seeds)('statements are whole, seed %i', async (seed) => {
    const outcome = await run(seed, 'sync')
    expect(outcome.written).toBeGreaterThan(writtenMin)
    undone += outcome.undone
  })

  test.each(seeds)('statements are whole where syncs are made on this thread, seed %i', async (seed) => {
    const outcome = await run(seed, 'sync', {}, { inlineSyncMsMax: 1e9 })
    expect(outcome.written).toBeGreaterThan(writtenMin)
  })

  test.each(seeds.flatMap((seed) => [[seed, 'memory'], [seed, 'interval']] as const))('statements are whole, if perhaps lost, seed %i, durability %s', async (seed, durability) => {
    await run(seed, durability)
  })

  test.each(seeds.slice(0, seeds.length / 2).flatMap((seed) => [[seed, 'sync'], [seed, 'memory']] as const))('statements are whole in a bucket, seed %i, durability %s', async (seed, durability) => {
    const outcome = await run(seed, durability, likeBucket)
    expect(outcome.written).toBeGreaterThan(writtenMin)
  })

  test('some statements were undone, so the rule was needed', () => {
    expect(undone).toBeGreaterThan(0)
  })
})

/** Keys that a shard alone holds, told by whose log grows. */
async function keysOf(engine: Engine, shard: number, count: number): Promise<string[]> {
  const keys: string[] = []
  for (let i = 0; keys.length < count; i++) {
    const before = engine.stats().shards[shard]!.log.appends
    await engine.insert(engine.table('kv')!, [[`probe ${i}`, '']], 'upsert')
    if (engine.stats().shards[shard]!.log.appends > before) keys.push(`probe ${i}`)
  }
  return keys
}

test('a shard that flushes alone takes no part of a statement with it that others may lose', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const settings: TestSettings = { shards: 2, kernels: 'js', durability: 'memory' }
    const disk = createFaultyStorage({ seed })
    const engine = await openTestEngine(disk, settings)
    const kv = engine.table('kv')!
    const [here] = await keysOf(engine, 0, 1)
    const [there] = await keysOf(engine, 1, 1)
    await engine.insert(kv, [[here!, 'both'], [there!, 'both']], 'upsert')
    const large = 'x'.repeat(2000)
    while (engine.stats().shards[0]!.flushes === 0) {
      await engine.insert(kv, [[here!, large]], 'upsert')
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(engine.stats().shards[1]!.flushes).toBe(0)
    const after = disk.crash({ seed: seed + 100 })
    await engine.close().catch(() => {})
    const recovered = await openTestEngine(after, settings)
    const rowHere = await recovered.get(undefined, recovered.table('kv')!, [here!], [1])
    const rowThere = await recovered.get(undefined, recovered.table('kv')!, [there!], [1])
    // The row here was flushed with all that came after the statement; so the statement counts, and its other row is there.
    expect(rowHere, `seed ${seed}`).toBeDefined()
    expect(rowThere, `seed ${seed}`).toEqual(['both'])
    await recovered.close()
  }
})

test('a column added with a default is in all rows or in none after a power loss', async () => {
  const settings: TestSettings = { shards: 3, kernels: 'js' }
  let added = 0
  for (let seed = 1; seed <= 25; seed++) {
    const random = seededRandom(seed)
    const disk = createFaultyStorage({ seed })
    const before = await openTestEngine(disk, settings)
    const ids = Array.from({ length: 40 }, (_, id) => [id])
    await before.insert(await before.createTable(newTable('t', { id: 'bigint' }, ['id'])), ids.slice(0, 20), 'insert')
    if (random.below(2) === 0) await before.flush()
    await before.insert(before.table('t')!, ids.slice(20), 'insert')
    await before.close()
    const storage = disk.crash({ seed, delayTurnsMax: 2, crashAtOperation: 30 + random.below(90) })
    const column = { name: 'n', type: { kind: 'bigint' }, notNull: true, default: '7' } as const
    let acknowledged = false
    const engine = await openTestEngine(storage, settings).catch(() => undefined)
    await engine?.alterTable('t', { kind: 'addColumn', column, missing: 7 }).then(() => (acknowledged = true), () => {})
    if (random.below(2) === 0) await engine?.flush().catch(() => {})
    await engine?.close().catch(() => {})
    const recovered = await openTestEngine(storage.crash({ seed: seed + 100 }), settings)
    const table = recovered.table('t')!
    if (acknowledged) expect(table.columns, `seed ${seed}`).toHaveLength(2)
    if (table.columns.length === 2) added++
    const expected = ids.map(([id]) => (table.columns.length === 2 ? [id, 7] : [id]))
    expect(await scanAll(recovered, table), `seed ${seed}`).toEqual(expected)
    await recovered.compact()
    expect(await scanAll(recovered, table), `seed ${seed}, compacted`).toEqual(expected)
    await recovered.close()
  }
  expect(added).toBeGreaterThan(3)
  expect(added).toBeLessThan(25)
})
