/** What every Engine keeps true of transactions. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineCatalog, EngineTransaction } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { aggregateAll, groupAll, newTable, scanAll } from './engine-fixtures.ts'

export function describeTransactions(open: () => Engine): void {
  describe('transactions', () => {
    let engine: Engine
    let t: TableSchema
    let u: TableSchema
    beforeEach(async () => {
      engine = open()
      t = await engine.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
      u = await engine.createTable(newTable('u', { id: 'bigint', n: 'bigint' }, ['id']))
      await engine.insert(t, [[1, 'one'], [2, 'two']], 'insert')
      await engine.insert(u, [[1, 10], [2, 20]], 'insert')
    })

    const both = (catalog: EngineCatalog): readonly TableSchema[] => [catalog.table('t')!, catalog.table('u')!]

    async function within(run: (transaction: EngineTransaction) => Promise<void>): Promise<void> {
      const transaction = await engine.begin(both)
      try {
        await run(transaction)
      } finally {
        transaction.rollback()
      }
    }

    test('sees its own writes in every way of reading; others see nothing of them', () => within(async (transaction) => {
      await transaction.insert(t, [[3, 'three']], 'insert')
      await transaction.update(t, [[1]], () => [1, 'uno'])
      await transaction.deleteWhere(u, { lower: { values: [2], inclusive: true }, predicate: [] })
      expect(await scanAll(transaction, t)).toEqual([[1, 'uno'], [2, 'two'], [3, 'three']])
      expect(await transaction.get(undefined, t, [3], [1])).toEqual(['three'])
      expect(await aggregateAll(transaction, u, [{ function: 'count' }, { function: 'sum', ordinal: 1 }])).toEqual([1, 10])
      expect(await groupAll(transaction, t, [1], [])).toHaveLength(3)
      expect(await scanAll(engine, t)).toEqual([[1, 'one'], [2, 'two']])
      expect(await engine.get(undefined, t, [3], [1])).toBeUndefined()
      expect(await aggregateAll(engine, u, [{ function: 'count' }])).toEqual([2])
    }))

    test('meets the keys that it wrote and those that it deleted', () => within(async (transaction) => {
      await transaction.insert(t, [[3, 'three']], 'insert')
      await expect(transaction.insert(t, [[3, 'again']], 'insert')).rejects.toMatchObject({ code: '23505' })
      await transaction.update(t, [[1]], () => 'delete')
      expect(await transaction.insert(t, [[1, 'new']], 'insert')).toBe(1)
      expect(await transaction.insert(t, [[3, 'ignored'], [4, 'four']], 'insert-or-ignore')).toBe(1)
      expect(await transaction.insertOrUpdate(t, [[4, 'x']], (existing) => [4, `${String(existing[1])}!`])).toBe(1)
      expect(await scanAll(transaction, t)).toEqual([[1, 'new'], [2, 'two'], [3, 'three'], [4, 'four!']])
    }))

    test('a commit brings all of it at once, a rollback nothing', async () => {
      await within(async (transaction) => {
        await transaction.insert(t, [[3, 'three']], 'insert')
        await transaction.update(u, [[1]], () => [1, 11])
        expect(await transaction.commit()).toBe(true)
        await expect(transaction.commit()).rejects.toMatchObject({ code: '25P01' })
      })
      await within(async (transaction) => {
        await transaction.insert(t, [[4, 'four']], 'insert')
      })
      expect(await scanAll(engine, t)).toEqual([[1, 'one'], [2, 'two'], [3, 'three']])
      expect(await scanAll(engine, u)).toEqual([[1, 11], [2, 20]])
    })

    test('a transaction that wrote nothing commits nothing', () => within(async (transaction) => {
      expect(await transaction.update(t, [[99]], () => 'delete')).toBe(0)
      expect(await transaction.commit()).toBe(false)
    }))

    test('returns to savepoints, also more than once', () => within(async (transaction) => {
      await transaction.insert(t, [[3, 'three']], 'insert')
      const savepoint = transaction.savepoint()
      for (const id of [4, 5]) {
        await transaction.insert(t, [[id, 'gone']], 'insert')
        await transaction.deleteRange(u, undefined, undefined)
        transaction.rollbackTo(savepoint)
        expect(await scanAll(transaction, t)).toEqual([[1, 'one'], [2, 'two'], [3, 'three']])
        expect(await scanAll(transaction, u)).toHaveLength(2)
      }
      await transaction.commit()
      expect(await scanAll(engine, t)).toHaveLength(3)
    }))

    test('changes of the catalog are refused', () => within(async (transaction) => {
      await expect(transaction.createTable(newTable('w', { id: 'bigint' }, ['id']))).rejects.toMatchObject({ code: '0A000' })
      await expect(transaction.truncateTable('t')).rejects.toMatchObject({ code: '0A000' })
    }))
  })
}
