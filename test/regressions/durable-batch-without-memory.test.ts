/**
 * A batch that its log has, and that finds no room in memory, ended its shard's writes though there was room in pieces; and
 * who wrote it was told that nothing was written (53200), though the next opening finds it.
 */
import { expect, it } from 'vitest'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../src/lsm/batch-builder.ts'
import type { Tree } from '../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../src/settings.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { openTestKernel } from '../kernel/both-kinds.ts'
import { openTestTree } from '../lsm/tree/open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from '../lsm/tree/tree-rows.ts'
import type { Row } from '../lsm/tree/tree-rows.ts'

const layout = layouts[0]!
const rows = 6_000
const openKernel = (): Kernel => openTestKernel('wasm', 16 * 1024 * 1024)

const rowOf = (key: number): Row => [BigInt(key), Buffer.from('x'.repeat(200)), key, 1n]

/** Over 1 MiB. */
function largeBatch(): Uint8Array {
  const builder = createBatchBuilder()
  for (let key = 0; key < rows; key++) builder.put(layout.tableId, encodeKey(layout, rowOf(key)), encodeRow(layout, rowOf(key)))
  return builder.finish()
}

async function openDefined(kernel: Kernel, storage: Storage): Promise<Tree> {
  const tree = await openTestTree(kernel, storage, { settings: { ...defaultTreeSettings, memtableBytesMax: 64 * 1024 * 1024 } })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  await tree.append(builder.finish()).applied
  return tree
}

async function count(tree: Tree): Promise<number> {
  const snapshot = tree.snapshot()
  const [partial] = await tree.aggregate(snapshot, { tableId: layout.tableId, columns: [], predicate: [] }, [{ function: 'count' }])
  snapshot.release()
  return partial?.kind === 'count' ? partial.count : -1
}

/** Takes all memory there is, in blocks of at most `blockBytes`. */
function fill({ heap }: Kernel, blockBytes: number): number[] {
  const taken: number[] = []
  for (let bytes = blockBytes; bytes >= 64; bytes /= 2) {
    for (let address = heap.tryAllocate(bytes); address !== 0; address = heap.tryAllocate(bytes)) taken.push(address)
  }
  return taken
}

/** Appends the batch and calls `meanwhile` when the log has it, before it may be applied. */
async function appendWith(tree: Tree, meanwhile: () => void): Promise<void> {
  let open = (): void => undefined
  const { durable, applied } = tree.append(largeBatch(), { durableEverywhere: new Promise<void>((resolve) => (open = resolve)) })
  await durable
  meanwhile()
  open()
  await applied
}

it('takes a large batch into memory that is free in pieces only', async () => {
  const kernel = openKernel(), storage = createMemoryStorage()
  const tree = await openDefined(kernel, storage)
  let left: number[] = []
  await appendWith(tree, () => {
    const taken = fill(kernel, 500 * 1024)
    left = taken.filter((_, i) => i % 2 === 1)
    for (const address of taken) if (!left.includes(address)) kernel.heap.free(address)
  })
  for (const address of left) kernel.heap.free(address)
  expect(await count(tree)).toBe(rows)
  await tree.close()
})

it('tells that a batch for which there is no memory is in the log, and finds it there', async () => {
  const kernel = openKernel(), storage = createMemoryStorage()
  const tree = await openDefined(kernel, storage)
  let taken: number[] = []
  await expect(appendWith(tree, () => (taken = fill(kernel, 300 * 1024)))).rejects.toMatchObject({ code: '40003', message: expect.stringMatching(/^this is in the log/) as unknown, cause: { code: '53200' } })
  for (const address of taken) kernel.heap.free(address)
  expect(await count(tree)).toBe(0)
  expect(tree.stats.failure).toMatch(/free bytes in a row/)
  await expect(tree.append(largeBatch()).applied).rejects.toMatchObject({ code: '55000' })
  await tree.close()
  const reopened = await openTestTree(openKernel(), storage)
  expect(await count(reopened)).toBe(rows)
  await reopened.close()
})
