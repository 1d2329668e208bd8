/** Random histories of a tree against an ordered map. `LSMT_SEED=n` replays one. */
import { describe, expect, it } from 'vitest'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'

import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { AggregateFunction, AggregatePartial, AggregateRequest, PredicateTerm, RowHandle, ScanRequest, Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { ChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { fullTests, kinds, openTestKernel } from '../../kernel/both-kinds.ts'
import { openTestTree } from './open-test-tree.ts'
import { copyModel, emptyModel, fullRow, modelAggregate, modelPut, modelRangeDelete, modelScan, sumText, valueText } from './tree-model.ts'
import type { TreeModel } from './tree-model.ts'
import { encodeKey, encodeRow, layouts, randomRow, randomValue, readHandle, readPage } from './tree-rows.ts'

const keySpread = 400

interface Run {
  readonly random: Random
  readonly kernel: Kernel
  readonly storage: Storage
  readonly key: number
  readonly cache: ChunkCache
  tree: Tree
  model: TreeModel
  /** Ids are never reused, not even those of dropped tables. */
  nextTableId: number
  snapshots: { readonly snapshot: Snapshot; readonly model: TreeModel }[]
}

async function write(run: Run): Promise<void> {
  const { random, model } = run
  const builder = createBatchBuilder(64)
  const known = [...model.layouts.values()]
  for (let i = 1 + random.below(random.below(8) === 0 ? 60 : 12); i > 0; i--) {
    const layout = known[random.below(known.length)]!
    const row = randomRow(random, layout, keySpread)
    const choice = random.below(40)
    if (choice < 30) {
      builder.put(layout.tableId, encodeKey(layout, row), encodeRow(layout, row))
      modelPut(model, layout, row)
    } else if (choice < 39) {
      builder.delete(layout.tableId, encodeKey(layout, row))
      model.tables.get(layout.tableId)!.delete(Buffer.from(encodeKey(layout, row)).toString('hex'))
    } else {
      const [start, end] = randomRange(random, layout)
      builder.rangeDelete(layout.tableId, start, end)
      modelRangeDelete(model, layout.tableId, start, end)
    }
  }
  const { applied } = run.tree.append(builder.finish())
  if (random.below(3) > 0) await applied
}

function randomRange(random: Random, layout: TableLayout): [Uint8Array | undefined, Uint8Array | undefined] {
  const bounds = [encodeKey(layout, randomRow(random, layout, keySpread)), encodeKey(layout, randomRow(random, layout, keySpread))].sort(Buffer.compare)
  // Bounds that are no key: a prefix, or just after a key.
  const bent = bounds.map((bound) => (random.below(4) === 0 ? bound.slice(0, random.below(bound.length + 1)) : random.below(4) === 0 ? Buffer.concat([bound, Buffer.from([0])]) : bound))
  return [random.below(8) === 0 ? undefined : bent[0], random.below(8) === 0 ? undefined : bent[1]]
}

async function changeTables(run: Run): Promise<void> {
  const { random, model } = run
  const builder = createBatchBuilder(64)
  const known = [...model.layouts.values()]
  const layout = known[random.below(known.length)]!
  const choice = random.below(3)
  if (choice === 0 && known.length > 1) {
    builder.dropTable(layout.tableId)
    model.layouts.delete(layout.tableId)
    model.tables.delete(layout.tableId)
  } else if (choice === 1) {
    const kind = (['i64', 'f64', 'bytes'] as const)[random.below(3)]!, ordinal = layout.columns.length
    const value = { i64: [0n, -5n, 2n ** 63n - 1n], f64: [0.5, Number.NaN, -1e300], bytes: [Buffer.from(''), Buffer.from('default'), Buffer.alloc(300, 'long')] }[kind][random.below(3)]!
    const missing = random.below(3) === 0 ? layout.missing : [...(layout.missing ?? []), { ordinal, value }]
    const wider: TableLayout = { ...layout, columns: [...layout.columns, kind], ...(missing !== undefined && { missing }) }
    builder.defineTable(wider)
    model.layouts.set(layout.tableId, wider)
  } else {
    const fresh = { ...layouts[random.below(layouts.length)]!, tableId: run.nextTableId++ }
    builder.defineTable(fresh)
    model.layouts.set(fresh.tableId, fresh)
    model.tables.set(fresh.tableId, new Map())
  }
  await run.tree.append(builder.finish()).applied
}

async function settled(run: Run): Promise<void> {
  const builder = createBatchBuilder(64)
  const layout = [...run.model.layouts.values()][0]!
  builder.defineTable(layout)
  await run.tree.append(builder.finish()).applied
}

/** Compares as text first: most comparisons agree, and `expect` is slow. */
function agree(actual: unknown, expected: unknown, what: () => string): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual, what()).toEqual(expected)
}

const plain = (value: unknown): string => JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))

async function readKey({ tree, kernel, key }: Run, snapshot: Snapshot | undefined, layout: TableLayout, bytes: Uint8Array): Promise<RowHandle | undefined> {
  kernel.memory.u8.set(bytes, key)
  for (;;) {
    const found = tree.get(snapshot, layout.tableId, key, bytes.length)
    if (found === undefined || !('fetch' in found)) return found
    await found.fetch()
    kernel.memory.u8.set(bytes, key)
  }
}

