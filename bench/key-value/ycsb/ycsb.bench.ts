/**
 * YCSB A to F over embedded key/value stores in one process, in turn: records of 16 and 100 bytes, loaded at random in
 * batches and settled; A, B, C, F and D over one load and E over another, as its authors run them. Writes are answered
 * when the operating system has them. All contestants run the same operations; the content afterwards is compared too.
 *
 * `LSMT_BENCH_ROWS` sets the records (1,000,000); each round has a fifth as many operations, E a fiftieth.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../../src/runtime/random.ts'
import { measureContestants, timed } from '../../harness.ts'
import type { BenchNote, BenchOptions, Contestant, Measurement } from '../../harness.ts'
import { randomValue } from '../entries.ts'
import type { Entries } from '../entries.ts'
import { absences, enter, renew, warmUp } from '../entrants.ts'
import type { Entrant } from '../entrants.ts'
import { fillInBatches, scanAll } from '../workloads.ts'
import { recordKey, runOperations, ycsbOperations, ycsbWorkloads } from './workloads.ts'
import type { YcsbWorkload } from './workloads.ts'

const bench = 'key-value/ycsb'
const loads = ['ABCFD', 'E']

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const count = smoke ? 1_000 : Number(process.env['LSMT_BENCH_ROWS'] ?? 1_000_000)
  yield* absences(bench)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-ycsb-'))
  try {
    if (!smoke) await warmUp(compare(root, 20_000, 1))
    yield* compare(root, count, smoke ? 1 : 3)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function* compare(root: string, count: number, rounds: number): AsyncGenerator<readonly Measurement[]> {
  const random = seededRandom(23)
  const keys = Array.from({ length: count }, (_, i) => recordKey(i))
  const records = { keys, values: keys.map(() => randomValue(random)) }
  const entrants = await enter(root, 'written')
  for (const letters of loads) {
    for (const entrant of entrants) await load(entrant, root, records)
    for (const letter of letters) {
      const workload = ycsbWorkloads.find((each) => each.letter === letter)!
      yield await measureContestants(`${bench} ${letter}: ${workload.title}`, contestants(entrants, workload, records, rounds), rounds, 0)
    }
  }
  for (const { store } of entrants) await store.close()
}

async function load(entrant: Entrant, root: string, records: Entries): Promise<void> {
  await renew(entrant, root, 'written')
  await fillInBatches(records)(entrant.store)
  await entrant.store.settle()
}

/** Each round has operations of its own, the same for all; the content is looked at once, after the last. */
function contestants(entrants: readonly Entrant[], workload: YcsbWorkload, { keys, values }: Entries, rounds: number): Contestant[] {
  const count = Math.ceil(keys.length / (workload.letter === 'E' ? 50 : 5))
  const works = Array.from({ length: rounds }, (_, round) => runOperations(ycsbOperations(workload, keys.length, count, values.slice(round), 29 + round)))
  return entrants.map(({ peer, store }) => {
    let round = 0
    return {
      name: peer.name,
      async run() {
        const work = works[round++]!
        const outcome = await timed(() => work(store))
        return round < rounds ? outcome : { ...outcome, answer: `${outcome.answer} ${(await scanAll(store)).answer}` }
      },
    }
  })
}
