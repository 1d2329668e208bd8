/** What a short range costs, in kernel calls and in memory taken: most of its time, since its rows are few. */
import { expect, test } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { openWalk } from '../../../src/lsm/read/walk/walk.ts'
import type { Tree, WalkPart, WalkRequest } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { countingKernel, noCounts } from './counting-kernel.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const layout = layouts[1]!

const rowOf = (key: number): Row => [key / 4, Buffer.from(String(key).padStart(16, '0')), BigInt(key)]

/** Trees that have every fourth key each. */
async function openTrees(kernel: Kernel): Promise<readonly Tree[]> {
  return await Promise.all([0, 1, 2, 3].map(async (shard) => {
    const tree = await openTestTree(kernel, createMemoryStorage(), { settings: { ...defaultTreeSettings, rowGroupBytes: 16 * 1024, rowGroupGrowthMax: 1 } })
    const builder = createBatchBuilder()
    builder.defineTable(layout)
    for (let key = shard; key < 8_000; key += 4) builder.put(layout.tableId, encodeKey(layout, rowOf(key)), encodeRow(layout, rowOf(key)))
    await tree.append(builder.finish()).applied
    return tree
  }))
}

async function readRange(kernel: Kernel, trees: readonly Tree[], from: number, count: number): Promise<readonly number[]> {
  const request: WalkRequest = { tableId: layout.tableId, lower: encodeKey(layout, rowOf(from)), columns: [2] }
  const snapshots = trees.map((tree) => tree.snapshot())
  const parts = trees.map((tree, i) => tree.walkPart!(snapshots[i]!, request) as WalkPart)
  const walk = openWalk(kernel, parts, request, count)
  const keys: number[] = []
  for (let rows = await walk.next(count); rows !== undefined && keys.length < count; rows = await walk.next(count - keys.length)) {
    const vector = rows.vectors[2]!
    for (let i = 0; i < rows.rowCount; i++) keys.push(Number(kernel.memory.i64[(vector.kind === 'i64' ? vector.values : 0) / 8 + i]!))
    if (keys.length === count) break
  }
  walk.close()
  for (const snapshot of snapshots) snapshot.release()
  return keys
}

test('100 rows of four memtables are one call', async () => {
  const counts = noCounts()
  const kernel = countingKernel(counts)
  const trees = await openTrees(kernel)
  // What is told of the runs of each tree stays.
  await readRange(kernel, trees, 0, 1)
  counts.calls.clear()
  counts.allocations = 0
  const used = kernel.heap.usedBytes
  expect(await readRange(kernel, trees, 1_000, 100)).toEqual(Array.from({ length: 100 }, (_, i) => 1_000 + i))
  expect(Object.fromEntries(counts.calls)).toEqual({ mergeLanes: 1 })
  // What lives as long as the walk.
  expect(counts.allocations).toBe(1)
  expect(kernel.heap.usedBytes).toBe(used)
  for (const tree of trees) await tree.close()
})

test('100 rows of four files that are cached are one call, once it was told where the chunks of each are', async () => {
  const counts = noCounts()
  const kernel = countingKernel(counts)
  const trees = await openTrees(kernel)
  for (const tree of trees) await tree.flush()
  await readRange(kernel, trees, 1_000, 100)
  counts.calls.clear()
  await readRange(kernel, trees, 1_000, 100)
  // Where row groups are told of was asked by the read before, of each file; now it asks for the one in which the range begins.
  expect(Object.fromEntries(counts.calls)).toEqual({ mergeLanes: 1 + 4 })
  const used = kernel.heap.usedBytes
  for (let i = 0; i < 2; i++) {
    counts.calls.clear()
    counts.allocations = 0
    expect(await readRange(kernel, trees, 1_000, 100)).toEqual(Array.from({ length: 100 }, (_, row) => 1_000 + row))
    // Memtables without an entry are passed over.
    expect(Object.fromEntries(counts.calls)).toEqual({ mergeLanes: 1 })
    expect(counts.allocations).toBe(1)
    expect(kernel.heap.usedBytes).toBe(used)
  }
  for (const tree of trees) await tree.close()
})

test('pages grow: all rows of a file take few of them', async () => {
  const counts = noCounts()
  const kernel = countingKernel(counts)
  const [tree] = await openTrees(kernel)
  await tree!.flush()
  counts.calls.clear()
  expect(await readRange(kernel, [tree!], 0, 2_000)).toEqual(Array.from({ length: 2_000 }, (_, i) => 4 * i))
  expect(counts.decodedTexts).toBe(2_000)
  expect(counts.calls.get('columnDecodeBytes')).toBeLessThan(10)
  await tree!.close()
})
