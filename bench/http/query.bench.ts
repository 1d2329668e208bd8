/**
 * POST /query at 64 connections beside a bare `node:http` server that answers the same requests with the same bytes; what
 * the rest of the time goes to; and the latency of point reads while a large aggregate runs.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerHash, measured, median } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import { cannon, cpuMicrosOf, load, post, probe, startEcho, startLsmt } from './processes.ts'
import type { Load, Outcome, Server } from './processes.ts'
import { profileLines } from './profile.ts'

const bench = 'http/query'
const connections = 64

interface Work {
  readonly name: string
  readonly bodies: readonly string[]
}

const keys = Array.from({ length: 500 }, (_, index) => `key ${index}`)
const works: readonly Work[] = [
  { name: 'point SELECT', bodies: keys.map((key) => `SELECT value FROM kv WHERE key = '${key}'`) },
  { name: 'INSERT, durability sync', bodies: keys.map((key) => `INSERT INTO kv VALUES ('${key}', 'written under load')`) },
]

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const directory = mkdtempSync(join(tmpdir(), 'lsmt-bench-'))
  const [seconds, rounds] = smoke ? [1, 1] : [5, 5]
  try {
    const lsmt = await startLsmt(join(directory, 'data'))
    try {
      for (const key of keys) await post(lsmt.url, `INSERT INTO kv VALUES ('${key}', 'written before')`)
      for (const work of works) yield* besideEcho(lsmt, work, seconds, rounds)
      yield* pointReadsBesideAggregate(lsmt, smoke)
    } finally {
      await lsmt.stop()
    }
    if (!smoke) for (const work of works) yield await profileOf(directory, work, seconds)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Of each contestant, of each round: time and CPU of the server a request, and of the load. */
interface Rounds {
  readonly nanoseconds: number[]
  readonly cpuMicros: number[]
  readonly loadMicros: number[]
}

async function* besideEcho(lsmt: Server, { name, bodies }: Work, seconds: number, rounds: number): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const echo = await startEcho(await post(lsmt.url, bodies[0]!))
  try {
    const [ofEcho, ofLsmt] = await inTurn([echo, lsmt], load, { connections, seconds, bodies }, rounds)
    yield [ofEcho!, ofLsmt!].map(({ nanoseconds }, index) => measured(`${bench} ${name}`, index === 0 ? 'node:http echo' : 'lsmt', nanoseconds, 1, answerHash('every request was answered')))
    yield { bench, note: `${name} at ${connections} connections: ${shareOf(ofEcho!.nanoseconds, ofLsmt!.nanoseconds)} of the echo's rate; CPU of the server a request ${micros(ofEcho!.cpuMicros)} (echo) and ${micros(ofLsmt!.cpuMicros)}, of the load ${micros(ofEcho!.loadMicros)}` }
    const [echoByCannon, lsmtByCannon] = await inTurn([echo, lsmt], cannon, { connections, seconds, bodies }, Math.min(rounds, 3))
    yield { bench, note: `${name}, the same by autocannon, whose own CPU is ${micros(echoByCannon!.loadMicros)} a request: ${shareOf(echoByCannon!.nanoseconds, lsmtByCannon!.nanoseconds)} of the echo's rate` }
  } finally {
    await echo.stop()
  }
}

/** All in turn, so that what else the machine does meets all of them; the first round is not counted. */
async function inTurn(servers: readonly Server[], send: typeof load, work: Omit<Load, 'url'>, rounds: number): Promise<readonly Rounds[]> {
  const all = servers.map((): Rounds => ({ nanoseconds: [], cpuMicros: [], loadMicros: [] }))
  for (const { url } of servers) await send({ ...work, url, seconds: 1 })
  for (let round = 0; round < rounds; round++) {
    for (const [index, server] of servers.entries()) {
      const before = cpuMicrosOf(server)
      const { perSecond, ownCpuMicros } = await send({ ...work, url: server.url })
      const after = cpuMicrosOf(server)
      all[index]!.nanoseconds.push(1e9 / perSecond)
      all[index]!.loadMicros.push(ownCpuMicros)
      if (before !== undefined && after !== undefined) all[index]!.cpuMicros.push((after - before) / (perSecond * work.seconds))
    }
  }
  return all
}

const micros = (values: readonly number[]): string => (values.length === 0 ? 'unknown' : `${median(values).toFixed(1)} µs`)

function shareOf(echo: readonly number[], lsmt: readonly number[]): string {
  const shares = echo.map((each, round) => (100 * each) / lsmt[round]!)
  return `${median(shares).toFixed(0)} % (${shares.map((share) => share.toFixed(0)).join(', ')})`
}

/** The profiler slows the server down, so this one is not measured. */
async function profileOf(directory: string, { name, bodies }: Work, seconds: number): Promise<BenchNote> {
  const profiles = mkdtempSync(join(directory, 'profiles-'))
  const lsmt = await startLsmt(join(directory, 'data'), ['--cpu-prof', `--cpu-prof-dir=${profiles}`])
  await load({ url: lsmt.url, connections, seconds, bodies })
  await lsmt.stop()
  return { bench, note: `${name}, where the time goes:\n${profileLines(profiles, 20).join('\n')}` }
}

/** In turn, and the medians of several rounds. */
async function* pointReadsBesideAggregate(lsmt: Server, smoke: boolean): AsyncGenerator<BenchNote> {
  const rowCount = await fillTable(lsmt.url, smoke ? 3 : 9)
  const reads = { url: lsmt.url, connections: 8, seconds: smoke ? 1 : 5, bodies: works[0]!.bodies, perSecond: 500 }
  const [alone, beside]: [Outcome[], Outcome[]] = [[], []]
  let aggregates = 0
  for (let round = 0; round < (smoke ? 1 : 5); round++) {
    alone.push(await probe(reads))
    let isOver = false
    const running = (async () => {
      for (; !isOver; aggregates++) await post(lsmt.url, 'SELECT g, COUNT(*), SUM(d), MAX(t) FROM large GROUP BY g')
    })()
    beside.push(await probe(reads))
    isOver = true
    await running
  }
  const told = (outcomes: readonly Outcome[]): string => `${median(outcomes.map(({ p50Ms }) => p50Ms))} and ${median(outcomes.map(({ p99Ms }) => p99Ms))}`
  yield { bench, note: `point reads, p50 and p99 in ms: ${told(alone)} alone, ${told(beside)} (p99 of each round: ${beside.map(({ p99Ms }) => p99Ms).join(', ')}) while ${aggregates} aggregates over ${rowCount} rows ran one after the other` }
}

/** 9,766 rows, doubled so many times. */
async function fillTable(url: string, doublings: number): Promise<number> {
  await post(url, 'CREATE TABLE large (id BIGINT PRIMARY KEY, g BIGINT NOT NULL, d DOUBLE PRECISION NOT NULL, t TEXT NOT NULL)')
  const first = 9_766
  await post(url, `INSERT INTO large VALUES ${Array.from({ length: first }, (_, id) => `(${id}, ${id % 1000}, ${id / 8}, 'text ${id % 77}')`).join(', ')}`)
  let rowCount = first
  for (let doubling = 0; doubling < doublings; doubling++) {
    const part = 500_000
    const before = rowCount
    for (let from = 0; from < before; from += part) {
      await post(url, `INSERT INTO large SELECT id + ${before}, g, d, t FROM large WHERE id >= ${from} AND id < ${Math.min(from + part, before)}`)
      rowCount += Math.min(part, before - from)
    }
  }
  return rowCount
}
