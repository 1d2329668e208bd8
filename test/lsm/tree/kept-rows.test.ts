/**
 * What is kept of files' rows between scans (src/lsm/table/read/kept-rows.ts, kept-totals.ts) is never seen in an answer: random writes,
 * deletes, ranges, flushes, compactions, snapshots that are held and transactions, with scans of no order in between.
 */
import { describe, expect, it, test } from 'vitest'
import { createBatchBuilder } from '../../../src/lsm/batch-builder.ts'
import type { TableLayout } from '../../../src/lsm/layout.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { Snapshot, Tree } from '../../../src/lsm/tree.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { openTestKernel } from '../../kernel/both-kinds.ts'
import { countingKernel, noCounts } from './counting-kernel.ts'
import { openTestTree, steppingClock, tinySettings } from './open-test-tree.ts'
import { encodeKey, encodeRow, layouts } from './tree-rows.ts'
import type { Row } from './tree-rows.ts'

const full = process.env['LSMT_TEST_FULL'] === '1'
const KiB = 1024
const keySpace = 3_000
/** Snapshots: each keeps files open, whose tails no cache gives up, and the small one here has room for so many. */
const heldMax = 4

/** By number of key. */
type Rows = Map<number, number>

/** Tables whose keys compare as i64 and as texts. */
const tables: readonly { readonly layout: TableLayout; readonly rowOf: (key: number, value: number) => Row; readonly valueOrdinal: number }[] = [
  { layout: layouts[0]!, rowOf: (key, value) => [BigInt(key), Buffer.from('t'), 0.5, BigInt(value)], valueOrdinal: 3 },
  { layout: layouts[1]!, rowOf: (key, value) => [0.5, Buffer.from(String(key).padStart(6, '0')), BigInt(value)], valueOrdinal: 2 },
]

interface History {
  readonly tree: Tree
  readonly table: (typeof tables)[number]
  readonly random: Random
  rows: Rows
  readonly held: { readonly snapshot: Snapshot; readonly rows: Rows }[]
}

const keyOf = ({ layout, rowOf }: History['table'], key: number): Uint8Array => encodeKey(layout, rowOf(key, 0))

function randomBatch({ table, random }: History, rows: Rows): Uint8Array {
  const { layout, rowOf } = table, builder = createBatchBuilder()
  const put = (key: number): void => {
    const value = random.below(1_000)
    rows.set(key, value)
    builder.put(layout.tableId, keyOf(table, key), encodeRow(layout, rowOf(key, value)))
  }
  const dice = random.below(40)
  // More than are looked at anew, few that stand together, or few all over the table.
  if (dice === 0) for (let i = 0; i < 1_200; i++) put(random.below(keySpace))
  else if (dice === 1) {
    const from = random.below(keySpace), to = Math.min(keySpace, from + 1 + random.below(200))
    builder.rangeDelete(layout.tableId, keyOf(table, from), keyOf(table, to))
    for (const key of rows.keys()) if (key >= from && key < to) rows.delete(key)
  } else {
    const near = random.below(keySpace)
    for (let i = 1 + random.below(6); i > 0; i--) {
      const key = random.below(2) === 0 ? random.below(keySpace) : Math.min(keySpace - 1, near + random.below(20))
      if (random.below(3) > 0) put(key)
      else {
        rows.delete(key)
        builder.delete(layout.tableId, keyOf(table, key))
      }
    }
  }
  return builder.finish()
}

async function expectRows({ tree, table, random }: History, snapshot: Snapshot, rows: Rows, label: string): Promise<void> {
  const { layout, valueOrdinal } = table
  const isPart = random.below(3) === 0, from = random.below(keySpace), to = from + random.below(keySpace - from)
  const least = random.below(3) === 0 ? random.below(1_000) : 0
  const found = await tree.aggregate(snapshot, {
    tableId: layout.tableId, columns: [], ...(isPart && { lower: keyOf(table, from), upper: keyOf(table, to) }),
    predicate: least === 0 ? [] : [{ ordinal: valueOrdinal, comparison: 'ge', value: BigInt(least) }],
  }, [{ function: 'count' }, { function: 'sum', ordinal: valueOrdinal }, { function: 'max', ordinal: valueOrdinal }])
  const values = [...rows].filter(([key, value]) => value >= least && (!isPart || (key >= from && key < to))).map(([, value]) => value)
  const sum = values.reduce((a, b) => a + b, 0)
  const [count, total, max] = found
  expect([count?.kind === 'count' && count.count, total?.kind === 'sumI64' && Number(total.sum), max?.kind === 'extreme' && max.value], label).toEqual([values.length, sum, values.length === 0 ? undefined : BigInt(Math.max(...values))])
}

async function step(history: History, label: string): Promise<void> {
  const { tree, random, held } = history
  const dice = random.below(100)
  if (dice < 45) await tree.append(randomBatch(history, history.rows)).applied
  else if (dice < 48) await tree.flush()
  else if (dice < 50) await tree.compact()
  else if (dice < 55 && held.length < heldMax) held.push({ snapshot: tree.snapshot(), rows: new Map(history.rows) })
  else if (dice < 60 && held.length > 2) held.splice(random.below(held.length), 1)[0]!.snapshot.release()
  else if (dice < 68 && held.length > 0) {
    const { snapshot, rows } = held[random.below(held.length)]!
    await expectRows(history, snapshot, rows, `${label}, held`)
  } else if (dice < 75) await readInTransaction(history, label)
  else await expectNewest(history, label)
}

