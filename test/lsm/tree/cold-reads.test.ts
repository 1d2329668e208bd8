/** What reads of storage that is far away cost, in requests and bytes: opening, point reads, scans, flushes and compactions. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { publishManifest } from '../../../src/lsm/manifest-store.ts'
import type { ManifestState } from '../../../src/lsm/manifest.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { TableMeta } from '../../../src/lsm/table/table.ts'
import type { ReadStats, Tree } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage, StorageCounts } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const MiB = 1024 * 1024
const layout = layouts[0]!
const settings = { ...defaultTreeSettings, level0RunsCompact: 100, rowGroupBytes: 4096, rowGroupGrowthMax: 1, tableFileBytes: 64 * 1024 }
const farStorage = (): Storage => createMemoryStorage({ syncReads: false })

/** The same, telling the names of the objects that are created; segments of the log, which are made ahead at any time, are none. */
function tellingStorage(): { readonly storage: Storage; readonly created: string[] } {
  const storage = farStorage(), created: string[] = []
  const told = (name: string): string => {
    created.push(name)
    return name
  }
  return { created, storage: { ...storage, createIfAbsent: (name, parts) => storage.createIfAbsent(told(name), parts), create: (name) => storage.create(told(name)) } }
}

const rowOf = (key: number): Row => [BigInt(key), Buffer.from(`text ${key}`), key / 4, BigInt(key % 10)]
const keyOf = (key: number): Uint8Array => encodeKey(layout, rowOf(key))

async function put(tree: Tree, from: number, to: number): Promise<void> {
  const builder = createBatchBuilder()
  for (let key = from; key < to; key++) builder.put(layout.tableId, keyOf(key), encodeRow(layout, rowOf(key)))
  await tree.append(builder.finish()).applied
}

async function openEmpty(kernel: Kernel, storage: Storage): Promise<Tree> {
  const tree = await openTestTree(kernel, storage, { settings })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  await tree.append(builder.finish()).applied
  return tree
}

/** A tree of `rows` rows in one sorted run of several files, opened anew. */
async function openCompacted(kernel: Kernel, storage: Storage, rows: number): Promise<Tree> {
  const writer = await openEmpty(kernel, storage)
  await put(writer, 0, rows / 2)
  await writer.flush()
  await put(writer, rows / 2, rows)
  await writer.compact()
  await writer.close()
  return openTestTree(kernel, storage, { settings })
}

const zeroStats = (): ReadStats => ({ rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 })

/** What `work` costs. */
async function costOf({ counts }: Storage, work: () => Promise<unknown>): Promise<StorageCounts> {
  const before = { ...counts }
  await work()
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count - before[name as keyof StorageCounts]])) as unknown as StorageCounts
}

async function get(kernel: Kernel, tree: Tree, key: number, stats?: ReadStats): Promise<bigint | undefined> {
  const address = kernel.heap.allocate(16), bytes = keyOf(key)
  try {
    for (;;) {
      kernel.memory.u8.set(bytes, address)
      const found = tree.get(undefined, layout.tableId, address, bytes.length, stats)
      if (found === undefined || !('fetch' in found)) return found?.i64(0)
      expect(found.fetchSync).toBeUndefined()
      await found.fetch()
    }
  } finally {
    kernel.heap.free(address)
  }
}

async function scan(tree: Tree, from: number, to: number, stats?: ReadStats): Promise<number> {
  const snapshot = tree.snapshot()
  const cursor = tree.scan(snapshot, { tableId: layout.tableId, columns: [0, 1, 2, 3], predicate: [], lower: keyOf(from), upper: keyOf(to) }, stats)
  let rows = 0
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) rows += page.selectedCount
  cursor.close()
  snapshot.release()
  return rows
}

/** 1,000 files of 10 MB that are not there, in a level that has room for them: nobody may look at them. */
function largeManifest(): ManifestState {
  const metas = Array.from({ length: 1000 }, (_, i): TableMeta => ({
    fileNumber: i + 1, tableId: layout.tableId, byteLength: 10_000_000, tailBytes: 400_000, rowCount: 300_000, tombstoneCount: 0, rowGroupCount: 120,
    minKey: keyOf(i * 300_000), maxKey: keyOf(i * 300_000 + 299_999), minSequence: 1, maxSequence: 10, rangeTombstoneCount: 0,
  }))
  return { id: 1, shard: 0, writerEpoch: 1, flushedSequence: 10, nextFileNumber: 1001, layouts: [layout], maxTableId: layout.tableId, tables: [{ tableId: layout.tableId, levels: [[], [], [], [], metas] }] }
}

