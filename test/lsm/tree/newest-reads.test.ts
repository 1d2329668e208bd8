/** Reads by key that find all they need in memory, beside writes, deletes of ranges, flushes, compactions, evictions, snapshots and overlays: each answer is that of a map. */
import { describe, expect, it } from 'vitest'
import { cellStates, newestOutcomes } from '../../../src/kernel/column.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { fullTests, kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree, tinySettings } from './open-test-tree.ts'
import { encodeRow } from './tree-rows.ts'

const MiB = 1024 * 1024
const layouts = [3, 70_001].map((tableId) => ({ tableId, columns: ['bytes', 'i64', 'bytes'], key: [0] } as const))
type Layout = (typeof layouts)[number]
const keySpread = 400
const keyText = (key: number): string => `key ${String(key).padStart(5, '0')}`

interface Value {
  readonly number: bigint | null
  readonly text: string | null
}
/** By table, then by key. */
type Model = ReadonlyMap<number, Map<number, Value>>

const copyOf = (model: Model): Model => new Map([...model].map(([tableId, rows]) => [tableId, new Map(rows)]))

function randomValue(random: Random): Value {
  return { number: random.below(5) === 0 ? null : BigInt(random.below(1000)), text: random.below(6) === 0 ? null : random.below(8) === 0 ? `é${'long '.repeat(random.below(40))}` : `text ${random.below(100)}` }
}

/** Writes at random; what they do to the model is done there. */
function randomBatch(random: Random, model: Model) {
  const builder = createBatchBuilder()
  for (let n = random.below(30); n >= 0; n--) {
    const layout = layouts[random.below(layouts.length)]!, rows = model.get(layout.tableId)!, key = random.below(keySpread), choice = random.below(40)
    if (choice === 0) {
      const end = key + random.below(40)
      builder.rangeDelete(layout.tableId, Buffer.from(keyText(key)), Buffer.from(keyText(end)))
      for (let each = key; each < end; each++) rows.delete(each)
    } else if (choice < 10) {
      builder.delete(layout.tableId, Buffer.from(keyText(key)))
      rows.delete(key)
    } else {
      const value = randomValue(random)
      builder.put(layout.tableId, Buffer.from(keyText(key)), encodeRow(layout, [null, value.number, value.text === null ? null : Buffer.from(value.text)]))
      rows.set(key, value)
    }
  }
  return builder.finish()
}

interface Reads {
  readonly kernel: Kernel
  readonly tree: Tree
  readonly key: number
  readonly hash: number
  readonly cell: number
}

function writeKey({ kernel: { memory, exports }, key, hash }: Reads, text: string): void {
  memory.buffer.write(text, key, 'latin1')
  exports.bloomHash(key, text.length, hash)
}

/** By `get` alone. */
function rowOf(reads: Reads, snapshot: Snapshot | undefined, { tableId }: Layout, text: string, column: number): Value | undefined {
  const { kernel: { memory }, tree, key, hash } = reads
  for (;;) {
    writeKey(reads, text)
    const found = tree.get(snapshot, tableId, key, text.length, undefined, column < 0 ? undefined : { hash, column })
    if (found === undefined) return undefined
    if ('fetch' in found) {
      found.fetchSync!()
      continue
    }
    // Whoever asked may write another key before the row is read.
    memory.u8.fill(0x7e, key, key + text.length)
    expect(found.bytes(0).byteLength).toBe(text.length)
    const number = found.isNull(1) ? null : found.i64(1)
    if (found.isNull(2)) return { number, text: null }
    const { address, byteLength } = found.bytes(2)
    return { number, text: memory.buffer.toString('utf8', address, address + byteLength) }
  }
}

/** By `getValue`, where that tells it. */
function checkValue(reads: Reads, snapshot: Snapshot | undefined, { tableId }: Layout, text: string, expected: Value | undefined): void {
  const { kernel: { memory: { u32, i64, buffer } }, tree, key, hash, cell } = reads
  for (const column of [1, 2]) {
    writeKey(reads, text)
    const state = tree.getValue!(snapshot, tableId, key, text.length, { hash, column, cell })
    if (state === cellStates.isUnread) continue
    const found = state === -1 ? undefined : state === cellStates.isNull ? null : column === 1 ? i64[cell >>> 3]! : buffer.toString('utf8', u32[cell >>> 2], u32[cell >>> 2]! + u32[(cell >>> 2) + 1]!)
    expect(found, text).toBe(expected === undefined ? undefined : column === 1 ? expected.number : expected.text)
  }
}

