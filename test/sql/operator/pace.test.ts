/** When a query gives others their turn: told by a clock that goes on by a millisecond each time it is looked at. */
import { expect, test } from 'vitest'
import type { EngineRow } from '../../../src/engine/engine.ts'
import type { Bound } from '../../../src/sql/expression/bound.ts'
import { hashed } from '../../../src/sql/operator/hashed-group.ts'
import { join } from '../../../src/sql/operator/join.ts'
import { newQueryRun } from '../../../src/sql/operator/query-run.ts'
import type { QueryRun, Stream } from '../../../src/sql/operator/query-run.ts'
import { createMemoryPool } from '../../../src/sql/operator/spill/query-memory.ts'
import { distinct } from '../../../src/sql/operator/set.ts'
import { newQueryStats } from '../../../src/sql/result.ts'
import { openModelEngine } from '../../engine/model-engine.ts'

const MiB = 1024 * 1024
const rowCount = 1_024
const batchRows = 64

/** Few enough for no turn by their count alone. */
const input: Stream = async function* () {
  for (let from = 0; from < rowCount; from += batchRows) yield Array.from({ length: batchRows }, (_, i): EngineRow => [from + i, 1])
}

const column = (index: number): Bound => ({ kind: 'column', place: { index }, name: 'c', type: { kind: 'bigint' }, at: 0 })
const never: Bound = { kind: 'constant', value: 0, type: { kind: 'boolean' } }

/** How often a query looks at the clock and how many turns it gives away. */
async function paced(query: (run: QueryRun) => Stream): Promise<{ looks: number; turns: number }> {
  const counts = { looks: 0, turns: 0 }
  const turns = {
    monotonicMs: () => ++counts.looks,
    next: async () => { counts.turns++ },
  }
  // No literal is read.
  const run = newQueryRun({ engine: openModelEngine(), turns, signal: undefined, nowMicros: 0, stats: newQueryStats(), values: {} as QueryRun['values'], limits: { memoryBytesMax: 64 * MiB, spillBytesMax: MiB, pool: createMemoryPool(64 * MiB) } })
  for await (const batch of query(run)()) expect(batch.length).toBeGreaterThan(0)
  return counts
}

const noSubqueries = (): never => { throw new Error('no subquery is asked') }

const cases: readonly (readonly [string, (run: QueryRun) => Stream, number])[] = [
  ['DISTINCT', (run) => distinct(input, run), rowCount / batchRows],
  ['GROUP BY', (run) => hashed({ kind: 'group', input: { kind: 'values', rows: [] }, keys: [column(0)], aggregates: [] }, input, run), rowCount / batchRows],
  ['a join', (run) => join(joinOf([0]), run, noSubqueries)(input, input), (2 * rowCount) / batchRows],
  ['a join of one key whose pairs are all dropped', (run) => join({ ...joinOf([1]), residual: never }, run, noSubqueries)(input, input), rowCount ** 2 / 256],
]

function joinOf(keys: readonly number[]): Parameters<typeof join>[0] {
  const side = { kind: 'values', rows: [] } as const
  return { kind: 'join', join: 'inner', left: side, right: side, leftWidth: 2, rightWidth: 2, keys: keys.map((index) => ({ left: column(index), right: column(index) })), residual: undefined, asks: undefined }
}

test.each(cases)('%s looks at the clock again and again, and gives a turn after four milliseconds', async (_, query, looksMin) => {
  const { looks, turns } = await paced(query)
  expect(looks).toBeGreaterThanOrEqual(looksMin)
  // After a turn it looks once to set its clock, then until four milliseconds are over.
  expect(turns).toBeGreaterThanOrEqual(Math.floor(looks / 6))
})
