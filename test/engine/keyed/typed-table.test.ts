import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { open } from '../../../src/lsmt.ts'
import type { Database } from '../../../src/lsmt.ts'
import { defineTable } from '../../../src/engine/keyed/define-table.ts'
import type { TableDefinition } from '../../../src/engine/keyed/define-table.ts'

const trips = defineTable('trips', { id: 'bigint', city: 'text', fare: 'numeric(8,2)?', at: 'timestamp?', paid: 'boolean?', note: 'bytea?' }, { key: 'id' })
const visits = defineTable('visits', { city: 'varchar(20)', day: 'date', count: 'integer' }, { key: ['city', 'day'], onInsert: 'upsert' })

let db: Database
beforeEach(async () => {
  const opened = await open({ storage: 'memory', kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, workers: 0 })
  db = opened
  onTestFinished(() => opened.close())
})

describe('a table defined in TypeScript', () => {
  test('is made, written and read', async () => {
    const table = await db.createTable(trips)
    await table.put({ id: 1, city: 'Oslo', fare: 12.5, at: '2026-01-05T10:00:00Z' })
    await table.batch([{ put: { id: 2n ** 60n, city: 'Bergen', note: Uint8Array.of(1) } }, { delete: 7 }])
    expect(table.getSync(1)).toEqual({ id: 1, city: 'Oslo', fare: '12.50', at: '2026-01-05T10:00:00Z', paid: null, note: null })
    expect(await table.get(2n ** 60n, { columns: ['city', 'note'] })).toEqual({ city: 'Bergen', note: Uint8Array.of(1) })
    expect((await db.query('SHOW CREATE TABLE trips')).rows[0]).toEqual(expect.objectContaining({ definition: expect.stringContaining('city TEXT NOT NULL,\n  fare NUMERIC(8,2)') }))
    await expect(db.query("INSERT INTO trips (id, city) VALUES (1, 'again')")).rejects.toMatchObject({ code: '23505' })
  })

  test('has keys of several columns, and bounds that are their beginnings', async () => {
    const table = await db.createTable(visits)
    for (const [city, day] of [['Oslo', '2026-01-01'], ['Oslo', '2026-01-02'], ['Bergen', '2026-01-02']] as const) await table.put({ city, day, count: 1 })
    expect(table.getSync(['Oslo', '2026-01-02'])?.count).toBe(1)
    const days: string[] = []
    for await (const { day } of table.scan({ gte: ['Oslo'], columns: ['day'] })) days.push(day)
    expect(days).toEqual(['2026-01-01', '2026-01-02'])
    await table.deleteRange({ lte: ['Oslo', '2026-01-01'] })
    expect((await db.query("INSERT INTO visits VALUES ('Oslo', '2026-01-02', 5); SELECT city, count FROM visits")).rows).toEqual([{ city: 'Oslo', count: 5 }])
  })

  test('is made once, and opened when it is there', async () => {
    await db.createTable(trips)
    await expect(db.createTable(trips)).rejects.toMatchObject({ code: '42P07' })
    await db.createTable(trips, { ifNotExists: true })
    expect(db.table(trips).name).toBe('trips')
    expect([db.hasTable('trips'), db.hasTable('visits')]).toEqual([true, false])
    expect(() => db.table(visits)).toThrow(expect.objectContaining({ code: '42P01' }))
  })

  test.each<[string, string, RegExp]>([
    ['another type', 'id BIGINT PRIMARY KEY, city TEXT NOT NULL, fare NUMERIC(8,3)', /column "fare" is NUMERIC\(8,3\), defined as NUMERIC\(8,2\)/],
    ['null where none is defined', 'id BIGINT PRIMARY KEY, city TEXT, fare NUMERIC(8,2)', /column "city" is TEXT, defined as TEXT NOT NULL/],
    ['a column less', 'id BIGINT PRIMARY KEY, city TEXT NOT NULL', /column "fare" is not there/],
    ['a column more', 'id BIGINT PRIMARY KEY, city TEXT NOT NULL, fare NUMERIC(8,2), more TEXT', /column "more" is not defined/],
    ['another key', 'id BIGINT NOT NULL, city TEXT PRIMARY KEY, fare NUMERIC(8,2)', /its key is \(city\), defined as \(id\)/],
    ['no key', 'id BIGINT NOT NULL, city TEXT NOT NULL, fare NUMERIC(8,2)', /its key is \(\), defined as \(id\)/],
  ])('is refused when what is stored has %s', async (_, columns, message) => {
    await db.query(`CREATE TABLE t (${columns})`)
    const definition = defineTable('t', { id: 'bigint', city: 'text', fare: 'numeric(8,2)?' }, { key: 'id' })
    expect(() => db.table(definition)).toThrow(expect.objectContaining({ code: '42804', message: expect.stringMatching(message) }))
    await expect(db.createTable(definition, { ifNotExists: true })).rejects.toMatchObject({ code: '42804' })
  })

  test('agrees with what SQL made, in whatever order its columns stand', async () => {
    await db.query('CREATE TABLE t (fare NUMERIC(8,2), city VARCHAR(9) NOT NULL, id INTEGER PRIMARY KEY)')
    const table = db.table(defineTable('t', { id: 'integer', city: 'varchar(9)', fare: 'numeric(8,2)?' }, { key: 'id' }))
    await table.put({ id: 1, city: 'Oslo' })
    expect(table.getSync(1)).toEqual({ id: 1, city: 'Oslo', fare: null })
  })

  test.each<[string, object, unknown, RegExp]>([
    ['an unknown type', { id: 'int8' }, 'id', /'int8' of column "id" is no type/],
    ['a key that may be null', { id: 'bigint?' }, 'id', /cannot be null/],
    ['a key that is no column', { id: 'bigint' }, 'city', /which is not among id/],
    ['an empty key', { id: 'bigint' }, [], /needs a key/],
  ])('is refused with %s', (_, columns, key, message) => {
    const define = defineTable as unknown as (name: string, columns: object, options: { readonly key: unknown }) => TableDefinition
    expect(() => define('t', columns, { key })).toThrow(expect.objectContaining({ code: '22023', message: expect.stringMatching(message) }))
  })
})
