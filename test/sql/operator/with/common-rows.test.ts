/** Rows of queries of WITH: computed once for all who ask, as far as any of them goes, and anew for other rows further out. */
import { expect, test } from 'vitest'
import { LsmtError } from '../../../../src/errors.ts'
import { cellOf } from '../../../../src/sql/expression/compile.ts'
import type { CommonPlan } from '../../../../src/sql/operator/node.ts'
import { newQueryRun, queryRows } from '../../../../src/sql/operator/query-run.ts'
import type { Batch, QueryRun, Stream } from '../../../../src/sql/operator/query-run.ts'
import { createMemoryPool } from '../../../../src/sql/operator/spill/query-memory.ts'
import { commonRows } from '../../../../src/sql/operator/with/common-rows.ts'
import { newQueryStats } from '../../../../src/sql/result.ts'
import { openModelEngine } from '../../../engine/model-engine.ts'

const MiB = 1024 * 1024
const reference = { place: { index: 0 }, name: 'further out' }
const plan = (outer: CommonPlan['outer'] = []): CommonPlan => ({ name: 'w', columns: ['n'], node: { kind: 'values', rows: [] }, isHeld: true, outer })

interface Source {
  readonly stream: Stream
  /** Batches given, times that the rows were asked for, and of these how many ended. */
  readonly counts: { batches: number; opened: number; ended: number }
}

function sourceOf(batchCount: number, batch: (at: number) => Batch): Source {
  const counts = { batches: 0, opened: 0, ended: 0 }
  async function* stream(): AsyncGenerator<Batch> {
    counts.opened++
    try {
      for (let at = 0; at < batchCount; at++) {
        counts.batches++
        yield batch(at)
      }
    } finally {
      counts.ended++
    }
  }
  return { counts, stream }
}

async function inRun(memoryBytesMax: number, work: (run: QueryRun) => AsyncGenerator<Batch>): Promise<unknown[]> {
  const pool = createMemoryPool(64 * MiB)
  const run = newQueryRun({ engine: openModelEngine(), signal: undefined, nowMicros: 0, stats: newQueryStats(), values: {} as QueryRun['values'], limits: { memoryBytesMax, spillBytesMax: 64 * MiB, pool } })
  const rows: unknown[] = []
  for await (const batch of queryRows(run, () => work(run))) rows.push(...batch.map(([value]) => value))
  expect([pool.usedBytes, run.spillFiles.size, run.spill.bytesHeld]).toEqual([0, 0, 0])
  return rows
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

test.each([MiB, 256])('two readers in turns get all rows of one computation, with %i bytes of memory', async (memoryBytesMax) => {
  const { stream, counts } = sourceOf(40, (at) => [[2 * at], [2 * at + 1]])
  const rows = await inRun(memoryBytesMax, async function* (run) {
    const [one, other] = [commonRows(sharedPlan, run, () => stream), commonRows(sharedPlan, run, () => stream)].map((each) => each()[Symbol.asyncIterator]())
    const seen: { one: Batch[]; other: Batch[] } = { one: [], other: [] }
    for (let turn = 0; ; turn++) {
      // One goes ahead for a while, then the other overtakes it.
      const ahead = turn % 10 < 5
      const next = await (ahead ? one! : other!).next()
      if (next.done === true) break
      seen[ahead ? 'one' : 'other'].push(next.value)
    }
    for (const [iterator, batches] of [[one!, seen.one], [other!, seen.other]] as const) {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) batches.push(next.value)
      yield* batches
    }
  })
  expect(rows).toEqual([...numbers(80), ...numbers(80)])
  expect(counts).toEqual({ batches: 40, opened: 1, ended: 1 })
})
const sharedPlan = plan()

test('no more is computed than is asked for, and what computes it ends with the query', async () => {
  const { stream, counts } = sourceOf(1_000, (at) => [[at]])
  const rows = await inRun(MiB, async function* (run) {
    const shared = plan()
    for (const limit of [2, 5, 3]) {
      let left = limit
      for await (const batch of commonRows(shared, run, () => stream)()) {
        yield batch
        if (--left === 0) break
      }
    }
  })
  expect(rows).toEqual([0, 1, 0, 1, 2, 3, 4, 0, 1, 2])
  expect(counts).toEqual({ batches: 5, opened: 1, ended: 1 })
})

test('who asks again after a failure gets it again, and not the rows before it as if they were all', async () => {
  const { stream } = sourceOf(5, (at) => {
    if (at === 3) throw new LsmtError('22012', 'division by zero')
    return [[at]]
  })
  const rows = await inRun(MiB, async function* (run) {
    const shared = plan()
    for (let again = 0; again < 2; again++) {
      try {
        yield* commonRows(shared, run, () => stream)()
      } catch (error) {
        yield [[(error as LsmtError).code]]
      }
    }
  })
  expect(rows).toEqual([0, 1, 2, '22012', 0, 1, 2, '22012'])
})

test('rows that depend on a row further out are computed anew for another one, and only then', async () => {
  let opened = 0
  const rows = await inRun(256, async function* (run) {
    const shared = plan([reference])
    const cell = cellOf(run, reference)
    const stream: Stream = async function* () {
      opened++
      for (let i = 0; i < 20; i++) yield [[Number(cell.value) + i]]
    }
    for (const value of [100, 100, 200]) {
      cell.value = value
      yield* commonRows(shared, run, () => stream)()
    }
  })
  expect(rows).toEqual([100, 100, 200].flatMap((value) => numbers(20).map((i) => value + i)))
  expect(opened).toBe(2)
})
