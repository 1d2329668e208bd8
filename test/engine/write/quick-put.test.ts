import { createHook } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import { openKeyedTable } from '../../../src/engine/keyed/kv-table.ts'
import type { TableSchema } from '../../../src/engine/schema.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { newTable, scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const kv = newTable('t', { k: 'bigint', v: 'text' }, ['k'], 'upsert')
const events = newTable('events', { text: 'text' }, [])
const put = (engine: Engine, table: TableSchema, k: number, v = `value ${k}`): Promise<number> => engine.insert(table, [[k, v]], 'upsert')
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

describe('single rows', () => {
  test('that wait for a flush are written after it, each once', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 2, tree: { memtableBytesMax: 16 * 1024, frozenMemtablesMax: 1 } })
    const table = await engine.createTable(kv)
    const values = range(4_000).map((k) => `${k} `.padEnd(1_000, 'x'))
    const writer = async (first: number): Promise<void> => {
      for (let k = first; k < values.length; k += 64) expect(await put(engine, table, k, values[k])).toBe(1)
    }
    await Promise.all(range(64).map(writer))
    expect(Math.max(...engine.stats().shards.map(({ stalledMs }) => stalledMs.stop))).toBeGreaterThan(0)
    expect(engine.stats().admission.waiting).toBe(0)
    expect((await scanAll(engine, table)).map(([, value]) => value)).toEqual(values)
    await engine.close()
  })

  test('of a table that is dropped meanwhile are refused, and those of others that share their batches stand', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 1 })
    const [table, other] = [await engine.createTable(kv), await engine.createTable({ ...kv, name: 'other' })]
    await put(engine, table, 1)
    const beside: Promise<number>[] = []
    const writing = (async () => {
      for (let k = 2; ; k++) {
        beside.push(put(engine, other, k))
        await put(engine, table, k)
      }
    })()
    await Promise.all([engine.dropTable('t'), expect(writing).rejects.toMatchObject({ code: '42P01' })])
    expect(new Set(await Promise.all(beside))).toEqual(new Set([1]))
    expect(await scanAll(engine, other)).toEqual(beside.map((_, i) => [i + 2, `value ${i + 2}`]))
    await engine.close()
  })

  test('of a table that somebody has for himself wait until he is through', async () => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 2 })
    const table = await engine.createTable(kv)
    const transaction = await engine.begin(() => [table])
    await transaction.insert(table, [[1, 'of the transaction']], 'upsert')
    const waiting = range(20).map((k) => put(engine, table, k))
    let isWritten = false
    void Promise.race(waiting).then(() => (isWritten = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isWritten).toBe(false)
    await transaction.commit()
    await Promise.all(waiting)
    expect(await scanAll(engine, table)).toEqual(range(20).map((k) => [k, `value ${k}`]))
    // Nobody is counted twice, or forgotten: whoever takes the table alone still gets it.
    const next = await engine.begin(() => [table])
    next.rollback()
    await engine.close()
  })

  test('of a table without a primary key have ids of their own, also where they meet others, some are refused, or nobody knows the next id yet', async () => {
    const storage = createMemoryStorage()
    let engine = await openTestEngine(storage, { shards: 4 })
    await engine.createTable(events)
    const written: string[] = []
    const lines = async (): Promise<unknown[]> => (await scanAll(engine, engine.table('events')!)).map((row) => row.at(-1))
    for (let opening = 0; opening < 2; opening++) {
      const table = engine.table('events')!
      await Promise.all(range(50).flatMap((i) => {
        const text = `${opening} ${i}`
        written.push(text, `${text} beside`, `${text} behind`)
        const pair = [[`${text} beside`], [`${text} behind`]]
        return [engine.insert(table, [[text]], 'insert'), expect(engine.insert(table, [[i]], 'insert')).rejects.toMatchObject({ code: '42804' }), engine.insert(table, pair, 'upsert')]
      }))
      await engine.close()
      engine = await openTestEngine(storage, { shards: 4 })
    }
    const found = await lines()
    expect([found.length, new Set(found)]).toEqual([written.length, new Set(written)])
    // One after the other, in the order of their ids.
    for (const line of written.filter((each) => each.endsWith('beside'))) expect(found[found.indexOf(line) + 1]).toBe(line.replace('beside', 'behind'))
    for (const line of ['the last but one', 'the last']) await engine.insert(engine.table('events')!, [[line]], 'insert')
    expect((await lines()).slice(-2)).toEqual(['the last but one', 'the last'])
    await engine.close()
  })

  test.each(['with a primary key', 'without one'])('%s cost few promises each, since what a batch needs is needed once', async (kind) => {
    const engine = await openTestEngine(createMemoryStorage(), { shards: 8 })
    const table = openKeyedTable(engine, 'kv')
    const noted = await engine.createTable(events)
    const write = kind === 'without one' ? (text: string) => engine.insert(noted, [[text]], 'insert') : (key: string) => table.put({ key, value: 'value' })
    const rounds = 20, writers = 64
    const round = (): Promise<unknown> => Promise.all(range(writers).map((i) => write(`key ${i}`)))
    for (let i = 0; i < rounds; i++) await round()
    let promises = 0
    const hook = createHook({ init: (_, type) => void (type === 'PROMISE' && promises++) }).enable()
    for (let i = 0; i < rounds; i++) await round()
    hook.disable()
    expect(promises / rounds / writers).toBeLessThan(6)
    await engine.close()
  })
})
