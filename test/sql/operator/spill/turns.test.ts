/** Long work in memory gives others their turn: nothing is done to more than a few thousand rows in one go. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Engine } from '../../../../src/engine/engine.ts'
import { createSql } from '../../../../src/sql/sql.ts'
import { openModelEngine } from '../../../engine/model-engine.ts'
import { limitsOf, MiB, runQuery } from './spill-world.ts'

/** The rows of a cross join: 32,400 for so many in the table. */
const tableRows = 180
const rows = tableRows * tableRows
const pairs = '(SELECT a.id * 180 + b.id AS n, a.word || b.word AS w, (a.id * 7 + b.id * 13) % 5000 AS k FROM t a CROSS JOIN t b) p'

/** Each with the rows that go through its operators, at least. */
const queries: readonly (readonly [string, string, number])[] = [
  ['a cross join', `SELECT COUNT(*) FROM ${pairs}`, rows],
  ['ORDER BY', `SELECT n FROM ${pairs} ORDER BY w`, 3 * rows],
  ['ORDER BY … LIMIT', `SELECT n FROM ${pairs} ORDER BY w LIMIT 9000`, 2 * rows],
  ['GROUP BY', `SELECT n, COUNT(*), SUM(k) FROM ${pairs} GROUP BY n`, 3 * rows],
  ['COUNT DISTINCT', `SELECT COUNT(DISTINCT n) FROM ${pairs}`, 2 * rows],
  ['DISTINCT', `SELECT DISTINCT w FROM ${pairs}`, 2 * rows],
  ['EXCEPT', `SELECT n FROM ${pairs} EXCEPT SELECT n + 5 FROM ${pairs}`, 4 * rows],
  ['a join', `SELECT COUNT(*) FROM t JOIN ${pairs} ON t.id = p.k`, 2 * rows],
  ['IN', `SELECT COUNT(*) FROM t WHERE id IN (SELECT n FROM ${pairs})`, 2 * rows],
]

let engine: Engine
beforeAll(async () => {
  engine = openModelEngine()
  await createSql(engine).query(`CREATE TABLE t (id BIGINT PRIMARY KEY, word TEXT); INSERT INTO t VALUES ${Array.from({ length: tableRows }, (_, i) => `(${i}, 'word ${(i * 71) % tableRows}')`).join(', ')}`)
})
afterAll(() => engine.close())

describe.each([['in memory', 512 * MiB], ['spilling', MiB / 16]] as const)('%s', (_, memoryBytesMax) => {
  test.each(queries)('%s leaves the event loop a turn for each ten thousand rows', async (_name, sql, rowsMin) => {
    const turns = vi.spyOn(globalThis, 'setImmediate')
    const sorts = vi.spyOn(Array.prototype, 'sort')
    await runQuery(engine, sql, limitsOf(memoryBytesMax))
    const turnCount = turns.mock.calls.length
    const longestSort = Math.max(0, ...sorts.mock.contexts.map((array) => (array as unknown[]).length))
    vi.restoreAllMocks()
    expect(turnCount).toBeGreaterThanOrEqual(Math.floor((rowsMin / 10_000) * 0.9))
    expect(longestSort).toBeLessThanOrEqual(4_096)
  })

  test('no pause is long', async () => {
    let [last, longestMs, isOver] = [process.cpuUsage(), 0, false]
    const look = (): void => {
      // Processor time, since a busy machine takes turns from us too.
      const { user, system } = process.cpuUsage(last)
      longestMs = Math.max(longestMs, (user + system) / 1000)
      last = process.cpuUsage()
      if (!isOver) setImmediate(look)
    }
    setImmediate(look)
    for (const [, sql] of queries.slice(0, 4)) await runQuery(engine, sql, limitsOf(memoryBytesMax))
    isOver = true
    // Some 20 ms; the garbage collector has its own.
    expect(longestMs).toBeLessThan(1_000)
  })

  test.each(queries)('%s ends soon after it is cancelled', async (_name, sql) => {
    const limits = limitsOf(memoryBytesMax)
    for (const turnsBefore of [0, 2]) {
      const stop = new AbortController()
      const wait = (turns: number): void => { setImmediate(() => { if (turns === 0) stop.abort(); else wait(turns - 1) }) }
      wait(turnsBefore)
      await expect(runQuery(engine, sql, limits, { signal: stop.signal })).rejects.toMatchObject({ code: '57014' })
      expect(limits.pool.usedBytes).toBe(0)
    }
  })
})
