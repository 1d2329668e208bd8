import { expect, test } from 'vitest'
import type { EngineRow } from '../../../../src/engine/engine.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import type { Batch } from '../../../../src/sql/operator/query-run.ts'
import { merged } from '../../../../src/sql/operator/spill/merge.ts'

const byFirst = (a: EngineRow, b: EngineRow): number => (a[0] as number) - (b[0] as number)

/** Sorted rows [value, source, position] in batches of random size, empty ones among them. */
function randomSource(below: (limit: number) => number, source: number): EngineRow[][] {
  const values = Array.from({ length: below(40) }, () => below(20)).sort((a, b) => a - b)
  const rows = values.map((value, position): EngineRow => [value, source, position])
  const batches: EngineRow[][] = []
  for (let from = 0; from < rows.length; ) {
    const size = below(8)
    batches.push(rows.slice(from, from + size))
    from += size
  }
  return batches
}

async function* streamed(batches: readonly Batch[]): AsyncGenerator<Batch> {
  yield* batches
}

test('merging is a stable sort, however many sources there are', async () => {
  const random = seededRandom(Number(process.env['LSMT_SEED'] ?? 5))
  for (let count = 0; count < 20; count++) {
    const sources = Array.from({ length: count }, (_, source) => randomSource((limit) => random.below(limit), source))
    const rows: EngineRow[] = []
    for await (const batch of merged(sources.map(streamed), byFirst)) rows.push(...batch)
    expect(rows).toEqual(sources.flat(2).sort(byFirst))
  }
})

test('each row costs no more comparisons than the tree has levels', async () => {
  const sources = Array.from({ length: 64 }, (_, source) => [Array.from({ length: 100 }, (_unused, i): EngineRow => [i * 64 + source])])
  let comparisons = 0
  for await (const batch of merged(sources.map(streamed), (a, b) => (comparisons++, byFirst(a, b)))) expect(batch.length).toBeGreaterThan(0)
  expect(comparisons).toBeLessThanOrEqual(6_400 * 6 + 64)
})

test('sources are ended when the consumer stops', async () => {
  const ended: number[] = []
  const source = async function* (number: number): AsyncGenerator<Batch> {
    try {
      for (let i = 0; ; i++) yield [[i]]
    } finally {
      ended.push(number)
    }
  }
  for await (const batch of merged([source(0), source(1), source(2)], byFirst)) {
    expect(batch.length).toBeGreaterThan(0)
    break
  }
  expect(ended).toEqual([0, 1, 2])
})