function checkAll(reads: Reads, snapshot: Snapshot | undefined, model: Model, random: Random, count: number): void {
  for (let i = 0; i < count; i++) {
    const layout = layouts[random.below(layouts.length)]!, key = random.below(keySpread), expected = model.get(layout.tableId)!.get(key)
    const found = rowOf(reads, snapshot, layout, keyText(key), random.below(3) - 1 + Number(random.below(2) === 0))
    if (found?.number !== expected?.number || found?.text !== expected?.text) expect(found, `table ${layout.tableId} ${keyText(key)}`).toEqual(expected)
    checkValue(reads, snapshot, layout, keyText(key), expected)
  }
}

async function openReads(kind: 'wasm' | 'js', cacheBytesMax: number) {
  const opened = openTestKernel(kind, 64 * MiB), told = { atOnce: 0, otherwise: 0 }, { columnGetNewest } = opened.exports
  const kernel: Kernel = {
    ...opened,
    exports: {
      ...opened.exports,
      columnGetNewest(...given) {
        const row = columnGetNewest(...given)
        told[row === newestOutcomes.isUnknown ? 'otherwise' : 'atOnce']++
        return row
      },
    },
  }
  const cache = createChunkCache(kernel.heap, cacheBytesMax)
  const tree = await openTestTree(kernel, createMemoryStorage({ syncReads: true }), { cache, settings: { ...tinySettings, rowGroupBytes: 1500, tableFileBytes: 6000 } })
  const builder = createBatchBuilder()
  for (const layout of layouts) builder.defineTable(layout)
  await tree.append(builder.finish()).applied
  const reads: Reads = { kernel, tree, key: kernel.heap.allocate(64), hash: kernel.heap.allocate(8), cell: kernel.heap.allocate(24) }
  return { reads, tree, cache, told }
}

const steps = fullTests ? 400 : 80
/** Each keeps files open, whose tails no cache gives up: the small one here has room for so many, of the longer form a larger one. */
const snapshotsMax = 3

describe.each(kinds)('reads by key beside all that changes a tree (%s)', (kind) => {
  it.each([['all is kept', 8 * MiB], ['chunks leave the cache', fullTests ? 96 * 1024 : 48 * 1024]] as const)('find what was written last, where %s', async (_, cacheBytesMax) => {
    const seed = Number(process.env['LSMT_SEED'] ?? 5), random = seededRandom(seed), { reads, tree, cache, told } = await openReads(kind, cacheBytesMax)
    const model: Model = new Map(layouts.map(({ tableId }) => [tableId, new Map<number, Value>()])), snapshots: { readonly snapshot: Snapshot; readonly model: Model }[] = []
    for (let step = 0; step < steps; step++) {
      await tree.append(randomBatch(random, model)).applied
      const choice = random.below(12)
      if (choice === 0) await tree.flush()
      else if (choice === 1) await tree.compact()
      else if (choice === 2) for (let n = random.below(20); n >= 0; n--) cache.evict()
      else if (choice === 3 && snapshots.length < snapshotsMax) snapshots.push({ snapshot: tree.snapshot(), model: copyOf(model) })
      else if (choice === 4) snapshots.shift()?.snapshot.release()
      checkAll(reads, undefined, model, random, 150)
      for (const taken of snapshots) checkAll(reads, taken.snapshot, taken.model, random, 20)
    }
    expect(told.atOnce, `seed ${seed}`).toBeGreaterThan(steps * 20)
    expect(told.otherwise).toBeGreaterThan(0)
    for (const { snapshot } of snapshots) snapshot.release()
    await tree.close()
  })

  it('find what an overlay has before what is below it, and leave what is below as it is', async () => {
    const { reads, tree, told } = await openReads(kind, 8 * MiB), random = seededRandom(3)
    const model: Model = new Map(layouts.map(({ tableId }) => [tableId, new Map<number, Value>()]))
    for (let n = 0; n < 40; n++) await tree.append(randomBatch(random, model)).applied
    await tree.flush()
    const below = tree.snapshot(), overlay = tree.overlay(below), above = copyOf(model)
    for (let n = 0; n < 30; n++) {
      overlay.apply(randomBatch(random, above))
      checkAll(reads, overlay.snapshot, above, random, 50)
      checkAll(reads, undefined, model, random, 50)
    }
    expect(told.atOnce).toBeGreaterThan(500)
    overlay.snapshot.release()
    below.release()
    await tree.close()
  })
})
