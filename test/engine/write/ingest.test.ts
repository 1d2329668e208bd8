/**
 * Ingests against the same rows written as any others: the same table, before and after an opening; nothing of one that did
 * not come to its end; and files that stay, whatever is flushed beside them.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { Engine, EngineColumn, EngineColumns, EngineRow, EngineValue } from '../../../src/engine/engine.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import type { StagedIngest } from '../../../src/engine/write/ingest/staged-ingest.ts'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import type { FaultOptions, FaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { fullTests, kinds } from '../../kernel/both-kinds.ts'
import { aggregateAll, newTable, scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'
import type { TestSettings } from '../open-test-engine.ts'

const settings: TestSettings = { shards: 3, kernelMemoryBytes: 256 * 1024 * 1024 }
const columns = { a: 'bigint', b: 'double', c: 'text', d: 'bytea', e: 'integer' } as const
const keys: readonly (readonly (keyof typeof columns)[])[] = [['a'], ['c'], ['b', 'c'], ['c', 'a'], ['d'], []]

const engines: Engine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.close()
})

async function open(storage: Storage, more: TestSettings = {}): Promise<Engine> {
  const engine = await openTestEngine(storage, { ...settings, ...more })
  engines.push(engine)
  return engine
}

async function close(engine: Engine): Promise<void> {
  engines.splice(engines.indexOf(engine), 1)
  await engine.close()
}

function ingest(engine: Engine, staged: TableSchema): StagedIngest<EngineColumns> {
  const begun = engine.ingestStaged?.(staged)
  expect(begun).toBeDefined()
  return begun!
}

function randomValue(random: Random, name: string, isKey: boolean): EngineValue {
  if (!isKey && random.below(6) === 0) return null
  const text = ['', 'a', 'ä'.repeat(random.below(40)), `${random.below(1000)}`][random.below(4)]!
  switch (name) {
    case 'a': return random.below(4) === 0 ? BigInt(random.nextU32()) * 2n ** 31n : random.below(2000) - 1000
    case 'b': return [0, -0, -1.5, 1e300, random.below(100)][random.below(5)]!
    case 'c': return text
    case 'd': return new Uint8Array(Buffer.from(`\0${text}\0`))
    default: return random.below(10) - 5
  }
}

/** As a collector packs them. */
function packed(rows: readonly EngineRow[]): EngineColumns {
  const column = (index: number): EngineColumn => {
    const values = rows.map((row) => row[index]!)
    const nulls = values.some((value) => value === null) ? { nulls: Uint8Array.from(values, (value) => Number(value === null)) } : {}
    const kind = Object.values(columns)[index]!
    if (kind === 'bigint' || kind === 'integer') return { values: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as number)), ...nulls }
    if (kind === 'double') return { values: Float64Array.from(values, (value) => (value ?? 0) as number), ...nulls }
    const bytes = values.map((value) => Buffer.from((value ?? '') as string))
    let end = 0
    return { values: { isText: kind === 'text', bytes: new Uint8Array(Buffer.concat(bytes)), start: 0, ends: Uint32Array.from(bytes, ({ length }) => (end += length)), length: rows.length }, ...nulls }
  }
  return { rowCount: rows.length, columns: Object.keys(columns).map((_, index) => column(index)) }
}

/** Rows of different keys in the order of these, which a table by the same key gives. */
async function ascendingRows(engine: Engine, key: (typeof keys)[number], random: Random, rowCount: number): Promise<readonly EngineRow[]> {
  const rows = Array.from({ length: rowCount }, () => Object.keys(columns).map((name) => randomValue(random, name, key.includes(name as never))))
  if (key.length === 0) return rows
  const sorting = await engine.createTable(newTable(`sorting ${random.nextU32()}`, columns, key))
  await engine.insert(sorting, rows, 'upsert')
  const sorted = await scanAll(engine, sorting)
  await engine.dropTable(sorting.name)
  // What a key has no sign of may come in with one.
  return sorted.map((row) => row.map((value, index) => (value === 0 && Object.values(columns)[index] === 'double' && random.below(2) === 0 ? -0 : value)))
}

async function addAll(into: StagedIngest<EngineColumns>, rows: readonly EngineRow[], random: Random): Promise<void> {
  for (let from = 0; from < rows.length; ) {
    const count = 1 + random.below(rows.length)
    expect(await into.add(packed(rows.slice(from, from + count)))).toBe(true)
    from += count
  }
}