async function checkGets(run: Run, snapshot: Snapshot | undefined, model: TreeModel): Promise<void> {
  checkSpans(run, snapshot, model)
  for (const layout of model.layouts.values()) {
    for (let i = 0; i < 4; i++) {
      const key = encodeKey(layout, randomRow(run.random, layout, keySpread))
      const expected = model.tables.get(layout.tableId)!.get(Buffer.from(key).toString('hex'))
      const found = await readKey(run, snapshot, layout, key)
      const row = found === undefined ? undefined : readHandle(run.kernel, layout, found)
      agree(row?.map(valueText), expected === undefined ? undefined : fullRow(layout, expected.row).map(valueText), () => `get ${Buffer.from(key).toString('hex')} of table ${layout.tableId}`)
    }
  }
}

/** An empty span is one where nothing is; of others it may not be known. */
function checkSpans({ tree, random }: Run, snapshot: Snapshot | undefined, model: TreeModel): void {
  for (const layout of model.layouts.values()) {
    const [first, last] = Array.from({ length: 2 }, () => encodeKey(layout, randomRow(random, layout, random.below(3) === 0 ? 3 * keySpread : keySpread))).sort(Buffer.compare) as [Uint8Array, Uint8Array]
    const held = [...model.tables.get(layout.tableId)!.values()].filter(({ key }) => Buffer.compare(key, first) >= 0 && Buffer.compare(key, last) <= 0)
    if (tree.isEmptySpan!(snapshot, layout.tableId, { first, last })) agree(held.length, 0, () => `keys of table ${layout.tableId} in a span said to be empty`)
  }
}

