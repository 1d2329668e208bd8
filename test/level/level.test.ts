/** A level where it is more than abstract-level's own tests ask: directories, SQL beside it, snapshots, and classic-level as its model. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AbstractLevel } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { LsmtLevel } from '../../src/lsmt-level.ts'
import { open } from '../../src/lsmt.ts'
import type { OpenOptions } from '../../src/lsmt.ts'
import { seededRandom } from '../../src/runtime/random.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lsmt-level-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const database: OpenOptions = { kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, workers: 0 }
const inMemory = { database: { ...database, storage: 'memory' as const } }
const place = (name: string): string => join(folder, name)

describe('a level in a directory', () => {
  test('keeps its entries, and shares the directory with nobody', async () => {
    const level = new LsmtLevel(place('kept'), { database })
    expect(level.location).toBe(place('kept'))
    await level.put('hello', 'world')
    await expect(open({ ...database, dataDir: place('kept') })).rejects.toMatchObject({ code: '55006' })
    await level.close()
    const again = new LsmtLevel<string, unknown>(place('kept'), { database, valueEncoding: 'json' })
    await again.open({ createIfMissing: false })
    expect(again.getSync('hello', { valueEncoding: 'utf8' })).toBe('world')
    await again.put('object', { a: [1, null] })
    expect(await again.get('object')).toEqual({ a: [1, null] })
    await again.close()
    const db = await open({ ...database, dataDir: place('kept') })
    expect((await db.query("SELECT encode(key, 'hex') AS k, octet_length(value) AS n FROM level ORDER BY key")).rows).toEqual([{ k: '68656c6c6f', n: 5 }, { k: '6f626a656374', n: 14 }])
    await db.close()
  })

  test('makes nothing when it may not, and lets the directory go', async () => {
    const level = new LsmtLevel(place('missing'), { database, createIfMissing: false })
    await expect(level.open()).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN', cause: { code: '58P01' } })
    expect(existsSync(place('missing'))).toBe(false)
    await (await open({ ...database, dataDir: place('missing') })).close()
    await expect(level.open()).rejects.toMatchObject({ cause: { code: '42P01' } })
    await level.open({ createIfMissing: true })
    await level.close()
    await expect(level.open({ errorIfExists: true })).rejects.toMatchObject({ cause: { code: '42P07' } })
    await level.open()
    await level.close()
  })
})

describe('a level in a table of an open database', () => {
  test('sees what SQL writes, and SQL what it writes', async () => {
    const db = await open(inMemory.database)
    const level = new LsmtLevel<Uint8Array, Uint8Array>(db, { table: 'files', keyEncoding: 'view', valueEncoding: 'view' })
    await level.put(Uint8Array.of(0xff, 0), Uint8Array.of(1))
    await db.query("INSERT INTO files VALUES ('\\x00', '\\x0203'), ('\\xff00', '\\x04')")
    expect(await level.iterator().all()).toEqual([[Uint8Array.of(0), Uint8Array.of(2, 3)], [Uint8Array.of(0xff, 0), Uint8Array.of(4)]])
    await level.close()
    expect((await db.query('SELECT COUNT(*) AS n FROM files')).rows).toEqual([{ n: 2 }])
    await db.close()
  })

  test('refuses a table of another shape', async () => {
    const db = await open(inMemory.database)
    const level = new LsmtLevel(db, { table: 'kv' })
    await expect(level.open()).rejects.toMatchObject({ cause: { code: '42804', message: expect.stringContaining('column "key" is TEXT NOT NULL, defined as BYTEA NOT NULL') } })
    await db.close()
  })

  test('goes on after the table was truncated or the database closed', async () => {
    const db = await open(inMemory.database)
    const level = new LsmtLevel(db)
    await level.put('a', '1')
    await db.query('TRUNCATE level')
    expect(await level.get('a')).toBeUndefined()
    await level.batch([{ type: 'put', key: 'a', value: '2' }, { type: 'del', key: 'b' }])
    expect(level.getSync('a')).toBe('2')
    await db.close()
    await expect(level.put('a', '3')).rejects.toMatchObject({ code: '55000' })
    await level.close()
  })
})

describe('snapshots', () => {
  test('are read under way when they are closed, not after', async () => {
    const level = new LsmtLevel('unused', inMemory)
    await level.open()
    await level.batch(Array.from({ length: 3_000 }, (_, i) => ({ type: 'put' as const, key: String(i).padStart(5, '0'), value: 'old' })))
    const snapshot = level.snapshot()
    const iterator = level.iterator({ snapshot })
    await level.clear()
    expect(await iterator.next()).toEqual(['00000', 'old'])
    expect([level.getSync('00001'), level.getSync('00001', { snapshot })]).toEqual([undefined, 'old'])
    await level.put('00001', 'new')
    expect(await level.getMany(['00001', '00002'], { snapshot })).toEqual(['old', 'old'])
    await snapshot.close()
    await expect(level.get('00001', { snapshot })).rejects.toMatchObject({ code: 'LEVEL_SNAPSHOT_NOT_OPEN' })
    await expect(iterator.nextv(5_000)).rejects.toMatchObject({ code: 'LEVEL_SNAPSHOT_NOT_OPEN' })
    await iterator.close()
    await level.close()
  })

  test('of another database are refused', async () => {
    const [one, other] = [new LsmtLevel('unused', inMemory), new LsmtLevel('unused', inMemory)]
    await Promise.all([one.open(), other.open()])
    await expect(one.get('a', { snapshot: other.snapshot() })).rejects.toMatchObject({ code: '22023' })
    await Promise.all([one.close(), other.close()])
  })
})

test('an iterator whose reading failed tells so again, and goes on after a seek', async () => {
  const level = new LsmtLevel('unused', inMemory)
  await level.open()
  await level.put('a', '1')
  const abort = new AbortController()
  const iterator = level.keys({ signal: abort.signal })
  const reading = iterator.next()
  abort.abort()
  await expect(reading).rejects.toMatchObject({ name: 'AbortError', code: 'LEVEL_ABORTED' })
  await expect(iterator.next()).rejects.toMatchObject({ code: 'LEVEL_ABORTED' })
  await iterator.close()
  await level.close()
})

test('many puts at once, texts and bytes, of which the last of a key counts', async () => {
  const level = new LsmtLevel<string, string | Uint8Array>('unused', inMemory)
  const texts = Array.from({ length: 100 }, (_, i) => [`é ${String(i).padStart(3, '0')}`, i % 10 === 0 ? '\ud800 half' : `${'ü'.repeat(i)} 🙂`] as const)
  await level.batch(texts.map(([key, value]) => ({ type: 'put', key, value })))
  expect(await level.iterator().all()).toEqual(texts.map(([key, value]) => [key, value.replace('\ud800', '\ufffd')]))
  expect([level.getSync('é 007'), await level.get('é 010'), level.getSync<string, Uint8Array>('é 000', { valueEncoding: 'view' })]).toEqual([`${'ü'.repeat(7)} 🙂`, '\ufffd half', new Uint8Array(Buffer.from('\ufffd half'))])
  await level.batch(Array.from({ length: 90 }, (_, i) => ({ type: 'put', key: `k${i % 3}`, value: Uint8Array.of(i), valueEncoding: 'view' })))
  expect(await level.values<string, Uint8Array>({ gte: 'k', lt: 'l', valueEncoding: 'view' }).all()).toEqual([87, 88, 89].map((last) => Uint8Array.of(last)))
  await level.close()
})

test('clears a part, backwards too', async () => {
  const level = new LsmtLevel('unused', inMemory)
  await level.batch(Array.from({ length: 2_500 }, (_, i) => ({ type: 'put' as const, key: String(i).padStart(5, '0'), value: '' })))
  await level.clear({ limit: 1_200 })
  await level.clear({ limit: 300, reverse: true })
  const keys = await level.keys().all()
  expect([keys.length, keys[0], keys.at(-1)]).toEqual([1_000, '01200', '02199'])
  await level.clear({ gt: '01200', lte: '02198' })
  expect(await level.keys().all()).toEqual(['01200', '02199'])
  await level.close()
})

function isWithin({ gt, gte, lt, lte }: { readonly gt?: Buffer; readonly gte?: Buffer; readonly lt?: Buffer; readonly lte?: Buffer }, key: Buffer): boolean {
  return !((gt && key.compare(gt) <= 0) || (gte && key.compare(gte) < 0) || (lt && key.compare(lt) >= 0) || (lte && key.compare(lte) > 0))
}

describe('beside classic-level', () => {
  test.each([1, 2, 3, 4])('answers random calls alike, seed %i', async (seed) => {
    const random = seededRandom(seed)
    const lsmt = new LsmtLevel<Buffer, string>('unused', { keyEncoding: 'buffer', database: { ...inMemory.database, shards: 3, tree: { memtableBytesMax: 64 * 1024 } } })
    const classic = new ClassicLevel<Buffer, string>(place(`classic ${seed}`), { keyEncoding: 'buffer' })
    await Promise.all([lsmt.open(), classic.open()])
    const key = (): Buffer => Buffer.from(Array.from({ length: 1 + random.below(3) }, () => [0, 1, 97, 98, 127, 128, 255][random.below(7)]!))
    const value = (): string => 'v'.repeat(random.below(40)) + random.nextU32()
    onTestFinished(async () => {
      await Promise.all([lsmt.close(), classic.close()])
    })
    const both = async <T>(call: (level: AbstractLevel<string | Uint8Array, Buffer, string>) => Promise<T>): Promise<void> => {
      const [ours, theirs] = await Promise.all([call(lsmt), call(classic as AbstractLevel<string | Uint8Array, Buffer, string>)])
      expect(ours).toEqual(theirs)
    }
    for (let step = 0; step < 150; step++) {
      const range = { ...(random.below(2) === 0 ? { gt: key() } : { gte: key() }), ...(random.below(2) === 0 ? { lt: key() } : { lte: key() }), reverse: random.below(2) === 0, limit: [-1, 0, 1, 5][random.below(4)]! }
      const [target, size, keys] = [key(), 1 + random.below(5), [key(), key(), key()]]
      switch (random.below(8)) {
        case 0:
        case 1: {
          const operations = Array.from({ length: 1 + random.below(30) }, () => (random.below(3) === 0 ? { type: 'del' as const, key: key() } : { type: 'put' as const, key: key(), value: value() }))
          await both((level) => level.batch(operations))
          break
        }
        case 2:
          if (random.below(4) === 0) await both((level) => level.clear(range))
          break
        case 3:
          await both(async (level) => [await level.getMany(keys), await level.hasMany(keys), level.getSync(keys[0]!)])
          break
        case 4:
          await both(async (level) => [await level.keys(range).all(), await level.values(range).all()])
          break
        default: {
          // Its own seek ends the process now and then; where a seek goes on is known without it.
          const entries = await classic.iterator({ ...range, limit: -1 }).all()
          const iterator = lsmt.iterator({ ...range, limit: size + 2 })
          const before = [await iterator.next(), ...(await iterator.nextv(size))].filter((entry) => entry !== undefined)
          expect(before).toEqual(entries.slice(0, size + 1))
          iterator.seek(target)
          expect(await iterator.all()).toEqual(isWithin(range, target) ? entries.filter(([each]) => (range.reverse ? each.compare(target) <= 0 : each.compare(target) >= 0)).slice(0, size + 2 - before.length) : [])
        }
      }
    }
  })
})
