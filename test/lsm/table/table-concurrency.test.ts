/**
 * Many reads at once over slow storage that fails now and then, several files and a cache that holds a fraction of them:
 * every answer is right or a typed refusal, pinned chunks stay what they are, and in the end nothing is held.
 */
import { expect, it } from 'vitest'
import { LsmtError } from '../../../src/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import type { TableReader } from '../../../src/lsm/table/table.ts'
import { createFaultyStorage } from '../../../src/storage/faulty-storage.ts'
import { fullTests } from '../../kernel/both-kinds.ts'
import { findRow, fixtureOver, openFixture, writeTable } from './table-files.ts'
import type { TableFixture } from './table-files.ts'
import { i64KeyBytes, layouts, makeRows, readChunk } from './table-rows.ts'
import type { TestRow } from './table-rows.ts'

interface OpenedFile {
  readonly reader: TableReader
  readonly rows: readonly TestRow[]
  /** First row of each row group. */
  readonly starts: readonly number[]
}

const turns = (random: Random): Promise<void> => new Promise((resolve) => void (random.below(2) === 0 ? setImmediate(resolve) : resolve()))

/** Pins some row groups, waits, and compares the keys of all of them. */
async function pinAndCompare({ kernel }: TableFixture, { reader, rows, starts }: OpenedFile, random: Random): Promise<void> {
  const from = random.below(starts.length)
  const to = Math.min(starts.length, from + 1 + random.below(4))
  const pinned = await reader.pin(from, to, random.below(2) === 0 ? ['key'] : ['key', 0, 2, 'tombstones'])
  try {
    await turns(random)
    for (let rowGroup = from; rowGroup < to; rowGroup++) {
      const keys = readChunk(kernel, pinned.chunk(rowGroup, 'key'), 'i64')!.map((key) => Buffer.from(i64KeyBytes(key as bigint)).toString('hex'))
      expect(keys).toEqual(rows.slice(starts[rowGroup], starts[rowGroup + 1]).map(({ key }) => Buffer.from(key).toString('hex')))
    }
  } finally {
    pinned.unpin()
  }
}

/** Finds a row whose neighbours decide nothing: by key, with retries where eviction was faster. */
async function findAndCompare(fixture: TableFixture, { reader, rows, starts }: OpenedFile, random: Random): Promise<void> {
  const at = random.below(rows.length)
  const { key, tombstone } = rows[at]!
  const rowGroup = starts.findLastIndex((start) => start <= at)
  expect(await findRow(fixture, reader, key)).toEqual({ rowGroup, row: at - starts[rowGroup]!, tombstone })
}

it('keeps its promises under concurrent reads, failures and eviction', async () => {
  for (let seed = 1; seed <= (fullTests ? 40 : 6); seed++) {
    const random = seededRandom(seed)
    let failing = false
    const storage = createFaultyStorage({ seed, delayTurnsMax: 4, fail: ({ kind }) => (failing && kind === 'read' && random.below(12) === 0 ? new LsmtError('58030', 'the disk says no') : undefined) })
    const base = fixtureOver(storage)
    const files: OpenedFile[] = []
    const cache = createChunkCache(base.kernel.heap, 60_000)
    const fixture = { ...base, cache }
    for (let fileNumber = 1; fileNumber <= 3; fileNumber++) {
      const rows = makeRows(layouts.i64, 400, seed * 10 + fileNumber)
      const reader = await openFixture(fixture, await writeTable(fixture, layouts.i64, rows, { fileNumber }))
      const starts = [0]
      for (let rowGroup = 0; rowGroup + 1 < reader.meta.rowGroupCount; rowGroup++) starts.push(starts.at(-1)! + reader.rowGroupRows(rowGroup))
      files.push({ reader, rows, starts })
    }
    failing = true
    const refusals = new Map<string, number>()
    const worker = async (): Promise<void> => {
      for (let step = 0; step < 60; step++) {
        const file = files[random.below(files.length)]!
        try {
          await (random.below(2) === 0 ? pinAndCompare : findAndCompare)(fixture, file, random)
        } catch (error) {
          // findRow asks at most twice; what others evict between is not wrong.
          const code = error instanceof LsmtError ? error.code : (error as Error).message
          if (!['58030', '53200', 'asked to fetch twice'].includes(code)) throw error
          refusals.set(code, (refusals.get(code) ?? 0) + 1)
        }
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(refusals.get('58030') ?? 0, `seed ${seed}`).toBeGreaterThan(0)
    expect([...refusals.values()].reduce((sum, count) => sum + count, 0), `seed ${seed}: most reads succeed`).toBeLessThan(240)
    expect(cache.counts.evictions).toBeGreaterThan(0)
    for (const { reader } of files) await reader.close()
    cache.clear()
    expect(cache.counts, `seed ${seed}`).toMatchObject({ chunks: 0, chunkBytes: 0, scratchBytes: 0 })
    expect(base.kernel.heap.usedBytes, `seed ${seed}`).toBe(0)
  }
})
