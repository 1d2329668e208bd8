/** A statement of a transaction that fails between two shards, as when linear memory has no room for the second one's part. */
import { expect, test, vi } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import type * as WritePath from '../../../src/lsm/state/write-path.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { newTable, scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

/** Parts that are applied before one fails. */
const fault = vi.hoisted(() => ({ partsLeft: Number.POSITIVE_INFINITY }))

vi.mock('../../../src/lsm/state/write-path.ts', async (importOriginal) => {
  const original = await importOriginal<typeof WritePath>()
  const applyOperations: typeof WritePath.applyOperations = (...args) => {
    if (fault.partsLeft-- <= 0) throw new LsmtError('53200', 'linear memory is used up')
    original.applyOperations(...args)
  }
  return { ...original, applyOperations }
})

test('the transaction can only be rolled back, and nothing of it is written', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 4 })
  const table = await engine.createTable(newTable('a', { id: 'bigint', n: 'bigint' }, ['id']))
  const rows = Array.from({ length: 20 }, (_, id) => [id, 1])
  await engine.insert(table, rows, 'insert')
  const transaction = await engine.begin((catalog) => [catalog.table('a')!])
  await transaction.update(table, [[1]], ([id]) => [id!, 2])
  const before = transaction.savepoint()

  fault.partsLeft = 1
  await expect(transaction.update(table, rows.map(([id]) => [id!]), ([id]) => [id!, 3])).rejects.toMatchObject({ code: '53200' })
  fault.partsLeft = Number.POSITIVE_INFINITY

  const failed = { code: '25P02' }
  expect(() => transaction.get(undefined, table, [1], [1])).toThrow(expect.objectContaining(failed))
  await expect(transaction.insert(table, [[99, 1]], 'insert')).rejects.toMatchObject(failed)
  expect(() => transaction.savepoint()).toThrow(expect.objectContaining(failed))
  expect(() => transaction.rollbackTo(before)).toThrow(expect.objectContaining(failed))
  await expect(transaction.commit()).rejects.toMatchObject(failed)
  transaction.rollback()

  expect(await scanAll(engine, table)).toEqual(rows)
  // The table is free again.
  expect(await engine.update(table, [[1]], ([id]) => [id!, 4])).toBe(1)
  await engine.close()
})
