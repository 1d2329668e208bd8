/** What the tree costs, in requests, kernel calls, syncs and time taken from others. */
import { describe, expect, it } from 'vitest'
import type { Kernel, KernelExports } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { ReadStats, RowHandle, Tree } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const MiB = 1024 * 1024
const layout = layouts[0]!
const settings = { ...defaultTreeSettings, level0RunsCompact: 100, rowGroupBytes: 4096, rowGroupGrowthMax: 1 }

const rowOf = (key: number): Row => [BigInt(key), Buffer.from(`text ${key}`), key / 4, BigInt(key % 10)]

function batchOf(from: number, to: number): Uint8Array {
  const builder = createBatchBuilder()
  for (let key = from; key < to; key++) builder.put(layout.tableId, encodeKey(layout, rowOf(key)), encodeRow(layout, rowOf(key)))
  return builder.finish()
}

async function openFilled(kernel: Kernel, storage: Storage, runs: readonly (readonly [number, number])[]): Promise<Tree> {
  const tree = await openTestTree(kernel, storage, { settings })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  await tree.append(builder.finish()).applied
  for (const [from, to] of runs) {
    await tree.append(batchOf(from, to)).applied
    await tree.flush()
  }
  return tree
}

/** Reads a key; says how many requests to storage it took. */
async function getCounting(kernel: Kernel, tree: Tree, storage: Storage, key: number): Promise<{ readonly row: RowHandle | undefined; readonly requests: number }> {
  const address = kernel.heap.allocate(64)
  const bytes = encodeKey(layout, rowOf(key))
  const before = storage.counts.reads
  for (;;) {
    kernel.memory.u8.set(bytes, address)
    const found = tree.get(undefined, layout.tableId, address, bytes.length)
    if (found === undefined || !('fetch' in found)) return { row: found, requests: storage.counts.reads - before }
    await found.fetch()
  }
}

/** The same kernel with its calls counted by name. */
function countingKernel(kernel: Kernel): { readonly kernel: Kernel; readonly calls: Map<string, number> } {
  const calls = new Map<string, number>()
  const exports = Object.fromEntries(Object.entries(kernel.exports).map(([name, run]) => [name, (...numbers: number[]) => {
    calls.set(name, (calls.get(name) ?? 0) + 1)
    return (run as (...numbers: number[]) => unknown)(...numbers)
  }])) as unknown as KernelExports
  return { kernel: { ...kernel, exports }, calls }
}

describe('a tree', () => {
  it('reads a cold row with one request, beside the tail the first time, a warm one with none, and asks no file whose filter says no', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), storage = createMemoryStorage()
    const writer = await openFilled(kernel, storage, [[0, 1000], [2000, 3000], [500, 2500]])
    await writer.close()
    const tree = await openTestTree(kernel, storage, { settings })
    expect(tree.stats.levels[0]?.files).toBe(3)
    const cold = await getCounting(kernel, tree, storage, 100)
    expect(cold.requests).toBe(2)
    expect(cold.row?.i64Safe(3)).toBe(0)
    expect((await getCounting(kernel, tree, storage, 100)).requests).toBe(0)
    // In the range of two files; the newer one has it, the older is not asked.
    expect((await getCounting(kernel, tree, storage, 2200)).requests).toBe(1 + 2)
    expect((await getCounting(kernel, tree, storage, 2300)).requests).toBe(1)
    let missing = 0
    for (let key = 5000; key < 5100; key++) missing += (await getCounting(kernel, tree, storage, key)).requests
    expect(missing).toBe(0)
    await tree.close()
  })

  it('answers aggregates over whole row groups from the footers, and reads only the edges of a range', async () => {
    const kernel = openTestKernel('wasm', 64 * MiB), storage = createMemoryStorage()
    const writer = await openFilled(kernel, storage, [[0, 5000], [5000, 9000]])
    await writer.close()
    const tree = await openTestTree(kernel, storage, { settings })
    const snapshot = tree.snapshot()
    const aggregate = async (lower?: number): Promise<{ answers: unknown; stats: ReadStats; requests: number }> => {
      const stats: ReadStats = { rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0, storageRequests: 0 }
      const before = storage.counts.reads
      const request = { tableId: layout.tableId, columns: [], predicate: [], ...(lower !== undefined && { lower: encodeKey(layout, rowOf(lower)) }) }
      const answers = await tree.aggregate(snapshot, request, [{ function: 'count' }, { function: 'sum', ordinal: 0 }, { function: 'max', ordinal: 2 }], stats)
      return { answers, stats, requests: storage.counts.reads - before }
    }
    expect((await aggregate()).requests).toBe(2)
    const whole = await aggregate()
    expect(whole.answers).toEqual([{ kind: 'count', count: 9000 }, { kind: 'sumI64', count: 9000, sum: 40495500n }, { kind: 'extreme', function: 'max', value: 8999 / 4 }])
    expect(whole.requests).toBe(0)
    expect(whole.stats).toMatchObject({ storageRequests: 0, bytesRead: 0 })
    expect(whole.stats.rowGroupsPruned).toBe(whole.stats.rowGroupsTotal)
    expect(whole.stats.rowGroupsTotal).toBeGreaterThan(20)
    const part = await aggregate(1234)
    expect(part.answers).toMatchObject([{ count: 9000 - 1234 }, { sum: 39734739n }, {}])
    expect(part.stats.rowGroupsTotal - part.stats.rowGroupsPruned).toBe(1)
    expect(part.requests).toBeLessThanOrEqual(2)
    snapshot.release()
    await tree.close()
  })

  it('applies a batch of 1,000 rows with one kernel call', async () => {
    const { kernel, calls } = countingKernel(openTestKernel('wasm', 64 * MiB))
    const tree = await openFilled(kernel, createMemoryStorage(), [])
    const batch = batchOf(0, 1000)
    await tree.append(batchOf(10_000, 10_010)).applied
    calls.clear()
    await tree.append(batch).applied
    const apply = calls.get('skiplistApply')!
    // One more when the memtable asked for memory first.
    expect(apply).toBeLessThanOrEqual(2)
    expect([...calls.values()].reduce((a, b) => a + b)).toBeLessThanOrEqual(apply + 4)
    await tree.close()
  })

  it('makes concurrent writes durable with few syncs', async () => {
    const storage = createMemoryStorage()
    const tree = await openFilled(openTestKernel('wasm', 64 * MiB), storage, [])
    const before = storage.counts.syncs
    await Promise.all(Array.from({ length: 100 }, (_, i) => tree.append(batchOf(i, i + 1)).applied))
    expect(storage.counts.syncs - before).toBe(1)
    await tree.close()
  })

  it('leaves the event loop its turns while it flushes and compacts on the serving thread', async () => {
    const kernel = openTestKernel('wasm', 128 * MiB)
    const tree = await openFilled(kernel, createMemoryStorage(), [[0, 40_000], [20_000, 60_000], [10_000, 50_000]])
    const stretchesMs: number[] = []
    let isDone = false
    let last = process.cpuUsage()
    const tick = (): void => {
      // Processor time, since a busy machine takes turns from us too.
      const { user, system } = process.cpuUsage(last)
      stretchesMs.push((user + system) / 1000)
      last = process.cpuUsage()
      if (!isDone) setImmediate(tick)
    }
    setImmediate(tick)
    await tree.compact()
    isDone = true
    stretchesMs.sort((a, b) => a - b)
    expect(tree.stats.compactions).toBe(1)
    expect(stretchesMs.length).toBeGreaterThan(10)
    expect(stretchesMs[Math.floor(stretchesMs.length * 0.9)]).toBeLessThan(20)
    await tree.close()
  })
})
