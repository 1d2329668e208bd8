/** Row groups whose keys point reads keep searching get an index of them, where there is room, and answers stay the same. */
import { describe, expect, it } from 'vitest'
import { newestOutcomes } from '../../../src/kernel/column.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeRow } from './tree-rows.ts'

const MiB = 1024 * 1024
const layout = { tableId: 9, columns: ['bytes', 'i64'], key: [0] } as const
const settings = { ...defaultTreeSettings, rowGroupBytes: 16 * 1024, rowGroupGrowthMax: 1 }
const rowCount = 4000

const keyText = (key: number): string => String(key).padStart(12, '0')
const isDeleted = (key: number): boolean => key % 3 === 2

/** Even keys in one sorted run, of which every third is deleted again by a run above if `runs` is 2. Counts what is asked for a key. */
async function openKeys(kind: 'wasm' | 'js', cacheBytesMax: number, runs: 1 | 2) {
  const opened = openTestKernel(kind, 64 * MiB), asked = { searches: 0, indexes: 0, atOnce: 0, otherwise: 0, filters: 0 }
  const { columnFindKey, columnFindIndexed, columnGetNewest, bloomProbe } = opened.exports
  const exports: Kernel['exports'] = {
    ...opened.exports,
    columnFindKey(...given) { asked.searches++; return columnFindKey(...given) },
    columnFindIndexed(...given) { asked.indexes++; return columnFindIndexed(...given) },
    columnGetNewest(...given) {
      const row = columnGetNewest(...given)
      if (row === newestOutcomes.isUnknown) asked.otherwise++
      else asked.atOnce++
      return row
    },
    bloomProbe(...given) { asked.filters++; return bloomProbe(...given) },
  }
  const kernel: Kernel = { ...opened, exports }, storage = createMemoryStorage({ syncReads: true })
  const cache = createChunkCache(kernel.heap, cacheBytesMax)
  const tree = await openTestTree(kernel, storage, { settings, cache })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  for (let key = 0; key < rowCount; key++) builder.put(layout.tableId, Buffer.from(keyText(2 * key)), encodeRow(layout, [Buffer.from(keyText(2 * key)), BigInt(key)]))
  await tree.append(builder.finish()).applied
  await tree.compact()
  if (runs === 2) {
    const deletes = createBatchBuilder()
    for (let key = 0; key < rowCount; key++) if (isDeleted(key)) deletes.delete(layout.tableId, Buffer.from(keyText(2 * key)))
    await tree.append(deletes.finish()).applied
    await tree.flush()
  }
  return { kernel, cache, tree, asked }
}

function valueOf({ memory, heap }: Kernel, tree: Tree, text: string): number | undefined {
  const address = heap.allocate(32)
  try {
    for (;;) {
      memory.buffer.write(text, address, 'latin1')
      const found = tree.get(undefined, layout.tableId, address, text.length)
      if (found === undefined) return undefined
      if (!('fetch' in found)) return found.isNull(1) ? undefined : found.i64Safe(1)
      found.fetchSync!()
    }
  } finally {
    heap.free(address)
  }
}

function checkAll(kernel: Kernel, tree: Tree, runs: 1 | 2): void {
  for (let key = 0; key < rowCount; key++) {
    const value = valueOf(kernel, tree, keyText(2 * key)), expected = runs === 2 && isDeleted(key) ? undefined : key
    if (value !== expected || valueOf(kernel, tree, keyText(2 * key + 1)) !== undefined) expect([key, value]).toEqual([key, expected])
  }
  expect(valueOf(kernel, tree, '')).toBeUndefined()
  expect(valueOf(kernel, tree, '~')).toBeUndefined()
}

describe.each(kinds)('keys that are read again and again (%s)', (kind) => {
  it('are found by an index, without a search and without a filter, where one file has them all', async () => {
    const { kernel, cache, tree, asked } = await openKeys(kind, 16 * MiB, 1)
    checkAll(kernel, tree, 1)
    expect(cache.counts.keyIndexes).toBeGreaterThan(5)
    checkAll(kernel, tree, 1)
    Object.assign(asked, { searches: 0, indexes: 0, atOnce: 0, otherwise: 0, filters: 0 })
    checkAll(kernel, tree, 1)
    // By one call a key.
    expect(asked).toEqual({ searches: 0, indexes: 0, atOnce: 2 * rowCount + 2, otherwise: 0, filters: 0 })
    await tree.close()
    cache.clear()
    expect(cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0 })
  })

  it('are found by one call where several files may have them, and tombstones are seen', async () => {
    const { kernel, cache, tree, asked } = await openKeys(kind, 16 * MiB, 2)
    checkAll(kernel, tree, 2)
    checkAll(kernel, tree, 2)
    expect(cache.counts.keyIndexes).toBeGreaterThan(5)
    Object.assign(asked, { searches: 0, indexes: 0, atOnce: 0, otherwise: 0, filters: 0 })
    checkAll(kernel, tree, 2)
    expect(asked).toEqual({ searches: 0, indexes: 0, atOnce: 2 * rowCount + 2, otherwise: 0, filters: 0 })
    await tree.close()
  })

  it('are found by one call in row groups of which nothing moves, while others get their indexes', async () => {
    const { kernel, cache, tree, asked } = await openKeys(kind, 16 * MiB, 1), often = 10, distant = rowCount - 10
    const read = (key: number, times: number): void => {
      for (let i = 0; i < times; i++) if (valueOf(kernel, tree, keyText(2 * key)) !== key) expect(key).toBe('found as it was written')
    }
    read(often, 2)
    read(distant, 2)
    Object.assign(asked, { atOnce: 0, otherwise: 0 })
    read(often, 100)
    expect(cache.counts.keyIndexes).toBe(1)
    // When it has been searched often enough, and when the keys have moved there.
    expect(asked).toMatchObject({ atOnce: 99, otherwise: 1 })
    Object.assign(asked, { searches: 0, atOnce: 0, otherwise: 0 })
    read(distant, 5)
    expect(asked).toMatchObject({ searches: 0, atOnce: 5, otherwise: 0 })
    await tree.close()
  })

  it('are found though chunks leave the cache between reads, move and come back', async () => {
    const { kernel, cache, tree, asked } = await openKeys(kind, 16 * MiB, 1)
    checkAll(kernel, tree, 1)
    checkAll(kernel, tree, 1)
    const random = seededRandom(29), { evictions } = cache.counts
    asked.atOnce = 0
    for (let i = 0; i < 4000; i++) {
      if (random.below(100) === 0) for (let n = random.below(3); n >= 0; n--) cache.evict()
      const key = random.below(2 * rowCount)
      if (valueOf(kernel, tree, keyText(key)) !== (key % 2 === 0 ? key / 2 : undefined)) expect(key, `read ${i}`).toBe('found as it was written')
    }
    expect(cache.counts.evictions - evictions).toBeGreaterThan(30)
    expect(asked.atOnce).toBeGreaterThan(1000)
    await tree.close()
  })

  it('are searched as ever where there is no room', async () => {
    const { kernel, cache, tree } = await openKeys(kind, 96 * 1024, 1)
    checkAll(kernel, tree, 1)
    expect(cache.counts.chunkBytes + cache.counts.scratchBytes).toBeLessThanOrEqual(96 * 1024)
    checkAll(kernel, tree, 1)
    await tree.close()
  })
})
