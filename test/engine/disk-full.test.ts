/**
 * A disk that fills up and has room again, over and over, under writers and readers: what was acknowledged stays, what
 * was refused is not there, reads go on, and writes are taken again without anybody's help.
 */
import { expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { LsmtError } from '../../src/errors.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { createFaultyStorage } from '../../src/storage/faulty-storage.ts'
import type { FaultOptions, StorageOperation } from '../../src/storage/faulty-storage.ts'
import { createSql } from '../../src/sql/sql.ts'
import { openTestEngine } from './open-test-engine.ts'

/** What writes bytes: it fails before it has any effect. Temporary files too, which the probe writes. */
const growing: readonly StorageOperation['kind'][] = ['createAppend', 'write', 'append', 'publish', 'createIfAbsent']

interface Disk {
  isFull: boolean
  readonly options: FaultOptions
}

function fillingDisk(seed: number, kinds = growing): Disk {
  const disk: Disk = { isFull: false, options: { seed, delayTurnsMax: 2, fail: ({ kind, name }) => (disk.isFull && kinds.includes(kind) ? new LsmtError('53100', `no room for ${name}`) : undefined) } }
  return disk
}

const impatient = { ...systemClock, sleep: (ms: number) => systemClock.sleep(Math.min(ms, 2)) }

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(1)
}

async function valuesOf(engine: Engine): Promise<ReadonlyMap<string, string>> {
  const [result] = await createSql(engine).query('SELECT key, value FROM kv')
  return new Map(result!.rows.map(([key, value]) => [String(key), String(value)]))
}

const seeds = process.env['LSMT_TEST_FULL'] === undefined ? [1, 2, 3] : Array.from({ length: 60 }, (_, i) => i + 1)

test.each(seeds)('nothing acknowledged is lost, nothing refused is there, and it goes on: seed %i', async (seed) => {
  const disk = fillingDisk(seed, seed % 3 === 0 ? growing.filter((kind) => kind !== 'write') : growing)
  const storage = createFaultyStorage(disk.options)
  const engine = await openTestEngine(storage, { shards: 2, tree: { memtableBytesMax: 16 * 1024, logSegmentBytes: 8 * 1024 } }, undefined, impatient)
  const sql = createSql(engine)
  const random = seededRandom(seed)
  const acknowledged = new Map<string, string>()
  const refused = new Set<string>()
  let isOver = false
  const writer = async (name: string): Promise<void> => {
    for (let round = 0; !isOver; round++) {
      const keys = Array.from({ length: 1 + random.below(3) }, (_, i) => `${name}-${round}-${i}`)
      const value = 'v'.repeat(random.below(round % 50 === 7 ? 20_000 : 300))
      try {
        await sql.query(`INSERT INTO kv VALUES ${keys.map((key) => `('${key}', '${value}')`).join(', ')}`)
        for (const key of keys) acknowledged.set(key, value)
      } catch (error) {
        expect(error).toMatchObject({ code: '53100' })
        for (const key of keys) refused.add(key)
        await systemClock.sleep(1)
      }
    }
  }
  const writers = Promise.all(['a', 'b', 'c'].map(writer))
  for (let episode = 0; episode < 4; episode++) {
    const before = acknowledged.size
    await until(() => acknowledged.size > before + 40 + random.below(100))
    disk.isFull = true
    await until(() => engine.stats().disk.refusal !== undefined)
    const seen = new Map(acknowledged)
    const found = await valuesOf(engine)
    for (const [key, value] of seen) expect(found.get(key)).toBe(value)
    await expect(sql.query("INSERT INTO kv VALUES ('refused', 'x')")).rejects.toMatchObject({ code: '53100' })
    refused.add('refused')
    await systemClock.sleep(5 + random.below(10))
    disk.isFull = false
    await until(() => engine.stats().disk.refusal === undefined)
  }
  isOver = true
  await writers
  await engine.flush()
  const { disk: counts, shards } = engine.stats()
  expect(counts.timesFull).toBeGreaterThanOrEqual(4)
  expect(shards.map(({ failure }) => failure)).toEqual([undefined, undefined])
  const check = (found: ReadonlyMap<string, string>): void => {
    expect([...acknowledged].filter(([key, value]) => found.get(key) !== value)).toEqual([])
    expect([...refused].filter((key) => found.has(key))).toEqual([])
  }
  check(await valuesOf(engine))
  const survivor = storage.crash({ seed })
  await engine.close().catch(() => {})
  const reopened = await openTestEngine(survivor, {}, undefined, impatient)
  check(await valuesOf(reopened))
  await reopened.close()
})