describe('a tree over storage that is far away', () => {
  it('opens 10 GB in 1,000 files with no request for any of them, and reads their manifest only', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), storage = farStorage()
    await publishManifest(storage, kernel, largeManifest())
    const cache = createChunkCache(kernel.heap, 32 * MiB)
    let tree: Tree | undefined
    const cost = await costOf(storage, async () => (tree = await openTestTree(kernel, storage, { settings, cache })))
    expect(tree!.stats.levels[4]).toMatchObject({ files: 1000, bytes: 10_000_000_000 })
    // The manifest; lists of manifests, logs and table files. Nothing is written before there is something to write.
    expect(cost).toMatchObject({ reads: 1, creates: 0 })
    expect(cost.lists).toBe(3)
    expect(cost.bytesRead).toBeLessThan(500_000)
    expect(cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0 })
    await tree!.close()
  })

  it('reads a cold row with two requests, its neighbour with none, many at once with the same two', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), storage = farStorage()
    const tree = await openCompacted(kernel, storage, 20_000)
    expect(tree.stats.levels.map(({ files }) => files).reduce((a, b) => a + b)).toBeGreaterThan(2)
    const stats = zeroStats()
    const cold = await costOf(storage, async () => expect(await get(kernel, tree, 777, stats)).toBe(777n))
    expect(cold.reads).toBe(2)
    expect(stats).toMatchObject({ storageRequests: 2, bytesRead: cold.bytesRead })
    expect((await costOf(storage, async () => expect(await get(kernel, tree, 777)).toBe(777n))).reads).toBe(0)
    expect((await costOf(storage, async () => expect(await get(kernel, tree, 778)).toBe(778n))).reads).toBe(0)
    const many = Array.from({ length: 20 }, () => 19_000)
    expect((await costOf(storage, () => Promise.all(many.map((key) => get(kernel, tree, key))))).reads).toBe(2)
    // Outside of every file's keys nobody is asked.
    expect((await costOf(storage, async () => expect(await get(kernel, tree, 30_000)).toBeUndefined())).reads).toBe(0)
    await tree.close()
  })

  it('answers rightly from a cache that holds few of the tails, and lets go of all of it', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), storage = farStorage()
    await (await openCompacted(kernel, storage, 20_000)).close()
    const cache = createChunkCache(kernel.heap, 96 * 1024)
    const tree = await openTestTree(kernel, storage, { settings, cache })
    for (let i = 0; i < 200; i++) expect(await get(kernel, tree, (i * 7919) % 20_000)).toBe(BigInt((i * 7919) % 20_000))
    expect(await scan(tree, 0, 20_000)).toBe(20_000)
    expect(cache.counts.evictions).toBeGreaterThan(50)
    await tree.close()
    cache.clear()
    expect(cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0 })
  })

  it('reads a part of the keys with requests for what holds them', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), storage = farStorage()
    const tree = await openCompacted(kernel, storage, 20_000)
    const stats = zeroStats()
    const cost = await costOf(storage, async () => expect(await scan(tree, 4000, 4200, stats)).toBe(200))
    // One file: its tail, then windows of row groups.
    expect(cost.reads).toBeLessThanOrEqual(3)
    expect(stats).toMatchObject({ storageRequests: cost.reads, bytesRead: cost.bytesRead })
    await tree.close()
  })

  it('flushes without a read, and compacts with one tail and few ranges a file', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), { storage, created } = tellingStorage()
    const tree = await openEmpty(kernel, storage)
    await put(tree, 0, 5000)
    created.length = 0
    const flush = await costOf(storage, () => tree.flush())
    expect(flush).toMatchObject({ reads: 0, bytesRead: 0 })
    // The table file and the manifest that names it.
    expect(created).toHaveLength(2)
    await put(tree, 2000, 7000)
    await tree.flush()
    created.length = 0
    const compaction = await costOf(storage, () => tree.compact())
    const files = tree.stats.levels.reduce((sum, level) => sum + level.files, 0)
    expect(tree.stats.compactions).toBe(1)
    expect(created).toHaveLength(files + 1)
    // Of each of two inputs its tail, then 16 row groups at a time.
    expect(compaction.reads).toBeLessThanOrEqual(2 + 8)
    await tree.close()
  })
})
