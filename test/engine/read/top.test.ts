/** What the first rows of an order may cost: row groups that come too late by their zone maps are not read. */
import { expect, test } from 'vitest'
import type { Engine, EngineRow, EngineScan } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { newTable } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const id = 0, random = 1, sorted = 2, note = 3
const rowCount = 20_000

async function openLoaded(): Promise<{ engine: Engine; table: TableSchema; rows: EngineRow[] }> {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 2, tree: { rowGroupBytes: 4096 } })
  const table = await engine.createTable(newTable('t', { id: 'bigint', random: 'double', sorted: 'bigint', note: 'text' }, ['id']))
  const chance = seededRandom(3)
  const rows = Array.from({ length: rowCount }, (_, i): EngineRow => [i, chance.below(1_000_000) / 100, i * 3, `note ${String(i).padStart(6, '0')}`])
  for (let from = 0; from < rowCount; from += 2000) await engine.insert(table, rows.slice(from, from + 2000), 'insert')
  await engine.compact()
  return { engine, table, rows }
}

async function read(engine: Engine, table: TableSchema, ordinal: number, descending: boolean, scan: Partial<EngineScan> = {}): Promise<{ readonly rows: readonly EngineRow[]; readonly readGroups: number; readonly groups: number; readonly bytesRead: number }> {
  const snapshot = engine.snapshot(), stats = { rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 }
  const rows = await engine.topRows(snapshot, { table, ordered: false, columns: [id, note], predicate: [], ...scan }, [{ ordinal, descending, nullsFirst: descending }], 10, stats)
  snapshot.release()
  return { rows, readGroups: stats.rowGroupsTotal - stats.rowGroupsPruned, groups: stats.rowGroupsTotal, bytesRead: stats.bytesRead }
}

test('over sorted data a few row groups of each shard are read, from either end', async () => {
  const { engine, table, rows } = await openLoaded()
  for (const ordinal of [id, sorted, note]) {
    for (const descending of [false, true]) {
      const first = descending ? rows.slice(-10).toReversed() : rows.slice(0, 10)
      const found = await read(engine, table, ordinal, descending)
      expect(found.rows).toEqual(first.map((row) => [row[id], row[note]]))
      expect(found.groups).toBeGreaterThan(100)
      expect(found.readGroups).toBeLessThanOrEqual(2 * 4)
    }
  }
  await engine.close()
})

test('over random data the row groups that cannot contribute are passed over', async () => {
  const { engine, table, rows } = await openLoaded()
  const found = await read(engine, table, random, false)
  expect(found.rows.map(([key]) => key)).toEqual(rows.toSorted((a, b) => (a[random] as number) - (b[random] as number)).slice(0, 10).map((row) => row[id]))
  expect(found.readGroups).toBeLessThan(found.groups / 3)
  await engine.close()
})

test('a deleted or changed row is not among the first, wherever its older versions lie', async () => {
  const { engine, table, rows } = await openLoaded()
  const smallest = rows.toSorted((a, b) => (a[random] as number) - (b[random] as number))
  await engine.update(table, smallest.slice(0, 5).map((row) => [row[id]!]), () => 'delete')
  await engine.update(table, smallest.slice(5, 8).map((row) => [row[id]!]), (row) => row.with(random, 1e9))
  const expected = smallest.slice(8, 18).map((row) => row[id])
  expect((await read(engine, table, random, false)).rows.map(([key]) => key)).toEqual(expected)
  await engine.flush()
  expect((await read(engine, table, random, false)).rows.map(([key]) => key)).toEqual(expected)
  expect(new Set((await read(engine, table, random, true)).rows.slice(0, 3).map(([key]) => key))).toEqual(new Set(smallest.slice(5, 8).map((row) => row[id])))
  await engine.close()
})
