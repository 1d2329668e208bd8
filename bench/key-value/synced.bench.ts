/**
 * Writes that are answered when they are on disk, one entry each: by one writer, and by 64 at the same time, each of which
 * waits for its answer before it writes again. SQLite gets those of one turn in one transaction; the others do it themselves.
 *
 * `LSMT_BENCH_ROWS` sets the entries of 64 writers (100,000); one writer has a twentieth.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureContestants } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import { entriesInOrder, shuffled } from './entries.ts'
import { absences, enter, renew, warmUp, writing } from './entrants.ts'
import { putAtOnce } from './workloads.ts'

const bench = 'key-value/synced'

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const count = smoke ? 256 : Number(process.env['LSMT_BENCH_ROWS'] ?? 100_000)
  yield* absences(bench)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-synced-'))
  try {
    if (!smoke) await warmUp(compare(root, 2_000, 1))
    yield* compare(root, count, smoke ? 1 : 3)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function* compare(root: string, count: number, rounds: number): AsyncGenerator<readonly Measurement[]> {
  const entries = shuffled(entriesInOrder(count))
  const entrants = await enter(root, 'synced')
  for (const [writers, puts] of [[1, Math.ceil(count / 20)], [64, count]] as const) {
    yield await measureContestants(`${bench} put, ${writers} in flight`, writing(entrants, putAtOnce(entries, puts, writers), (entrant) => renew(entrant, root, 'synced')), rounds, 0)
  }
  for (const { store } of entrants) await store.close()
}
