/** Flush and compaction on a worker thread, over shared memory and real files. Needs the compiled worker (`npm run build`). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { createInlineRunner } from '../../../src/lsm/compaction/inline-runner.ts'
import type { JobRunner } from '../../../src/lsm/compaction/job.ts'
import { createWorkerRunner } from '../../../src/lsm/compaction/worker-runner.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { ChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { openLocalStorage } from '../../../src/storage/local-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { kinds } from '../../kernel/both-kinds.ts'
import { openTestTree } from '../tree/open-test-tree.ts'
import { valueText } from '../tree/tree-model.ts'
import { encodeKey, encodeRow, layouts, randomRow, readPage } from '../tree/tree-rows.ts'
import type { Row } from '../tree/tree-rows.ts'

const MiB = 1024 * 1024
const servingBytes = 24 * MiB, workerBytes = 16 * MiB
const layout = layouts[0]!

interface Fixture {
  readonly kernel: Kernel
  readonly storage: Storage
  readonly cache: ChunkCache
  readonly jobs: JobRunner
}

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lsmt-worker-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function openFixture(kind: 'wasm' | 'js', workerDirectory = directory): Promise<Fixture> {
  const memory = reserveLinearMemory(65_536 + servingBytes + workerBytes)
  const kernel = openKernel(kind, memory, { base: 65_536, byteLength: servingBytes })
  const storage = await openLocalStorage(directory)
  const cache = createChunkCache(kernel.heap, 4 * MiB)
  const fallback = createInlineRunner({ storage, kernel, cache, clock: systemClock, sliceMsMax: 2 })
  const region = { base: 65_536 + servingBytes, byteLength: workerBytes }
  const jobs = createWorkerRunner({ memory: memory.wasm, region, kernelKind: kind, cacheBytesMax: 4 * MiB, storageAddress: { kind: 'local', directory: workerDirectory }, fallback })
  return { kernel, storage, cache, jobs }
}

/** Writes, overwrites and deletes; returns what must be there, by key. */
async function fill(tree: Tree, seed: number): Promise<Map<string, Row>> {
  const random = seededRandom(seed)
  const rows = new Map<string, Row>()
  const define = createBatchBuilder()
  define.defineTable(layout)
  await tree.append(define.finish()).applied
  for (let batch = 0; batch < 120; batch++) {
    const builder = createBatchBuilder()
    for (let i = 0; i < 20; i++) {
      const row = randomRow(random, layout, 1000)
      const key = encodeKey(layout, row)
      const name = Buffer.from(key).toString('hex')
      if (random.below(5) === 0) {
        builder.delete(layout.tableId, key)
        rows.delete(name)
      } else {
        builder.put(layout.tableId, key, encodeRow(layout, row))
        rows.set(name, row)
      }
    }
    await tree.append(builder.finish()).applied
  }
  return rows
}

async function expectRows(kernel: Kernel, tree: Tree, rows: ReadonlyMap<string, Row>): Promise<void> {
  const snapshot = tree.snapshot()
  const cursor = tree.scan(snapshot, { tableId: layout.tableId, columns: [0, 1, 2, 3], predicate: [] })
  const found: [string, string[]][] = []
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) for (const { key, values } of readPage(kernel, page)) found.push([key, values.map(valueText)])
  cursor.close()
  snapshot.release()
  expect(found).toEqual([...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, row]) => [key, row.map(valueText)]))
}

async function closeAll(tree: Tree, { jobs, storage }: Fixture): Promise<void> {
  await tree.close()
  await jobs.close()
  await storage.close()
}

describe.each(kinds)('the background worker (%s)', (kind) => {
  it('flushes and compacts what the serving thread wrote', async () => {
    const fixture = await openFixture(kind)
    const tree = await openTestTree(fixture.kernel, fixture.storage, { jobs: fixture.jobs, cache: fixture.cache })
    const rows = await fill(tree, 1)
    await tree.compact()
    await expectRows(fixture.kernel, tree, rows)
    const { stats } = tree
    expect(stats).toMatchObject({ background: undefined, failure: undefined })
    expect(stats.flushes).toBeGreaterThan(1)
    expect(stats.compactions).toBeGreaterThan(0)
    expect(stats.levels[0]?.files).toBe(0)
    await closeAll(tree, fixture)

    const again = await openFixture(kind)
    const reopened = await openTestTree(again.kernel, again.storage, { jobs: again.jobs, cache: again.cache })
    await expectRows(again.kernel, reopened, rows)
    await closeAll(reopened, again)
  })

  it('starts when a job is expected, runs it, and is closed without any', async () => {
    const fixture = await openFixture(kind)
    for (let i = 0; i < 2; i++) fixture.jobs.prepare?.(0)
    const tree = await openTestTree(fixture.kernel, fixture.storage, { jobs: fixture.jobs, cache: fixture.cache })
    const rows = await fill(tree, 3)
    await tree.flush()
    await expectRows(fixture.kernel, tree, rows)
    expect(tree.stats).toMatchObject({ background: undefined, failure: undefined })
    await closeAll(tree, fixture)
    const { jobs, storage } = await openFixture(kind)
    jobs.prepare?.(0)
    await jobs.close()
    jobs.prepare?.(0)
    expect(jobs.fallback).toBeUndefined()
    await storage.close()
  })

  it('that dies before any job was there is told as well', async () => {
    const { jobs, storage } = await openFixture(kind, join(directory, 'no such folder', '\0'))
    jobs.prepare?.(0)
    await expect.poll(() => jobs.fallback, { timeout: 30_000 }).toMatch(/worker died/)
    jobs.prepare?.(0)
    await jobs.close()
    await storage.close()
  })

  it('that dies is told in the stats, and the serving thread takes over', async () => {
    const fixture = await openFixture(kind, join(directory, 'no such folder', '\0'))
    const tree = await openTestTree(fixture.kernel, fixture.storage, { jobs: fixture.jobs, cache: fixture.cache })
    const rows = await fill(tree, 2)
    await tree.flush().catch(() => tree.flush())
    await expectRows(fixture.kernel, tree, rows)
    expect(tree.stats.background).toMatch(/worker died/)
    expect(tree.stats.flushes).toBeGreaterThan(0)
    expect(tree.stats.failure).toBeUndefined()
    await closeAll(tree, fixture)
  })
})
