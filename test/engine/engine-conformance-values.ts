/** What every Engine keeps true of tables, values and the order of keys. */
import { describe, expect, test } from 'vitest'
import type { Engine, EngineRow, EngineValue, TableChange } from '../../src/engine/engine.ts'
import { visibleOrdinals } from '../../src/engine/schema.ts'
import type { ColumnType } from '../../src/engine/schema.ts'
import { aggregateAll, newTable, scanAll } from './engine-fixtures.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

export function describeTablesAndValues(current: () => Engine): void {
  describe('tables and values', () => {
    describe('catalog', () => {
      test('kv exists from the start and replaces on insert', () => {
        expect(current().table('kv')).toMatchObject({ name: 'kv', primaryKey: [0], hiddenKey: false, onInsert: 'upsert' })
        expect(current().tables().map((table) => table.name)).toEqual(['kv'])
      })

      test('a table is created once and dropped once', async () => {
        const before = current().catalogVersion()
        const table = await current().createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
        expect(current().catalogVersion()).not.toBe(before)
        expect(current().table('t')).toEqual(table)
        expect(table.columns[0]!.notNull).toBe(true)
        await expect(current().createTable(newTable('t', { id: 'bigint' }, []))).rejects.toMatchObject({ code: '42P07' })
        await current().dropTable('t')
        expect(current().table('t')).toBeUndefined()
        await expect(current().dropTable('t')).rejects.toMatchObject({ code: '42P01' })
        await expect(current().insert(table, [[1, 'a']], 'insert')).rejects.toMatchObject({ code: '42P01' })
      })

      test('a table of the same name starts empty under a new id', async () => {
        const first = await current().createTable(newTable('t', { id: 'bigint' }, ['id']))
        await current().insert(first, [[1]], 'insert')
        await current().dropTable('t')
        const second = await current().createTable(newTable('t', { id: 'bigint' }, ['id']))
        expect(second.tableId).toBeGreaterThan(first.tableId)
        expect(await scanAll(current(), second)).toEqual([])
      })

      test('a table gains, loses and renames columns; rows that are there read null in new ones', async () => {
        const before = await current().createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
        await current().insert(before, [[1, 'one']], 'insert')
        const version = current().catalogVersion()
        const wider = await current().alterTable('t', { kind: 'addColumn', column: { name: 'n', type: { kind: 'bigint' }, notNull: false, default: '7' } })
        expect(current().catalogVersion()).not.toBe(version)
        await expect(current().insert(before, [[2, 'two']], 'insert')).rejects.toMatchObject({ code: '40001' })
        await current().insert(wider, [[2, 'two', 20]], 'insert')
        expect(await scanAll(current(), wider)).toEqual([[1, 'one', null], [2, 'two', 20]])
        expect(await aggregateAll(current(), wider, [{ function: 'count', ordinal: 2 }, { function: 'sum', ordinal: 2 }, { function: 'min', ordinal: 2 }])).toEqual([1, 20, 20])
        expect(await scanAll(current(), wider, { predicate: [{ ordinal: 2, comparison: 'isNull' }] })).toEqual([[1, 'one', null]])
        await current().update(wider, [[1]], (row) => row.with(2, 10))
        const narrower = await current().alterTable('t', { kind: 'dropColumn', column: 'v' })
        expect(visibleOrdinals(narrower)).toEqual([0, 2])
        expect(await current().get(undefined, narrower, [1], visibleOrdinals(narrower))).toEqual([1, 10])
        const again = await current().alterTable('t', { kind: 'addColumn', column: { name: 'v', type: { kind: 'double' }, notNull: false } })
        await current().insert(again, [[3, null, 30, 0.5]], 'insert')
        expect(await scanAll(current(), again, { columns: visibleOrdinals(again) })).toEqual([[1, 10, null], [2, 20, null], [3, 30, 0.5]])
        expect((await current().alterTable('t', { kind: 'renameColumn', column: 'n', to: 'm' })).columns.map(({ name }) => name)).toEqual(['id', '', 'm', 'v'])
        expect((await current().alterTable('t', { kind: 'setDefault', column: 'm', default: undefined })).columns[2]).toEqual({ name: 'm', type: { kind: 'bigint' }, notNull: false })
        const renamed = await current().alterTable('t', { kind: 'renameTable', to: 'u' })
        expect(current().table('t')).toBeUndefined()
        expect(current().table('u')).toEqual(renamed)
        expect(await scanAll(current(), renamed, { columns: [0] })).toEqual([[1], [2], [3]])
      })

      test.each<[string, TableChange]>([
        ['42703', { kind: 'dropColumn', column: 'x' }],
        ['42703', { kind: 'renameColumn', column: '', to: 'x' }],
        ['42703', { kind: 'setDefault', column: 'x', default: '1' }],
        ['42701', { kind: 'renameColumn', column: 'v', to: 'id' }],
        ['42701', { kind: 'addColumn', column: { name: 'v', type: { kind: 'text' }, notNull: false } }],
        ['22023', { kind: 'addColumn', column: { name: '', type: { kind: 'text' }, notNull: false } }],
        ['22023', { kind: 'addColumn', column: { name: 'n', type: { kind: 'numeric', precision: 19, scale: 0 }, notNull: false } }],
        ['22023', { kind: 'dropNotNull', column: 'id' }],
        ['0A000', { kind: 'addColumn', column: { name: 'n', type: { kind: 'text' }, notNull: true } }],
        ['0A000', { kind: 'dropColumn', column: 'id' }],
        ['42P07', { kind: 'renameTable', to: 'kv' }],
      ])('a change that cannot be is %s: %j', async (code, change) => {
        const table = await current().createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
        await expect(current().alterTable('t', change)).rejects.toMatchObject({ code })
        await expect(current().alterTable('none', change)).rejects.toMatchObject({ code: '42P01' })
        expect(current().table('t')).toEqual(table)
      })

      test('a truncated table is empty and goes on under another id', async () => {
        for (const key of [['id'], []]) {
          const name = `t${key.length}`
          const before = await current().createTable(newTable(name, { id: 'bigint', v: 'text' }, key))
          await current().insert(before, [[1, 'one'], [2, 'two']], 'insert')
          const after = await current().truncateTable(name)
          expect(after.tableId).not.toBe(before.tableId)
          expect(await scanAll(current(), after)).toEqual([])
          await expect(current().insert(before, [[3, 'three']], 'insert')).rejects.toMatchObject({ code: '40001' })
          await current().insert(after, [[1, 'uno']], 'insert')
          expect(await scanAll(current(), after, { columns: [after.columns.length - 1] })).toEqual([['uno']])
        }
        await expect(current().truncateTable('none')).rejects.toMatchObject({ code: '42P01' })
      })

      test('a name is free again for another table once its table was renamed', async () => {
        await current().createTable(newTable('t', { id: 'bigint' }, ['id']))
        await current().alterTable('t', { kind: 'renameTable', to: 'u' })
        await current().createTable(newTable('t', { name: 'text' }, ['name']))
        expect(current().tables().map(({ name }) => name).toSorted()).toEqual(['kv', 't', 'u'])
      })

      test.each([
        ['42701', newTable('t', { a: 'bigint' }, []), { columns: [{ name: 'a', type: { kind: 'bigint' }, notNull: false }, { name: 'a', type: { kind: 'text' }, notNull: false }] }],
        ['42703', newTable('t', { a: 'bigint' }, []), { primaryKey: [4] }],
        ['22023', newTable('t', { a: 'bigint' }, []), { columns: [] }],
      ] as const)('refuses with %s', async (code, base, change) => {
        await expect(current().createTable({ ...base, ...change })).rejects.toMatchObject({ code })
      })

      test('bytes are given as text to a scan that wants it', async () => {
        const table = await current().createTable(newTable('t', { k: 'bytea', v: 'bytea', w: 'bytea' }, ['k']))
        await current().insert(table, [[bytes(97), bytes(0xc3, 0xa9), bytes(98)], [bytes(), null, null], [bytes(0xff), bytes(), bytes(0xe2, 0x82)]], 'insert')
        const asText = new Set([0, 1])
        expect(await scanAll(current(), table, { asText })).toEqual([['', null, null], ['a', 'é', bytes(98)], ['\ufffd', '', bytes(0xe2, 0x82)]])
        expect(await scanAll(current(), table, { asText, ordered: false, lower: { values: [bytes(98)], inclusive: true }, columns: [2, 1] })).toEqual([[bytes(0xe2, 0x82), '']])
      })

      test('two creations of one name at once: one wins', async () => {
        const results = await Promise.allSettled([current().createTable(newTable('t', { id: 'bigint' }, ['id'])), current().createTable(newTable('t', { id: 'text' }, ['id']))])
        expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected'])
      })
    })

    describe('values', () => {
      const kinds = { id: 'bigint', s: 'smallint', i: 'integer', b: 'bigint', n: 'numeric', d: 'double', r: 'double', x: 'text', f: 'boolean', t: 'timestamp', y: 'date', z: 'bytea' } as const
      const nulls = [null, null, null, null, null, null, null, null, null, null, null]
      const rows: readonly EngineRow[] = [
        [1, -32768, 2147483647, 9223372036854775807n, 999999999999999999n, 1.5, 0.5, 'hällo wörld €😀', 1, -1, 0, bytes(0, 255, 1)],
        [2, ...nulls],
        [3, 0, 0, -9223372036854775808n, 0, NaN, Infinity, '', 0, 1700000000000000, -719162, bytes()],
        [4, 1, 1, 9007199254740991, -5, -Infinity, -0.25, 'nul \u0000 inside', 1, 0, 1, bytes(7)],
        [5, 1, 1, -9007199254740992n, 1, 5e-324, 1, 'a'.repeat(5000), 0, 0, 1, new Uint8Array(3000).fill(9)],
      ]

      test('come back as they went in, by get and by scan', async () => {
        const table = await current().createTable(newTable('t', kinds, ['id']))
        expect(await current().insert(table, rows, 'insert')).toBe(rows.length)
        const columns = table.columns.map((_, ordinal) => ordinal)
        for (const row of rows) expect(await current().get(undefined, table, [row[0]!], columns)).toEqual(row)
        expect(await scanAll(current(), table)).toEqual(rows)
        await current().flush()
        for (const row of rows) expect(await current().get(undefined, table, [row[0]!], columns)).toEqual(row)
        expect(await scanAll(current(), table)).toEqual(rows)
        expect(await scanAll(current(), table, { columns: [7, 0] })).toEqual(rows.map((row) => [row[7], row[0]]))
        expect(await scanAll(current(), table, { columns: [] })).toEqual(rows.map(() => []))
      })

      test.each<[string, string, ColumnType, EngineValue]>([
        ['22003', 'smallint', { kind: 'smallint' }, 32768],
        ['22003', 'integer', { kind: 'integer' }, -2147483649],
        ['22003', 'bigint', { kind: 'bigint' }, 2n ** 63n],
        ['22003', 'unsafe number', { kind: 'bigint' }, 2 ** 60],
        ['42804', 'fraction', { kind: 'bigint' }, 1.5],
        ['42804', 'text in bigint', { kind: 'bigint' }, '1'],
        ['42804', 'number in text', { kind: 'text' }, 1],
        ['42804', 'two in boolean', { kind: 'boolean' }, 2],
        ['42804', 'bigint in double', { kind: 'double' }, 1n],
        ['42804', 'text in bytea', { kind: 'bytea' }, 'a'],
        ['22003', 'numeric', { kind: 'numeric', precision: 3, scale: 1 }, 1000],
        ['22001', 'varchar', { kind: 'text', lengthMax: 2 }, 'abc'],
        ['22021', 'lone surrogate', { kind: 'text' }, 'a\ud800b'],
        ['23502', 'null', { kind: 'text' }, null],
      ])('refuses with %s: %s', async (code, _, type, value) => {
        const table = await current().createTable({ name: 't', columns: [{ name: 'id', type: { kind: 'bigint' }, notNull: true }, { name: 'v', type, notNull: true }], primaryKey: [0], onInsert: 'error' })
        await expect(current().insert(table, [[1, value]], 'insert')).rejects.toMatchObject({ code })
        expect(await scanAll(current(), table)).toEqual([])
      })

      test('varchar counts characters, not code units', async () => {
        const table = await current().createTable({ name: 't', columns: [{ name: 'v', type: { kind: 'text', lengthMax: 2 }, notNull: true }], primaryKey: [0], onInsert: 'error' })
        await current().insert(table, [['😀😀']], 'insert')
        expect(await scanAll(current(), table)).toEqual([['😀😀']])
      })
    })

    describe('order of keys', () => {
      test.each<[string, Readonly<Record<string, ColumnType['kind']>>, readonly EngineRow[]]>([
        ['bigint', { k: 'bigint' }, [[-9223372036854775808n], [-9007199254740993n], [-256], [-1], [0], [1], [255], [256], [9007199254740993n], [9223372036854775807n]]],
        ['text', { k: 'text' }, [[''], ['\u0000'], ['\u0000\u0000'], ['\u0000a'], ['A'], ['a'], ['a\u0000'], ['aa'], ['b'], ['é'], ['\uffff'], ['😀']]],
        ['bytea', { k: 'bytea' }, [[bytes()], [bytes(0)], [bytes(0, 0)], [bytes(0, 255)], [bytes(1)], [bytes(255)], [bytes(255, 255)]]],
        ['double', { k: 'double' }, [[-Infinity], [-1.5], [-5e-324], [0], [5e-324], [2], [Infinity], [NaN]]],
        ['text, text', { a: 'text', b: 'text' }, [['', ''], ['', 'b'], ['\u0000', ''], ['\u0000', 'z'], ['\u0000\u0000', 'a'], ['\u0000a', 'a'], ['\u0001', 'a'], ['a', 'b'], ['a\u0000', 'a'], ['a\u0001', 'a'], ['aa', '']]],
        ['bytea, bigint', { a: 'bytea', b: 'bigint' }, [[bytes(), 5], [bytes(0), -1], [bytes(0), 1], [bytes(0, 0), 0], [bytes(0, 255), 0], [bytes(255), 0]]],
        ['double, text', { a: 'double', b: 'text' }, [[-1, 'z'], [0, 'a'], [0, 'b'], [NaN, '']]],
        ['boolean, date', { a: 'boolean', b: 'date' }, [[0, -5], [0, 5], [1, -5], [1, 0]]],
      ])('%s', async (_, columns, rows) => {
        const table = await current().createTable(newTable('t', columns, Object.keys(columns)))
        for (const row of rows.toReversed()) await current().insert(table, [row], 'insert')
        expect(await scanAll(current(), table)).toEqual(rows)
        expect(await scanAll(current(), table, { reverse: true })).toEqual(rows.toReversed())
        await current().flush()
        expect(await scanAll(current(), table)).toEqual(rows)
        expect(await scanAll(current(), table, { reverse: true })).toEqual(rows.toReversed())
        for (const [index, row] of rows.entries()) {
          expect(await current().get(undefined, table, row, [0])).toEqual([row[0]])
          expect(await scanAll(current(), table, { lower: { values: row, inclusive: true } })).toEqual(rows.slice(index))
          expect(await scanAll(current(), table, { lower: { values: row, inclusive: false } })).toEqual(rows.slice(index + 1))
          expect(await scanAll(current(), table, { upper: { values: row, inclusive: true } })).toEqual(rows.slice(0, index + 1))
          expect(await scanAll(current(), table, { upper: { values: row, inclusive: false }, reverse: true })).toEqual(rows.slice(0, index).toReversed())
        }
      })

      test('negative zero is zero', async () => {
        const table = await current().createTable(newTable('t', { k: 'double' }, ['k']))
        await current().insert(table, [[-0]], 'insert')
        await expect(current().insert(table, [[0]], 'insert')).rejects.toMatchObject({ code: '23505' })
      })

      test('bounds that are prefixes take in, or leave out, all keys that start so', async () => {
        const table = await current().createTable(newTable('t', { a: 'text', b: 'bigint' }, ['a', 'b']))
        const rows: EngineRow[] = ['', 'a', 'a\u0000', 'ab', 'b'].flatMap((a) => [-1, 0, 1].map((b) => [a, b]))
        await current().insert(table, rows, 'insert')
        const prefix = (inclusive: boolean): { values: EngineValue[]; inclusive: boolean } => ({ values: ['a'], inclusive })
        expect(await scanAll(current(), table, { lower: prefix(true), upper: prefix(true) })).toEqual(rows.filter((row) => row[0] === 'a'))
        expect(await scanAll(current(), table, { lower: prefix(false) })).toEqual(rows.slice(6))
        expect(await scanAll(current(), table, { upper: prefix(false) })).toEqual(rows.slice(0, 3))
        expect(await scanAll(current(), table, { lower: { values: [], inclusive: true }, upper: { values: [], inclusive: true } })).toEqual(rows)
      })

      test('key columns may stand anywhere in the row', async () => {
        const table = await current().createTable(newTable('t', { v: 'text', b: 'bigint', w: 'double', a: 'text' }, ['a', 'b']))
        const rows: EngineRow[] = [['v1', 1, 0.5, 'a'], [null, 2, null, 'a'], ['v3', 0, 1.5, 'b']]
        await current().insert(table, rows.toReversed(), 'insert')
        expect(await scanAll(current(), table)).toEqual(rows)
        expect(await current().get(undefined, table, ['a', 2], [0, 1, 2, 3])).toEqual(rows[1])
        await current().flush()
        expect(await scanAll(current(), table)).toEqual(rows)
        expect(await current().get(undefined, table, ['a', 2], [3, 1])).toEqual(['a', 2])
      })
    })
  })
}
