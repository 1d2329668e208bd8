/** Scans by column give what scans by row do, whichever way the rows are found. */
import { afterEach, expect, test } from 'vitest'
import type { Engine, EngineRow, EngineScan, EngineValue } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { newTable } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const rowCount = 9_000
const seed = Number(process.env['LSMT_SEED'] ?? 5)

/** Integers of every size, doubles and texts with nulls between, texts of a dictionary, bytes. */
function rowOf(number: number, below: (n: number) => number): EngineRow {
  const wide = [number, 0 - number, 2 ** 31 + number, -(2 ** 40) - number, 2n ** 62n + BigInt(number), null, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2n ** 53n, -(2n ** 63n)]
  const long = below(50) === 0 ? 'x'.repeat(below(3_000)) : `text ${below(1_000_000)} ä`
  return [number, wide[below(wide.length)]!, below(5) === 0 ? null : below(1_000) / 8, `region ${below(20)}`, below(7) === 0 ? null : long, Uint8Array.of(below(256), below(256))]
}

async function filled(shards: number): Promise<{ engine: Engine; table: TableSchema; rows: readonly EngineRow[] }> {
  const random = seededRandom(seed), engine = await openTestEngine(createMemoryStorage(), { shards })
  closing.push(() => engine.close())
  await engine.createTable(newTable('t', { k: 'bigint', i: 'bigint', d: 'double', region: 'text', t: 'text', b: 'bytea' }, ['k'], 'upsert'))
  const table = engine.table('t')!, rows = Array.from({ length: rowCount }, (_, number) => rowOf(number, random.below))
  const insert = (chosen: (number: number) => boolean): Promise<number> => engine.insert(table, rows.filter((_, number) => chosen(number)), 'upsert')
  await insert(() => true)
  await engine.compact()
  await insert((number) => number % 11 === 0)
  await engine.flush()
  await insert((number) => number % 13 === 0)
  return { engine, table, rows }
}

async function byColumn(engine: Engine, scan: EngineScan): Promise<{ rows: EngineRow[]; sizes: number[] }> {
  const snapshot = engine.snapshot(), rows: EngineRow[] = [], sizes: number[] = []
  for await (const { rowCount: count, columns } of engine.scanColumns(snapshot, scan)) {
    sizes.push(count)
    expect(columns.map((values) => values.length)).toEqual(columns.map(() => count))
    for (let i = 0; i < count; i++) rows.push(columns.map((values): EngineValue => values[i]!))
  }
  snapshot.release()
  return { rows, sizes }
}

async function byRow(engine: Engine, scan: EngineScan): Promise<EngineRow[]> {
  const snapshot = engine.snapshot(), rows: EngineRow[] = []
  for await (const batch of engine.scan(snapshot, scan)) rows.push(...batch)
  snapshot.release()
  return rows
}

const columns = [4, 0, 2, 3, 5, 1]
const scans: readonly (readonly [string, Partial<EngineScan>])[] = [
  ['all, in order', { ordered: true }],
  ['all, backwards', { ordered: true, reverse: true }],
  ['a range in order', { ordered: true, lower: { values: [1_000], inclusive: true }, upper: { values: [7_000], inclusive: false } }],
  ['the first ones', { ordered: true, limit: 1_500 }],
  ['the first ones that nobody ordered', { ordered: 'few', limit: 37 }],
  ['filtered, in order', { ordered: true, predicate: [{ ordinal: 2, comparison: 'lt', value: 40 }] }],
  ['filtered, few', { ordered: 'few', predicate: [{ ordinal: 2, comparison: 'lt', value: 2 }] }],
]

test.each([1, 3])(`rows of %i shards come alike by column and by row, seed ${seed}`, async (shards) => {
  const { engine, table, rows } = await filled(shards)
  for (const [name, given] of scans) {
    const scan: EngineScan = { table, ordered: true, columns, predicate: [], ...given }
    const found = await byColumn(engine, scan)
    expect(found.rows, name).toEqual(await byRow(engine, scan))
    expect(Math.max(...found.sizes), name).toBeLessThanOrEqual(1_024)
  }
  const inOrder = rows.map((row) => columns.map((ordinal) => row[ordinal]!))
  expect((await byColumn(engine, { table, ordered: true, columns, predicate: [] })).rows).toEqual(inOrder)
  for (const ordered of [false, 'few'] as const) {
    const found = await byColumn(engine, { table, ordered, columns, predicate: [] })
    expect(found.rows.toSorted((a, b) => Number(a[1]) - Number(b[1]))).toEqual(inOrder)
    expect(Math.max(...found.sizes)).toBeLessThanOrEqual(1_024)
  }
})

test('columns that were given stay as they are while the scan goes on', async () => {
  const { engine, table, rows } = await filled(3), snapshot = engine.snapshot()
  const batches: (readonly (readonly EngineValue[])[])[] = []
  for await (const batch of engine.scanColumns(snapshot, { table, ordered: false, columns: [0, 3], predicate: [] })) batches.push(batch.columns)
  snapshot.release()
  const pairs = batches.flatMap(([keys, regions]) => keys!.map((key, i) => [key, regions![i]!]))
  expect(pairs.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(rows.map((row) => [row[0], row[3]]))
})
