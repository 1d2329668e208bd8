/** Which side of a join is held: told by what has to be spilled when memory has no room for the larger one. */
import { expect, test } from 'vitest'
import type { EngineRow, EngineValue } from '../../../src/engine/engine.ts'
import type { Bound } from '../../../src/sql/expression/bound.ts'
import { join } from '../../../src/sql/operator/join.ts'
import { newQueryRun, queryRows } from '../../../src/sql/operator/query-run.ts'
import type { QueryRun, Stream } from '../../../src/sql/operator/query-run.ts'
import { createMemoryPool } from '../../../src/sql/operator/spill/query-memory.ts'
import { newQueryStats } from '../../../src/sql/result.ts'
import { openModelEngine } from '../../engine/model-engine.ts'

const MiB = 1024 * 1024
const manyRows = 40_000

const rowsOf = (count: number, row: (i: number) => EngineRow): Stream => async function* () {
  for (let from = 0; from < count; from += 1_000) yield Array.from({ length: Math.min(1_000, count - from) }, (_, i) => row(from + i))
}
const few = rowsOf(50, (i) => [i * 3, `few ${i}`])
const many = rowsOf(manyRows, (i) => [`many ${i}`, i % 20_000])

const column = (index: number): Bound => ({ kind: 'column', place: { index }, name: 'c', type: { kind: 'bigint' }, at: 0 })
const side = { kind: 'values', rows: [] } as const
const noSubqueries = (): never => { throw new Error('no subquery is asked') }
/** The key of `few` is its first column, that of `many` its second. */
const joinOf = (kind: 'inner' | 'left', left: number, right: number, residual?: Bound): Parameters<typeof join>[0] => ({ kind: 'join', join: kind, left: side, right: side, leftWidth: 2, rightWidth: 2, keys: [{ left: column(left), right: column(right) }], residual, asks: undefined })

async function joined(make: (run: QueryRun) => Stream): Promise<{ rows: EngineRow[]; spilledBytes: number }> {
  const stats = newQueryStats()
  const pool = createMemoryPool(64 * MiB)
  // No literal is read.
  const run = newQueryRun({ engine: openModelEngine(), signal: undefined, nowMicros: 0, stats, values: {} as QueryRun['values'], limits: { memoryBytesMax: MiB, spillBytesMax: 64 * MiB, pool } })
  const rows: EngineRow[] = []
  for await (const batch of queryRows(run, make(run))) rows.push(...batch)
  expect(pool.usedBytes).toBe(0)
  return { rows, spilledBytes: stats.spilledBytes }
}

const expected = Array.from({ length: 100 }, (_, i) => [(i % 50) * 3, `few ${i % 50}`, `many ${(i % 50) * 3 + (i < 50 ? 0 : 20_000)}`, (i % 50) * 3])
const sorted = (rows: readonly (readonly EngineValue[])[]): readonly string[] => rows.map((row) => JSON.stringify(row)).toSorted()

test('a small left side is held, and the large right one streams by', async () => {
  const { rows, spilledBytes } = await joined((run) => join(joinOf('inner', 0, 1), run, noSubqueries)(few, many))
  expect(sorted(rows)).toEqual(sorted(expected))
  expect(spilledBytes).toBe(0)
})

test('a small right side is held, too', async () => {
  const { rows, spilledBytes } = await joined((run) => join(joinOf('inner', 1, 0), run, noSubqueries)(many, few))
  expect(sorted(rows)).toEqual(sorted(expected.map(([a, b, c, d]) => [c!, d!, a!, b!])))
  expect(spilledBytes).toBe(0)
})

test('conditions are over the row of left and right, whichever is held', async () => {
  const isLate: Bound = { kind: 'call', name: 'isLate', args: [column(2)], type: { kind: 'boolean' }, strict: true, apply: (text) => Number(String(text).length === 'many 20003'.length) }
  const { rows } = await joined((run) => join(joinOf('inner', 0, 1, isLate), run, noSubqueries)(few, many))
  expect(sorted(rows)).toEqual(sorted(expected.slice(50)))
})

test('a LEFT JOIN holds its right side, and two large sides are joined as well', async () => {
  const outer = await joined((run) => join(joinOf('left', 0, 1), run, noSubqueries)(few, many))
  expect(sorted(outer.rows)).toEqual(sorted(expected))
  expect(outer.spilledBytes).toBeGreaterThan(0)
  const both = await joined((run) => join(joinOf('inner', 1, 1), run, noSubqueries)(many, many))
  expect(both.rows.length).toBe(2 * manyRows)
  expect(both.rows.every((row) => row[1] === row[3])).toBe(true)
})

test('a consumer that stops early ends the reading of both sides', async () => {
  const ended: string[] = []
  const watched = (name: string, input: Stream): Stream => async function* () {
    try {
      yield* input()
    } finally {
      ended.push(name)
    }
  }
  for (const [left, right] of [[few, many], [many, many]] as const) {
    ended.length = 0
    const run = newQueryRun({ engine: openModelEngine(), signal: undefined, nowMicros: 0, stats: newQueryStats(), values: {} as QueryRun['values'], limits: { memoryBytesMax: 32 * MiB, spillBytesMax: MiB, pool: createMemoryPool(64 * MiB) } })
    for await (const batch of queryRows(run, join(joinOf('inner', left === few ? 0 : 1, 1), run, noSubqueries)(watched('left', left), watched('right', right)))) {
      expect(batch.length).toBeGreaterThan(0)
      break
    }
    expect(ended.toSorted()).toEqual(['left', 'right'])
  }
})
