/** What a few newer rows above settled files cost a scan of no order: as much as the few, not as all rows below them. */
import { expect, test } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { AggregateRequest, ReadStats, Tree } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { countingKernel, noCounts } from './counting-kernel.ts'
import type { Counts } from './counting-kernel.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const layout = layouts[1]!
const rowCount = 8_000
const everything: readonly AggregateRequest[] = [{ function: 'count' }, { function: 'sum', ordinal: 2 }]

const rowOf = (key: number, value: number): Row => [key / 4, Buffer.from(String(key).padStart(16, '0')), BigInt(value)]

/** Rows in one settled file, of row groups of some hundred rows. */
async function openSettled(counts: Counts): Promise<Tree> {
  const tree = await openTestTree(countingKernel(counts), createMemoryStorage(), { settings: { ...defaultTreeSettings, rowGroupBytes: 16 * 1024, rowGroupGrowthMax: 1 } })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  for (let key = 0; key < rowCount; key++) builder.put(layout.tableId, encodeKey(layout, rowOf(key, key)), encodeRow(layout, rowOf(key, key)))
  await tree.append(builder.finish()).applied
  await tree.compact()
  return tree
}

async function putZeros(tree: Tree, keys: readonly number[]): Promise<void> {
  const builder = createBatchBuilder()
  for (const key of keys) builder.put(layout.tableId, encodeKey(layout, rowOf(key, 0)), encodeRow(layout, rowOf(key, 0)))
  await tree.append(builder.finish()).applied
}

async function aggregated(tree: Tree): Promise<{ readonly count: number; readonly sum: number; readonly stats: ReadStats }> {
  const snapshot = tree.snapshot(), stats: ReadStats = { rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 }
  const [count, sum] = await tree.aggregate(snapshot, { tableId: layout.tableId, columns: [], predicate: [] }, everything, stats)
  snapshot.release()
  return { count: count?.kind === 'count' ? count.count : -1, sum: sum?.kind === 'sumI64' ? Number(sum.sum) : -1, stats }
}

const sumTo = (end: number): number => (end * (end - 1)) / 2
const every = (step: number): readonly number[] => Array.from({ length: rowCount / step }, (_, i) => i * step)

test('newer rows all over the table: only they are merged, all others are read by column', async () => {
  const counts = noCounts(), tree = await openSettled(counts)
  const inFile = every(200), inMemory = every(500)
  await putZeros(tree, inFile)
  await tree.flush()
  await putZeros(tree, inMemory)
  await aggregated(tree)
  counts.gathered = 0
  const { count, sum } = await aggregated(tree)
  expect([count, sum]).toEqual([rowCount, sumTo(rowCount) - [...new Set([...inFile, ...inMemory])].reduce((a, b) => a + b, 0)])
  // Of the rows in memory one value each.
  expect(counts.gathered).toBeLessThanOrEqual(2 * inMemory.length)
  await tree.close()
})

test('a few newer rows: zone maps answer for the row groups that they leave alone', async () => {
  const counts = noCounts(), tree = await openSettled(counts)
  await putZeros(tree, [1_000, 7_000])
  await tree.flush()
  const { count, sum, stats } = await aggregated(tree)
  expect([count, sum]).toEqual([rowCount, sumTo(rowCount) - 8_000])
  expect(stats.rowGroupsTotal).toBeGreaterThan(10)
  // Those two, the row group with which the newer keys begin to be known, and the newer file's own.
  expect(stats.rowGroupsTotal - stats.rowGroupsPruned).toBeLessThanOrEqual(4)
  await tree.close()
})

test('rows of a memtable that is being flushed, below an empty one, hide those of files', async () => {
  const tree = await openSettled(noCounts())
  await putZeros(tree, every(500))
  const flushed = tree.flush()
  const { count, sum } = await aggregated(tree)
  expect([count, sum]).toEqual([rowCount, sumTo(rowCount) - every(500).reduce((a, b) => a + b, 0)])
  await flushed
  await tree.close()
})
