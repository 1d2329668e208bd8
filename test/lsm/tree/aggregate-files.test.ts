/** Aggregates over whole files cost a look at what is kept of each, as long as none of their rows is hidden. */
import { expect, test } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { BatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import type { AggregatePartial, AggregateRequest, ScanRequest, Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { countingKernel, noCounts } from './counting-kernel.ts'
import type { Counts } from './counting-kernel.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const layout = layouts[1]!
const rowCount = 4_000
const everything: readonly AggregateRequest[] = [{ function: 'count' }, { function: 'sum', ordinal: 2 }, { function: 'max', ordinal: 1 }, { function: 'min', ordinal: 0 }]

const keyText = (key: number): Buffer => Buffer.from(String(key).padStart(16, '0'))
const rowOf = (key: number, value: number): Row => [key / 4, keyText(key), BigInt(value)]

function put(builder: BatchBuilder, from: number, end: number): void {
  for (let key = from; key < end; key++) builder.put(layout.tableId, encodeKey(layout, rowOf(key, key)), encodeRow(layout, rowOf(key, key)))
}

async function write(tree: Tree, fill: (builder: BatchBuilder) => void): Promise<void> {
  const builder = createBatchBuilder()
  fill(builder)
  await tree.append(builder.finish()).applied
}

/** Rows in settled files, of row groups of some hundred rows. */
async function openSettled(counts: Counts = noCounts()): Promise<Tree> {
  const tree = await openTestTree(countingKernel(counts), createMemoryStorage(), { settings: { ...defaultTreeSettings, rowGroupBytes: 16 * 1024, rowGroupGrowthMax: 1 } })
  await write(tree, (builder) => {
    builder.defineTable(layout)
    put(builder, 0, rowCount)
  })
  await tree.compact()
  return tree
}

interface Asked {
  readonly snapshot?: Snapshot
  readonly request?: Partial<ScanRequest>
  readonly aggregates?: readonly AggregateRequest[]
}

async function ask(tree: Tree, { snapshot, request, aggregates = everything }: Asked = {}): Promise<readonly unknown[]> {
  const view = snapshot ?? tree.snapshot()
  try {
    return (await tree.aggregate(view, { tableId: layout.tableId, columns: [], predicate: [], ...request }, aggregates)).map(valueOf)
  } finally {
    if (snapshot === undefined) view.release()
  }
}

function valueOf(partial: AggregatePartial): unknown {
  switch (partial.kind) {
    case 'count':
      return partial.count
    case 'extreme':
      return partial.value instanceof Uint8Array ? Buffer.from(partial.value).toString() : partial.value
    case 'sumI64':
      return partial.sum
    case 'sumF64':
      return partial.high + partial.low
  }
}

/** What `everything` comes to over keys [from, end), each with its value. */
function over(from: number, end: number): readonly unknown[] {
  return [end - from, BigInt(((end - from) * (from + end - 1)) / 2), keyText(end - 1).toString(), from / 4]
}

test('asked again, neither a kernel nor memory is needed', async () => {
  const counts = noCounts(), tree = await openSettled(counts)
  expect(await ask(tree)).toEqual(over(0, rowCount))
  counts.calls.clear()
  counts.allocations = 0
  expect(await ask(tree)).toEqual(over(0, rowCount))
  expect([...counts.calls.keys()].filter((name) => name !== 'skiplistEntryCount' && name !== 'skiplistRangeCount')).toEqual([])
  expect(counts.allocations).toBe(0)
  await tree.close()
})

test('rows that a memtable, a newer file or a range hides do not count, nor those written after a snapshot', async () => {
  const tree = await openSettled(), before = tree.snapshot()
  await ask(tree)
  await write(tree, (builder) => builder.delete(layout.tableId, keyText(rowCount - 1)))
  expect(await ask(tree)).toEqual(over(0, rowCount - 1))
  await tree.flush()
  expect(await ask(tree)).toEqual(over(0, rowCount - 1))
  await write(tree, (builder) => builder.rangeDelete(layout.tableId, undefined, keyText(100)))
  expect(await ask(tree)).toEqual(over(100, rowCount - 1))
  await tree.flush()
  expect(await ask(tree)).toEqual(over(100, rowCount - 1))
  expect(await ask(tree, { snapshot: before })).toEqual(over(0, rowCount))
  before.release()
  await tree.compact()
  expect(await ask(tree)).toEqual(over(100, rowCount - 1))
  await tree.close()
})

test('files of several runs add up where their keys lie apart, with rows of other tables in memory', async () => {
  const counts = noCounts(), tree = await openSettled(counts), other = layouts[3]!
  await write(tree, (builder) => put(builder, rowCount, rowCount + 10))
  await tree.flush()
  await write(tree, (builder) => {
    builder.defineTable(other)
    builder.put(other.tableId, encodeKey(other, [1, 1n]), encodeRow(other, [1, 1n]))
  })
  expect(await ask(tree)).toEqual(over(0, rowCount + 10))
  counts.calls.clear()
  expect(await ask(tree)).toEqual(over(0, rowCount + 10))
  expect([...counts.calls.keys()].filter((name) => !name.startsWith('skiplist'))).toEqual([])
  await tree.close()
})

test('a range of keys counts whole files as they are, and looks into those that it cuts', async () => {
  const tree = await openSettled()
  expect(await ask(tree, { request: { lower: keyText(0), upper: keyText(rowCount) } })).toEqual(over(0, rowCount))
  expect(await ask(tree, { request: { lower: keyText(1) } })).toEqual(over(1, rowCount))
  expect(await ask(tree, { request: { upper: keyText(rowCount - 1) } })).toEqual(over(0, rowCount - 1))
  expect(await ask(tree, { request: { predicate: [{ ordinal: 2, comparison: 'lt', value: 7n }] } })).toEqual(over(0, 7))
  await tree.close()
})

test('columns that came after a file are null in it, or have their value', async () => {
  const tree = await openSettled()
  const grown: TableLayout = { ...layout, columns: [...layout.columns, 'f64', 'i64'], missing: [{ ordinal: 4, value: 5n }] }
  await write(tree, (builder) => builder.defineTable(grown))
  const aggregates: readonly AggregateRequest[] = [{ function: 'count', ordinal: 3 }, { function: 'sum', ordinal: 3 }, { function: 'max', ordinal: 3 }, { function: 'sum', ordinal: 4 }]
  for (let times = 0; times < 2; times++) {
    expect(await ask(tree, { aggregates: aggregates.slice(0, 3) })).toEqual([0, 0, undefined])
    expect(await ask(tree, { aggregates })).toEqual([0, 0, undefined, BigInt(5 * rowCount)])
  }
  await tree.close()
})
