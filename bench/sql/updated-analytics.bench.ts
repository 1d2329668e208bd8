/**
 * The analytic queries while 1 % of the rows are being updated: every hundredth row, so that no part of the table is left
 * alone, twenty keys a statement, at a steady pace, by a connection of their own. In turn each contestant goes through all
 * queries again and again until its updates are over; each update sets the same value, so that all hold the same
 * afterwards, and then the answers are compared. The time of a query is the median of those in a contestant's turns.
 *
 * DuckDB comes from bench/peers. `LSMT_BENCH_ROWS` sets the rows (1,000,000), `LSMT_BENCH_UPDATES` the rows that are
 * updated a second (1,000).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerHash, assertEqualAnswers, measured, median } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import { answerOf } from '../peers/answer.ts'
import { duckdb } from '../peers/duckdb.ts'
import { missingPeer } from '../peers/installed.ts'
import { lsmt } from '../peers/lsmt.ts'
import { bytesOnDisk, loadRows } from '../peers/peer.ts'
import type { OpenPeer, PeerRows } from '../peers/peer.ts'
import { peerQueries } from './queries.ts'
import type { PeerQuery } from './queries.ts'
import { makeSales } from './sales.ts'
import type { Sales } from './sales.ts'

const bench = 'sql/under updates'
const keysEach = 20
const update = `UPDATE sales SET amount = $1 WHERE id IN (${Array.from({ length: keysEach }, (_, i) => `$${i + 2}`).join(', ')})`

interface Entrant {
  readonly name: string
  readonly directory: string
  readonly peer: OpenPeer
  /** By query, in milliseconds. */
  readonly samples: number[][]
  readonly turns: Turn[]
}

interface Turn {
  readonly updatedRows: number
  /** Of the updates alone: until the last one was answered. */
  readonly seconds: number
  /** Of each statement. */
  readonly updateMs: readonly number[]
}

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const sales = makeSales(Number(process.env['LSMT_BENCH_ROWS'] ?? (smoke ? 10_000 : 1_000_000)))
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-'))
  const kinds = [lsmt, duckdb].filter((kind) => kind.isInstalled())
  if (!duckdb.isInstalled()) yield missingPeer(bench, duckdb.name)
  const queries = peerQueries(sales.count, smoke ? 5 : 20)
  const entrants: Entrant[] = []
  try {
    for (const { name, open } of kinds) {
      const directory = join(root, name)
      const peer = await open(directory)
      await loadRows(peer.loadings[0]!, sales, 0, sales.count)
      await peer.settle()
      entrants.push({ name, directory, peer, samples: queries.map(() => []), turns: [] })
    }
    for (const { peer } of entrants) for (const query of queries) await ask(peer, query)
    yield* compare(entrants, queries, sales, smoke ? 1 : 3)
  } finally {
    for (const { peer } of entrants) await peer.close()
    rmSync(root, { recursive: true })
  }
}

async function* compare(entrants: readonly Entrant[], queries: readonly PeerQuery[], sales: Sales, rounds: number): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const perSecond = Number(process.env['LSMT_BENCH_UPDATES'] ?? 1_000)
  for (let round = 0; round < rounds; round++) for (const entrant of entrants) entrant.turns.push(await turn(entrant, queries, sales, perSecond, 400 + round))
  for (const [index, { name, sql, parameters = [[]] }] of queries.entries()) {
    const hashes: string[] = []
    for (const { peer } of entrants) hashes.push(answerHash(answerOf((await ask(peer, queries[index]!)).flat(), sql.includes('ORDER BY'))))
    assertEqualAnswers(`${bench}/${name}`, entrants.map((each) => each.name), hashes)
    yield entrants.map((each, i) => measured(`${bench}/${name}`, each.name, each.samples[index]!.map((ms) => ms * 1e6), parameters.length, hashes[i]!))
  }
  yield entrants.map(({ name, turns, directory }) => {
    const statements = turns.flatMap(({ updateMs }) => updateMs)
    return { ...measured(`${bench}/UPDATE of ${keysEach} rows beside the queries`, name, statements.map((ms) => ms * 1e6), 1, ''), diskBytes: bytesOnDisk(directory) }
  })
  yield { bench, note: `rows updated a second of ${perSecond} asked for: ${entrants.map(({ name, turns }) => `${name} ${median(turns.map(({ updatedRows, seconds }) => updatedRows / seconds)).toFixed(0)}`).join(', ')}` }
}

/** Updates and queries side by side; over when all updates are answered and every query has run. */
async function turn({ peer, samples }: Entrant, queries: readonly PeerQuery[], sales: Sales, perSecond: number, value: number): Promise<Turn> {
  let isOver = false
  const updates = updateAll(peer, sales.count, perSecond, value).finally(() => {
    isOver = true
  })
  do {
    for (const [index, query] of queries.entries()) {
      const startMs = performance.now()
      await ask(peer, query)
      samples[index]!.push(performance.now() - startMs)
    }
  } while (!isOver)
  return await updates
}

async function updateAll(peer: OpenPeer, rowCount: number, perSecond: number, value: number): Promise<Turn> {
  const updateMs: number[] = [], startMs = performance.now()
  let updatedRows = 0
  for (let from = 0; from + 100 * keysEach <= rowCount; from += 100 * keysEach) {
    const dueMs = startMs + (updatedRows / perSecond) * 1_000
    if (performance.now() < dueMs) await sleep(dueMs - performance.now())
    const sentMs = performance.now()
    await peer.beside(update, [value, ...Array.from({ length: keysEach }, (_, i) => from + 100 * i)])
    updateMs.push(performance.now() - sentMs)
    updatedRows += keysEach
  }
  return { updatedRows, seconds: (performance.now() - startMs) / 1_000, updateMs }
}

async function ask(peer: OpenPeer, { sql, parameters = [[]] }: PeerQuery): Promise<readonly PeerRows[]> {
  const answers: PeerRows[] = []
  for (const values of parameters) answers.push(await peer.query(sql, values))
  return answers
}
