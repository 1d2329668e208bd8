/**
 * Three nodes with two copies of everything beside one node, all on this machine, so that they share its processors: what
 * is to be had of more machines is not seen here, what copies cost is. Then what each level of consistency costs a read,
 * and how long it takes until what a lost node had has two copies again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isOnPath } from '../../scripts/cluster/etcd-command.ts'
import type { ClusterStatus } from '../../src/cli/serve/cluster-status.ts'
import { answerHash, measured, median } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import { load, post, probe, startLsmt } from '../http/processes.ts'
import { startBenchCluster } from './bench-cluster.ts'
import type { BenchCluster } from './bench-cluster.ts'

const bench = 'cluster/three-nodes'
const connections = 63
const keys = Array.from({ length: 500 }, (_, index) => `key ${index}`)
const pointReads = keys.map((key) => `SELECT value FROM kv WHERE key = '${key}'`)
const works: readonly (readonly [name: string, bodies: readonly string[]])[] = [
  ['INSERT', keys.map((key) => `INSERT INTO kv VALUES ('${key}', 'written under load')`)],
  ['point SELECT', pointReads],
]

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  if (!isOnPath('etcd', process.env['PATH'] ?? '')) return yield { bench, note: 'left out: etcd is not installed' }
  const cluster = await startBenchCluster()
  try {
    yield* besideOneNode(cluster, smoke)
    yield* readsByLevel(cluster, smoke)
    yield await recovery(cluster, smoke ? 4 : 256)
  } finally {
    await cluster.stop()
  }
}

/** Both in turn, so that what else the machine does meets both. */
async function* besideOneNode({ urls }: BenchCluster, smoke: boolean): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const directory = mkdtempSync(join(tmpdir(), 'lsmt-bench-'))
  const one = await startLsmt(join(directory, 'data'))
  try {
    for (const url of [one.url, urls[0]!]) for (const key of keys) await post(url, `INSERT INTO kv VALUES ('${key}', 'written before')`)
    for (const [name, bodies] of works) {
      const nanoseconds: [number[], number[]] = [[], []]
      for (let round = 0; round < (smoke ? 1 : 5); round++) {
        for (const [index, targets] of [[one.url], urls].entries()) nanoseconds[index]!.push(1e9 / (await rate(targets, bodies, smoke ? 1 : 5)))
      }
      yield ['one node', 'three nodes'].map((contestant, index) => measured(`${bench} ${name}`, contestant, nanoseconds[index]!, 1, answerHash('every request was answered')))
      const shares = nanoseconds[0].map((each, round) => (100 * each) / nanoseconds[1][round]!)
      yield { bench, note: `${name} at ${connections} connections: three nodes on this machine answer ${median(shares).toFixed(0)} % of what one does (${shares.map((share) => share.toFixed(0)).join(', ')})` }
    }
  } finally {
    await one.stop()
    rmSync(directory, { recursive: true })
  }
}

/** Requests a second, of as many connections in all. */
async function rate(urls: readonly string[], bodies: readonly string[], seconds: number): Promise<number> {
  const outcomes = await Promise.all(urls.map((url) => load({ url, connections: connections / urls.length, seconds, bodies })))
  return outcomes.reduce((sum, { perSecond }) => sum + perSecond, 0)
}

const levels: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  linearizable: {},
  session: { 'lsmt-consistency': 'session' },
  stale: { 'lsmt-consistency': 'stale', 'lsmt-staleness-ms-max': '5000' },
}

/** Of one node, which leads some of the shards, follows in some and has nothing of the others. */
async function* readsByLevel({ urls }: BenchCluster, smoke: boolean): AsyncGenerator<BenchNote> {
  for (const [name, headers] of Object.entries(levels)) {
    const { p50Ms, p99Ms } = await probe({ url: urls[1]!, connections: 8, seconds: smoke ? 1 : 10, bodies: pointReads, perSecond: 200, headers })
    yield { bench, note: `point reads at 200 a second, ${name}: p50 ${p50Ms} ms, p99 ${p99Ms} ms` }
  }
}

/** A node is lost with its disk; the spare of each of its shards takes its place. */
async function recovery(cluster: BenchCluster, megabytes: number): Promise<BenchNote> {
  const url = cluster.urls[0]!
  await post(url, 'CREATE TABLE large (id BIGINT PRIMARY KEY, text TEXT NOT NULL)')
  const rowBytes = 1_000, rows = 1_000
  for (let from = 0; from < megabytes * 1_000; from += rows) {
    await post(url, `INSERT INTO large VALUES ${Array.from({ length: rows }, (_, i) => `(${from + i}, '${textOf(from + i, rowBytes)}')`).join(', ')}`)
  }
  const startMs = performance.now()
  await cluster.kill(2)
  while (!(await hasAllCopies(url))) await sleep(50)
  const seconds = (performance.now() - startMs) / 1_000
  return { bench, note: `${megabytes} MB of rows: two copies of all ${seconds.toFixed(1)} s after a node was killed, the time to find it out included (${((1_000 * seconds) / megabytes).toFixed(0)} s per GB)` }
}

async function hasAllCopies(url: string): Promise<boolean> {
  const { cluster } = (await fetch(`${url}/status`).then((answer) => answer.json())) as { readonly cluster: ClusterStatus }
  return cluster.shards.every(({ members, joining, copies }) => joining === null && copies === 2 && members.every(({ live }) => live))
}

/** Letters that do not compress. */
function textOf(seed: number, length: number): string {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0, text = ''
  while (text.length < length) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    text += state.toString(36)
  }
  return text.slice(0, length)
}
