/** Aggregates of computed columns of files are made of encoded chunks and of zone maps, without the column being computed. */
import { expect, test } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { AggregatePartial, AggregateRequest, ScanRequest, Tree } from '../../../src/lsm/tree.ts'
import type { VectorExpression } from '../../../src/lsm/vector/expression.ts'
import { LsmtError } from '../../../src/errors.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { countingKernel, noCounts } from './counting-kernel.ts'
import type { Counts } from './counting-kernel.ts'
import { openTestTree } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const layout = layouts[1]!
const rowCount = 4_000
const quarter: VectorExpression = { kind: 'column', ordinal: 0 }, number: VectorExpression = { kind: 'column', ordinal: 2 }
const int = (value: bigint): VectorExpression => ({ kind: 'constant', of: 'i64', value })
const isLarge: VectorExpression = { kind: 'compare', comparison: 'ge', left: quarter, right: { kind: 'constant', of: 'f64', value: 900 } }
const timesThree = (range: bigint): VectorExpression => ({ kind: 'integers', operator: 'multiply', left: number, right: int(-3n), range: { low: -range, high: range, message: 'out of range' }, safe: false, position: 7 })
const everything: readonly AggregateRequest[] = [{ function: 'count' }, ...(['count', 'sum', 'min', 'max'] as const).map((name) => ({ function: name, ordinal: layout.columns.length }))]

async function openSettled(counts: Counts): Promise<Tree> {
  const tree = await openTestTree(countingKernel(counts), createMemoryStorage(), { settings: { ...defaultTreeSettings, rowGroupBytes: 16 * 1024, rowGroupGrowthMax: 1 } })
  const builder = createBatchBuilder()
  builder.defineTable(layout)
  for (let key = 0; key < rowCount; key++) {
    const row: Row = [((key * 7) % rowCount) / 4, Buffer.from(String(key).padStart(16, '0')), BigInt((key * 7) % rowCount)]
    builder.put(layout.tableId, encodeKey(layout, row), encodeRow(layout, row))
  }
  await tree.append(builder.finish()).applied
  await tree.compact()
  return tree
}

const valueOf = (partial: AggregatePartial): unknown => (partial.kind === 'count' ? partial.count : partial.kind === 'sumI64' ? partial.sum : partial.kind === 'extreme' ? partial.value : partial.high)

async function ask(tree: Tree, computed: VectorExpression, request: Partial<ScanRequest> = {}): Promise<readonly unknown[]> {
  const snapshot = tree.snapshot()
  try {
    return (await tree.aggregate(snapshot, { tableId: layout.tableId, columns: [], predicate: [], ...request, computed: [computed] }, everything)).map(valueOf)
  } finally {
    snapshot.release()
  }
}

/** Calls that make, or go through, values row by row. */
const vectorCalls = ({ calls }: Counts): readonly string[] => [...calls.keys()].filter((name) => /^columnDecode(I64|F64|Bytes)$|^vector(Select|Arithmetic)|^scanAggregate[IF]64$/.test(name))

const sumTo = (end: number): bigint => (BigInt(end) * BigInt(end - 1)) / 2n

test('of a CASE: each branch by the encoded column, constants by counting', async () => {
  const counts = noCounts(), tree = await openSettled(counts)
  counts.calls.clear()
  expect(await ask(tree, { kind: 'case', branches: [{ when: isLarge, result: number }], otherwise: int(-1n) })).toEqual([4000, 4000, sumTo(4000) - sumTo(3600) - 3600n, -1n, 3999n])
  expect(await ask(tree, { kind: 'case', branches: [{ when: isLarge, result: int(1n) }], otherwise: undefined })).toEqual([4000, 400, 400n, 1n, 1n])
  expect(vectorCalls(counts)).toEqual([])
  await tree.close()
})

test('of a column times a constant: by the encoded column, and by zone maps where no row is left out', async () => {
  const counts = noCounts(), tree = await openSettled(counts)
  counts.calls.clear()
  expect(await ask(tree, timesThree(2n ** 62n), { conditions: [isLarge] })).toEqual([400, 400, -3n * (sumTo(4000) - sumTo(3600)), -11_997n, -10_800n])
  expect(vectorCalls(counts)).toEqual([])
  counts.calls.clear()
  expect(await ask(tree, timesThree(2n ** 62n))).toEqual([4000, 4000, -3n * sumTo(4000), -11_997n, 0n])
  expect([...counts.calls.keys()].filter((name) => name.startsWith('scanAggregate'))).toEqual([])
  await tree.close()
})

test('of a condition that no zone map could tell of: it is asked of the rows, and row groups of which it leaves all are answered by zone maps', async () => {
  const counts = noCounts(), tree = await openSettled(counts), text = Buffer.from('0000000000001500')
  const unequal = (value: number): Partial<ScanRequest> => ({ predicate: [{ ordinal: 0, comparison: 'ne', value }], conditions: [{ kind: 'not', operand: { kind: 'compare', comparison: 'eq', left: { kind: 'column', ordinal: 1 }, right: { kind: 'constant', of: 'bytes', value: text.subarray(1) } } }] })
  const aggregated = (): number => [...counts.calls].reduce((sum, [name, calls]) => sum + (name.startsWith('scanAggregateChunk') ? calls : 0), 0)
  counts.calls.clear()
  expect(await ask(tree, number, unequal(500.1))).toEqual([4000, 4000, sumTo(4000), 0n, 3999n])
  expect(aggregated()).toBe(0)
  // One row of one row group.
  expect(await ask(tree, number, unequal(500))).toEqual([3999, 3999, sumTo(4000) - 2000n, 0n, 3999n])
  expect(aggregated()).toBe(1)
  await tree.close()
})

test('of a column times a constant: the one row that leaves the range fails it, and only where it counts', async () => {
  const tree = await openSettled(noCounts())
  const failing = await ask(tree, timesThree(11_996n)).catch((error: unknown) => error)
  expect(failing).toMatchObject({ code: '22003', message: 'out of range' })
  expect(failing).toBeInstanceOf(LsmtError)
  expect(await ask(tree, timesThree(11_996n), { predicate: [{ ordinal: 2, comparison: 'lt', value: 3999n }] })).toMatchObject([3999, 3999, -3n * sumTo(3999), -11_994n, 0n])
  await tree.close()
})
