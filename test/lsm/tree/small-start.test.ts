/** Scans that start small: the first page has few rows, of which only these are decoded, and the whole is what it is without. */
import { describe, expect, test } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { ScanRequest, Tree } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts, readPage } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const MiB = 1024 * 1024
const rowCount = 1_500
const firstPageMax = 64

/** Long texts that compress, nulls, keys of text and of several columns. */
const rowsOf = (layoutIndex: number, key: number, version: string): Row => {
  const text = Buffer.from(`${String(key).padStart(6, '0')} ${version.repeat(20)}`)
  const number = key % 7 === 0 ? null : BigInt(key % 50)
  return [
    [BigInt(key), text, key / 4, number],
    [key % 5 === 0 ? null : key / 8, text, number],
    [BigInt(key), text, key / 2, Buffer.from(version)],
  ][layoutIndex]!
}

async function write(tree: Tree, layoutIndex: number, keys: readonly number[], version: string): Promise<void> {
  const builder = createBatchBuilder(), layout = layouts[layoutIndex]!
  builder.defineTable(layout)
  for (const key of keys) builder.put(layout.tableId, encodeKey(layout, rowsOf(layoutIndex, key, version)), encodeRow(layout, rowsOf(layoutIndex, key, version)))
  await tree.append(builder.finish()).applied
}

/** By page; rows as text, which is compared at once. */
async function pagesOf(kernel: Kernel, tree: Tree, request: ScanRequest): Promise<readonly (readonly string[])[]> {
  const snapshot = tree.snapshot(), cursor = tree.scan(snapshot, request)
  const pages: (readonly string[])[] = []
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) pages.push(readPage(kernel, page).map(({ key, values }) => `${key} ${request.columns.map((ordinal) => { const value = values[ordinal]; return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value) }).join()}`))
  cursor.close()
  snapshot.release()
  return pages
}

describe.each(['wasm', 'js'] as const)('a scan that starts small (%s)', (kind) => {
  test.each([0, 1, 2])('reads row groups and merges alike, table %i', async (layoutIndex) => {
    const kernel = openTestKernel(kind, 64 * MiB), layout = layouts[layoutIndex]!
    const tree = await openTestTree(kernel, createMemoryStorage(), { settings: { ...defaultTreeSettings, rowGroupBytes: 32 * 1024, rowGroupGrowthMax: 1 } })
    const all = Array.from({ length: rowCount }, (_, i) => i)
    await write(tree, layoutIndex, all, 'a')
    await tree.compact()
    const bounds = [{}, { lower: encodeKey(layout, rowsOf(layoutIndex, 777, 'a')) }, { lower: encodeKey(layout, rowsOf(layoutIndex, 100, 'a')), upper: encodeKey(layout, rowsOf(layoutIndex, 1_234, 'a')) }]
    const check = async (): Promise<void> => {
      for (const bound of bounds) for (const reverse of [false, true]) for (const columns of [layout.columns.map((_, i) => i), [1], []]) {
        for (const predicate of [[], [{ ordinal: layout.columns.lastIndexOf('i64'), comparison: 'ne' as const, value: 20n }]]) {
          const request: ScanRequest = { tableId: layout.tableId, ...bound, reverse, columns, predicate }
          const small = await pagesOf(kernel, tree, { ...request, startsSmall: true })
          expect(small.flat().join('\n') === (await pagesOf(kernel, tree, request)).flat().join('\n')).toBe(true)
          expect(small[0]!.length).toBeLessThanOrEqual(firstPageMax)
          expect(small[0]!.length).toBeGreaterThan(0)
        }
      }
    }
    await check()
    // Now runs overlap, in files and in the memtable.
    await write(tree, layoutIndex, all.filter((key) => key % 3 === 0), 'a')
    await tree.flush()
    await write(tree, layoutIndex, all.filter((key) => key % 11 === 0), 'a')
    await check()
    await tree.close()
  })

  test('decodes only what its first page needs', async () => {
    const kernel = openTestKernel(kind, 64 * MiB), layout = layouts[1]!
    const decoded: number[] = []
    const counting: Kernel = { ...kernel, exports: { ...kernel.exports, columnDecodeBytes: (chunk, first, count, ...rest) => { decoded.push(count); return kernel.exports.columnDecodeBytes(chunk, first, count, ...rest) } } }
    const tree = await openTestTree(counting, createMemoryStorage(), { settings: defaultTreeSettings })
    await write(tree, 1, Array.from({ length: rowCount }, (_, i) => i), 'a')
    await tree.compact()
    const snapshot = tree.snapshot()
    const first = async (more: Partial<ScanRequest>): Promise<number> => {
      decoded.length = 0
      const cursor = tree.scan(snapshot, { tableId: layout.tableId, lower: encodeKey(layout, rowsOf(1, 500, 'a')), columns: [1], predicate: [], ...more })
      await cursor.next()
      cursor.close()
      return Math.max(...decoded)
    }
    expect(await first({ startsSmall: true })).toBeLessThanOrEqual(firstPageMax + 64)
    expect(await first({})).toBeGreaterThan(500)
    snapshot.release()
    await tree.close()
  })
})
