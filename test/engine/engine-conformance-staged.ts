/** What every Engine keeps true of staged rows: nobody sees them, then they are all there at once. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { newTable, scanAll } from './engine-fixtures.ts'

export function describeStaged(open: () => Engine): void {
  describe('staged rows', () => {
    let engine: Engine
    let t: TableSchema
    beforeEach(async () => {
      engine = open()
      t = await engine.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
      await engine.insert(t, [[1, 'one'], [2, 'two']], 'insert')
    })

    test('are seen by who has their schema, and are rows of the table once published', async () => {
      const staged = await engine.stageTable(t)
      expect(engine.tables().filter(({ name }) => name === 't')).toEqual([t])
      expect(await engine.insertColumns(staged, { rowCount: 2, columns: [{ values: [4, 3] }, { values: ['four', 'three'] }] }, 'insert')).toBe(2)
      await engine.insert(t, [[5, 'five']], 'insert')
      expect(await scanAll(engine, staged)).toEqual([[3, 'three'], [4, 'four']])
      expect(await scanAll(engine, t)).toEqual([[1, 'one'], [2, 'two'], [5, 'five']])
      const version = engine.catalogVersion()
      const published = await engine.publishStaged(staged, t, 'insert')
      expect(engine.table('t')).toEqual(published)
      expect(engine.catalogVersion()).not.toBe(version)
      expect(await scanAll(engine, published)).toEqual([[1, 'one'], [2, 'two'], [3, 'three'], [4, 'four'], [5, 'five']])
      await expect(engine.insert(t, [[6, 'six']], 'insert')).rejects.toMatchObject({ code: '40001' })
      await expect(engine.dropStaged(staged)).rejects.toMatchObject({ code: '55000' })
    })

    test('that meet an existing key are refused, and stay staged, or replace', async () => {
      const staged = await engine.stageTable(t)
      await engine.insert(staged, [[2, 'zwei'], [3, 'drei']], 'insert')
      await expect(engine.publishStaged(staged, t, 'insert')).rejects.toMatchObject({ code: '23505' })
      expect(await scanAll(engine, t)).toEqual([[1, 'one'], [2, 'two']])
      await engine.dropStaged(staged)
      const again = await engine.stageTable(t)
      await engine.insert(again, [[2, 'zwei'], [3, 'drei']], 'insert')
      expect(await scanAll(engine, await engine.publishStaged(again, t, 'upsert'))).toEqual([[1, 'one'], [2, 'zwei'], [3, 'drei']])
    })

    test('come after older rows and before later ones where there is no key', async () => {
      const list = await engine.createTable(newTable('list', { v: 'text' }, []))
      await engine.insert(list, [['a'], ['b']], 'insert')
      const staged = await engine.stageTable(list)
      await engine.insertColumns(staged, { rowCount: 2, columns: [{ values: ['c', 'd'] }] }, 'insert')
      await engine.insert(list, [['e']], 'insert')
      const published = await engine.publishStaged(staged, list, 'insert')
      await engine.insert(published, [['f']], 'insert')
      expect((await scanAll(engine, published)).map(([, v]) => v)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    })

    test('of a table that was changed, emptied or dropped meanwhile are refused', async () => {
      const first = await engine.stageTable(t)
      const wider = await engine.alterTable('t', { kind: 'addColumn', column: { name: 'w', type: { kind: 'text' }, notNull: false } })
      await expect(engine.publishStaged(first, t, 'insert')).rejects.toMatchObject({ code: '40001' })
      const second = await engine.stageTable(wider)
      await engine.truncateTable('t')
      await expect(engine.publishStaged(second, wider, 'insert')).rejects.toMatchObject({ code: '40001' })
      const emptied = engine.table('t')!
      const third = await engine.stageTable(emptied)
      await engine.dropTable('t')
      await expect(engine.publishStaged(third, emptied, 'insert')).rejects.toMatchObject({ code: '42P01' })
    })
  })
}
