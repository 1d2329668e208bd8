/** A table that is dropped, and whose drop is flushed, while its files are being compacted: the compaction ends quietly, and the files go. */
import { expect, it } from 'vitest'
import { createBatchBuilder } from '../../src/lsm/batch-builder.ts'
import type { JobRunner } from '../../src/lsm/compaction/job.ts'
import type { Tree } from '../../src/lsm/tree.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openTestKernel } from '../kernel/both-kinds.ts'
import { openTestTree, testTreeOptions, tinySettings } from '../lsm/tree/open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from '../lsm/tree/tree-rows.ts'

const layout = layouts[0]!

async function write(tree: Tree, fill: (builder: ReturnType<typeof createBatchBuilder>) => void): Promise<void> {
  const builder = createBatchBuilder()
  fill(builder)
  await tree.append(builder.finish()).applied
}

it('compacts a table that is dropped meanwhile without a failure', async () => {
  const kernel = openTestKernel('wasm', 16 * 1024 * 1024), storage = createMemoryStorage()
  const options = testTreeOptions(kernel, storage)
  let whenCompacting = (): Promise<void> => Promise.resolve()
  const jobs: JobRunner = {
    ...options.jobs,
    async run(job, signal) {
      if (job.kind === 'compact') await whenCompacting()
      return options.jobs.run(job, signal)
    },
  }
  const tree = await openTestTree(kernel, storage, { cache: options.cache, jobs, settings: { ...tinySettings, level0RunsCompact: 100, level0RunsSlow: 100, level0RunsStop: 100 } })
  await write(tree, (builder) => builder.defineTable(layout))
  for (let run = 0; run < 3; run++) {
    const row = [BigInt(run), Buffer.from('x'), run, 1n] as const
    await write(tree, (builder) => builder.put(layout.tableId, encodeKey(layout, row), encodeRow(layout, row)))
    await tree.flush()
  }
  whenCompacting = async () => {
    await write(tree, (builder) => builder.dropTable(layout.tableId))
    await tree.flush()
  }
  await tree.compact()
  expect(tree.stats.background).toBeUndefined()
  await tree.close()
  expect(await storage.list('sst/')).toEqual([])
})

it('tells whoever waits for a flush that the tree was closed', async () => {
  const kernel = openTestKernel('wasm', 16 * 1024 * 1024), storage = createMemoryStorage()
  const tree = await openTestTree(kernel, storage)
  await write(tree, (builder) => builder.defineTable(layout))
  const flushed = tree.flush()
  flushed.catch(() => undefined)
  await tree.close()
  await expect(flushed).rejects.toMatchObject({ code: '55000' })
})