test('a full disk is met by flushes and compactions too, and closing does not wait for room', async () => {
  const disk = fillingDisk(9, ['publish'])
  const engine = await openTestEngine(createFaultyStorage(disk.options), { shards: 1 }, undefined, impatient)
  const sql = createSql(engine)
  await sql.query("INSERT INTO kv VALUES ('a', 'b')")
  disk.isFull = true
  await expect(engine.flush()).rejects.toMatchObject({ code: '53100' })
  await until(() => engine.stats().disk.timesFull > 0)
  expect(await valuesOf(engine)).toEqual(new Map([['a', 'b']]))
  disk.isFull = false
  await until(() => engine.stats().shards[0]!.flushes > 0)
  await until(() => engine.stats().disk.refusal === undefined)
  await sql.query("INSERT INTO kv VALUES ('c', 'd')")
  disk.isFull = true
  await engine.flush().catch(() => {})
  await engine.close()
})

test('a manifest that found no room does not end writes', async () => {
  const disk = fillingDisk(11, ['createIfAbsent', 'append'])
  const engine = await openTestEngine(createFaultyStorage(disk.options), { shards: 1 }, undefined, impatient)
  const sql = createSql(engine)
  await sql.query("INSERT INTO kv VALUES ('a', 'b')")
  disk.isFull = true
  await expect(engine.flush()).rejects.toMatchObject({ code: '53100' })
  await expect(sql.query("INSERT INTO kv VALUES ('no', 'no')")).rejects.toMatchObject({ code: '53100' })
  disk.isFull = false
  await until(() => engine.stats().disk.refusal === undefined)
  await sql.query("INSERT INTO kv VALUES ('c', 'd')")
  await engine.flush()
  expect([engine.stats().shards[0]!.failure, await valuesOf(engine)]).toEqual([undefined, new Map([['a', 'b'], ['c', 'd']])])
  await engine.close()
})

test('a disk without room for the abort record of a half statement ends an opening, which did not end, and the next one with room goes on', async () => {
  let isFull = false
  const fail = ({ kind, name }: StorageOperation): LsmtError | undefined => (isFull && growing.includes(kind) && name.startsWith('wal/1/') ? new LsmtError('53100', `no room for ${name}`) : undefined)
  const storage = createFaultyStorage({ seed: 12, fail })
  const engine = await openTestEngine(storage, { shards: 2 }, undefined, impatient)
  await createSql(engine).query("INSERT INTO kv VALUES ('whole', 'x')")
  isFull = true
  const keys = Array.from({ length: 20 }, (_, i) => `('half-${i}', 'x')`)
  const half = createSql(engine).query(`INSERT INTO kv VALUES ${keys.join(', ')}`)
  await until(() => engine.stats().disk.refusal !== undefined)
  const disk = { isFull: true }
  const survivor = storage.crash({ seed: 12, fail: ({ kind, name }) => (disk.isFull && growing.includes(kind) && name.startsWith('wal/') ? new LsmtError('53100', `no room for ${name}`) : undefined) })
  await Promise.allSettled([half, engine.close()])
  await expect(openTestEngine(survivor, { shards: 2 }, undefined, impatient)).rejects.toMatchObject({ code: '53100' })
  disk.isFull = false
  const reopened = await openTestEngine(survivor, { shards: 2 }, undefined, impatient)
  expect(await valuesOf(reopened)).toEqual(new Map([['whole', 'x']]))
  await createSql(reopened).query("INSERT INTO kv VALUES ('after', 'x')")
  await reopened.close()
})
