/** Rows given by column are written, or refused, as the same rows one by one. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineColumn, EngineRow } from '../../src/engine/engine.ts'
import type { ColumnType, TableSchema } from '../../src/engine/schema.ts'
import { newTable, scanAll, toColumns } from './engine-fixtures.ts'

const kinds = { k: 'bigint', s: 'smallint', n: 'numeric', d: 'double', r: 'double', t: 'text', f: 'boolean', at: 'timestamp', x: 'bytea' } as const satisfies Readonly<Record<string, ColumnType['kind']>>
const width = Object.keys(kinds).length

export function describeColumns(engineOf: () => Engine): void {
  describe('rows by column', () => {
    let engine: Engine
    let table: TableSchema
    beforeEach(async () => {
      engine = engineOf()
      table = await engine.createTable(newTable('t', kinds, ['k']))
    })

    const good: EngineRow = [1, -32_768, 12_345, 0.1, 1e300, 'é🎉', 1, -1, Uint8Array.of(0, 255)]
    const none: EngineRow = [2n ** 60n, null, null, null, null, null, null, null, null]

    test('typed arrays, lists and nulls', async () => {
      expect(await engine.insertColumns(table, toColumns([good, none, good.with(0, 3)], width), 'insert')).toBe(3)
      expect(await engine.insertColumns(table, { rowCount: 1, columns: good.map((value): EngineColumn => ({ values: [value] })).with(0, { values: Int32Array.of(-7, 9) }) }, 'insert')).toBe(1)
      expect(await scanAll(engine, table)).toEqual([good.with(0, -7), good, good.with(0, 3), none])
      expect(await engine.insertColumns(table, toColumns([], width), 'insert')).toBe(0)
    })

    test('modes', async () => {
      const rows = (text: string, keys: readonly number[]): EngineRow[] => keys.map((key) => none.with(0, key).with(5, text))
      expect(await engine.insertColumns(table, toColumns(rows('a', [1, 2]), width), 'insert')).toBe(2)
      await expect(engine.insertColumns(table, toColumns(rows('b', [3, 2]), width), 'insert')).rejects.toMatchObject({ code: '23505' })
      await expect(engine.insertColumns(table, toColumns(rows('b', [3, 3]), width), 'insert')).rejects.toMatchObject({ code: '23505' })
      expect(await engine.insertColumns(table, toColumns(rows('c', [2, 3]), width), 'insert-or-ignore')).toBe(1)
      expect(await engine.insertColumns(table, toColumns(rows('d', [1, 4, 4]), width), 'upsert')).toBe(3)
      expect((await scanAll(engine, table, { columns: [0, 5] }))).toEqual([[1, 'd'], [2, 'a'], [3, 'c'], [4, 'd']])
    })

    test.each<[string, string, EngineRow]>([
      ['a null key', '23502', good.with(0, null)], ['out of range', '22003', good.with(1, 40_000)], ['a wide numeric', '22003', good.with(2, 10n ** 18n)], ['no integer', '42804', good.with(1, 0.5)],
      ['a text for a number', '42804', good.with(3, '1')], ['a number for a text', '42804', good.with(5, 5)], ['no boolean', '42804', good.with(6, 2)],
      ['half a character', '22021', good.with(5, '\uD800')], ['text for bytes', '42804', good.with(8, 'x')], ['a key beyond 64 bits', '22003', good.with(0, 2n ** 63n)],
    ])('what a column refuses refuses all: %s', async (_, code, row) => {
      await expect(engine.insertColumns(table, { rowCount: 2, columns: good.map((value, i) => ({ values: [i === 0 ? 9 : value, row[i]!] })) }, 'upsert')).rejects.toMatchObject({ code })
      expect(await scanAll(engine, table)).toEqual([])
    })

    test('the count of columns, and of their values', async () => {
      await expect(engine.insertColumns(table, toColumns([[1, 2]], 2), 'insert')).rejects.toMatchObject({ code: '42804' })
    })

    test('many rows, long texts, hidden and composite keys', async () => {
      const wide = await engine.createTable(newTable('wide', { a: 'text', b: 'double', v: 'text' }, ['b', 'a']))
      const heap = await engine.createTable(newTable('heap', { a: 'text', b: 'double', v: 'text' }, []))
      const rows = Array.from({ length: 2_500 }, (_, i): EngineRow => [`key\0${i % 7}`, i / 4 - 9, i === 1_200 ? 'long '.repeat(20_000) : `${'é'.repeat(i % 90)}`])
      for (const each of [wide, heap]) expect(await engine.insertColumns(each, toColumns(rows, 3), 'insert')).toBe(rows.length)
      expect(await scanAll(engine, wide)).toEqual(rows)
      expect(await scanAll(engine, heap, { columns: [1, 2, 3] })).toEqual(rows)
      await engine.insertColumns(heap, toColumns([['last', 0, null]], 3), 'insert')
      expect((await scanAll(engine, heap)).at(-1)).toEqual([rows.length + 1, 'last', 0, null])
    })
  })
}
