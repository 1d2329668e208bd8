/**
 * YCSB A to F over embedded key/value stores in one process, in turn: records of 16 and 100 bytes, loaded at random in
 * batches and settled; A, B, C, F and D over one load and E over another, as its authors run them. Writes are answered
 * when the operating system has them. All contestants run the same operations; the content afterwards is compared too.
 *
 * `LSMT_BENCH_ROWS` sets the records (1,000,000); each round has a fifth as many operations, and 40,000 at least, E a tenth
 * of that: a round that is over in a tenth of a second tells of one collection of garbage, or of code that was compiled in
 * it. So a round of each workload is not counted either, and each turn begins without the young garbage of the one before.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../../src/runtime/random.ts'
import { collectYoungGarbage, measureContestants, timed } from '../../harness.ts'
import type { BenchNote, BenchOptions, Contestant, Measurement } from '../../harness.ts'
import { randomValue } from '../entries.ts'
import type { Entries } from '../entries.ts'
import { absences, enter, renew, warmUp } from '../entrants.ts'
import type { Entrant } from '../entrants.ts'
import { fillInBatches, scanAll } from '../workloads.ts'
import type { Workload } from '../workloads.ts'
import { recordKey, runOperations, ycsbOperations, ycsbWorkloads } from './workloads.ts'
import type { YcsbWorkload } from './workloads.ts'

const bench = 'key-value/ycsb'
const loads = ['ABCFD', 'E']
const operationsMin = 40_000

interface Size {
  readonly records: number
  /** Of a round; E has a tenth. */
  readonly operations: number
  readonly rounds: number
  /** Before those that count. */
  readonly warmUpRounds: number
}

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const count = smoke ? 1_000 : Number(process.env['LSMT_BENCH_ROWS'] ?? 1_000_000)
  yield* absences(bench)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-ycsb-'))
  try {
    if (!smoke) await warmUp(compare(root, { records: 20_000, operations: 4_000, rounds: 1, warmUpRounds: 0 }))
    yield* compare(root, smoke ? { records: count, operations: count / 5, rounds: 1, warmUpRounds: 0 } : { records: count, operations: Math.max(operationsMin, Math.ceil(count / 5)), rounds: 5, warmUpRounds: 1 })
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function* compare(root: string, size: Size): AsyncGenerator<readonly Measurement[]> {
  const random = seededRandom(23)
  const keys = Array.from({ length: size.records }, (_, i) => recordKey(i))
  const records = { keys, values: keys.map(() => randomValue(random)) }
  const entrants = await enter(root, 'written')
  for (const letters of loads) {
    for (const entrant of entrants) await load(entrant, root, records)
    for (const letter of letters) {
      const workload = ycsbWorkloads.find((each) => each.letter === letter)!
      yield await measureContestants(`${bench} ${letter}: ${workload.title}`, contestants(entrants, workload, records, size), size.rounds, size.warmUpRounds)
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
function contestants(entrants: readonly Entrant[], workload: YcsbWorkload, { keys, values }: Entries, { operations, rounds, warmUpRounds }: Size): Contestant[] {
  const count = Math.ceil(workload.letter === 'E' ? operations / 10 : operations)
  const roundCount = warmUpRounds + rounds
  // Made by the first of each round, since all together would be much to hold.
  let made: { readonly round: number; readonly work: Workload } | undefined
  const workOf = (round: number): Workload => {
    if (made?.round !== round) made = { round, work: runOperations(ycsbOperations(workload, keys.length, count, values.slice(round), 29 + round)) }
    return made.work
  }
  return entrants.map(({ peer, store }) => {
    let round = 0
    return {
      name: peer.name,
      async run() {
        const work = workOf(round++)
        collectYoungGarbage()
        const outcome = await timed(() => work(store))
        return round < roundCount ? outcome : { ...outcome, answer: `${outcome.answer} ${(await scanAll(store)).answer}` }
      },
    }
  })
}
