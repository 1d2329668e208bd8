/** Reads of one column by key: what rows have in it, as text or bytes, of one snapshot, across changes of the table. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/runtime/random.ts'
import { open } from '../../../src/lsmt.ts'
import type { Database } from '../../../src/lsmt.ts'

let db: Database
beforeAll(async () => {
  db = await open({ storage: 'memory', shards: 2, kernelMemoryBytes: 64 * 1024 * 1024 })
})
afterAll(() => db.close())

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

describe('a reader of a column', () => {
  test('gives values of any type, null, and undefined where there is no row', async () => {
    await db.query('CREATE TABLE trips (a BIGINT, b TEXT, fare NUMERIC(8,2), t TIMESTAMP, PRIMARY KEY (a, b))')
    await db.query("INSERT INTO trips VALUES (1, 'x', 2.5, '2024-01-02 03:04:05'), (2, 'y', NULL, NULL)")
    const trips = db.table('trips'), fares = trips.reader('fare'), names = trips.reader('b')
    expect([fares.getSync([1, 'x']), fares.getSync([2, 'y']), fares.getSync([2, 'x'])]).toEqual(['2.50', null, undefined])
    expect(await trips.reader('t').get([1, 'x'])).toBe('2024-01-02T03:04:05Z')
    expect(names.getSync([2, 'y'])).toBe('y')
    expect(() => trips.reader('no')).toThrow(expect.objectContaining({ code: '42703' }))
    expect(() => trips.reader('b', { keyFromText: true })).toThrow(expect.objectContaining({ code: '22023' }))
    expect(() => trips.reader('b', { astext: true } as object)).toThrow(expect.objectContaining({ code: '22023' }))
    expect(() => fares.getSync([1])).toThrow(expect.objectContaining({ code: '42804' }))
  })

  test('finds keys of text of any length, and refuses what is none', async () => {
    const keys = ['', 'a', 'x'.repeat(24), 'x'.repeat(25), 'x'.repeat(3000), 'é', '\0', 'x'.repeat(23) + 'é']
    for (const type of ['TEXT', 'VARCHAR(4000)']) {
      await db.query(`CREATE TABLE texts (k ${type} PRIMARY KEY, v TEXT)`)
      const texts = db.table('texts'), values = texts.reader('v')
      await texts.batch(keys.map((k) => ({ put: { k, v: `of ${k}` } })))
      const snapshot = db.snapshot()
      for (const kept of ['in memory', 'in files']) {
        for (const k of keys) {
          expect(texts.getSync(k), kept).toEqual({ k, v: `of ${k}` })
          expect(values.getSync(k, snapshot), kept).toBe(`of ${k}`)
          expect(await values.get(k), kept).toBe(`of ${k}`)
        }
        for (const missing of ['b', 'x'.repeat(22), 'x'.repeat(26), 'ü']) expect(texts.getSync(missing), kept).toBeUndefined()
        expect(() => texts.getSync('\ud800')).toThrow(expect.objectContaining({ code: '22021' }))
        expect(() => texts.getSync(7)).toThrow(expect.objectContaining({ code: '42804' }))
        expect(() => texts.getSync(['a', 'b'])).toThrow(expect.objectContaining({ code: '42804' }))
        await db.compact()
      }
      snapshot.release()
      await db.query('DROP TABLE texts')
      expect(() => texts.getSync('a')).toThrow(expect.objectContaining({ code: '42P01' }))
    }
    await db.query('CREATE TABLE codes (k VARCHAR(3) PRIMARY KEY, v TEXT)')
    expect(() => db.table('codes').getSync('abcd')).toThrow(expect.objectContaining({ code: '22001' }))
  })

  test('gives values of many keys, by key and of one moment', async () => {
    await db.query('CREATE TABLE many (k TEXT PRIMARY KEY, v TEXT)')
    const many = db.table('many'), values = many.reader('v'), keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `key ${i}${i % 7 === 0 ? ' longer than any key that is short' : i % 11 === 0 ? 'é' : ''}`)
    const all = keysOf(300), valueOf = (key: string, i: number): string | null => (i % 5 === 0 ? null : `of ${key}`)
    await many.batch(all.map((k, i) => ({ put: { k, v: valueOf(k, i) } })))
    const wanted = [...all, 'none', 'none that is longer than any key that is short', all[3]!, all[3]!], expected = [...all.map(valueOf), undefined, undefined, valueOf(all[3]!, 3), valueOf(all[3]!, 3)]
    const before = db.snapshot()
    for (const kept of ['in memory', 'in files', 'in both']) {
      expect(await values.getMany(wanted), kept).toEqual(expected)
      expect(await values.getMany(wanted, before), kept).toEqual(expected)
      expect(await many.reader('k').getMany(['none', all[0]!, all[1]!]), kept).toEqual([undefined, all[0], all[1]])
      if (kept === 'in files') await many.batch(all.filter((_, i) => i % 2 === 0).map((k) => ({ put: { k, v: all.indexOf(k) % 5 === 0 ? null : `of ${k}` } })))
      else await db.compact()
    }
    expect(await values.getMany([])).toEqual([])
    // A write that is begun right after it is not seen, whichever way a key is found.
    const read = values.getMany(all), written = many.batch(all.map((k) => ({ put: { k, v: 'later' } })))
    expect(await read).toEqual(all.map(valueOf))
    await written
    expect(new Set(await values.getMany(all))).toEqual(new Set(['later']))
    expect(await values.getMany(all.slice(0, 3), before)).toEqual(all.slice(0, 3).map(valueOf))
    before.release()
    await expect(values.getMany(['a', 7])).rejects.toMatchObject({ code: '42804' })
    await expect(values.getMany('a' as never)).rejects.toMatchObject({ code: '22023' })
    await expect(values.getMany(['a'], before)).rejects.toMatchObject({ code: '55000' })
    await many.batch([{ delete: all[1]! }, { delete: all[2]! }])
    expect(await values.getMany(all.slice(0, 4))).toEqual(['later', undefined, undefined, 'later'])
  })

  test('gives values of keys that are no text, and in a transaction those that it wrote', async () => {
    await db.query('CREATE TABLE numbered (k BIGINT PRIMARY KEY, v DOUBLE PRECISION)')
    const numbered = db.table('numbered')
    await numbered.batch([1, 2, 3].map((k) => ({ put: { k, v: k / 2 } })))
    expect(await numbered.reader('v').getMany([3, 4, 1])).toEqual([1.5, undefined, 0.5])
    await db.transaction({ write: ['numbered'] }, async (transaction) => {
      const table = transaction.table('numbered')
      await table.put({ k: 4, v: 9 })
      expect(await table.reader('v').getMany([4, 1, 5])).toEqual([9, 0.5, undefined])
      expect(await numbered.reader('v').getMany([4, 1])).toEqual([undefined, 0.5])
    })
  })

  test('takes keys of bytes as text, and gives bytes as text where that is asked for', async () => {
    await db.query('CREATE TABLE blobs (k BYTEA PRIMARY KEY, v BYTEA)')
    const table = db.table('blobs')
    const long = 'ü'.repeat(5000), half = 'half \ud800'
    await table.batch(['', 'a', 'é ', long, half].map((key) => ({ put: { k: Buffer.from(key), v: Buffer.from(`of ${key}`) } })))
    for (const kept of ['in memory', 'in files']) {
      const text = table.reader('v', { asText: true, keyFromText: true }), raw = table.reader('v', { keyFromText: true })
      for (const key of ['', 'a', 'é ', long, half]) {
        const shown = `of ${key}`.replace('\ud800', '\ufffd')
        expect(text.getSync(key), kept).toBe(shown)
        expect(text.getSync(Buffer.from(key)), kept).toBe(shown)
        expect(raw.getSync(key), kept).toEqual(bytes(shown))
        expect(await raw.get(key), kept).toEqual(bytes(shown))
        expect(table.reader('k', { keyFromText: true }).getSync(key), kept).toEqual(Buffer.from(key))
        expect(table.reader('k', { keyFromText: true, asText: true }).getSync(key), kept).toBe(key.replace('\ud800', '\ufffd'))
      }
      expect(text.getSync('b')).toBeUndefined()
      expect(() => table.reader('v', { asText: true }).getSync('a')).toThrow(expect.objectContaining({ code: '42804' }))
      expect(() => text.getSync(5)).toThrow(expect.objectContaining({ code: '42804' }))
      await db.compact()
    }
  })

  test('reads a snapshot until it is released, and goes with its table when that changes', async () => {
    await db.query('CREATE TABLE n (k TEXT PRIMARY KEY, v BIGINT)')
    const table = db.table('n'), reader = table.reader('v')
    await table.put({ k: 'a', v: 1 })
    const before = db.snapshot()
    await table.put({ k: 'a', v: 2 })
    expect([reader.getSync('a', before), reader.getSync('a'), await reader.get('a', before)]).toEqual([1, 2, 1])
    before.release()
    expect(() => reader.getSync('a', before)).toThrow(expect.objectContaining({ code: '55000' }))
    await db.query('ALTER TABLE n RENAME COLUMN v TO w')
    expect(() => reader.getSync('a')).toThrow(expect.objectContaining({ code: '42703' }))
    await db.query('ALTER TABLE n ADD COLUMN v TEXT')
    expect(reader.getSync('a')).toBeNull()
    await table.put({ k: 'a', v: 'text', w: 3 })
    expect(reader.getSync('a')).toBe('text')
    await db.query('DROP TABLE n')
    expect(() => reader.getSync('a')).toThrow(expect.objectContaining({ code: '42P01' }))
  })
})

/** Beside a model, by readers of columns of every kind and by rows. */
async function writeAndRead(kernels: 'wasm' | 'js', seed: number): Promise<void> {
  const random = seededRandom(seed), keyCount = 400, columns = ['t', 'i', 'f', 'b'] as const
  const database = await open({ storage: 'memory', shards: 2, kernels, kernelMemoryBytes: 64 * 1024 * 1024 })
  await database.query('CREATE TABLE all_kinds (k TEXT PRIMARY KEY, t TEXT, i BIGINT, f DOUBLE PRECISION, b BYTEA)')
  const table = database.table('all_kinds'), readers = columns.map((column) => table.reader(column))
  try {
    const model = new Map<string, Record<string, unknown>>()
    const keyOf = (i: number): string => `key ${String(i).padStart(6, '0')}`
    const orNull = <T>(value: T): T | null => (random.below(5) === 0 ? null : value)
    const newRow = (k: string) => ({ k, t: orNull('some text that is like any other é'.slice(random.below(34))), i: orNull(random.below(2) === 0 ? random.below(1000) : 2n ** 62n), f: orNull(random.below(1000) / 8), b: orNull(bytes(k)) })
    const check = (k: string, step: string): void => {
      const row = model.get(k), want = columns.map((column) => row?.[column])
      expect(readers.map((reader) => reader.getSync(k)), `${step}, ${k}`).toEqual(want)
      expect(table.getSync(k), `${step}, ${k}`).toEqual(row)
    }
    for (let step = 0; step < 30; step++) {
      for (let n = random.below(40); n > 0; n--) {
        const k = keyOf(random.below(keyCount))
        if (random.below(4) === 0) {
          await table.delete(k)
          model.delete(k)
        } else {
          const row = newRow(k)
          await table.put(row)
          model.set(k, row)
        }
      }
      const after = random.below(8)
      if (after < 3) await database.compact()
      if (after === 3) {
        await table.deleteRange({ gte: keyOf(100), lt: keyOf(120) })
        for (let i = 100; i < 120; i++) model.delete(keyOf(i))
      }
      // Often enough for indexes of keys, and then by them.
      for (let n = 0; n < 120; n++) check(keyOf(random.below(keyCount + 5)), `seed ${seed}, step ${step}`)
    }
    await database.query("ALTER TABLE all_kinds ADD COLUMN later TEXT DEFAULT 'as ever'")
    const later = table.reader('later')
    for (const k of [...model.keys()].slice(0, 50)) expect(later.getSync(k), k).toBe('as ever')
  } finally {
    await database.close()
  }
  expect(() => readers[0]!.getSync('key 000001')).toThrow(expect.objectContaining({ code: '55000' }))
}

describe.each(['wasm', 'js'] as const)('readers of columns beside a model (%s)', (kernels) => {
  test('tell what was written last, in memtables, files and both', async () => {
    await writeAndRead(kernels, Number(process.env['LSMT_SEED'] ?? 5))
  })
})
