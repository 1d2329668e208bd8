/** Walks give what scans give, whatever runs rows are in; see src/lsm/read/walk/walk.ts. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Engine, EngineRow, EngineScan, EngineSnapshot, EngineValue } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { newTable } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function openEngine(settings: TestSettings, clock?: Clock): Promise<Engine> {
  const engine = await openTestEngine(createMemoryStorage(), settings, undefined, clock)
  closing.push(() => engine.close())
  return engine
}

async function walked(engine: Engine, snapshot: EngineSnapshot, scan: EngineScan, rowsMax: () => number): Promise<EngineRow[]> {
  const walk = engine.walk(snapshot, scan)
  expect(walk).toBeDefined()
  const rows: EngineRow[] = []
  const limit = scan.limit ?? Number.POSITIVE_INFINITY
  while (rows.length < limit) {
    const wanted = Math.min(rowsMax(), limit - rows.length)
    const read = await walk!.next(wanted)
    if (read === undefined) break
    expect(read.rowCount).toBeGreaterThan(0)
    expect(read.rowCount).toBeLessThanOrEqual(wanted)
    for (let i = 0; i < read.rowCount; i++) rows.push(read.columns.map((column) => column[i]!))
  }
  walk!.close()
  return rows
}

async function scanned(engine: Engine, snapshot: EngineSnapshot, scan: EngineScan): Promise<EngineRow[]> {
  const rows: EngineRow[] = []
  for await (const page of engine.scan(snapshot, scan)) rows.push(...page)
  return rows
}

interface Shape {
  readonly name: string
  readonly table: Parameters<typeof newTable>
  key(number: number): readonly EngineValue[]
}

const shapes: readonly Shape[] = [
  { name: 'texts', table: ['t', { k: 'text', v: 'text', n: 'bigint', d: 'double' }, ['k'], 'upsert'], key: (number) => [`key ${String(number).padStart(5, '0')} é`] },
  { name: 'integers', table: ['t', { k: 'bigint', v: 'text', n: 'bigint', d: 'double' }, ['k'], 'upsert'], key: (number) => [number - 500] },
  { name: 'two columns', table: ['t', { k: 'text', v: 'text', n: 'bigint', d: 'double' }, ['k', 'n'], 'upsert'], key: (number) => [`k${number % 50}`, number] },
]

const keysMax = 1_200

function rowOf(shape: Shape, number: number, random: Random): EngineRow {
  const [k, n] = shape.key(number)
  const text = random.below(5) === 0 ? null : `${'long '.repeat(random.below(20))}${random.nextU32()} ü`
  return [k!, text, n ?? (random.below(4) === 0 ? null : 2n ** 60n + BigInt(random.below(1000))), random.below(6) === 0 ? null : random.nextU32() / 8]
}

async function change(engine: Engine, table: TableSchema, shape: Shape, random: Random): Promise<void> {
  const step = random.below(12), from = random.below(keysMax)
  if (step < 6) await engine.insert(table, Array.from({ length: 1 + random.below(150) }, () => rowOf(shape, random.below(keysMax), random)), 'upsert')
  else if (step < 8) await engine.write(table, Array.from({ length: 1 + random.below(60) }, () => ({ delete: shape.key(random.below(keysMax)) })))
  else if (step === 8) await engine.deleteRange(table, { values: shape.key(from), inclusive: true }, { values: shape.key(Math.min(keysMax, from + random.below(100))), inclusive: false })
  else if (step < 11) await engine.flush()
  else await engine.compact()
}

function randomScan(table: TableSchema, shape: Shape, random: Random): EngineScan {
  const bound = (): { readonly values: readonly EngineValue[]; readonly inclusive: boolean } => ({ values: shape.key(random.below(keysMax)), inclusive: random.below(2) === 0 })
  const columns = [[0, 1, 2, 3], [1], [0], [3, 2], []][random.below(5)]!
  return {
    table, ordered: true, predicate: [], columns, reverse: random.below(2) === 0,
    ...(random.below(3) > 0 && { lower: bound() }), ...(random.below(3) === 0 && { upper: bound() }), ...(random.below(2) === 0 && { limit: 1 + random.below(200) }),
  }
}

describe.each(['wasm', 'js'] as const)('walks over what was written, deleted, flushed and compacted (%s)', (kernels) => {
  test.each(shapes.flatMap((shape) => [1, 3].map((shards) => ({ ...shape, shape, shards }))))('by $name, $shards shards', async ({ shape, shards }) => {
    const engine = await openEngine({ kernels, shards })
    const table = await engine.createTable(newTable(...shape.table))
    const random = seededRandom(shards * 31 + shape.name.length)
    let before: { readonly snapshot: EngineSnapshot; readonly rows: readonly EngineRow[] } | undefined
    const all: EngineScan = { table, ordered: true, predicate: [], columns: [0, 1, 2, 3] }
    for (let step = 0; step < 30; step++) {
      await change(engine, table, shape, random)
      const snapshot = engine.snapshot()
      for (let i = 0; i < 4; i++) {
        const scan = randomScan(table, shape, random)
        expect(await walked(engine, snapshot, scan, () => 1 + random.below(300))).toEqual(await scanned(engine, snapshot, scan))
      }
      // A snapshot goes on seeing its own state while others write, flush and compact.
      if (before !== undefined) expect(await walked(engine, before.snapshot, all, () => 64)).toEqual(before.rows)
      if (step % 9 === 0) {
        before?.snapshot.release()
        before = { snapshot, rows: await scanned(engine, snapshot, all) }
      } else snapshot.release()
    }
    before?.snapshot.release()
  })
})

test('rows that are written while a walk is under way are not in it', async () => {
  const engine = await openEngine({ shards: 2 })
  const table = await engine.createTable(newTable('t', { k: 'bigint', v: 'text' }, ['k'], 'upsert'))
  await engine.insert(table, Array.from({ length: 500 }, (_, i) => [2 * i, 'old']), 'upsert')
  const snapshot = engine.snapshot()
  const walk = engine.walk(snapshot, { table, ordered: true, predicate: [], columns: [0, 1] })!
  const rows: EngineValue[] = []
  for (let read = await walk.next(50); read !== undefined; read = await walk.next(50)) {
    rows.push(...read.columns[0]!)
    expect(new Set(read.columns[1])).toEqual(new Set(['old']))
    await engine.insert(table, Array.from({ length: 100 }, (_, i) => [rows.length + i, 'new']), 'upsert')
    await engine.flush()
  }
  expect(rows).toEqual(Array.from({ length: 500 }, (_, i) => 2 * i))
  walk.close()
  snapshot.release()
})

test('what is in memory is given in the step that asks for it; a filter is left to scans', async () => {
  // One that goes on might say that it is others' turn.
  const engine = await openEngine({ shards: 4 }, { ...systemClock, monotonicMs: () => 0 })
  const table = await engine.createTable(newTable('t', { k: 'text', v: 'text' }, ['k'], 'upsert'))
  await engine.insert(table, Array.from({ length: 300 }, (_, i) => [`k${i}`, 'v']), 'upsert')
  const snapshot = engine.snapshot(), scan: EngineScan = { table, ordered: true, predicate: [], columns: [0] }
  const walk = engine.walk(snapshot, { ...scan, limit: 10 })!
  expect(walk.next(10)).toMatchObject({ rowCount: 10 })
  walk.close()
  expect(engine.walk(snapshot, { ...scan, predicate: [{ ordinal: 1, comparison: 'eq', value: 'v' }] })).toBeUndefined()
  expect(engine.walk(snapshot, { ...scan, ordered: false })).toBeUndefined()
  snapshot.release()
})