function randomPredicate(random: Random, layout: TableLayout): PredicateTerm[] {
  return Array.from({ length: random.below(3) }, (): PredicateTerm => {
    const ordinal = random.below(layout.columns.length)
    const name = (['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'isNull', 'isNotNull'] as const)[random.below(8)]!
    if (name === 'isNull' || name === 'isNotNull') return { ordinal, comparison: name }
    return { ordinal, comparison: name, value: randomValue(random, layout.columns[ordinal]!, layout.key.includes(ordinal) ? keySpread : 20) }
  })
}

function randomRequest(random: Random, layout: TableLayout): ScanRequest {
  const [lower, upper] = random.below(3) === 0 ? [undefined, undefined] : randomRange(random, layout)
  const columns = layout.columns.map((_, ordinal) => ordinal).filter(() => random.below(3) > 0)
  return { tableId: layout.tableId, ...(lower && { lower }), ...(upper && { upper }), reverse: random.below(2) === 1, ...(random.below(2) === 0 && { startsSmall: true }), columns, predicate: random.below(2) === 0 ? [] : randomPredicate(random, layout) }
}

interface ReadRow {
  readonly key: string
  readonly values: readonly string[]
}

/** What was read and what is expected of it: of a scan that was cut the first rows, and where their order is free those of these keys. */
function comparable(rows: readonly ReadRow[], expected: readonly ReadRow[], { anyOrder }: ScanRequest, wasCut: boolean): [unknown, unknown] {
  if (anyOrder !== true) return [rows, wasCut ? expected.slice(0, rows.length) : expected]
  const byKey = (all: readonly ReadRow[]): readonly ReadRow[] => all.toSorted((a, b) => (a.key < b.key ? -1 : 1))
  const keys = new Set(rows.map(({ key }) => key))
  return [byKey(rows), byKey(wasCut ? expected.filter(({ key }) => keys.has(key)) : expected)]
}

/** Life goes on while a scan is open: it sees its snapshot all the same. */
async function checkScan(run: Run, snapshot: Snapshot, model: TreeModel): Promise<void> {
  const { tree, kernel, random } = run
  const known = [...model.layouts.values()]
  const layout = known[random.below(known.length)]!
  const request: ScanRequest = { ...randomRequest(random, layout), ...(random.below(2) === 0 && { anyOrder: true }) }
  const expected = modelScan(model, request).map(({ key, row }) => ({ key: key.toString('hex'), values: request.columns.map((ordinal) => valueText(row[ordinal])) }))
  const cursor = tree.scan(snapshot, request)
  const rows: ReadRow[] = []
  let wasCut = false
  for (let page = await cursor.next(); page !== undefined; page = await cursor.next()) {
    for (const { key, values } of readPage(kernel, page)) rows.push({ key, values: request.columns.map((ordinal) => valueText(values[ordinal])) })
    wasCut = random.below(30) === 0
    if (wasCut) break
    if (random.below(25) === 0) await write(run)
    if (random.below(10) === 0) run.cache.clear()
    if (random.below(120) === 0) await tree.flush()
  }
  cursor.close()
  agree(...comparable(rows, expected, request, wasCut), () => `scan ${plain(request)}`)
}

async function checkAggregate({ tree, random }: Run, snapshot: Snapshot, model: TreeModel): Promise<void> {
  const known = [...model.layouts.values()]
  const layout = known[random.below(known.length)]!
  const isWhole = random.below(3) === 0
  const request: ScanRequest = isWhole ? { tableId: layout.tableId, columns: [], predicate: [] } : { ...randomRequest(random, layout), columns: [], reverse: false }
  const aggregates: AggregateRequest[] = [{ function: 'count' }]
  layout.columns.forEach((kind, ordinal) => {
    for (const each of ['count', 'min', 'max', 'sum'] as AggregateFunction[]) if (random.below(2) === 0 && !(each === 'sum' && kind === 'bytes')) aggregates.push({ function: each, ordinal })
  })
  const partials = await tree.aggregate(snapshot, request, aggregates)
  const rows = modelScan(model, request)
  const texts = partials.map(partialText)
  agree(texts, aggregates.map((each) => modelAggregate(rows, each)), () => `aggregate ${plain({ request, aggregates })}`)
}

function partialText(partial: AggregatePartial): string {
  switch (partial.kind) {
    case 'count':
      return String(partial.count)
    case 'extreme':
      return valueText(partial.value)
    case 'sumI64':
      return partial.count === 0 ? 'null' : String(partial.sum)
    case 'sumF64':
      return partial.count === 0 ? 'null' : sumText(Number.isFinite(partial.high) ? partial.high + partial.low : partial.high)
  }
}

async function check(run: Run, snapshot: Snapshot, model: TreeModel): Promise<void> {
  await checkGets(run, snapshot, model)
  for (let i = 0; i < 3; i++) await checkScan(run, snapshot, model)
  for (let i = 0; i < 2; i++) await checkAggregate(run, snapshot, model)
}

async function reopen(run: Run): Promise<void> {
  for (const { snapshot } of run.snapshots.splice(0)) snapshot.release()
  await run.tree.close()
  run.tree = await openTestTree(run.kernel, run.storage, { cache: run.cache })
}

async function step(run: Run): Promise<void> {
  const { random } = run
  if (random.below(20) === 0) run.cache.clear()
  const choice = random.below(100)
  if (choice < 60) return write(run)
  if (choice < 62) return changeTables(run)
  if (choice < 66) return run.tree.flush()
  if (choice < 67) return run.tree.compact()
  if (choice < 69) return reopen(run)
  if (choice < 74) {
    await settled(run)
    run.snapshots.push({ snapshot: run.tree.snapshot(), model: copyModel(run.model) })
    return undefined
  }
  if (choice < 84 && run.snapshots.length > 0) {
    const index = random.below(run.snapshots.length)
    const { snapshot, model } = run.snapshots[index]!
    await check(run, snapshot, model)
    if (random.below(2) === 0) run.snapshots.splice(index, 1)[0]!.snapshot.release()
    return undefined
  }
  await settled(run)
  await checkGets(run, undefined, run.model)
  const snapshot = run.tree.snapshot()
  await check(run, snapshot, copyModel(run.model))
  snapshot.release()
  return undefined
}

async function play(kind: 'wasm' | 'js', seed: number, steps: number): Promise<void> {
  const kernel = openTestKernel(kind, 24 * 1024 * 1024)
  // Every other history is over storage that is far away, where tails are read when they are needed.
  const storage = createMemoryStorage({ syncReads: seed % 2 === 0 })
  const random = seededRandom(seed)
  const key = kernel.heap.allocate(4096), cache = createChunkCache(kernel.heap, 2 * 1024 * 1024)
  const usedBytes = kernel.heap.usedBytes
  const run: Run = { random, kernel, storage, key, cache, tree: await openTestTree(kernel, storage, { cache }), model: emptyModel(), nextTableId: 100_000, snapshots: [] }
  const builder = createBatchBuilder()
  for (const layout of layouts) {
    builder.defineTable(layout)
    run.model.layouts.set(layout.tableId, layout)
    run.model.tables.set(layout.tableId, new Map())
  }
  await run.tree.append(builder.finish()).applied
  for (let i = 0; i < steps; i++) await step(run)
  await reopen(run)
  const snapshot = run.tree.snapshot()
  const model = copyModel(run.model)
  for (let i = 0; i < 5; i++) await check(run, snapshot, model)
  snapshot.release()
  expect(run.tree.stats.failure).toBeUndefined()
  expect(run.tree.stats.background).toBeUndefined()
  await run.tree.close()
  cache.clear()
  expect(kernel.heap.usedBytes, 'linear memory that nobody freed').toBe(usedBytes)
}

const oneSeed = process.env['LSMT_SEED']
const seeds = oneSeed === undefined ? Array.from({ length: fullTests ? 1_500 : 10 }, (_, i) => i) : [Number(oneSeed)]

describe.each(kinds)('a tree agrees with an ordered map (%s)', (kind) => {
  it('over random histories', async () => {
    for (const seed of seeds) {
      try {
        await play(kind, seed, 120)
      } catch (error) {
        throw new Error(`LSMT_SEED=${seed}: ${(error as Error).message}`, { cause: error })
      }
    }
  }, 1_800_000)
})