describe.each(kinds)('ingests, %s kernels', (kernels) => {
  it.each(Array.from({ length: fullTests ? 40 : 4 }, (_, i) => i + 1))('bring the same rows as writes do: seed %i', async (seed) => {
    const random = seededRandom(seed), storage = createMemoryStorage()
    let engine = await open(storage, { kernels })
    for (const [index, key] of keys.entries()) {
      const rows = await ascendingRows(engine, key, random, 1 + random.below(1500))
      const [written, table] = [await engine.createTable(newTable(`written${index}`, columns, key)), await engine.createTable(newTable(`ingested${index}`, columns, key))]
      await engine.insert(written, rows, 'insert')
      const staged = await engine.stageTable(table)
      const into = ingest(engine, staged)
      await addAll(into, rows, random)
      await into.finish()
      expect(await engine.publishStaged(staged, table, 'insert')).toMatchObject({ name: table.name })
    }
    const check = async (): Promise<void> => {
      for (const [index, key] of keys.entries()) {
        const written = engine.table(`written${index}`)!, ingested = engine.table(`ingested${index}`)!
        const rows = await scanAll(engine, written)
        expect(await scanAll(engine, ingested)).toEqual(rows)
        const ordinal = key.length === 0 ? 1 : 0
        const totals = [{ function: 'count', ordinal: undefined }, { function: 'min', ordinal }, { function: 'sum', ordinal }, { function: 'max', ordinal: ordinal + 2 }] as never
        expect(await aggregateAll(engine, ingested, totals)).toEqual(await aggregateAll(engine, written, totals))
        const wanted = rows.slice(0, 50).map((row) => ingested.primaryKey.map((at) => row[at]!))
        expect(await engine.getMany(undefined, ingested, wanted, ingested.columns.map((_, at) => at))).toEqual(rows.slice(0, 50))
      }
    }
    await check()
    await close(engine)
    engine = await open(storage, { kernels })
    await check()
    await engine.compact()
    await check()
  })

  it('take no rows out of order, of long rows or of other forms, and what follows is written as ever', async () => {
    const engine = await open(createMemoryStorage(), { kernels })
    const table = await engine.createTable(newTable('t', columns, ['a']))
    const staged = await engine.stageTable(table)
    const into = ingest(engine, staged)
    const rows = (from: number, to: number, text = ''): readonly EngineRow[] => Array.from({ length: to - from }, (_, i) => [from + i, i / 4, `${text}${from + i}`, null, i])
    expect(await into.add(packed(rows(100, 200)))).toBe(true)
    expect(await into.add(packed(rows(100, 200)))).toBe(false)
    expect(await into.add(packed(rows(150, 300)))).toBe(false)
    expect(await into.add(packed([...rows(300, 310), ...rows(200, 210)]))).toBe(false)
    expect(await into.add(packed(rows(400, 403, 'x'.repeat(70_000))))).toBe(false)
    expect(await into.add({ rowCount: 1, columns: [{ values: [500] }, { values: [1] }, { values: ['a'] }, { values: [null] }, { values: [1] }] })).toBe(false)
    expect(await into.add(packed([[500, 1, 'a', null, 2 ** 40]]))).toBe(false)
    expect(await into.add(packed(rows(200, 250)))).toBe(true)
    await into.finish()
    expect(await into.add(packed(rows(600, 610)))).toBe(false)
    await engine.insertColumns(staged, packed(rows(0, 100)), 'insert')
    await expect(engine.insertColumns(staged, packed(rows(120, 121)), 'insert')).rejects.toMatchObject({ code: '23505' })
    await engine.insertColumns(staged, packed([[120, 1, 'newer', null, 1]]), 'upsert')
    const published = await engine.publishStaged(staged, table, 'insert')
    expect((await scanAll(engine, published)).map(([a, , c]) => [a, c])).toEqual(Array.from({ length: 250 }, (_, a) => [a, a === 120 ? 'newer' : `${a}`]))
  })

  it('are one at a time, of which nothing is left when it is given up', async () => {
    const storage = createMemoryStorage()
    const engine = await open(storage, { kernels })
    const table = await engine.createTable(newTable('t', columns, ['a']))
    const [first, second] = [await engine.stageTable(table), await engine.stageTable(table)]
    const into = ingest(engine, first)
    expect(await into.add(packed([[1, 1, 'a', null, 1]]))).toBe(true)
    expect(engine.ingestStaged?.(second)).toBeUndefined()
    await into.abandon()
    await into.finish()
    await engine.dropStaged(first)
    expect(await storage.list('sst/')).toEqual([])
    const next = ingest(engine, second)
    expect(await next.add(packed([[2, 1, 'a', null, 1]]))).toBe(true)
    await next.finish()
    expect((await scanAll(engine, await engine.publishStaged(second, table, 'insert'))).map(([a]) => a)).toEqual([2])
  })
})

