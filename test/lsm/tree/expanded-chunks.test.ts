/** Compressed text that point reads keep asking for is kept expanded: which chunks, with what room, and that answers stay the same. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import { openWalk } from '../../../src/lsm/read/walk/walk.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { Tree, WalkPart, WalkRequest } from '../../../src/lsm/tree.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import type { KernelKind } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const KiB = 1024, MiB = 1024 * KiB
const layout = layouts[0]!
const settings = { ...defaultTreeSettings, rowGroupBytes: 32 * KiB, rowGroupGrowthMax: 1 }
const rowCount = 4000

/** Half of a text is random, so that it is compressed to about half. */
const random = seededRandom(5)
const texts = Array.from({ length: rowCount }, () => Array.from({ length: 8 }, () => random.nextU32().toString(36)).join('') + 'abcdefghij'.repeat(6))
const rowOf = (key: number): Row => [BigInt(key), key % 50 === 7 ? null : Buffer.from(texts[key]!), key / 4, BigInt(key % 10)]
const keyOf = (key: number): Uint8Array => encodeKey(layout, rowOf(key))

/** A tree of all rows in one sorted run, over a kernel that counts the texts expanded for a row. */
async function openRows(kind: KernelKind, cacheBytesMax: number, syncReads = true) {
  const opened = openTestKernel(kind, 64 * MiB), expanded = { parts: 0 }
  const kernel: Kernel = {
    ...opened,
    exports: {
      ...opened.exports,
      columnGetBytes(chunk, row, out, scratch) {
        if (opened.exports.columnDecodeScratchBytes(chunk) > 0) expanded.parts++
        return opened.exports.columnGetBytes(chunk, row, out, scratch)
      },
    },
  }
  const storage = createMemoryStorage({ syncReads })
  const writer = await openTestTree(kernel, storage, { settings })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  for (let key = 0; key < rowCount; key++) builder.put(layout.tableId, keyOf(key), encodeRow(layout, rowOf(key)))
  await writer.append(builder.finish()).applied
  await writer.compact()
  await writer.close()
  const cache = createChunkCache(kernel.heap, cacheBytesMax)
  return { kernel, cache, expanded, tree: await openTestTree(kernel, storage, { settings, cache }) }
}

/** The text of a row, as a reader that waits for nothing has it where it can. */
async function textOf(kernel: Kernel, tree: Tree, key: number): Promise<string | null | undefined> {
  const address = kernel.heap.allocate(16), bytes = keyOf(key)
  try {
    for (;;) {
      kernel.memory.u8.set(bytes, address)
      const found = tree.get(undefined, layout.tableId, address, bytes.length)
      if (found === undefined) return undefined
      if (!('fetch' in found)) {
        if (found.isNull(1)) return null
        const ref = found.bytes(1)
        return kernel.memory.buffer.toString('latin1', ref.address, ref.address + ref.byteLength)
      }
      if (found.fetchSync === undefined) await found.fetch()
      else found.fetchSync()
    }
  } finally {
    kernel.heap.free(address)
  }
}

async function checkAll(kernel: Kernel, tree: Tree): Promise<void> {
  for (let key = 0; key < rowCount; key++) {
    const text = await textOf(kernel, tree, key)
    if (text !== (key % 50 === 7 ? null : texts[key])) expect(text, `row ${key}`).toBe(texts[key])
  }
}

