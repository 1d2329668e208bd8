/**
 * A scan that begins within a row group in which a range was deleted looked at the newer keys from where it began only, where
 * it read the row groups of several at once, and kept what they hide as known of the whole row group: scans after it showed
 * rows before that place which had been deleted or written again. (Seen by 4,000 random operations with seed 11.)
 */
import { expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { newTable } from '../engine/engine-fixtures.ts'
import { openTestEngine } from '../engine/open-test-engine.ts'

const rows = 2_000

it.each(['wasm', 'js'] as const)('rows before the beginning of a scan stay deleted for the next one, %s kernels', async (kernels) => {
  const engine = await openTestEngine(createMemoryStorage({ syncReads: false }), { shards: 1, kernels })
  const table = await engine.createTable(newTable('t', { id: 'bigint', a: 'bigint' }, ['id']))
  await engine.insert(table, Array.from({ length: rows }, (_, id) => [id, 1]), 'insert')
  await engine.compact()
  await engine.update(table, [[1], [2], [3]], () => 'delete')
  await engine.update(table, [[4]], (row) => row.with(1, 100))
  await engine.deleteRange(table, { values: [20], inclusive: true }, { values: [30], inclusive: false })
  const totals = async (from: number): Promise<unknown> => {
    const snapshot = engine.snapshot()
    try {
      return await engine.aggregate(snapshot, { table, lower: { values: [from], inclusive: true }, ordered: false, columns: [1], predicate: [] }, [{ function: 'count' }, { function: 'sum', ordinal: 1 }])
    } finally {
      snapshot.release()
    }
  }
  expect(await totals(10)).toEqual([rows - 20, rows - 20])
  expect(await totals(0)).toEqual([rows - 13, rows - 14 + 100])
  await engine.close()
})
