/** What does not fit into memory goes to storage: the same answers, and nothing left behind, however the query ends. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine, EngineRow } from '../../../../src/engine/engine.ts'
import { LsmtError } from '../../../../src/errors.ts'
import type { QueryLimits } from '../../../../src/sql/operator/query-run.ts'
import { createMemoryPool } from '../../../../src/sql/operator/spill/query-memory.ts'
import type { StorageOperation } from '../../../../src/storage/faulty-storage.ts'
import { filesLeft, limitsOf, MiB, openSpillWorld, runQuery, spillingQueries } from './spill-world.ts'
import type { SpillWorld } from './spill-world.ts'

const KiB = 1024
let world: SpillWorld
beforeAll(async () => { world = await openSpillWorld() })
afterAll(() => world.close())

const text = (row: EngineRow): string => JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))
const answer = (sql: string, rows: readonly EngineRow[]): readonly string[] => (sql.includes('ORDER BY') ? rows.map(text) : rows.map(text).toSorted())

/** What is held now of all that a query may hold. */
function heldNow(limits: QueryLimits): object {
  return { files: filesLeft(world.storage), memory: limits.pool.usedBytes, snapshots: world.snapshots }
}
const nothing = { files: 0, memory: 0, snapshots: 0 }

/** Of the heap, but for chunks that stay in the cache. What reads by key keep of a table's runs is there from the first of them on. */
function uncachedBytes(): number {
  const { kernelMemoryBytes, cacheBytes } = world.engine.stats()
  return kernelMemoryBytes.used - cacheBytes
}

describe.each(spillingQueries)('%s', (_, sql) => {
  test.each([1 * KiB, 4 * KiB])('gives the same rows with %i bytes of memory', async (memoryBytesMax) => {
    const whole = await runQuery(world.engine, sql, limitsOf(64 * MiB))
    const limits = limitsOf(memoryBytesMax)
    await runQuery(world.engine, sql, limits)
    const heapBytes = uncachedBytes()
    const spilled = await runQuery(world.engine, sql, limits)
    expect(answer(sql, spilled.rows)).toEqual(answer(sql, whole.rows))
    expect([whole.stats.spilledBytes, spilled.stats.spilledBytes]).toEqual([0, expect.toSatisfy((bytes: number) => bytes > 300)])
    expect(heldNow(limits)).toEqual(nothing)
    expect(uncachedBytes()).toBe(heapBytes)
  })

  test.each(['createTemporary', 'append', 'read', 'discard'] as const)('fails as a whole when a %s does', async (kind) => {
    const limits = limitsOf(4 * KiB)
    for (const at of [1, 7]) {
      let seen = 0
      world.onTemporary = (operation) => (operation.kind === kind && ++seen === at ? new LsmtError(kind === 'read' ? '58030' : '53100', 'no room') : undefined)
      const outcome = await runQuery(world.engine, sql, limits).then(() => 'well', (error: unknown) => (error as LsmtError).code)
      world.onTemporary = undefined
      expect(outcome).toBe(seen < at ? 'well' : kind === 'read' ? '58030' : '53100')
      // One that cannot be discarded is counted as tried.
      expect(heldNow(limits)).toEqual({ ...nothing, files: kind === 'createTemporary' && seen >= at ? 1 : 0 })
      forgetFiles()
    }
  })

  test('ends with 57014 wherever it is cancelled', async () => {
    const kinds: readonly StorageOperation['kind'][] = ['append', 'read']
    for (const kind of kinds) {
      for (const at of [1, 20]) {
        const stop = new AbortController()
        let seen = 0
        world.onTemporary = (operation) => {
          if (operation.kind === kind && ++seen === at) stop.abort()
          return undefined
        }
        const limits = limitsOf(4 * KiB)
        const outcome = await runQuery(world.engine, sql, limits, { signal: stop.signal }).then(() => 'well', (error: unknown) => (error as LsmtError).code)
        world.onTemporary = undefined
        if (at === 1 || outcome !== 'well') expect([kind, at, outcome]).toEqual([kind, at, '57014'])
        expect(heldNow(limits)).toEqual(nothing)
      }
    }
  })

  test('leaves nothing when its consumer stops', async () => {
    const limits = limitsOf(4 * KiB)
    await runQuery(world.engine, sql, limits, { batchesMax: 1 })
    expect(heldNow(limits)).toEqual(nothing)
  })
})

