/**
 * Embedded key/value stores in one process, in turn: 16-byte keys and 100-byte values as strings. Each contestant is used
 * by its quickest calls, those that do not wait where it has such; writes are answered when the operating system has them
 * (`synced.bench.ts` is about those that are on disk). Fills, reads, scans and overwrites; then the bytes on disk after a
 * compaction, and the peak memory of a process of its own that fills at random, reads and scans.
 *
 * `LSMT_BENCH_ROWS` sets the entries (1,000,000).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureContestants } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import { entriesInOrder, shuffled } from './entries.ts'
import { absences, enter, installedPeers, introductions, reading, renew, warmUp, writing } from './entrants.ts'
import type { Entrant } from './entrants.ts'
import { footprints } from './footprint.ts'
import { fillInBatches, getAwaited, getMissing, getSync, overwrite, putSingly, scanAll, shortRanges } from './workloads.ts'
import type { Workload } from './workloads.ts'

const bench = 'key-value'
const smokeEntries = 2_000

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const count = smoke ? smokeEntries : Number(process.env['LSMT_BENCH_ROWS'] ?? 1_000_000)
  yield* introductions(bench)
  yield* absences(bench)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-kv-'))
  try {
    // Everything once and small, so that what is compiled while it runs is.
    if (!smoke) await warmUp(compare(root, 20_000, 1))
    yield* compare(root, count, smoke ? 1 : 3)
    yield await footprints(`${bench}/fill at random, settle, read, scan: a process of its own`, installedPeers(), root, count)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function* compare(root: string, count: number, rounds: number): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const ordered = entriesInOrder(count), random = shuffled(ordered)
  const entrants = await enter(root, 'written')
  const anew = (entrant: Entrant): Promise<void> => renew(entrant, root, 'written')
  const contest = (name: string, contestants: Parameters<typeof measureContestants>[1]): Promise<readonly Measurement[]> => measureContestants(`${bench}/${name}`, contestants, rounds, 0)
  const some = Math.ceil(count / 10)
  yield await contest('put in order, one by one', writing(entrants, putSingly(ordered, some), anew))
  yield await contest('put at random, one by one', writing(entrants, putSingly(random, some), anew))
  yield await contest('fill in order, batches of 1,000', writing(entrants, fillInBatches(ordered), anew))
  yield await contest('fill at random, batches of 1,000', writing(entrants, fillInBatches(random), anew))
  for (const [state, prepare] of [['as filled', async () => {}], ['settled', settle]] as const) {
    for (const entrant of entrants) await prepare(entrant)
    for (const [name, work] of reads(count)) yield await contest(`${name}, ${state}`, reading(entrants.filter(({ store }) => work.awaits === undefined || store.get !== undefined), work.run))
  }
  yield await contest('overwrite, batches of 1,000', writing(entrants, overwrite(random, 2 * some, 0)))
  yield await contest('overwrite 70 %, delete 30 %, batches of 1,000', writing(entrants, overwrite(random, 2 * some, 30)))
  for (const { store } of entrants) await store.close()
}

const settle = async ({ store }: Entrant): Promise<void> => await store.settle()

interface Read {
  readonly run: Workload
  /** Only of stores that can be awaited. */
  readonly awaits?: true
}

function* reads(count: number): Generator<readonly [name: string, Read]> {
  const gets = Math.ceil(count / 4), awaited = Math.ceil(count / 10)
  yield ['get, sync', { run: getSync(count, gets) }]
  yield ['get of missing keys, sync', { run: getMissing(count, gets) }]
  yield ['get, awaited one by one', { run: getAwaited(count, awaited, 1), awaits: true }]
  yield ['get, 64 in flight', { run: getAwaited(count, awaited, 64), awaits: true }]
  yield ['full scan', { run: scanAll }]
  yield ['ranges of 100', { run: shortRanges(count, Math.ceil(count / 200)) }]
}
