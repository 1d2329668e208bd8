/** What every Engine must do: the first rows in the order of columns. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Engine, EngineOrder, EngineRow, EngineScan, EngineValue } from '../../src/engine/engine.ts'
import type { TableSchema } from '../../src/engine/schema.ts'
import { topAll } from './engine-fixtures.ts'
import { amount, bytes, createStatesTable, id, note, region, rows, states, user } from './engine-states.ts'
import { compareOrdered } from './model-values.ts'

const directions = [{ descending: false, nullsFirst: false }, { descending: true, nullsFirst: true }, { descending: false, nullsFirst: true }, { descending: true, nullsFirst: false }]
const plain = (value: EngineValue): EngineValue => (value instanceof Uint8Array ? Buffer.from(value) : Object.is(value, -0) ? 0 : value)
const all = [id, region, user, amount, note, bytes]
const wide: EngineScan['predicate'] = [{ ordinal: region, comparison: 'ge', value: 'region 2' }]

export function describeTop(engineOf: () => Engine): void {
  describe.each(states)('first rows %s', (_, fill) => {
    let engine: Engine, table: TableSchema
    beforeEach(async () => {
      engine = engineOf()
      table = await createStatesTable(engine)
      await fill(engine, table)
    })

    test('by each kind of column and several, then by the key', async () => {
      for (const ordinals of [[user], [region], [amount], [note], [bytes], [id], [region, user], [amount, note, bytes]]) {
        for (const direction of directions) {
          const order: EngineOrder[] = [...ordinals.map((ordinal) => ({ ordinal, ...direction })), { ordinal: id, descending: true, nullsFirst: false }]
          for (const predicate of [[], wide]) {
            const selected = rows.filter((row) => predicate.length === 0 || (row[region] !== null && row[region]! >= 'region 2')).toSorted((a, b) => compareOrdered(a, b, order))
            for (const limit of [1, 60]) {
              const found = await topAll(engine, table, order, limit, { predicate, columns: all })
              expect(found.map((row) => row.map(plain)), `by ${JSON.stringify(order)}`).toEqual(selected.slice(0, limit).map((row) => row.map(plain)))
            }
          }
        }
      }
      const order = [{ ordinal: note, descending: true, nullsFirst: true }, { ordinal: id, descending: false, nullsFirst: false }]
      expect((await topAll(engine, table, order, 1000, { columns: [id] })).flat()).toEqual(rows.toSorted((a, b) => compareOrdered(a, b, order)).map((row) => row[id]))
    })

    test('of equal rows any may come', async () => {
      for (const ordinal of [region, user, amount, note, bytes]) {
        for (const direction of directions) {
          const order = [{ ordinal, ...direction }]
          const found = await topAll(engine, table, order, 20, { columns: [ordinal, id] })
          expect(found.map(([value]) => plain(value!))).toEqual(rows.toSorted((a, b) => compareOrdered(a, b, order)).slice(0, 20).map((row) => plain(row[ordinal]!)))
          expect(new Set(found.map((row) => row[1])).size).toBe(20)
          for (const [value, key] of found) expect(plain(rows[key as number]![ordinal]!)).toEqual(plain(value!))
        }
      }
    })

    test('columns in the order asked for, keys among them or not; within bounds; of no rows', async () => {
      const order = [{ ordinal: amount, descending: true, nullsFirst: false }, { ordinal: id, descending: false, nullsFirst: false }]
      const scan = { lower: { values: [100], inclusive: true }, upper: { values: [260], inclusive: false } }
      const expected = rows.slice(100, 260).toSorted((a, b) => compareOrdered(a, b, order)).slice(0, 9)
      for (const columns of [[note, id, amount], [note], [amount], []]) {
        expect((await topAll(engine, table, order, 9, { ...scan, columns })).map((row) => row.map(plain))).toEqual(expected.map((row) => columns.map((ordinal) => plain(row[ordinal]!))))
      }
      const none: EngineRow[] = []
      expect(await topAll(engine, table, order, 0)).toEqual(none)
      expect(await topAll(engine, table, order, 5, { lower: { values: [5000], inclusive: true } })).toEqual(none)
      expect(await topAll(engine, table, order, 5, { predicate: [{ ordinal: user, comparison: 'eq', value: null }] })).toEqual(none)
    })

    test('ends when its signal says so', async () => {
      await expect(topAll(engine, table, [{ ordinal: amount, descending: false, nullsFirst: false }], 5, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: '57014' })
    })
  })
}
