/**
 * Analytic SQL as users call it, text in and rows out, beside DuckDB and SQLite in one process, in turn: loading, then each
 * query over the loaded table, then bytes on disk and each contestant's peak memory in a process of its own.
 *
 * Contestants load by equal promises: 'synced', each statement is on disk before it is answered, and 'unsynced', it may
 * be lost with the machine's power (peers/peer.ts). The table that queries are asked of is loaded synced.
 *
 * The others come from bench/peers (`npm ci --prefix bench/peers`); one that is not installed is named in the output.
 * `LSMT_BENCH_ROWS` sets the rows (5,000,000), `LSMT_BENCH_DIR` keeps the loaded tables between runs,
 * `LSMT_BENCH_PEERS` and `LSMT_BENCH_QUERIES` narrow contestants and queries to names (parts of names), comma between.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { answerOf } from '../peers/answer.ts'
import { missingPeer } from '../peers/installed.ts'
import { bytesOnDisk, elapsedMs, loadRows } from '../peers/peer.ts'
import type { Life } from '../peers/peak-memory.ts'
import type { Commits, OpenPeer, PeerKind, PeerRows } from '../peers/peer.ts'
import { peers } from '../peers/peers.ts'
import { measureContestants, measured } from '../harness.ts'
import type { BenchNote, BenchOptions, Contestant, Measurement } from '../harness.ts'
import { peerQueries } from './queries.ts'
import type { PeerQuery } from './queries.ts'
import { makeSales } from './sales.ts'
import type { Sales } from './sales.ts'

const bench = 'sql/peers'

interface Entrant {
  readonly kind: PeerKind
  readonly directory: string
  peer: OpenPeer
}

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const sales = makeSales(Number(process.env['LSMT_BENCH_ROWS'] ?? (smoke ? 10_000 : 5_000_000)))
  const kept = process.env['LSMT_BENCH_DIR']
  const root = kept ?? mkdtempSync(join(tmpdir(), 'lsmt-bench-'))
  const wanted = peers.filter(({ name }) => isNamed('LSMT_BENCH_PEERS', name))
  for (const { name } of wanted.filter((kind) => !kind.isInstalled())) yield missingPeer(bench, name)
  const kinds = wanted.filter((kind) => kind.isInstalled())
  try {
    const isLoaded = existsSync(join(root, kinds[0]!.name))
    const entrants: Entrant[] = []
    for (const kind of kinds) entrants.push({ kind, directory: join(root, kind.name), peer: await kind.open(join(root, kind.name)) })
    if (!isLoaded) yield* load(entrants, root, sales)
    yield* askAll(entrants, sales.count, smoke)
    for (const { peer } of entrants) await peer.close()
    yield await footprints(entrants, sales.count)
  } finally {
    if (kept === undefined) rmSync(root, { recursive: true })
  }
}

function isNamed(variable: string, name: string): boolean {
  const names = process.env[variable]
  return names === undefined || names.split(',').some((each) => name.includes(each))
}

/** All rows the quickest way, then a tenth of them as text, and unsynced, into tables of their own. */
async function* load(entrants: readonly Entrant[], root: string, sales: Sales): AsyncGenerator<readonly Measurement[]> {
  const bulk: Measurement[] = []
  for (const { kind, peer } of entrants) {
    const [loading] = peer.loadings
    const loaded = await loadRows(loading!, sales, 0, sales.count)
    const settled = await elapsedMs(() => peer.settle())
    bulk.push(measured(`${bench}/load, synced`, `${kind.name}, ${loading!.name}`, [loaded * 1e6], sales.count, ''), measured(`${bench}/load, synced`, `${kind.name}, settling after it`, [settled * 1e6], sales.count, ''))
  }
  yield bulk
  const count = Math.ceil(sales.count / 10)
  const kinds = entrants.map(({ kind }) => kind)
  yield await loadAnew(kinds, 'unsynced', root, `${bench}/load, unsynced`, sales, count, 0)
  yield await loadAnew(kinds, 'synced', root, `${bench}/load as text, synced`, sales, count, 1)
  yield await loadAnew(kinds, 'unsynced', root, `${bench}/load as text, unsynced`, sales, count, 1)
}

/** The first `count` rows into a table of its own, by the `way`-th loading of those who can promise it. */
async function loadAnew(kinds: readonly PeerKind[], commits: Commits, root: string, name: string, sales: Sales, count: number, way: number): Promise<readonly Measurement[]> {
  const loads: Measurement[] = []
  for (const kind of kinds.filter((each) => each.commits.includes(commits))) {
    const directory = join(root, `${kind.name}-anew`)
    const peer = await kind.open(directory, commits)
    const loading = peer.loadings[way]!
    loads.push(measured(name, `${kind.name}, ${loading.name}`, [(await loadRows(loading, sales, 0, count)) * 1e6], count, ''))
    await peer.close()
    rmSync(directory, { recursive: true })
  }
  return loads
}

async function* askAll(entrants: readonly Entrant[], rowCount: number, smoke: boolean): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const queries = peerQueries(rowCount, smoke ? 20 : 2_000).filter(({ name }) => isNamed('LSMT_BENCH_QUERIES', name))
  for (const query of queries) {
    const contestants = entrants.map(({ kind, peer }) => contestant(kind.name, peer, query))
    const firsts: number[] = []
    for (const each of contestants) firsts.push(await warmUp(each, smoke ? 0 : 500))
    yield { bench, note: `${query.name}, the first run: ${contestants.map(({ name }, i) => `${name} ${firsts[i]!.toFixed(1)} ms`).join(', ')}` }
    const rounds = smoke ? 1 : Math.max(7, Math.min(21, Math.floor(4_000 / firsts.reduce((sum, ms) => sum + ms, 0))))
    yield await measureContestants(`${bench}/${query.name}`, contestants, rounds)
  }
}

/** Runs for that long, and at least once: caches fill, and what is compiled while it runs is. Returns the first run's time. */
async function warmUp(contestant: Contestant, msMin: number): Promise<number> {
  const first = (await contestant.run()).elapsedMs
  for (let spent = first; spent < msMin;) spent += (await contestant.run()).elapsedMs
  return first
}

function contestant(name: string, peer: OpenPeer, { sql, parameters = [[]] }: PeerQuery): Contestant {
  return {
    name,
    async run() {
      const answers: PeerRows[] = []
      const start = performance.now()
      for (const values of parameters) answers.push(await peer.query(sql, values))
      const elapsedMs = performance.now() - start
      return { elapsedMs, operations: parameters.length, answer: answerOf(answers.flat(), sql.includes('ORDER BY')) }
    },
  }
}

/** Bytes on disk, and the memory and time of a process that opens the table and runs each query once. */
async function footprints(entrants: readonly Entrant[], rowCount: number): Promise<readonly Measurement[]> {
  const found: Measurement[] = []
  for (const { kind, directory } of entrants) {
    const script = fileURLToPath(new URL('../peers/peak-memory.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, kind.name, directory, String(rowCount)])
    const { elapsedMs, peakMemoryBytes } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Life
    found.push({ ...measured(`${bench}/opened, each query once, in a process of its own`, kind.name, [elapsedMs * 1e6], 1, ''), peakMemoryBytes, diskBytes: bytesOnDisk(directory) })
  }
  return found
}
