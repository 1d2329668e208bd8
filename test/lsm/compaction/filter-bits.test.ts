/** Filters of files above others have more bits a key than those of files that hold the oldest rows of their keys. */
import { expect, it } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { describeTable } from '../../../src/lsm/table/describe-table.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from '../tree/open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from '../tree/tree-rows.ts'
import type { Row } from '../tree/tree-rows.ts'

const layout = layouts[0]!

async function put(tree: Tree, from: number, to: number): Promise<void> {
  const builder = createBatchBuilder()
  for (let key = from; key < to; key++) {
    const row: Row = [BigInt(key), Buffer.from('text'), key, 1n]
    builder.put(layout.tableId, encodeKey(layout, row), encodeRow(layout, row))
  }
  await tree.append(builder.finish()).applied
}

it('twelve bits in a flushed file, ten in a compacted one that nothing is below', async () => {
  const kernel = openTestKernel('wasm'), storage = createMemoryStorage()
  const tree = await openTestTree(kernel, storage, { settings: { ...defaultTreeSettings, level0RunsCompact: 100 } })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  await tree.append(builder.finish()).applied

  /** By level, newest first, rounded to whole bits: filters consist of blocks of 256. */
  async function filterBits(): Promise<readonly (readonly number[])[]> {
    const { manifest, release } = await tree.checkpoint()
    release()
    return Promise.all(manifest.tables[0]!.levels.map((files) => Promise.all(files.map(async (meta) => {
      const { filterBytes } = await describeTable(storage, kernel, meta, 0)
      return Math.round((filterBytes * 8) / meta.rowCount)
    }))))
  }

  await put(tree, 0, 4_000)
  await tree.flush()
  expect(await filterBits()).toEqual([[12]])
  await tree.compact()
  expect(await filterBits()).toEqual([[], [10]])
  await put(tree, 1_000, 3_000)
  await tree.flush()
  expect(await filterBits()).toEqual([[12], [10]])
  await tree.close()
})
