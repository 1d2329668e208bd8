import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { openKeyedTable } from '../../../src/engine/keyed/kv-table.ts'
import type { UserRow } from '../../../src/engine/keyed/kv-codec.ts'
import type { KeyScanOptions } from '../../../src/engine/keyed/keyed-engine.ts'
import { ReadSnapshot } from '../../../src/engine/keyed/read-snapshot.ts'
import { newTable } from '../engine-fixtures.ts'
import { openModelEngine } from '../model-engine.ts'

async function collect(rows: AsyncGenerator<UserRow>): Promise<UserRow[]> {
  const all: UserRow[] = []
  for await (const row of rows) all.push(row)
  return all
}

describe('a table by key', () => {
  test('puts, gets and deletes', async () => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.put({ key: 'a', value: 'b' })
    expect(kv.getSync('a')).toEqual({ key: 'a', value: 'b' })
    expect(await kv.get('a')).toEqual({ key: 'a', value: 'b' })
    await kv.put({ key: 'a' })
    expect(kv.getSync('a')).toEqual({ key: 'a', value: null })
    await kv.delete('a')
    expect(kv.getSync('a')).toBeUndefined()
  })

  test('takes rows by column', async () => {
    const engine = openModelEngine()
    await engine.createTable(newTable('points', { a: 'bigint', d: 'double', n: 'numeric', at: 'date', f: 'boolean', t: 'text' }, ['a']))
    const points = openKeyedTable(engine, 'points')
    await points.putColumns({ a: BigInt64Array.of(2n ** 60n, 1n), d: Float64Array.of(0.5, -1), n: Int32Array.of(3, 4), at: ['2024-01-01', null], f: [true, false], t: ['x', null] })
    await points.putColumns({ a: Int32Array.of(1, 2), t: ['y', 'z'] })
    expect(await collect(points.scan())).toEqual([
      { a: 1, d: null, n: null, at: null, f: null, t: 'y' }, { a: 2, d: null, n: null, at: null, f: null, t: 'z' }, { a: 2n ** 60n, d: 0.5, n: '3.00', at: '2024-01-01', f: true, t: 'x' },
    ])
    await points.putColumns({})
    await expect(points.putColumns({ a: [3, 4], d: [1] })).rejects.toMatchObject({ code: '22023' })
    await expect(points.putColumns({ a: [3], no: [1] })).rejects.toMatchObject({ code: '42703' })
    await expect(points.putColumns({ d: [3] })).rejects.toMatchObject({ code: '23502' })
    await expect(points.putColumns({ a: [3, 4], t: ['x', 5] })).rejects.toMatchObject({ code: '42804' })
    await expect(points.putColumns({ a: [3, 4], t: ['x', true] })).rejects.toMatchObject({ code: '42804', message: 'column "t" is of type TEXT, the value is boolean' })
  })

  test('takes batches of puts and deletes as one', async () => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.batch([{ put: { key: 'a', value: '1' } }, { put: { key: 'b', value: '2' } }])
    await kv.batch([{ delete: 'a' }, { put: { key: 'c', value: '3' } }])
    expect((await collect(kv.scan())).map((row) => row['key'])).toEqual(['b', 'c'])
    await expect(kv.batch([{ put: { key: 'd', value: '1' } }, { put: { value: '2' } }])).rejects.toMatchObject({ code: '23502' })
    expect(kv.getSync('d')).toBeUndefined()
  })

  test.each<[KeyScanOptions, string[]]>([
    [{}, ['a', 'b', 'c', 'd']],
    [{ gte: 'b' }, ['b', 'c', 'd']],
    [{ gt: 'b', lte: 'd' }, ['c', 'd']],
    [{ gte: 'a', lt: 'c' }, ['a', 'b']],
    [{ reverse: true, limit: 2 }, ['d', 'c']],
  ])('scans %j', async (options, keys) => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.batch(['d', 'b', 'a', 'c'].map((key) => ({ put: { key, value: key.toUpperCase() } })))
    expect((await collect(kv.scan(options))).map((row) => row['key'])).toEqual(keys)
    expect(await collect(kv.scan({ ...options, columns: ['value'] }))).toEqual(keys.map((key) => ({ value: key.toUpperCase() })))
  })

  test('a scan is of one snapshot, and may be left', async () => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.batch(Array.from({ length: 300 }, (_, i) => ({ put: { key: String(i).padStart(3, '0'), value: '' } })))
    let seen = 0
    for await (const row of kv.scan()) {
      if (seen++ === 0) await kv.batch(Array.from({ length: 300 }, (_, i) => ({ delete: String(i).padStart(3, '0') })))
      if (row['key'] === '250') break
    }
    expect(seen).toBe(251)
    expect(await collect(kv.scan())).toEqual([])
  })

  test('a scan answers requests in their order, also those made before others have ended, and is over once it was left', async () => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.batch(['a', 'b', 'c'].map((key) => ({ put: { key, value: '' } })))
    const scan = kv.scan({ columns: ['key'] })
    expect(await Promise.all([scan.next(), scan.next(), scan.next(), scan.next()])).toEqual([...['a', 'b', 'c'].map((key) => ({ done: false, value: { key } })), { done: true, value: undefined }])
    const left = kv.scan()
    expect((await left.next()).done).toBe(false)
    expect([await left.return(undefined), await left.next()]).toEqual([{ done: true, value: undefined }, { done: true, value: undefined }])
    const thrown = kv.scan()
    await expect(thrown.throw(new Error('enough'))).rejects.toThrow('enough')
    expect((await thrown.next()).done).toBe(true)
  })

  test('a cursor gives rows by column, as many as are wanted, up to its limit', async () => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.batch(['a', 'b', 'c', 'd'].map((key) => ({ put: { key, value: key.toUpperCase() } })))
    const cursor = kv.cursor({ gte: 'b', columns: ['value', 'key'] })
    expect(await cursor.next(2)).toEqual({ rowCount: 2, columns: [['B', 'C'], ['b', 'c']] })
    expect(await cursor.next()).toEqual({ rowCount: 1, columns: [['D'], ['d']] })
    expect([await cursor.next(), await cursor.next()]).toEqual([undefined, undefined])
    const limited = kv.cursor({ columns: [], limit: 3, reverse: true })
    expect([await limited.next(2), await limited.next(2), await limited.next(2)]).toEqual([{ rowCount: 2, columns: [] }, { rowCount: 1, columns: [] }, undefined])
    const left = kv.cursor()
    await left.next(1)
    await left.close()
    expect(await left.next()).toBeUndefined()
    expect(() => kv.cursor({ limit: -1 })).toThrow(expect.objectContaining({ code: '22023' }))
  })

  test('columns of bytes may be given as text where that is said', async () => {
    const engine = openModelEngine()
    await engine.createTable(newTable('t', { key: 'bytea', value: 'bytea' }, ['key']))
    const table = openKeyedTable(engine, 't')
    await table.putColumns({ key: ['é', Uint8Array.of(1)], value: ['x', '\ud800'] }, { fromText: ['key', 'value'] })
    expect([table.getSync(Buffer.from('é'))?.['value'], table.getSync(Uint8Array.of(1))?.['value']].map((value) => Buffer.from(value as Uint8Array).toString())).toEqual(['x', '\ufffd'])
    expect(table.getSync(Buffer.from('é'), { asText: ['key', 'value'] })).toEqual({ key: 'é', value: 'x' })
    await expect(table.putColumns({ key: ['a'], value: ['b'] })).rejects.toMatchObject({ code: '42804' })
    await expect(table.putColumns({ key: ['a'], value: ['b'] }, { fromText: ['key'] })).rejects.toMatchObject({ code: '42804' })
  })

  test('reads snapshots that are released while they are read', async () => {
    const engine = openModelEngine()
    let released = 0
    const counting: Engine = { ...engine, snapshot: () => { const below = engine.snapshot(); return { ...below, release: () => { released++; below.release() } } } }
    const kv = openKeyedTable(counting, 'kv')
    await kv.batch(['a', 'b', 'c'].map((key) => ({ put: { key, value: 'old' } })))
    const snapshot = new ReadSnapshot(counting)
    await kv.batch([{ put: { key: 'a', value: 'new' } }, { delete: 'b' }])
    expect([kv.getSync('a', { snapshot, columns: ['value'] }), await kv.get('b', { snapshot, columns: [] }), kv.getSync('b')]).toEqual([{ value: 'old' }, {}, undefined])
    const scan = kv.scanBatches({ snapshot, columns: ['key'] })
    const first = await scan.next()
    snapshot.release()
    snapshot.release()
    expect([first.value, released]).toEqual([[{ key: 'a' }, { key: 'b' }, { key: 'c' }], 0])
    expect([(await scan.next()).done, released]).toEqual([true, 1])
    expect(() => kv.getSync('a', { snapshot })).toThrow(expect.objectContaining({ code: '55000' }))
    await expect(collect(kv.scan({ snapshot }))).rejects.toMatchObject({ code: '55000' })
    expect(() => kv.getSync('a', { snapshot: new ReadSnapshot(openModelEngine()) })).toThrow(expect.objectContaining({ code: '22023' }))
  })

  test('deletes ranges, and ends scans by their signal', async () => {
    const kv = openKeyedTable(openModelEngine(), 'kv')
    await kv.batch(['a', 'b', 'c', 'd'].map((key) => ({ put: { key, value: '' } })))
    await kv.deleteRange({ gt: 'a', lte: 'c' })
    expect((await collect(kv.scan())).map((row) => row['key'])).toEqual(['a', 'd'])
    await kv.deleteRange({})
    expect(await collect(kv.scan())).toEqual([])
    await kv.put({ key: 'a' })
    await expect(kv.deleteRange({ lt: 'a', lte: 'b' })).rejects.toMatchObject({ code: '22023' })
    expect((await collect(kv.scan())).length).toBe(1)
  })

  test('speaks users\' values', async () => {
    const engine = openModelEngine()
    await engine.createTable(newTable('t', { id: 'bigint', ok: 'boolean', price: 'numeric', at: 'timestamp', day: 'date', raw: 'bytea' }, ['id']))
    const table = openKeyedTable(engine, 't')
    const row = { id: 2n ** 60n, ok: true, price: '12.50', at: '2024-02-29T12:00:00.123456Z', day: '1999-12-31', raw: Uint8Array.of(1, 2) }
    await table.put(row)
    expect(table.getSync(2n ** 60n)).toEqual(row)
    await table.put({ id: 1, price: 3, ok: null })
    expect(await table.get(1n)).toMatchObject({ id: 1, price: '3.00', ok: null })
    await expect(table.put({ id: 1, ok: 1 })).rejects.toMatchObject({ code: '42804' })
    await expect(table.put({ id: 1, at: 'yesterday-ish' })).rejects.toMatchObject({ code: '22P02' })
    await expect(table.put({ id: 1, price: 'much' })).rejects.toMatchObject({ code: '22P02' })
    await expect(table.put({ id: true })).rejects.toMatchObject({ code: '42804' })
  })

  test('keys of several columns are arrays, their prefixes bounds', async () => {
    const engine = openModelEngine()
    await engine.createTable(newTable('t', { v: 'text', a: 'text', b: 'bigint' }, ['a', 'b']))
    const table = openKeyedTable(engine, 't')
    await table.batch([['x', 1], ['x', 2], ['y', 1]].map(([a, b]) => ({ put: { a: a!, b: b!, v: `${a}${b}` } })))
    expect(table.getSync(['x', 2])).toEqual({ v: 'x2', a: 'x', b: 2 })
    expect((await collect(table.scan({ gte: 'x', lte: 'x' }))).map((row) => row['v'])).toEqual(['x1', 'x2'])
    expect((await collect(table.scan({ gt: ['x', 1] }))).map((row) => row['v'])).toEqual(['x2', 'y1'])
    expect(() => table.getSync('x')).toThrow(expect.objectContaining({ code: '42804' }))
    expect(() => table.getSync(['x', 1, 2])).toThrow(expect.objectContaining({ code: '42804' }))
  })

  test('says what is wrong', async () => {
    const engine = openModelEngine()
    expect(() => openKeyedTable(engine, 'nope')).toThrow(expect.objectContaining({ code: '42P01' }))
    await engine.createTable(newTable('log', { line: 'text' }, []))
    expect(() => openKeyedTable(engine, 'log')).toThrow(expect.objectContaining({ code: '0A000' }))
    const kv = openKeyedTable(engine, 'kv')
    await expect(kv.put({ key: 'a', valeu: 'b' })).rejects.toMatchObject({ code: '42703' })
    await expect(collect(kv.scan({ columns: ['nope'] }))).rejects.toMatchObject({ code: '42703' })
    await expect(collect(kv.scan({ gt: 'a', gte: 'b' }))).rejects.toMatchObject({ code: '22023' })
  })

  test('a getSync that must wait is refused, a get waits', async () => {
    const engine = openModelEngine()
    const slow: Engine = { ...engine, rowsByKey(...table) { const rows = engine.rowsByKey(...table); return { get: async (...given) => rows.get(...given) } } }
    const kv = openKeyedTable(slow, 'kv')
    await kv.put({ key: 'a', value: 'b' })
    expect(() => kv.getSync('a')).toThrow(expect.objectContaining({ code: '0A000' }))
    expect(await kv.get('a')).toEqual({ key: 'a', value: 'b' })
  })

  test('follows its name through drop and create', async () => {
    const engine = openModelEngine()
    await engine.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
    const table = openKeyedTable(engine, 't')
    await table.put({ id: 1, v: 'old' })
    await engine.dropTable('t')
    expect(() => table.getSync(1)).toThrow(expect.objectContaining({ code: '42P01' }))
    await engine.createTable(newTable('t', { w: 'text', id: 'text' }, ['id']))
    await table.put({ id: '1', w: 'new' })
    expect(table.getSync('1')).toEqual({ w: 'new', id: '1' })
  })
})