/** A file that was not made is no file: forgets the numbers of operations so far. */
function forgetFiles(): void {
  ;(world.storage.operations as StorageOperation[]).length = 0
}

test('rows that are equal to ORDER BY keep the order of their arrival', async () => {
  const sql = 'SELECT few, id FROM (SELECT few, id FROM t ORDER BY id DESC) s ORDER BY few'
  const { rows, stats } = await runQuery(world.engine, sql, limitsOf(4 * KiB))
  const { rows: whole } = await runQuery(world.engine, sql, limitsOf(64 * MiB))
  expect(rows).toEqual(whole)
  expect(rows.slice(0, 2)).toEqual([[0, 495], [0, 490]])
  expect(stats.spilledBytes).toBeGreaterThan(1_000)
})

test('runs are merged as often as their number asks for, and each pass writes all rows once', async () => {
  const bytesOf = async (memoryBytesMax: number): Promise<number> => (await runQuery(world.engine, 'SELECT id, word FROM t ORDER BY word', limitsOf(memoryBytesMax))).stats.spilledBytes
  const [once, twice] = [await bytesOf(32 * KiB), await bytesOf(512)]
  // Some 200 bytes a row: few runs of 32 KiB, hundreds of half a KiB; blocks of fewer rows have more headers.
  expect(twice / once).toBeGreaterThan(1.9)
  expect(twice / once).toBeLessThan(2.5)
})

test('ORDER BY … LIMIT of few rows holds only those', async () => {
  const { stats, rows } = await runQuery(world.engine, "SELECT id FROM t ORDER BY word || '', id LIMIT 10", limitsOf(64 * KiB))
  expect([rows.length, stats.spilledBytes]).toEqual([10, 0])
})

test('what is spilled is limited', async () => {
  const limits = { ...limitsOf(4 * KiB), spillBytesMax: 8 * KiB }
  await expect(runQuery(world.engine, 'SELECT id, word FROM t ORDER BY word', limits)).rejects.toMatchObject({ code: '53200', evidence: { hint: expect.stringContaining('querySpillBytesMax') } })
  expect(heldNow(limits)).toEqual(nothing)
})

test('queries together have a limit: those that find no memory spill, and without any left are 53200', async () => {
  const pool = createMemoryPool(64 * KiB)
  const limits: QueryLimits = { memoryBytesMax: 64 * MiB, spillBytesMax: 64 * MiB, pool }
  const { stats } = await runQuery(world.engine, 'SELECT id, word FROM t ORDER BY word', limits)
  expect(stats.spilledBytes).toBeGreaterThan(1_000)
  expect(pool.usedBytes).toBe(0)
  pool.usedBytes = pool.bytesMax
  await expect(runQuery(world.engine, 'SELECT id, word FROM t ORDER BY word', limits)).rejects.toMatchObject({ code: '53200', evidence: { hint: expect.stringContaining('queriesMemoryBytesMax') } })
})

test('groups that the engine has no memory for are made of rows, unless some were given out', async () => {
  const sql = 'SELECT word, COUNT(*), SUM(DISTINCT id) FROM t GROUP BY word'
  const { rows: whole } = await runQuery(world.engine, sql, limitsOf(64 * MiB))
  const failing = (batchesBefore: number): Engine => ({
    ...world.engine,
    async *groupedAggregate(...given) {
      let batches = 0
      for await (const batch of world.engine.groupedAggregate(...given)) {
        if (batches++ === batchesBefore) break
        yield batch
      }
      throw new LsmtError('53200', 'no room for groups')
    },
  })
  const limits = limitsOf(4 * KiB)
  expect(answer(sql, (await runQuery(failing(0), sql, limits)).rows)).toEqual(answer(sql, whole))
  await expect(runQuery(failing(1), sql, limits)).rejects.toMatchObject({ code: '53200' })
  expect(heldNow(limits)).toEqual(nothing)
})

test('a join whose right side nearly fits writes hardly any left rows', async () => {
  const spilledBy = async (rightRows: number): Promise<number> => (await runQuery(world.engine, `SELECT a.id, b.id FROM t a JOIN (SELECT id, word FROM t WHERE id < ${rightRows}) b ON a.id = b.id`, limitsOf(16 * KiB))).stats.spilledBytes
  let rightRows = 0
  while (await spilledBy(rightRows) === 0) rightRows += 10
  const [few, many] = [await spilledBy(rightRows), await spilledBy(500)]
  expect(few * 5).toBeLessThan(many)
})
