/**
 * Servers under load, each in a process of its own and asked over loopback in turn: `POST /query` of lsmt, as users start
 * it; a bare `node:http` server and an empty express route, which answer the same requests with the same bytes and do
 * nothing else; PostgreSQL, asked by `pgbench`; Redis, asked by `redis-benchmark`. Whatever is written is on disk before
 * it is answered.
 *
 * `LSMT_BENCH_SECONDS` sets how long each is under load each time (2).
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answerHash, assertEqualAnswers, measured, median } from '../harness.ts'
import type { BenchNote, BenchOptions, Measurement } from '../harness.ts'
import type { LoadShape, Rate, ServerContestant } from './contestant.ts'
import { openEcho, openExpress, openLsmt } from './http-contestants.ts'
import type { LsmtContestant } from './http-contestants.ts'
import { findPostgresql, openPostgresql } from './postgresql.ts'
import type { Postgresql } from './postgresql.ts'
import { isRedisInstalled, openRedis } from './redis.ts'
import { checks, works } from './works.ts'
import type { Work } from './works.ts'

const bench = 'server'
/** They send all there is to send but the aggregate, which `equalAnswers` asks for. */
const smokeWorks = ['point SELECT', 'point SELECT and INSERT']
const missing = (name: string, what: string): BenchNote => ({ bench, note: `${name} does not take part: ${what} not installed`, missing: name })

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-server-'))
  // PostgreSQL may have to run as somebody else.
  chmodSync(root, 0o755)
  const done = smoke ? works.filter(({ name }) => smokeWorks.includes(name)) : works
  const factCount = smoke ? 1_000 : 100_000
  const programs = findPostgresql()
  const open: { stop(): Promise<void> }[] = []
  const opened = <T extends { stop(): Promise<void> }>(contestant: T): T => {
    open.unshift(contestant)
    return contestant
  }
  try {
    const lsmt = opened(await openLsmt(join(root, 'lsmt'), factCount))
    const contestants = [lsmt, opened(await openEcho(lsmt, done)), opened(await openExpress(lsmt, done))]
    if (programs === undefined) yield missing('postgresql', 'initdb, postgres, pgbench or psql is')
    else {
      const postgresql = opened(await openPostgresql(programs, join(root, 'postgresql'), factCount))
      yield await equalAnswers(lsmt, postgresql)
      contestants.push(...postgresql.contestants)
    }
    if (isRedisInstalled()) contestants.push(opened(await openRedis(join(root, 'redis'))))
    else yield missing('redis', 'redis-server, redis-benchmark or redis-cli is')
    yield* underLoad(contestants, done, smoke)
  } finally {
    for (const each of open) await each.stop()
    rmSync(root, { recursive: true })
  }
}

/** lsmt's as CSV are lines of values too, after one of names. */
async function equalAnswers(lsmt: LsmtContestant, postgresql: Postgresql): Promise<BenchNote> {
  for (const sql of checks) {
    const csv = await fetch(`${lsmt.url}/query?format=csv`, { method: 'POST', body: sql }).then((response) => response.text())
    const answers = [csv.trimEnd().split(/\r?\n/).slice(1).join('\n'), await postgresql.answer(sql)]
    assertEqualAnswers(`${bench}: ${sql}`, ['lsmt', 'postgresql'], answers.map(answerHash))
  }
  return { bench, note: 'lsmt and postgresql give equal answers' }
}

async function* underLoad(contestants: readonly ServerContestant[], done: readonly Work[], smoke: boolean): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const seconds = smoke ? 1 : Number(process.env['LSMT_BENCH_SECONDS'] ?? 2)
  for (const work of done) {
    for (const connections of smoke ? [4] : [1, 64, 512]) {
      yield* compare(contestants.filter((each) => each.does(work)), work, { connections, seconds }, smoke)
    }
  }
}

async function* compare(contestants: readonly ServerContestant[], work: Work, shape: LoadShape, smoke: boolean): AsyncGenerator<readonly Measurement[] | BenchNote> {
  const rates: Rate[][] = contestants.map(() => [])
  if (smoke) await Promise.all(contestants.map(async (each, i) => rates[i]!.push(await each.rate(work, shape))))
  else {
    for (const each of contestants) await each.rate(work, { ...shape, seconds: 1 })
    for (let round = 0; round < 3; round++) for (const [i, each] of contestants.entries()) rates[i]!.push(await each.rate(work, shape))
  }
  const name = `${bench}/${work.name}, ${shape.connections} connections`
  yield contestants.map((each, i) => ({
    ...measured(name, each.name, rates[i]!.map(({ perSecond }) => 1e9 / perSecond), 1, answerHash('every request was answered')),
    ...known('peakMemoryBytes', each.peakMemoryBytes()), ...known('diskBytes', each.diskBytes()),
  }))
  const latencies = contestants.flatMap(({ name: contestant }, i) => latency(contestant, rates[i]!))
  yield { bench: name, note: `p50 and p99 in ms: ${latencies.join(', ')}` }
}

const known = <Name extends string>(name: Name, value: number | undefined): { readonly [N in Name]?: number } => (value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]: number }))

function latency(contestant: string, rates: readonly Rate[]): readonly string[] {
  const [p50, p99] = [rates.map(({ p50Ms }) => p50Ms), rates.map(({ p99Ms }) => p99Ms)].map((each) => each.filter((ms) => ms !== undefined))
  return p50!.length === 0 ? [] : [`${contestant} ${median(p50!)} and ${median(p99!)}`]
}
