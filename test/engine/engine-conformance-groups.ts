/** What every Engine must do: aggregates by group. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { DerivedGroupValue, Engine, EngineGroupedAggregate, EngineRow, EngineScan, EngineValue, FirstGroups, WantedGroups } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import { groupAll, newTable, scanAll } from './engine-fixtures.ts'
import { amount, bytes, createStatesTable, id, note, region, rows, states, user } from './engine-states.ts'
import { comparingGroups, groupRows, wantedGroups } from './model-values.ts'

const all: readonly EngineGroupedAggregate[] = [
  { function: 'count' }, { function: 'count', ordinal: user }, { function: 'sum', ordinal: user }, { function: 'min', ordinal: user }, { function: 'max', ordinal: user },
  { function: 'sum', ordinal: amount }, { function: 'min', ordinal: amount }, { function: 'max', ordinal: amount },
  { function: 'min', ordinal: note }, { function: 'max', ordinal: note }, { function: 'count', ordinal: note }, { function: 'count', ordinal: bytes },
  { function: 'count', ordinal: user, distinct: true }, { function: 'sum', ordinal: user, distinct: true }, { function: 'count', ordinal: amount, distinct: true },
  { function: 'count', ordinal: note, distinct: true }, { function: 'count', ordinal: bytes, distinct: true }, { function: 'max', ordinal: amount, distinct: true },
]

const nameOf = (row: EngineRow): string => row.map((value: EngineValue) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))).join('|')
const plain = (value: EngineValue): EngineValue => (value instanceof Uint8Array ? Buffer.from(value) : Object.is(value, -0) ? 0 : value)
const sorted = (given: readonly EngineRow[]): EngineRow[] => given.map((row) => row.map(plain)).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))

export function describeGroups(engineOf: () => Engine): void {
  describe.each(states)('groups of rows %s', (_, fill) => {
    let engine: Engine, table: TableSchema
    beforeEach(async () => {
      engine = engineOf()
      table = await createStatesTable(engine)
      await fill(engine, table)
    })

    test.each<[string, readonly number[]]>([
      ['nothing', []], ['a text', [region]], ['an integer', [user]], ['a double', [amount]], ['bytes', [bytes]], ['the key', [id]],
      ['text and integer', [region, user]], ['integer and text', [user, region]], ['three columns', [region, amount, bytes]], ['a column twice', [user, user]],
    ])('by %s', async (_name, groupBy) => {
      const wide: EngineScan['predicate'] = [{ ordinal: region, comparison: 'ge', value: 'region 2' }]
      for (const predicate of [[], wide]) {
        const selected = rows.filter((row) => predicate.length === 0 || (row[region] !== null && row[region]! >= 'region 2'))
        expect(sorted(await groupAll(engine, table, groupBy, all, { predicate }))).toEqual(sorted(groupRows(table, selected, groupBy, all)))
      }
    })

    test('DISTINCT is groups without aggregates, NULL, NaN and zero each one', async () => {
      const values = (await groupAll(engine, table, [amount], [])).map(([value]) => value)
      expect(values.filter((value) => value === null)).toHaveLength(1)
      expect(values.filter((value) => Number.isNaN(value))).toHaveLength(1)
      expect(values.filter((value) => value === 0)).toEqual([0])
      expect(new Set(values).size).toBe(values.length)
    })

    test('within bounds, and of no rows', async () => {
      const scan = { lower: { values: [100], inclusive: true }, upper: { values: [260], inclusive: false } }
      expect(sorted(await groupAll(engine, table, [region], all, scan))).toEqual(sorted(groupRows(table, rows.slice(100, 260), [region], all)))
      const none = { lower: { values: [5000], inclusive: true } }
      expect(await groupAll(engine, table, [region], all, none)).toEqual([])
      expect(await groupAll(engine, table, [], all, none)).toEqual(groupRows(table, [], [], all))
      const impossible: EngineScan['predicate'] = [{ ordinal: user, comparison: 'eq', value: null }]
      expect(await groupAll(engine, table, [user], all, { predicate: impossible })).toEqual([])
      expect(await groupAll(engine, table, [], all, { predicate: impossible })).toEqual(groupRows(table, [], [], all))
    })
  })

  test('only the first groups of an order, by aggregates and by keys', async () => {
    const engine = engineOf()
    const table = await createStatesTable(engine)
    await engine.insert(table, rows, 'insert')
    for (const groupBy of [[region], [amount], [note, region]]) {
      for (const descending of [false, true]) {
        // By an aggregate and then by the keys, and by the keys alone.
        for (const index of [[], [groupBy.length], [groupBy.length + 2], [groupBy.length + 9]]) {
          const order = [...index, ...groupBy.keys()].map((value) => ({ value, descending, nullsFirst: !descending }))
          const wanted = { first: { order, limit: 5 } }
          const expected = wantedGroups(groupRows(table, rows, groupBy, all), wanted)
          expect((await groupAll(engine, table, groupBy, all, {}, wanted)).map((row) => row.map(plain))).toEqual(expected.map((row) => row.map(plain)))
        }
      }
    }
    expect(await groupAll(engine, table, [region], all, {}, { first: { order: [{ value: 0, descending: false, nullsFirst: false }], limit: 0 } })).toEqual([])
  })

  test('groups of which something made of their keys and aggregates holds, and the first of them by something made of both', async () => {
    const engine = engineOf()
    const table = await createStatesTable(engine)
    await engine.insert(table, rows, 'insert')
    for (const groupBy of [[region], [user], [amount], [note, region], [id]]) {
      const count = groupBy.length, least = groupBy.length + 3
      const having: NonNullable<WantedGroups['having']> = { columns: [count, 0], comparisons: [], isWhole: false, of: (row) => (row[0] === null ? null : (row[count] as number) % 2) }
      const reversed: DerivedGroupValue = { columns: [least, count], of: (row) => (row[least] === null ? null : -Number(row[least]) - (row[count] as number)) }
      const first: FirstGroups = { order: [{ value: reversed, descending: false, nullsFirst: true }, ...groupBy.map((_, value) => ({ value, descending: true, nullsFirst: false }))], limit: 7 }
      const expected = groupRows(table, rows, groupBy, all)
      expect(sorted(await groupAll(engine, table, groupBy, all, {}, { having }))).toEqual(sorted(wantedGroups(expected, { having })))
      for (const wanted of [{ first }, { having, first }]) {
        expect((await groupAll(engine, table, groupBy, all, {}, wanted)).map((row) => row.map(plain))).toEqual(wantedGroups(expected, wanted).map((row) => row.map(plain)))
      }
      const wrong = { having: { columns: [count], comparisons: [], isWhole: false, of: () => { throw new LsmtError('22012', 'division by zero') } } }
      await expect(groupAll(engine, table, groupBy, all, {}, wrong)).rejects.toMatchObject({ code: '22012' })
    }
  })

  test('groups whose aggregates compare in some way with a number, and those of which something else holds besides', async () => {
    const engine = engineOf()
    const table = await createStatesTable(engine)
    await engine.insert(table, rows, 'insert')
    for (const [turn, groupBy] of [[region], [user], [id]].entries()) {
      const expected = groupRows(table, rows, groupBy, all)
      for (const aggregate of all.keys()) {
        const index = groupBy.length + aggregate, comparison = (['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const)[(aggregate + turn) % 6]!
        const numbers = expected.map((row) => row[index]).filter((value) => typeof value === 'number' && Number.isFinite(value)) as number[], value = numbers[numbers.length >> 1] ?? 0
        const rest: DerivedGroupValue = { columns: [groupBy.length], of: (row) => (row[groupBy.length] as number) % 2 }
        const first: FirstGroups = { order: [index, ...groupBy.keys()].map((each) => ({ value: each, descending: true, nullsFirst: false })), limit: 4 }
        // Model trees never free what their reads have taken: not all goes with all.
        const having = comparingGroups(index, comparison, value, aggregate % 4 < 2 ? undefined : rest), wanted = aggregate % 2 === 0 ? { having } : { having, first }
        expect(sorted(await groupAll(engine, table, groupBy, all, {}, wanted)), `${aggregate} ${comparison} ${value}`).toEqual(sorted(wantedGroups(expected, wanted)))
      }
    }
  })

  test('COUNT(*) beside sums of a column that has nulls only further on', async () => {
    const engine = engineOf()
    const table = await engine.createTable(newTable('t', { id: 'bigint', region: 'text', amount: 'bigint' }, ['id']))
    const counted = Array.from({ length: 900 }, (_, i): EngineRow => [i, `r${i % 3}`, i > 500 && i % 2 === 0 ? null : i])
    await engine.insert(table, counted, 'insert')
    await engine.compact()
    for (const aggregates of [[{ function: 'count' }, { function: 'sum', ordinal: 2 }], [{ function: 'max', ordinal: 2 }, { function: 'count' }]] as const) {
      for (const groupBy of [[1], [0], []]) expect(sorted(await groupAll(engine, table, groupBy, aggregates))).toEqual(sorted(groupRows(table, counted, groupBy, aggregates)))
    }
  })

  test('reads end when their signal says so', async () => {
    const engine = engineOf()
    const table = await engine.createTable(newTable('t', { id: 'bigint', region: 'text' }, ['id']))
    await engine.insert(table, Array.from({ length: 50 }, (_, i) => [i, 'r']), 'insert')
    const given = { signal: AbortSignal.abort() }, own = { signal: AbortSignal.abort(new LsmtError('57P03', 'not ready')) }
    await expect(groupAll(engine, table, [1], [{ function: 'count' }], given)).rejects.toMatchObject({ code: '57014' })
    await expect(scanAll(engine, table, given)).rejects.toMatchObject({ code: '57014' })
    await expect(scanAll(engine, table, own)).rejects.toMatchObject({ code: '57P03' })
    expect(await groupAll(engine, table, [1], [{ function: 'count' }])).toEqual([['r', 50]])
  })
}
