/** What aggregation by group owes the rest of the process: memory within its share, and turns for others. */
import { expect, test } from 'vitest'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { groupAll, newTable } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

const MiB = 1024 * 1024

test('groups beyond their share of the memory are 53200, and all of it is given back', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 2, kernelMemoryBytes: 16 * MiB })
  const table = await engine.createTable(newTable('t', { id: 'bigint', note: 'text' }, ['id']))
  for (let from = 0; from < 30_000; from += 1000) await engine.insert(table, Array.from({ length: 1000 }, (_, i) => [from + i, `note ${(from + i) % 100}`]), 'insert')
  await engine.compact()
  const before = engine.stats().kernelMemoryBytes.used - engine.stats().cacheBytes
  for (const [groupBy, aggregates] of [[[0], [{ function: 'min', ordinal: 1 }]], [[0], [{ function: 'count', ordinal: 0, distinct: true }]]] as const) {
    await expect(groupAll(engine, table, groupBy, [{ function: 'count' }, { function: 'sum', ordinal: 0 }, ...aggregates])).rejects.toMatchObject({ code: '53200', message: expect.stringContaining('aggregation by group') as string })
    expect(engine.stats().kernelMemoryBytes.used - engine.stats().cacheBytes).toBeLessThan(before + MiB)
  }
  expect(await groupAll(engine, table, [1], [{ function: 'count' }])).toHaveLength(100)
  await engine.close()
})

test('timers fire while a long aggregation over cached rows runs, and a signal ends it', async () => {
  const engine = await openTestEngine(createMemoryStorage(), { shards: 2, kernels: 'js' })
  const table = await engine.createTable(newTable('t', { id: 'bigint', note: 'text', d: 'double' }, ['id']))
  for (let from = 0; from < 16_000; from += 2000) await engine.insert(table, Array.from({ length: 2000 }, (_, i) => [from + i, `note ${(from + i) * 31}`, i / 4]), 'insert')
  await engine.compact()
  const run = (signal?: AbortSignal): Promise<unknown> => groupAll(engine, table, [1], [{ function: 'sum', ordinal: 2 }, { function: 'max', ordinal: 1 }], signal && { signal })
  await run()
  let turns = 0
  const ticker = setInterval(() => turns++, 1)
  await run()
  expect(turns).toBeGreaterThan(0)
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 1)
  await expect(run(controller.signal)).rejects.toMatchObject({ code: '57014' })
  clearInterval(ticker)
  await engine.close()
})
