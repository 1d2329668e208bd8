/** Files of an ingest beside what is flushed: a memtable that was frozen before the table was made does not drop it. */
import { expect, it } from 'vitest'
import { createDeferred } from '../../../src/runtime/deferred.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { IngestRows, JobRunner } from '../../../src/lsm/compaction/job.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree, testTreeOptions, tinySettings } from '../tree/open-test-tree.ts'
import { readPage } from '../tree/tree-rows.ts'

const older: TableLayout = { tableId: 7, columns: ['i64', 'i64'], key: [0] }
const ingested: TableLayout = { tableId: 8, columns: ['i64', 'i64'], key: [0] }

async function write(tree: Tree, fill: (builder: ReturnType<typeof createBatchBuilder>) => void): Promise<void> {
  const builder = createBatchBuilder()
  fill(builder)
  await tree.append(builder.finish()).applied
}

/** Keys from `first` on, given backwards; values are twice as much. */
function someRows({ heap, memory: { i64, u32 } }: Kernel, rowCount: number, first = 0): IngestRows {
  const [keys, values, order] = [heap.allocate(8 * rowCount), heap.allocate(8 * rowCount), heap.allocate(8 * rowCount)] as const
  for (let row = 0; row < rowCount; row++) {
    const place = rowCount - 1 - row
    i64[(keys >>> 3) + row] = BigInt(first + place)
    i64[(values >>> 3) + row] = BigInt(2 * (first + place))
    u32.set([0, place], (order >>> 2) + 2 * row)
  }
  return { rowCount, order, keys, vectors: [undefined, { kind: 'i64', values, nulls: 0 }] }
}

async function rowsOf(tree: Tree, kernel: Kernel, tableId: number): Promise<readonly unknown[]> {
  const snapshot = tree.snapshot()
  const cursor = tree.scan(snapshot, { tableId, columns: [0, 1], predicate: [] })
  const rows: unknown[] = []
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) rows.push(...readPage(kernel, page).map(({ values }) => values))
  cursor.close()
  snapshot.release()
  return rows
}

it('keeps its files when a memtable is flushed that is older than its table, and across openings', async () => {
  const kernel = openTestKernel('wasm'), storage = createMemoryStorage()
  const options = testTreeOptions(kernel, storage)
  const released = createDeferred()
  const jobs: JobRunner = {
    ...options.jobs,
    ingestBytesMax: 8 * 1024 * 1024,
    async run(job, signal) {
      if (job.kind === 'flush') await released.promise
      return options.jobs.run(job, signal)
    },
  }
  let tree = await openTestTree(kernel, storage, { cache: options.cache, jobs })
  await write(tree, (builder) => builder.defineTable(older))
  const flushed = tree.flush()
  await write(tree, (builder) => builder.defineTable(ingested))
  const ingest = tree.ingest!(ingested.tableId, 1)!
  await ingest.append(someRows(kernel, 5000))
  await ingest.publish()
  const expected = Array.from({ length: 5000 }, (_, key) => [BigInt(key), BigInt(2 * key)])
  expect(await rowsOf(tree, kernel, ingested.tableId)).toEqual(expected)
  released.resolve()
  await flushed
  expect(await rowsOf(tree, kernel, ingested.tableId)).toEqual(expected)
  await tree.close()
  tree = await openTestTree(kernel, storage, { cache: options.cache, jobs })
  expect(await rowsOf(tree, kernel, ingested.tableId)).toEqual(expected)
  await tree.flush()
  expect(await rowsOf(tree, kernel, ingested.tableId)).toEqual(expected)
  await write(tree, (builder) => builder.dropTable(ingested.tableId))
  await tree.flush()
  await tree.close()
  expect(await storage.list('sst/')).toEqual([])
})

it('is refused where files under way would have too little memory, and tells of a thread that lost its rows', async () => {
  const kernel = openTestKernel('wasm'), storage = createMemoryStorage()
  const options = testTreeOptions(kernel, storage)
  let isLost = false
  const jobs: JobRunner = {
    ...options.jobs,
    ingestBytesMax: 8 * 1024 * 1024,
    run: (job, signal) => (isLost && job.kind === 'ingest' ? testTreeOptions(kernel, storage).jobs.run(job, signal) : options.jobs.run(job, signal)),
  }
  const tree = await openTestTree(kernel, storage, { cache: options.cache, jobs })
  await write(tree, (builder) => builder.defineTable(ingested))
  expect(tree.ingest!(ingested.tableId, 8)).toBeUndefined()
  expect(tree.ingest!(99, 1)).toBeUndefined()
  const ingest = tree.ingest!(ingested.tableId, 1)!
  await ingest.append(someRows(kernel, 10))
  isLost = true
  await expect(ingest.publish()).rejects.toMatchObject({ code: 'XX000' })
  await ingest.abandon()
  expect(tree.ingest!(ingested.tableId, 1)).toBeDefined()
  await tree.close()
})

it('is compacted where its files are more than their level is to have, and tells their bytes', async () => {
  const kernel = openTestKernel('wasm'), storage = createMemoryStorage()
  const options = testTreeOptions(kernel, storage)
  const counted = createDeferred()
  const jobs: JobRunner = {
    ...options.jobs,
    ingestBytesMax: 8 * 1024 * 1024,
    async run(job, signal) {
      if (job.kind === 'compact') await counted.promise
      return options.jobs.run(job, signal)
    },
  }
  const tree = await openTestTree(kernel, storage, { cache: options.cache, jobs })
  await write(tree, (builder) => builder.defineTable(ingested))
  const ingest = tree.ingest!(ingested.tableId, 1)!
  const fileRows = 2000, files = 8
  for (let file = 0; file < files; file++) await ingest.append(someRows(kernel, fileRows, file * fileRows))
  expect(tree.stats.bytesIngested).toBe(0)
  await ingest.publish()
  const fileBytes = await bytesOf(storage, 'sst/')
  expect(tree.stats.bytesIngested).toBe(fileBytes)
  expect(fileBytes).toBeGreaterThan(tinySettings.level1Bytes)
  counted.resolve()
  await expect.poll(() => tree.stats.compactionDebtBytes).toBe(0)
  expect(tree.stats.trivialMoves + tree.stats.compactions).toBeGreaterThan(0)
  expect(await rowsOf(tree, kernel, ingested.tableId)).toEqual(Array.from({ length: files * fileRows }, (_, key) => [BigInt(key), BigInt(2 * key)]))
  await tree.close()
})

async function bytesOf(storage: Storage, folder: string): Promise<number> {
  return (await storage.list(folder)).reduce((sum, { byteLength }) => sum + byteLength, 0)
}
