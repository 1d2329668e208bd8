/** Images of memtables: when they are made and read, when not, and that no answer tells which; LSMT_SEED=n replays a history. */
import { afterEach, describe, expect, it } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { JobRunner } from '../../../src/lsm/compaction/job.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { ChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { ReadStats, Snapshot, Tree } from '../../../src/lsm/tree.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createDeferred } from '../../../src/runtime/deferred.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree, testTreeOptions } from '../tree/open-test-tree.ts'
import { encodeKey, encodeRow, readPage } from '../tree/tree-rows.ts'

const table: TableLayout = { tableId: 7, columns: ['i64', 'bytes', 'i64'], key: [0] }
const texts = ['', 'a', 'bb', 'a longer text than the others']
const settings = { ...defaultTreeSettings, memtableImageRowsMin: 64 }

/** By key. */
type Rows = Map<number, number>

interface Opened {
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly tree: Tree
  readonly rows: Rows
}

const trees: Tree[] = []
afterEach(async () => {
  for (const tree of trees.splice(0)) await tree.close()
})

async function open(kind: 'wasm' | 'js', more: Parameters<typeof openTestTree>[2] = {}): Promise<Opened> {
  const kernel = openTestKernel(kind), cache = createChunkCache(kernel.heap, 4 * 1024 * 1024)
  const tree = await openTestTree(kernel, createMemoryStorage(), { settings, cache, ...more })
  trees.push(tree)
  const builder = createBatchBuilder()
  builder.defineTable(table)
  await tree.append(builder.finish()).applied
  return { kernel, cache, tree, rows: new Map() }
}

const keyBytes = (key: number): Uint8Array => encodeKey(table, [BigInt(key), Buffer.from(''), 0n])

/** `undefined` deletes. */
function batchOf(rows: Rows, changes: readonly (readonly [key: number, value: number | undefined])[]): Uint8Array {
  const builder = createBatchBuilder()
  for (const [key, value] of changes) {
    if (value === undefined) {
      builder.delete(table.tableId, keyBytes(key))
      rows.delete(key)
    } else {
      builder.put(table.tableId, keyBytes(key), encodeRow(table, [BigInt(key), Buffer.from(texts[value % texts.length]!), BigInt(value)]))
      rows.set(key, value)
    }
  }
  return builder.finish()
}

async function write({ tree, rows }: Opened, changes: Parameters<typeof batchOf>[1]): Promise<void> {
  await tree.append(batchOf(rows, changes)).applied
}

const someRows = (count: number, from = 0): (readonly [number, number])[] => Array.from({ length: count }, (_, i) => [from + i, (from + i) * 3] as const)

const noStats = (): ReadStats => ({ rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 })

/** Holds the rows that are seen against a model; tells how many row groups, of files and images, the read had before it. */
async function expectRows({ tree, kernel }: Pick<Opened, 'tree' | 'kernel'>, snapshot: Snapshot | undefined, rows: Rows): Promise<number> {
  const stats = noStats(), taken = snapshot ?? tree.snapshot(), text = Buffer.from('bb')
  const [all, sum, least, most] = await tree.aggregate(taken, { tableId: table.tableId, columns: [], predicate: [{ ordinal: 2, comparison: 'ge', value: -1n }] }, [{ function: 'count' }, { function: 'sum', ordinal: 2 }, { function: 'min', ordinal: 0 }, { function: 'max', ordinal: 1 }], stats)
  const values = [...rows.values()], keys = [...rows.keys()]
  expect(all).toEqual({ kind: 'count', count: rows.size })
  expect(sum).toMatchObject({ sum: BigInt(values.reduce((a, b) => a + b, 0)) })
  expect(least).toMatchObject({ value: rows.size === 0 ? undefined : BigInt(keys.reduce((a, b) => Math.min(a, b))) })
  if (rows.size > 0) expect(Buffer.from((most as { value: Uint8Array }).value).toString()).toBe(values.map((value) => texts[value % texts.length]!).toSorted().at(-1))
  const cursor = tree.scan(taken, { tableId: table.tableId, columns: [0, 2], predicate: [{ ordinal: 1, comparison: 'eq', value: text }], anyOrder: true }, stats)
  const found: [number, number][] = []
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) found.push(...readPage(kernel, page).map(({ values: [key, , value] }) => [Number(key), Number(value)] as [number, number]))
  cursor.close()
  expect(found.toSorted(([a], [b]) => a - b)).toEqual([...rows].filter(([, value]) => texts[value % texts.length] === 'bb').toSorted(([a], [b]) => a - b))
  if (snapshot === undefined) taken.release()
  // An image is none of storage's.
  if (!hasFiles(tree)) expect(stats.storageRequests).toBe(0)
  return stats.rowGroupsTotal
}

const hasFiles = (tree: Tree): boolean => tree.stats.levels.some(({ files }) => files > 0)

/** Reads until an image is read, of a tree without files. */
async function untilImage(opened: Opened): Promise<void> {
  await expect.poll(() => expectRows(opened, undefined, opened.rows)).toBeGreaterThan(0)
}

