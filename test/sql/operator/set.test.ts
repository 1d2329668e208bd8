/** INTERSECT and EXCEPT with and without ALL, in memory and in many passes. */
import { describe, expect, test } from 'vitest'
import type { EngineRow } from '../../../src/engine/engine.ts'
import { newQueryRun, queryRows } from '../../../src/sql/operator/query-run.ts'
import type { QueryRun, Stream } from '../../../src/sql/operator/query-run.ts'
import { matched } from '../../../src/sql/operator/set.ts'
import { createMemoryPool } from '../../../src/sql/operator/spill/query-memory.ts'
import { newQueryStats } from '../../../src/sql/result.ts'
import { openModelEngine } from '../../engine/model-engine.ts'

const left = Array.from({ length: 900 }, (_, i): EngineRow => [i % 211, i % 2 === 0 ? 'even' : null])
const right = Array.from({ length: 700 }, (_, i): EngineRow => [(i * 3) % 307, i % 4 === 0 ? 'even' : null])

async function* batches(rows: readonly EngineRow[]): AsyncGenerator<readonly EngineRow[]> {
  for (let from = 0; from < rows.length; from += 64) yield rows.slice(from, from + 64)
}

const text = (row: EngineRow): string => JSON.stringify(row)

function counted(rows: readonly EngineRow[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const row of rows) counts.set(text(row), (counts.get(text(row)) ?? 0) + 1)
  return counts
}

/** By the definition: how often a row is given that the left side has l times and the right side r times. */
const times = {
  intersect: { all: Math.min, once: (l: number, r: number) => (l > 0 && r > 0 ? 1 : 0) },
  except: { all: (l: number, r: number) => Math.max(0, l - r), once: (l: number, r: number) => (l > 0 && r === 0 ? 1 : 0) },
}

describe.each([1 << 20, 2_048])('with %i bytes of memory', (memoryBytesMax) => {
  test.each([['intersect', true], ['intersect', false], ['except', true], ['except', false]] as const)('%s, all: %s', async (kind, all) => {
    const stats = newQueryStats()
    // No literal is read.
    const run = newQueryRun({ engine: openModelEngine(), signal: undefined, nowMicros: 0, stats, values: {} as QueryRun['values'], limits: { memoryBytesMax, spillBytesMax: 1 << 24, pool: createMemoryPool(1 << 24) } })
    const stream = (rows: readonly EngineRow[]): Stream => () => batches(rows)
    const found: EngineRow[] = []
    for await (const batch of queryRows(run, matched(kind, all, stream(left), stream(right), run))) found.push(...batch)
    const [inLeft, inRight] = [counted(left), counted(right)]
    const expected = [...inLeft].flatMap(([row, count]) => Array.from({ length: times[kind][all ? 'all' : 'once'](count, inRight.get(row) ?? 0) }, () => row))
    expect(found.map(text).toSorted()).toEqual(expected.toSorted())
    expect(stats.spilledBytes > 0).toBe(memoryBytesMax === 2_048)
  })
})