async function expectNewest(history: History, label: string): Promise<void> {
  const snapshot = history.tree.snapshot()
  await expectRows(history, snapshot, history.rows, label)
  snapshot.release()
}

async function readInTransaction(history: History, label: string): Promise<void> {
  const below = history.tree.snapshot(), overlay = history.tree.overlay(below), rows = new Map(history.rows)
  below.release()
  for (let i = history.random.below(3); i >= 0; i--) overlay.apply(randomBatch(history, rows))
  await expectRows(history, overlay.snapshot, rows, `${label}, in a transaction`)
  overlay.snapshot.release()
  await expectNewest(history, `${label}, beside a transaction`)
}

describe.each(['wasm', 'js'] as const)('scans over kept rows, %s', (kind) => {
  it.each(tables.map((table, i) => [table.layout.tableId, table, i] as const))('table %i answers as the model', async (_, table, tableIndex) => {
    for (let seed = 1; seed <= (full ? 30 : 3); seed++) {
      const random = seededRandom(1_000 * tableIndex + seed), kernel = openTestKernel(kind, 64 * KiB * KiB)
      // With a small cache what is kept is evicted again and again.
      const cache = createChunkCache(kernel.heap, seed % 3 === 0 ? 192 * KiB : 4 * KiB * KiB)
      // Of large row groups few keys are searched for, of small ones all are decoded.
      const settings = { ...tinySettings, memtableBytesMax: 400 * KiB, ...(seed % 2 === 0 && { rowGroupBytes: 64 * KiB, tableFileBytes: 256 * KiB, level1Bytes: 512 * KiB }) }
      const tree = await openTestTree(kernel, createMemoryStorage(), { cache, clock: steppingClock(), settings })
      const history: History = { tree, table, random, rows: new Map(), held: [] }
      const builder = createBatchBuilder()
      builder.defineTable(table.layout)
      for (let key = 0; key < keySpace; key += 2) {
        history.rows.set(key, key % 1_000)
        builder.put(table.layout.tableId, keyOf(table, key), encodeRow(table.layout, table.rowOf(key, key % 1_000)))
      }
      await tree.append(builder.finish()).applied
      await tree.compact()
      for (let i = 0; i < (full ? 600 : 150); i++) await step(history, `seed ${seed}, step ${i}`)
      for (const { snapshot, rows } of history.held) {
        await expectRows(history, snapshot, rows, `seed ${seed}, held to the end`)
        snapshot.release()
      }
      await tree.close()
      expect(cache.counts.chunks, `seed ${seed}: what is kept goes with its file`).toBe(0)
    }
  })
})

test('a row group is read again only where something was written since: that key is searched for, and what is summed up', async () => {
  const counts = noCounts(), table = tables[1]!, { layout, rowOf } = table
  const tree = await openTestTree(countingKernel(counts), createMemoryStorage(), { settings: { ...defaultTreeSettings, rowGroupBytes: 16 * KiB, rowGroupGrowthMax: 1 } })
  const write = async (keys: readonly number[]): Promise<void> => {
    const builder = createBatchBuilder()
    builder.defineTable(layout)
    for (const key of keys) builder.put(layout.tableId, keyOf(table, key), encodeRow(layout, rowOf(key, 1)))
    await tree.append(builder.finish()).applied
  }
  const sumCalls = (): number => counts.calls.get('scanAggregateChunkI64') ?? 0
  const searches = (): number => counts.calls.get('columnFindKey') ?? 0
  const sumUp = async (): Promise<{ readonly decodedKeys: number; readonly searchedKeys: number; readonly summedUp: number }> => {
    const snapshot = tree.snapshot(), before = counts.decodedTexts, searchesBefore = searches(), sumsBefore = sumCalls()
    await tree.aggregate(snapshot, { tableId: layout.tableId, columns: [], predicate: [] }, [{ function: 'sum', ordinal: 2 }])
    snapshot.release()
    return { decodedKeys: counts.decodedTexts - before, searchedKeys: searches() - searchesBefore, summedUp: sumCalls() - sumsBefore }
  }
  const rowCount = 8_000
  await write(Array.from({ length: rowCount }, (_, i) => i))
  await tree.compact()
  await write(Array.from({ length: rowCount / 100 }, (_, i) => 100 * i))
  const first = await sumUp()
  expect(first.decodedKeys).toBe(rowCount)
  expect(first.summedUp).toBeGreaterThan(8)
  expect(await sumUp()).toEqual({ decodedKeys: 0, searchedKeys: 0, summedUp: 0 })
  // One more version of a row that was hidden already, and one of a row that stood.
  for (const [key, summedUp] of [[4_000, 0], [4_050, 1]] as const) {
    await write([key])
    expect(await sumUp(), `row ${key}`).toEqual({ decodedKeys: 0, searchedKeys: 1, summedUp })
  }
  await tree.close()
})