describe.each(kinds)('images of memtables, %s', (kind) => {
  it('are read once scans have read many rows one by one, with what was written since', async () => {
    const opened = await open(kind)
    await write(opened, someRows(500))
    expect(await expectRows(opened, undefined, opened.rows)).toBe(0)
    await untilImage(opened)
    await write(opened, [[3, 1], [4, undefined], [600, 2], [601, undefined]])
    expect(await expectRows(opened, undefined, opened.rows)).toBeGreaterThan(0)
    await write(opened, [[3, undefined], [4, 5], [600, undefined], [499, 8]])
    expect(await expectRows(opened, undefined, opened.rows)).toBeGreaterThan(0)
  })

  it('are not made of few rows, nor seen by snapshots of before', async () => {
    const opened = await open(kind), { tree } = opened
    await write(opened, someRows(settings.memtableImageRowsMin - 1))
    for (let i = 0; i < 20; i++) expect(await expectRows(opened, undefined, opened.rows)).toBe(0)
    const before = tree.snapshot(), rowsBefore = new Map(opened.rows)
    await write(opened, [[1, undefined], ...someRows(100, 1000)])
    await untilImage(opened)
    for (let i = 0; i < 20; i++) expect(await expectRows(opened, before, rowsBefore)).toBe(0)
    expect(await expectRows(opened, undefined, opened.rows)).toBeGreaterThan(0)
    before.release()
  })

  it('are left out while ranges are deleted, and when more was written since than is looked at anew', async () => {
    const opened = await open(kind), { tree, rows } = opened
    await write(opened, someRows(300))
    await untilImage(opened)
    await write(opened, someRows(1500, 200).map(([key, value]) => [key, value + 1] as const))
    expect(await expectRows(opened, undefined, rows)).toBe(0)
    await untilImage(opened)
    const builder = createBatchBuilder()
    builder.rangeDelete(table.tableId, keyBytes(100), keyBytes(900))
    for (let key = 100; key < 900; key++) rows.delete(key)
    await tree.append(builder.finish()).applied
    for (let i = 0; i < 10; i++) expect(await expectRows(opened, undefined, rows)).toBe(0)
  })

  it('stand below what a transaction has written', async () => {
    const opened = await open(kind), { tree, kernel } = opened
    await write(opened, someRows(300))
    await untilImage(opened)
    const below = tree.snapshot(), overlay = tree.overlay(below), own = new Map(opened.rows)
    overlay.apply(batchOf(own, [[5, 7], [6, undefined], [900, 4]]))
    await write(opened, [[5, 100], [7, undefined]])
    expect(await expectRows({ tree, kernel }, overlay.snapshot, own)).toBeGreaterThan(0)
    overlay.snapshot.release()
    below.release()
  })

  it('give way when the cache needs their room, and are made again', async () => {
    const opened = await open(kind), { cache } = opened
    await write(opened, someRows(300))
    await untilImage(opened)
    cache.clear()
    expect(await expectRows(opened, undefined, opened.rows)).toBe(0)
    await untilImage(opened)
  })

  it('of an older memtable are read with what is left of it, and hide nothing twice', async () => {
    const kernel = openTestKernel(kind), cache = createChunkCache(kernel.heap, 4 * 1024 * 1024), storage = createMemoryStorage()
    const { jobs } = testTreeOptions(kernel, storage, { settings, cache }), released = createDeferred()
    const waiting: JobRunner = {
      ...jobs,
      async run(job, signal) {
        await released.promise
        return jobs.run(job, signal)
      },
    }
    const tree = await openTestTree(kernel, storage, { settings, cache, jobs: waiting }), opened: Opened = { kernel, cache, tree, rows: new Map() }
    trees.push(tree)
    const builder = createBatchBuilder()
    builder.defineTable(table)
    await tree.append(builder.finish()).applied
    await write(opened, someRows(400))
    await untilImage(opened)
    await write(opened, [[10, 1], [11, undefined]])
    const flushed = tree.flush()
    await write(opened, [[10, undefined], [11, 9], [12, 13], ...someRows(200, 300).map(([key, value]) => [key, value + 2] as const)])
    for (let i = 0; i < 12; i++) expect(await expectRows(opened, undefined, opened.rows)).toBeGreaterThan(0)
    const snapshot = tree.snapshot(), then = new Map(opened.rows)
    released.resolve()
    await flushed
    await expectRows(opened, snapshot, then)
    await expectRows(opened, undefined, opened.rows)
    snapshot.release()
  })

  it('leave nothing behind', async () => {
    const opened = await open(kind), { cache, tree } = opened
    await write(opened, someRows(300))
    await untilImage(opened)
    await tree.flush()
    await expectRows(opened, undefined, opened.rows)
    await write(opened, someRows(300))
    for (let i = 0; i < 12; i++) await expectRows(opened, undefined, opened.rows)
    await tree.close()
    expect(cache.counts.chunks).toBe(0)
  })

  const seeds = process.env['LSMT_SEED'] === undefined ? [1, 2, 3, 4] : [Number(process.env['LSMT_SEED'])]
  it.each(seeds)('answer as the model: seed %d', async (seed) => {
    const random = seededRandom(seed), opened = await open(kind, { settings: { ...settings, memtableBytesMax: 256 * 1024 } }), { tree, cache } = opened
    const held: { readonly snapshot: Snapshot; readonly rows: Rows }[] = []
    await write(opened, someRows(400))
    await untilImage(opened)
    for (let step = 0; step < 120; step++) {
      const changes = Array.from({ length: random.below(20) === 0 ? 600 : 1 + random.below(12) }, () => [random.below(1_000), random.below(4) === 0 ? undefined : random.below(5_000)] as const)
      const applied = write(opened, changes)
      if (random.below(3) > 0) await applied
      if (random.below(25) === 0) void tree.flush().catch(() => undefined)
      if (random.below(40) === 0) await tree.compact()
      if (random.below(15) === 0) cache.clear()
      await applied
      if (held.length < 3 && random.below(10) === 0) held.push({ snapshot: tree.snapshot(), rows: new Map(opened.rows) })
      await expectRows(opened, undefined, opened.rows)
      const old = held[random.below(5)]
      if (old !== undefined) await expectRows(opened, old.snapshot, old.rows)
      if (old !== undefined && random.below(4) === 0) held.splice(held.indexOf(old), 1)[0]!.snapshot.release()
    }
    for (const { snapshot } of held) snapshot.release()
  })
})
