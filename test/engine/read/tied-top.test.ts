/** The first rows in an order of several columns, where many rows are equal in the first: held against all rows, sorted here. */
import { expect, test } from 'vitest'
import type { Engine, EngineOrder, EngineRow, EngineScan } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { kinds } from '../../kernel/both-kinds.ts'
import { newTable, scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const [id, few, place, amount, stretch] = [0, 1, 2, 3, 4]
const limit = 12
type Value = EngineRow[number]

/** Texts of a few kinds and places of two, amounts with NULL and NaN, and a column that is equal in many row groups; some rows deleted, changed, and not in files yet. */
async function openFilled(kernels: 'wasm' | 'js'): Promise<{ engine: Engine; table: TableSchema }> {
  const engine = await openTestEngine(createMemoryStorage(), { kernels, shards: 2, tree: { rowGroupBytes: 4096 } }), random = seededRandom(11)
  const table = await engine.createTable(newTable('t', { id: 'bigint', few: 'text', place: 'bigint', amount: 'double', stretch: 'bigint' }, ['id']))
  const orNull = <T extends Value>(value: T): T | null => (random.below(11) === 0 ? null : value)
  const rows = Array.from({ length: 6000 }, (_, i): EngineRow => [i, orNull(`few ${random.below(4)}`), orNull(random.below(2)), random.below(40) === 0 ? Number.NaN : orNull(random.below(500) / 100 - 1), Math.floor(i / 2000)])
  for (let from = 0; from < rows.length; from += 2000) await engine.insert(table, rows.slice(from, from + 2000), 'insert')
  await engine.compact()
  await engine.update(table, rows.filter((row) => row[amount] === -1 || (row[id] as number) % 17 === 3).map((row) => [row[id]!]), () => 'delete')
  await engine.update(table, rows.filter((row) => (row[id] as number) % 97 === 5).map((row) => [row[id]!]), (row) => row.with(amount, -1.5))
  return { engine, table }
}

function compare(order: readonly EngineOrder[], a: EngineRow, b: EngineRow): number {
  for (const { ordinal, descending, nullsFirst } of order) {
    const [x, y] = [a[ordinal]!, b[ordinal]!]
    if (x === null || y === null) {
      if (x !== y) return (x === null) === nullsFirst ? -1 : 1
      continue
    }
    const [u, v] = [Number.isNaN(x) ? Infinity : x, Number.isNaN(y) ? Infinity : y]
    if (u !== v) return u < v === descending ? 1 : -1
  }
  return 0
}

test.each(kinds)('are those of all rows (%s)', async (kernels) => {
  const { engine, table } = await openFilled(kernels)
  const columns = [id, few, place, amount, stretch]
  for (const flushed of [false, true]) {
    if (flushed) await engine.flush()
    const rows = await scanAll(engine, table)
    for (const keys of [[few, amount], [few, amount, id], [few, place, id], [place, few, amount], [stretch, amount, id], [stretch, few], [amount, few], [few, few, id]]) {
      for (let turn = 0; turn < 8; turn++) {
        const order = keys.map((ordinal, i): EngineOrder => ({ ordinal, descending: ((turn >> i) & 1) === 1, nullsFirst: ((turn >> (i + 1)) & 1) === 1 }))
        for (const predicate of [[], [{ ordinal: place, comparison: 'eq', value: 1 }]] satisfies EngineScan['predicate'][]) {
          const snapshot = engine.snapshot()
          const found = await engine.topRows(snapshot, { table, ordered: false, columns, predicate }, order, limit)
          snapshot.release()
          const expected = rows.filter((row) => predicate.length === 0 || row[place] === 1).toSorted((a, b) => compare(order, a, b)).slice(0, limit)
          // Which of equal rows come is open.
          const shown = (some: readonly EngineRow[]): string[] => some.map((row) => keys.map((ordinal) => String(row[ordinal])).join(' '))
          expect(shown(found), JSON.stringify({ flushed, order, predicate })).toEqual(shown(expected))
        }
      }
    }
  }
  await engine.close()
})