describe.each(kinds)('compressed text (%s)', (kind) => {
  it('is expanded once for many point reads where there is room', async () => {
    const { kernel, cache, expanded, tree } = await openRows(kind, 8 * MiB)
    await checkAll(kernel, tree)
    const bytes = cache.counts.chunkBytes
    expect(cache.counts.expansions).toBeGreaterThan(10)
    // Four reads of a row group, and what was read before the next one of the file.
    expect(expanded.parts).toBeLessThan(rowCount / 10)
    const before = { ...expanded, expansions: cache.counts.expansions }
    await checkAll(kernel, tree)
    expect({ ...expanded, expansions: cache.counts.expansions }).toEqual(before)
    expect(cache.counts.chunkBytes).toBe(bytes)
    const scanned = tree.snapshot(), cursor = tree.scan(scanned, { tableId: layout.tableId, columns: [0, 1], predicate: [] })
    let rows = 0
    for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) {
      const vector = page.vectors[1]!
      if (vector.kind !== 'bytes') throw new Error('column 1 is text')
      for (let row = 0; row < page.rowCount; row++, rows++) {
        const [address, byteLength] = kernel.memory.u32.subarray(vector.refs / 4 + 2 * row)
        if (rows % 50 !== 7 && kernel.memory.buffer.toString('latin1', address, address! + byteLength!) !== texts[rows]) expect.fail(`row ${rows} is scanned otherwise`)
      }
    }
    cursor.close()
    scanned.release()
    expect(rows).toBe(rowCount)
    await tree.close()
    cache.clear()
    expect(cache.counts).toMatchObject({ chunks: 0, chunkBytes: 0 })
  })

  it('is expanded for short ranges that read the same row group often', async () => {
    const { kernel, cache, tree } = await openRows(kind, 8 * MiB)
    const readRange = async (): Promise<string[]> => {
      const request: WalkRequest = { tableId: layout.tableId, lower: keyOf(1001), columns: [1] }, snapshot = tree.snapshot()
      const walk = openWalk(kernel, [tree.walkPart!(snapshot, request) as WalkPart], request, 5), read: string[] = []
      const rows = (await walk.next(5))!, vector = rows.vectors[1]!
      for (let row = 0; row < rows.rowCount; row++) {
        const [address, byteLength] = kernel.memory.u32.subarray((vector.kind === 'bytes' ? vector.refs : 0) / 4 + 2 * row)
        read.push(kernel.memory.buffer.toString('latin1', address, address! + byteLength!))
      }
      walk.close()
      snapshot.release()
      return read
    }
    const expected = texts.slice(1001, 1006)
    for (let i = 0; i < 4; i++) {
      expect(await readRange()).toEqual(expected)
      expect(cache.counts.expansions).toBe(0)
    }
    for (let i = 0; i < 4; i++) expect(await readRange()).toEqual(expected)
    expect(cache.counts.expansions).toBe(1)
    await tree.close()
  })

  it('stays compressed where all of it is read in turn and has no room, within the bound', async () => {
    const { kernel, cache, tree } = await openRows(kind, 160 * KiB)
    for (let i = 0; i < 2000; i++) {
      await textOf(kernel, tree, (i * 1009) % rowCount)
      expect(cache.counts.chunkBytes + cache.counts.scratchBytes).toBeLessThanOrEqual(160 * KiB)
    }
    const { evictions, expansions } = cache.counts
    expect(evictions).toBeGreaterThan(1000)
    expect(expansions).toBeLessThan(evictions / 100)
    // What is asked for again and again takes the room of the rest.
    for (let i = 0; i < 200; i++) expect(await textOf(kernel, tree, 40 + (i % 10 === 7 ? 8 : i % 7))).toBe(texts[40 + (i % 10 === 7 ? 8 : i % 7)])
    expect(cache.counts.expansions).toBe(expansions + 1)
    expect(cache.counts.chunkBytes + cache.counts.scratchBytes).toBeLessThanOrEqual(160 * KiB)
    await tree.close()
  })

  it('of files that are far away is expanded only while the cache is mostly empty', async () => {
    for (const [cacheBytesMax, isExpanded] of [[8 * MiB, true], [512 * KiB, false]] as const) {
      const { kernel, cache, tree } = await openRows(kind, cacheBytesMax, false)
      await checkAll(kernel, tree)
      const { expansions } = cache.counts
      for (let i = 0; i < 300; i++) await textOf(kernel, tree, rowCount - 1 - (i % 5))
      expect(cache.counts.expansions > 10).toBe(isExpanded)
      if (!isExpanded) expect(cache.counts.expansions).toBe(expansions)
      await tree.close()
    }
  })
})
