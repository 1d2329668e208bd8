/** Transactions of the local engine beside one another, beside plain statements, and at their limits. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineCatalog, EngineTransaction } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { aggregateAll, newTable, scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

let engine: Engine
let a: TableSchema
let b: TableSchema

beforeEach(async () => {
  engine = await openTestEngine(createMemoryStorage(), { shards: 4 })
  a = await engine.createTable(newTable('a', { id: 'bigint', n: 'bigint' }, ['id']))
  b = await engine.createTable(newTable('b', { id: 'bigint', n: 'bigint' }, ['id']))
})

afterEach(() => engine.close())

const writes = (...names: readonly string[]) => (catalog: EngineCatalog): readonly TableSchema[] => names.map((name) => catalog.table(name)!)

async function sum(of: Engine | EngineTransaction, table: TableSchema): Promise<unknown> {
  return (await aggregateAll(of, table, [{ function: 'sum', ordinal: 1 }]))[0]
}

/** Whether a promise is settled once all that can run has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(() => (settled = true), () => (settled = true))
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  return settled
}

describe('beside others', () => {
  test('transfers between accounts keep the total in every snapshot, and none is lost', async () => {
    const accounts = 12, transfers = 150
    await engine.insert(a, Array.from({ length: accounts }, (_, id) => [id, 100]), 'insert')
    await engine.insert(b, [[0, 0]], 'insert')
    const random = seededRandom(5)
    let isDone = false
    const readers = [0, 1].map(async () => {
      while (!isDone) {
        const snapshot = engine.snapshot()
        const [total] = await engine.aggregate(snapshot, { table: a, ordered: false, columns: [], predicate: [] }, [{ function: 'sum', ordinal: 1 }])
        snapshot.release()
        expect(total).toBe(accounts * 100)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    const done = Array.from({ length: transfers }, async () => {
      const from = random.below(accounts), to = random.below(accounts), amount = random.below(30)
      const order = random.below(2) === 0 ? writes('a', 'b') : writes('b', 'a')
      const transaction = await engine.begin(order)
      try {
        await transaction.update(a, [[from]], (row) => [from, Number(row[1]) - amount])
        await transaction.update(a, [[to]], (row) => [to, Number(row[1]) + amount])
        await transaction.update(b, [[0]], (row) => [0, Number(row[1]) + 1])
        expect(await sum(transaction, a)).toBe(accounts * 100)
        if (random.below(4) > 0) await transaction.commit()
      } finally {
        transaction.rollback()
      }
      return true
    })
    // Plain statements on the same rows meet neither half of a transaction.
    const others = Array.from({ length: 50 }, () => engine.update(b, [[1], [0]], (row) => [0, Number(row[1]) + 1000]))
    await Promise.all([...done, ...others])
    isDone = true
    await Promise.all(readers)
    const total = Number(await sum(engine, b))
    expect(Math.floor(total / 1000)).toBe(50)
    expect(total % 1000).toBeGreaterThan(transfers / 2)
    expect(await sum(engine, a)).toBe(accounts * 100)
  })

  test('a plain write waits for the transaction that has its table, others do not', async () => {
    const transaction = await engine.begin(writes('a'))
    await transaction.insert(a, [[1, 1]], 'insert')
    const waiting = engine.insert(a, [[1, 2]], 'insert')
    await engine.insert(b, [[1, 1]], 'insert')
    expect(await isSettled(waiting)).toBe(false)
    await transaction.commit()
    await expect(waiting).rejects.toMatchObject({ code: '23505' })
  })

  test('tables that are only read stay as they were at its begin', async () => {
    const transaction = await engine.begin(writes('a'))
    await engine.insert(b, [[1, 1]], 'insert')
    expect(await scanAll(transaction, b)).toEqual([])
    await expect(transaction.insert(b, [[2, 2]], 'insert')).rejects.toMatchObject({ code: '25006' })
    transaction.rollback()
  })

  test('a write is not kept waiting by transactions that came after it', async () => {
    const first = await engine.begin(writes('a'))
    const write = engine.insert(a, [[1, 1]], 'insert')
    const second = engine.begin(writes('a'))
    first.rollback()
    const begun = await second
    expect(await scanAll(begun, a)).toEqual([[1, 1]])
    expect(await write).toBe(1)
    begun.rollback()
  })
})

describe('when the catalog changes under it', () => {
  test('reads go on in the tables as they were', async () => {
    await engine.insert(b, [[1, 1]], 'insert')
    const transaction = await engine.begin(writes('a'))
    await engine.alterTable('b', { kind: 'addColumn', column: { name: 'more', type: { kind: 'bigint' }, notNull: false } })
    await engine.dropTable('b')
    expect(transaction.table('b')?.columns).toHaveLength(2)
    expect(await scanAll(transaction, b)).toEqual([[1, 1]])
    transaction.rollback()
  })

  test.each([
    ['40001', 'addColumn', () => engine.alterTable('a', { kind: 'addColumn', column: { name: 'more', type: { kind: 'bigint' }, notNull: false } })],
    ['40001', 'truncate', () => engine.truncateTable('a')],
    ['42P01', 'drop', () => engine.dropTable('a')],
  ] as const)('its commit is %s after %s, and writes nothing', async (code, _, change) => {
    const transaction = await engine.begin(writes('a', 'b'))
    await transaction.insert(a, [[1, 1]], 'insert')
    await transaction.insert(b, [[1, 1]], 'insert')
    await change()
    await expect(transaction.commit()).rejects.toMatchObject({ code })
    expect(await scanAll(engine, b)).toEqual([])
    expect(await engine.insert(b, [[2, 2]], 'insert')).toBe(1)
  })

  test('one that waited for a table which was emptied meanwhile gets the new one', async () => {
    const first = await engine.begin(writes('a'))
    const second = engine.begin(writes('a'))
    const emptied = await engine.truncateTable('a')
    first.rollback()
    const begun = await second
    await begun.insert(emptied, [[7, 7]], 'insert')
    await begun.commit()
    expect(await scanAll(engine, emptied)).toEqual([[7, 7]])
  })
})

describe('memory', () => {
  test('is given back by commits, rollbacks and what was begun and left', async () => {
    await engine.insert(a, Array.from({ length: 3_000 }, (_, id) => [id, id]), 'insert')
    await engine.flush()
    const before = engine.stats().kernelMemoryBytes.used
    for (let round = 0; round < 20; round++) {
      const transaction = await engine.begin(writes('a', 'b'))
      await transaction.updateWhere(a, { predicate: [] }, (row) => [row[0]!, round])
      expect(await sum(transaction, a)).toBe(3_000 * round)
      const savepoint = transaction.savepoint()
      await transaction.deleteWhere(a, { predicate: [] })
      transaction.rollbackTo(savepoint)
      transaction.rollback()
      await expect(transaction.insert(a, [[1, 1]], 'upsert')).rejects.toMatchObject({ code: '25P01' })
    }
    await engine.compact()
    expect(engine.stats().kernelMemoryBytes.used).toBeLessThan(before + 256 * 1024)
  })

  test('a transaction larger than a statement may be is 54000', async () => {
    const small = await openTestEngine(createMemoryStorage(), { shards: 2, kernelMemoryBytes: 24 * 1024 * 1024, cacheBytesMax: 1024 * 1024 })
    const table = await small.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
    const transaction = await small.begin(writes('t'))
    const text = 'x'.repeat(100_000)
    const fill = async (): Promise<void> => {
      for (let id = 0; id < 1_000; id++) await transaction.insert(table, [[id, text]], 'insert')
    }
    await expect(fill()).rejects.toMatchObject({ code: '54000' })
    transaction.rollback()
    expect(await small.insert(table, [[1, 'fits']], 'insert')).toBe(1)
    expect(await scanAll(small, table)).toEqual([[1, 'fits']])
    await small.close()
  })

  test('closing the database ends what is open', async () => {
    const other = await openTestEngine(createMemoryStorage(), { shards: 2 })
    const transaction = await other.begin((catalog) => [catalog.table('kv')!])
    await transaction.insert(other.table('kv')!, [['k', 'v']], 'upsert')
    await other.close()
    await expect(transaction.commit()).rejects.toMatchObject({ code: '55000' })
    transaction.rollback()
  })
})