it.each(['done', 'failed'] as const)('an ingest takes the next rows while those before are written, and no more: these are %s', async (ending) => {
  const memory = createMemoryStorage()
  let end!: () => void, isHeld = true
  const held = new Promise<void>((resolve, reject) => (end = () => (ending === 'done' ? resolve() : reject(new LsmtError('58030', 'the disk is gone')))))
  const create: Storage['create'] = async (name) => {
    if (isHeld && name.startsWith('sst/')) await held
    return await memory.create(name)
  }
  const engine = await open(new Proxy(memory, { get: (target, name) => (name === 'create' ? create : Reflect.get(target, name, target)) }), { workers: 0 })
  const table = await engine.createTable(newTable('t', columns, ['a']))
  const staged = await engine.stageTable(table)
  const into = ingest(engine, staged)
  const rows = (from: number): EngineColumns => packed(Array.from({ length: 100 }, (_, i) => [from + i, 1, 'a', null, 1]))
  expect(await into.add(rows(0))).toBe(true)
  let isTaken = false
  const second = into.add(rows(100)).finally(() => (isTaken = true))
  const outcome = second.catch((error: unknown) => error)
  await engine.insert(await engine.createTable(newTable('other', columns, ['a'])), [[1, 1, 'a', null, 1]], 'insert')
  expect(isTaken).toBe(false)
  isHeld = false
  end()
  if (ending === 'failed') {
    expect(await outcome).toMatchObject({ code: '58030' })
    await into.abandon()
    await engine.dropStaged(staged)
    expect(await memory.list('sst/')).toEqual([])
  } else {
    expect(await outcome).toBe(true)
    expect(await into.add(rows(50))).toBe(false)
    await into.finish()
    expect(await scanAll(engine, await engine.publishStaged(staged, table, 'insert'))).toHaveLength(200)
  }
})

describe('an ingest whose storage fails', () => {
  const rows: readonly EngineRow[] = Array.from({ length: 4000 }, (_, i) => [i, i / 4, `text ${(i * 7919) % 4001}`, null, i % 10])

  async function importAll(engine: Engine): Promise<void> {
    const table = engine.table('t')!
    const staged = await engine.stageTable(table)
    const into = ingest(engine, staged)
    try {
      for (let from = 0; from < rows.length; from += 1000) expect(await into.add(packed(rows.slice(from, from + 1000)))).toBe(true)
      await into.finish()
      await engine.publishStaged(staged, table, 'insert')
    } catch (error) {
      await into.abandon()
      throw error
    }
  }

  async function withTable(options: FaultOptions): Promise<{ readonly storage: FaultyStorage; readonly engine: Engine; readonly began: number }> {
    const storage = createFaultyStorage(options)
    const engine = await open(storage)
    await engine.createTable(newTable('t', columns, ['a']))
    return { storage, engine, began: storage.operations.length }
  }

  const operationsOfOne = async (): Promise<{ readonly began: number; readonly ended: number }> => {
    const { storage, engine, began } = await withTable({ seed: 1 })
    await importAll(engine)
    return { began, ended: storage.operations.length }
  }

  it('leaves all rows or none when the power goes, at whatever operation', async () => {
    const { began, ended } = await operationsOfOne()
    expect(ended - began).toBeGreaterThan(20)
    const outcomes = new Set<number>()
    // In the last one the import has ended.
    for (const operation of [...Array.from({ length: ended - began }, (_, i) => began + 1 + i).filter((each) => fullTests || each % 3 === 0), ended + 1]) {
      const { storage, engine } = await withTable({ seed: operation, crashAtOperation: operation })
      await importAll(engine).catch(() => undefined)
      engines.splice(engines.indexOf(engine), 1)
      await engine.close().catch(() => undefined)
      const after = storage.crash({ seed: operation })
      const again = await open(after)
      const count = (await scanAll(again, again.table('t')!)).length
      expect([0, rows.length]).toContain(count)
      outcomes.add(count)
      if (count === 0) {
        await importAll(again)
        expect(await scanAll(again, again.table('t')!)).toEqual(rows)
      }
      await again.flush()
      await close(again)
      // What came to nothing was deleted with the table that nobody knows, or by the opening.
      const last = await open(after)
      expect(await scanAll(last, last.table('t')!)).toEqual(rows)
      await close(last)
    }
    expect(outcomes).toEqual(new Set([0, rows.length]))
  })

  it('fails with what storage says, and the next one is whole', async () => {
    let failing: string | undefined
    const { storage, engine } = await withTable({ seed: 3, fail: ({ kind, name }) => (kind === failing && name.startsWith('sst/') ? new LsmtError('53100', `no room for ${name}`) : undefined) })
    for (const kind of ['append', 'publish']) {
      failing = kind
      await expect(importAll(engine)).rejects.toMatchObject({ code: '53100' })
      failing = undefined
      expect(await scanAll(engine, engine.table('t')!)).toEqual([])
      expect((await storage.list('sst/')).length).toBe(0)
    }
    await engine.insert(engine.table('t')!, [[-1, null, 'written', null, 0]], 'insert')
    await importAll(engine)
    expect(await scanAll(engine, engine.table('t')!)).toEqual([[-1, null, 'written', null, 0], ...rows])
  })
})
