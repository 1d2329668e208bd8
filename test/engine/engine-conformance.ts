/** What every Engine keeps true, run over each implementation. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineRow, EngineScan } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { describeExpressions } from './engine-conformance-expressions.ts'
import { describeColumns } from './engine-conformance-columns.ts'
import { describeGroups } from './engine-conformance-groups.ts'
import { describeStaged } from './engine-conformance-staged.ts'
import { describeTop } from './engine-conformance-top.ts'
import { describeTablesAndValues } from './engine-conformance-values.ts'
import { describeTransactions } from './engine-conformance-transactions.ts'
import { aggregateAll, newTable, scanAll } from './engine-fixtures.ts'

/** `isWhole`: with groups, expressions, first rows and rows by column in each state that rows may lie in, which takes longest. */
export function describeEngine(title: string, open: () => Promise<Engine>, isWhole = true): void {
  describe(title, () => {
    let engine: Engine
    beforeEach(async () => {
      engine = await open()
    })
    afterEach(async () => {
      await engine.close()
    })

    describeTablesAndValues(() => engine)
    describeTransactions(() => engine)
    describeStaged(() => engine)

    describe('writes', () => {
      let table: TableSchema
      beforeEach(async () => {
        table = await engine.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
        await engine.insert(table, [[1, 'one'], [2, 'two']], 'insert')
      })

      test('insert of an existing key is 23505 and writes nothing', async () => {
        await expect(engine.insert(table, [[3, 'three'], [2, 'zwei'], [4, 'four']], 'insert')).rejects.toMatchObject({ code: '23505' })
        expect(await scanAll(engine, table)).toEqual([[1, 'one'], [2, 'two']])
      })

      test('insert of one key twice in a statement is 23505', async () => {
        await expect(engine.insert(table, [[3, 'a'], [3, 'b']], 'insert')).rejects.toMatchObject({ code: '23505' })
        expect(await scanAll(engine, table)).toHaveLength(2)
      })

      test('insert-or-ignore leaves what exists', async () => {
        expect(await engine.insert(table, [[2, 'zwei'], [3, 'a'], [3, 'b']], 'insert-or-ignore')).toBe(1)
        expect(await scanAll(engine, table)).toEqual([[1, 'one'], [2, 'two'], [3, 'a']])
      })

      test('upsert replaces; the last of a key wins', async () => {
        expect(await engine.insert(table, [[2, 'zwei'], [3, 'a'], [3, 'b']], 'upsert')).toBe(3)
        expect(await scanAll(engine, table)).toEqual([[1, 'one'], [2, 'zwei'], [3, 'b']])
      })

      test('a row that is refused refuses the statement', async () => {
        await expect(engine.insert(table, [[3, 'a'], [null, 'b']], 'upsert')).rejects.toMatchObject({ code: '23502' })
        await expect(engine.insert(table, [[3, 'a'], [4]], 'upsert')).rejects.toMatchObject({ code: '42804' })
        expect(await scanAll(engine, table)).toHaveLength(2)
      })

      test('an empty statement changes nothing', async () => {
        expect(await engine.insert(table, [], 'insert')).toBe(0)
        expect(await engine.update(table, [], () => 'delete')).toBe(0)
      })

      test('update changes, deletes, keeps and skips', async () => {
        await engine.insert(table, [[3, 'three']], 'insert')
        const seen: EngineRow[] = []
        const count = await engine.update(table, [[1], [2], [3], [4], [1]], (row) => {
          seen.push(row)
          return row[0] === 1 ? [1, 'uno'] : row[0] === 2 ? 'delete' : 'keep'
        })
        expect(count).toBe(2)
        expect(seen.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([[1, 'one'], [2, 'two'], [3, 'three']])
        expect(await scanAll(engine, table)).toEqual([[1, 'uno'], [3, 'three']])
        expect(await engine.get(undefined, table, [2], [0])).toBeUndefined()
      })

      test('an error in the change writes nothing and frees the keys', async () => {
        await expect(engine.update(table, [[1], [2]], (row) => {
          if (row[0] === 2) throw new RangeError('no')
          return 'delete'
        })).rejects.toThrow('no')
        expect(await scanAll(engine, table)).toHaveLength(2)
        expect(await engine.update(table, [[1], [2]], () => 'delete')).toBe(2)
      })

      test('update may move keys; a key that is still taken is 23505', async () => {
        expect(await engine.update(table, [[1], [2]], (row) => [Number(row[0]) + 1, row[1]!])).toBe(2)
        expect(await scanAll(engine, table)).toEqual([[2, 'one'], [3, 'two']])
        await expect(engine.update(table, [[2]], (row) => [3, row[1]!])).rejects.toMatchObject({ code: '23505' })
        await expect(engine.update(table, [[2], [3]], (row) => [9, row[1]!])).rejects.toMatchObject({ code: '23505' })
        expect(await scanAll(engine, table)).toEqual([[2, 'one'], [3, 'two']])
      })

      test('insertOrUpdate inserts, changes and keeps; a repeated key meets itself', async () => {
        const count = await engine.insertOrUpdate(table, [[1, 'x'], [2, 'y'], [3, 'z'], [3, 'w']], (existing, proposed) => (existing[0] === 2 ? 'keep' : [existing[0]!, `${String(existing[1])}+${String(proposed[1])}`]))
        expect(count).toBe(3)
        expect(await scanAll(engine, table)).toEqual([[1, 'one+x'], [2, 'two'], [3, 'z+w']])
      })

      test('insertOrUpdate refuses to change a key', async () => {
        await expect(engine.insertOrUpdate(table, [[1, 'x']], () => [9, 'moved'])).rejects.toMatchObject({ code: '0A000' })
        expect(await scanAll(engine, table)).toEqual([[1, 'one'], [2, 'two']])
      })

      test('write puts and deletes in order, as one statement', async () => {
        await engine.write(table, [{ put: [3, 'a'] }, { delete: [1] }, { put: [3, 'b'] }, { delete: [2] }, { put: [2, 'again'] }, { delete: [8] }])
        expect(await scanAll(engine, table)).toEqual([[2, 'again'], [3, 'b']])
        await expect(engine.write(table, [{ delete: [2] }, { put: [4, 5] }])).rejects.toMatchObject({ code: '42804' })
        await expect(engine.write(table, [{ delete: [2] }, { delete: [null] }])).rejects.toMatchObject({ code: '23502' })
        expect(await scanAll(engine, table)).toHaveLength(2)
      })

      test('updateWhere changes what a scan finds', async () => {
        await engine.insert(table, [[3, 'three'], [4, 'four'], [5, null]], 'insert')
        const where = { lower: { values: [2], inclusive: true }, predicate: [{ ordinal: 1, comparison: 'isNotNull' as const }] }
        expect(await engine.updateWhere(table, where, (row) => (row[0] === 3 ? 'keep' : row[0] === 4 ? 'delete' : [Number(row[0]) + 10, 'moved']))).toBe(2)
        expect(await scanAll(engine, table)).toEqual([[1, 'one'], [3, 'three'], [5, null], [12, 'moved']])
        await expect(engine.updateWhere(table, { predicate: [] }, (row) => [7, row[1]!])).rejects.toMatchObject({ code: '23505' })
        expect(await engine.updateWhere(table, { predicate: [] }, (row) => [Number(row[0]) + 2, row[1]!])).toBe(4)
        expect(await scanAll(engine, table)).toEqual([[3, 'one'], [5, 'three'], [7, null], [14, 'moved']])
      })

      test('rows are seen before they are changed, by whom reads the state before', async () => {
        const seen: unknown[] = []
        const prepare = async (rows: readonly (EngineRow | readonly EngineRow[])[]): Promise<void> => {
          const snapshot = engine.snapshot()
          seen.push(rows.length, await engine.aggregate(snapshot, { table, ordered: false, columns: [], predicate: [] }, [{ function: 'count' }]))
          snapshot.release()
        }
        let met: readonly EngineRow[] = []
        expect(await engine.update(table, [[1], [2], [7]], (row) => (row[0] === 1 ? 'delete' : [2, 'zwei']), async (rows) => {
          met = rows
          await prepare(rows)
        })).toBe(2)
        expect(met).toEqual([[1, 'one'], [2, 'two']])
        expect(await engine.updateWhere(table, { predicate: [] }, (row) => (met.includes(row) ? 'keep' : [3, row[1]!]), prepare)).toBe(1)
        expect(await engine.insertOrUpdate(table, [[3, 'x'], [4, 'y']], (existing, proposed) => [existing[0]!, proposed[1]!], prepare)).toBe(2)
        expect(seen).toEqual([2, [2], 1, [1], 1, [1]])
        expect(await scanAll(engine, table)).toEqual([[3, 'x'], [4, 'y']])
        await expect(engine.update(table, [[3]], () => 'delete', () => Promise.reject(new RangeError('no')))).rejects.toThrow('no')
        expect(await engine.update(table, [[3]], () => 'delete')).toBe(1)
      })

      test('deleteWhere deletes what a scan finds, and says how many', async () => {
        await engine.insert(table, [[3, 'three'], [4, null]], 'insert')
        expect(await engine.deleteWhere(table, { predicate: [{ ordinal: 1, comparison: 'isNull' }] })).toBe(1)
        expect(await engine.deleteWhere(table, { lower: { values: [2], inclusive: false }, predicate: [] })).toBe(1)
        expect(await engine.deleteWhere(table, { lower: { values: [9], inclusive: true }, upper: { values: [3], inclusive: true }, predicate: [] })).toBe(0)
        expect(await scanAll(engine, table)).toHaveLength(2)
        expect(await engine.deleteWhere(table, { predicate: [] })).toBe(2)
        expect(await engine.deleteWhere(table, { predicate: [] })).toBe(0)
        expect(await scanAll(engine, table)).toEqual([])
      })

      test('updates of found rows lose nothing beside other writes', async () => {
        const counts = await engine.createTable(newTable('counts', { id: 'bigint', n: 'bigint' }, ['id']))
        await engine.insert(counts, [[1, 0], [2, 0]], 'insert')
        const add = (row: EngineRow): EngineRow => [row[0]!, Number(row[1]) + 1]
        const writes = Array.from({ length: 30 }, (_, i) => [
          engine.updateWhere(counts, { predicate: [{ ordinal: 1, comparison: 'ge', value: 0 }] }, add),
          engine.update(counts, [[1 + (i % 2)]], add),
          engine.insert(counts, [[100 + i, -1000]], 'upsert'),
        ]).flat()
        await Promise.all(writes)
        expect(await scanAll(engine, counts, { upper: { values: [2], inclusive: true } })).toEqual([[1, 45], [2, 45]])
        expect(await engine.deleteWhere(counts, { predicate: [] })).toBe(32)
      })

      test('deleteRange deletes keys in bounds', async () => {
        await engine.insert(table, [[3, 'a'], [4, 'b'], [5, 'c']], 'insert')
        await engine.deleteRange(table, { values: [2], inclusive: false }, { values: [4], inclusive: true })
        expect((await scanAll(engine, table)).map((row) => row[0])).toEqual([1, 2, 5])
        expect(await engine.get(undefined, table, [3], [0])).toBeUndefined()
        await engine.insert(table, [[3, 'again']], 'insert')
        await engine.deleteRange(table, { values: [3], inclusive: true }, { values: [3], inclusive: true })
        await engine.deleteRange(table, { values: [5], inclusive: true }, { values: [1], inclusive: true })
        expect((await scanAll(engine, table)).map((row) => row[0])).toEqual([1, 2, 5])
        await engine.deleteRange(table, undefined, undefined)
        expect(await scanAll(engine, table)).toEqual([])
      })

      test('concurrent inserts of one key: exactly one wins', async () => {
        const results = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => engine.insert(table, [[100 + index, 'x'], [7, `writer ${index}`]], 'insert')))
        expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1)
        expect(await scanAll(engine, table)).toHaveLength(4)
      })

      test('concurrent updates of one row lose nothing', async () => {
        await engine.insert(table, [[50, '0']], 'insert')
        await Promise.all(Array.from({ length: 50 }, () => engine.update(table, [[50]], (row) => [50, String(Number(row[1]) + 1)])))
        expect(await engine.get(undefined, table, [50], [1])).toEqual(['50'])
      })

      test('concurrent updates that cross each other end', async () => {
        await Promise.all(Array.from({ length: 30 }, (_, index) => engine.update(table, index % 2 === 0 ? [[1], [2]] : [[2], [1]], (row) => [row[0]!, `${String(row[1])}.`])))
        expect(await scanAll(engine, table)).toEqual([[1, `one${'.'.repeat(30)}`], [2, `two${'.'.repeat(30)}`]])
      })
    })

    describe('hidden keys', () => {
      test('keep insertion order across statements and flushes', async () => {
        const table = await engine.createTable(newTable('log', { line: 'text' }, []))
        expect(table).toMatchObject({ hiddenKey: true, primaryKey: [0] })
        for (let statement = 0; statement < 5; statement++) {
          await engine.insert(table, Array.from({ length: 10 }, (_, index) => [`${statement}.${index}`]), 'insert')
          if (statement === 2) await engine.flush()
        }
        const expected = Array.from({ length: 50 }, (_, index) => [`${Math.floor(index / 10)}.${index % 10}`])
        expect(await scanAll(engine, table, { columns: [1] })).toEqual(expected)
        const ids = (await scanAll(engine, table, { columns: [0], predicate: [{ ordinal: 1, comparison: 'lt', value: '1' }] })).slice(0, 10)
        expect(await engine.update(table, ids, (row) => [row[0]!, `${String(row[1])}!`])).toBe(10)
        expect((await scanAll(engine, table, { columns: [1] }))[0]).toEqual(['0.0!'])
      })
    })

    describe('snapshots', () => {
      test('do not see what comes later', async () => {
        const table = await engine.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
        const rows = Array.from({ length: 200 }, (_, id): EngineRow => [id, `v${id}`])
        await engine.insert(table, rows, 'insert')
        const snapshot = engine.snapshot()
        expect(await engine.get(snapshot, table, [0], [1])).toEqual(['v0'])
        await engine.insert(table, rows.slice(0, 50).map((row) => [row[0]!, 'new']), 'upsert')
        await engine.update(table, [[60], [61]], () => 'delete')
        await engine.deleteRange(table, { values: [100], inclusive: true }, undefined)
        await engine.flush()
        await engine.compact()
        const seen: EngineRow[] = []
        for await (const page of engine.scan(snapshot, { table, ordered: true, columns: [0, 1], predicate: [] })) seen.push(...page)
        expect(seen).toEqual(rows)
        expect(await engine.get(snapshot, table, [60], [1])).toEqual(['v60'])
        expect(await engine.aggregate(snapshot, { table, ordered: false, columns: [], predicate: [] }, [{ function: 'count' }])).toEqual([200])
        snapshot.release()
        expect(await scanAll(engine, table)).toHaveLength(98)
      })

      test('see statements whole: sums over moved amounts never change', async () => {
        const table = await engine.createTable(newTable('accounts', { id: 'bigint', amount: 'bigint' }, ['id']))
        await engine.insert(table, Array.from({ length: 40 }, (_, id) => [id, 100]), 'insert')
        const moves = Array.from({ length: 60 }, (_, index) => engine.update(table, [[index % 40], [(index * 7 + 3) % 40]], (row) => [row[0]!, Number(row[1]) + (row[0] === index % 40 ? -1 : 1)]))
        const sums: EngineRow[] = []
        for (let round = 0; round < 20; round++) sums.push(await aggregateAll(engine, table, [{ function: 'sum', ordinal: 1 }]))
        await Promise.all(moves)
        const selfMoves = Array.from({ length: 60 }, (_, index) => index).filter((index) => index % 40 === (index * 7 + 3) % 40).length
        if (selfMoves === 0) expect(new Set(sums.map((row) => row[0]))).toEqual(new Set([4000]))
        else throw new Error('the test moves amounts onto themselves')
      })
    })

    describe('predicates and aggregates', () => {
      let table: TableSchema
      const rows: EngineRow[] = Array.from({ length: 300 }, (_, id) => [
        id,
        id % 7 === 0 ? null : id % 10,
        id % 5 === 0 ? null : id % 11 === 0 ? NaN : id / 4 - 20,
        id % 3 === 0 ? null : `text ${id % 13}`,
        id === 0 ? 0 : BigInt(id) * 2n ** 54n,
      ])
      beforeEach(async () => {
        table = await engine.createTable(newTable('t', { id: 'bigint', i: 'bigint', d: 'double', x: 'text', big: 'bigint' }, ['id']))
        await engine.insert(table, rows.slice(0, 200), 'insert')
        await engine.flush()
        await engine.insert(table, rows.slice(200), 'insert')
      })

      test.each<[string, EngineScan['predicate'], (row: EngineRow) => boolean]>([
        ['i = 3', [{ ordinal: 1, comparison: 'eq', value: 3 }], (row) => row[1] === 3],
        ['i <> 3', [{ ordinal: 1, comparison: 'ne', value: 3 }], (row) => row[1] !== null && row[1] !== 3],
        ['i is null', [{ ordinal: 1, comparison: 'isNull' }], (row) => row[1] === null],
        ['x is not null', [{ ordinal: 3, comparison: 'isNotNull' }], (row) => row[3] !== null],
        ['d > 10', [{ ordinal: 2, comparison: 'gt', value: 10 }], (row) => row[2] !== null && (Number.isNaN(row[2]) || Number(row[2]) > 10)],
        ['d <= 10', [{ ordinal: 2, comparison: 'le', value: 10 }], (row) => row[2] !== null && Number(row[2]) <= 10],
        ['d = NaN', [{ ordinal: 2, comparison: 'eq', value: NaN }], (row) => Number.isNaN(row[2])],
        ['x >= text 5', [{ ordinal: 3, comparison: 'ge', value: 'text 5' }], (row) => row[3] !== null && row[3]! >= 'text 5'],
        ['i = null', [{ ordinal: 1, comparison: 'eq', value: null }], () => false],
        ['i < 5 and x < text 2 and id >= 100', [{ ordinal: 1, comparison: 'lt', value: 5 }, { ordinal: 3, comparison: 'lt', value: 'text 2' }, { ordinal: 0, comparison: 'ge', value: 100 }], (row) => row[1] !== null && Number(row[1]) < 5 && row[3] !== null && row[3]! < 'text 2' && Number(row[0]) >= 100],
      ])('%s', async (_, predicate, holds) => {
        const expected = rows.filter(holds)
        expect(await scanAll(engine, table, { predicate })).toEqual(expected)
        expect(await scanAll(engine, table, { predicate, reverse: true, limit: 7 })).toEqual(expected.toReversed().slice(0, 7))
        expect(await scanAll(engine, table, { predicate, limit: 5 })).toEqual(expected.slice(0, 5))
        const unordered = await scanAll(engine, table, { predicate, ordered: false, columns: [0] })
        expect(unordered.map((row) => row[0]).toSorted((a, b) => Number(a) - Number(b))).toEqual(expected.map((row) => row[0]))
        expect(await aggregateAll(engine, table, [{ function: 'count' }], { predicate })).toEqual([expected.length])
      })

      test('a limit of zero reads nothing', async () => {
        expect(await scanAll(engine, table, { limit: 0 })).toEqual([])
      })

      test('count, min, max and exact sums', async () => {
        const answer = await aggregateAll(engine, table, [
          { function: 'count' }, { function: 'count', ordinal: 1 }, { function: 'sum', ordinal: 1 }, { function: 'min', ordinal: 1 }, { function: 'max', ordinal: 1 },
          { function: 'min', ordinal: 2 }, { function: 'max', ordinal: 2 }, { function: 'min', ordinal: 3 }, { function: 'max', ordinal: 3 }, { function: 'count', ordinal: 3 },
          { function: 'sum', ordinal: 4 }, { function: 'max', ordinal: 4 },
        ])
        const integers = rows.map((row) => row[1]).filter((value) => typeof value === 'number')
        expect(answer).toEqual([
          300, integers.length, integers.reduce((a, b) => a + b, 0), 0, 9,
          -19.75, NaN, 'text 0', 'text 9', 200,
          (299n * 300n / 2n) * 2n ** 54n, 299n * 2n ** 54n,
        ])
      })

      test('over no rows: counts are zero, all else is null', async () => {
        const scan = { lower: { values: [1000], inclusive: true } }
        expect(await aggregateAll(engine, table, [{ function: 'count' }, { function: 'count', ordinal: 1 }, { function: 'sum', ordinal: 1 }, { function: 'sum', ordinal: 2 }, { function: 'min', ordinal: 3 }, { function: 'max', ordinal: 2 }], scan)).toEqual([0, 0, null, null, null, null])
      })

      test('aggregates within bounds', async () => {
        const scan = { lower: { values: [10], inclusive: false }, upper: { values: [20], inclusive: true } }
        expect(await aggregateAll(engine, table, [{ function: 'count' }, { function: 'min', ordinal: 0 }, { function: 'sum', ordinal: 0 }], scan)).toEqual([10, 11, 155])
      })
    })

    if (!isWhole) return
    describeGroups(() => engine)
    describeColumns(() => engine)
    describeExpressions(() => engine)
    describeTop(() => engine)

    test('statements that wait for each other end when the engine is closed', async () => {
      const table = await engine.createTable(newTable('t', { id: 'bigint', v: 'text' }, ['id']))
      await engine.insert(table, [[1, '']], 'insert')
      const waiting = Array.from({ length: 50 }, () => engine.update(table, [[1]], (row) => [1, `${String(row[1])}.`]))
      const settled = Promise.allSettled(waiting)
      await new Promise((resolve) => setImmediate(resolve))
      await engine.close()
      for (const outcome of await settled) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: '55000' })
    })

    test('after close everything is refused', async () => {
      const table = engine.table('kv')!
      await engine.close()
      await expect(engine.insert(table, [['a', 'b']], 'upsert')).rejects.toMatchObject({ code: '55000' })
      await expect(engine.createTable(newTable('t', { a: 'bigint' }, []))).rejects.toMatchObject({ code: '55000' })
      expect(() => engine.get(undefined, table, ['a'], [0])).toThrow(expect.objectContaining({ code: '55000' }))
    })
  })
}
