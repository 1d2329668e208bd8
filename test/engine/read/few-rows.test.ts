/** Scans that nobody ordered: few rows come in key order, many as they are found, and all of them once. */
import { afterEach, expect, test } from 'vitest'
import type { Engine, EngineRow, EngineScan } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { newTable } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const rowCount = 12_000
const idOf = (number: number): bigint | number => (number % 3 === 0 ? 2n ** 60n + BigInt(number) : number - 5_000)
const shapes = [
  ['integers, some beyond 2^53', ['t', { k: 'bigint', v: 'text', n: 'bigint' }, ['k'], 'upsert'], (number: number) => [idOf(number), `v${number % 7}`, number]],
  ['texts that begin alike', ['t', { k: 'text', v: 'text', n: 'bigint' }, ['k'], 'upsert'], (number: number) => [`a long beginning ${number}`, `v${number % 7}`, number]],
  ['two columns', ['t', { k: 'text', v: 'text', n: 'bigint' }, ['v', 'n'], 'upsert'], (number: number) => ['k', `v${number % 7}`, number]],
] as const

async function filled(define: Parameters<typeof newTable>, rowOf: (number: number) => readonly (string | number | bigint)[]): Promise<{ engine: Engine; table: TableSchema }> {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 3 })
  closing.push(() => engine.close())
  await engine.createTable(newTable(...define))
  const table = engine.table('t')!
  const insert = async (numbers: readonly number[]): Promise<void> => {
    await engine.insert(table, numbers.map(rowOf), 'upsert')
  }
  const all = Array.from({ length: rowCount }, (_, i) => (i * 7_919) % rowCount)
  for (let from = 0; from < rowCount; from += 3_000) await insert(all.slice(from, from + 3_000))
  await engine.compact()
  await insert(all.filter((number) => number % 11 === 0))
  await engine.flush()
  await insert(all.filter((number) => number % 13 === 0))
  return { engine, table }
}

async function scanned(engine: Engine, scan: EngineScan): Promise<EngineRow[]> {
  const snapshot = engine.snapshot(), rows: EngineRow[] = []
  for await (const page of engine.scan(snapshot, scan)) rows.push(...page)
  snapshot.release()
  return rows
}

test.each(shapes)('%s', async (_, define, rowOf) => {
  const { engine, table } = await filled(define as unknown as Parameters<typeof newTable>, rowOf)
  const scan = (ordered: EngineScan['ordered'], below: number, limit?: number): Promise<EngineRow[]> =>
    scanned(engine, { table, ordered, columns: [2, 0, 1], predicate: [{ ordinal: 2, comparison: 'lt', value: below }], ...(limit !== undefined && { limit }) })
  expect(await scan('few', 3_000)).toEqual(await scan(true, 3_000))
  expect(await scan('few', rowCount, 50)).toEqual(await scan(true, rowCount, 50))
  const all = await scan('few', rowCount)
  const numbers = all.map(([number]) => number as number)
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (__, i) => i))
  expect(all.every(([number, key, text]) => key === rowOf(number as number)[0] && text === rowOf(number as number)[1])).toBe(true)
  expect(all).not.toEqual(await scan(true, rowCount))
})

test('rows under hidden keys come as they were inserted, however many', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 3 })
  closing.push(() => engine.close())
  await engine.createTable(newTable('t', { n: 'bigint' }, []))
  const table = engine.table('t')!, numbers = Array.from({ length: 9_000 }, (_, i) => [(i * 7_919) % 9_000])
  for (let from = 0; from < numbers.length; from += 3_000) await engine.insert(table, numbers.slice(from, from + 3_000), 'insert')
  expect(await scanned(engine, { table, ordered: 'few', columns: [table.columns.findIndex(({ name }) => name === 'n')], predicate: [] })).toEqual(numbers)
})

test('batches of long texts are of few rows, whether they are put into order or not', async () => {
  const { engine, table } = await filled(shapes[0][1] as unknown as Parameters<typeof newTable>, (number) => [number, 'x'.repeat(2_000), number])
  const snapshot = engine.snapshot(), sizes: number[] = []
  for (const below of [300, rowCount]) {
    let rows = 0
    for await (const page of engine.scan(snapshot, { table, ordered: 'few', columns: [0, 1], predicate: [{ ordinal: 2, comparison: 'lt', value: below }] })) {
      rows += page.length
      sizes.push(page.length)
    }
    expect(rows).toBe(below)
  }
  snapshot.release()
  // 64 KiB are 32 of them, and a page of these files has a few more.
  expect(Math.max(...sizes)).toBeLessThan(64)
})
