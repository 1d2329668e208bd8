/**
 * What flushes and compactions cost those who read and write beside them: point reads and single writes at an interval, of
 * an idle store and then while batches fill it at a steady pace, a phase of each in turn. The tree's sizes are small, so that
 * something is being flushed or compacted all the time. Times are those of the calls; that of a turn of the event loop tells
 * what one who is not there yet would wait for.
 *
 * `LSMT_BENCH_ROWS` sets the entries (500,000), `LSMT_BENCH_SECONDS` how long a phase is (20).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { BenchNote, BenchOptions } from '../harness.ts'
import { presentKey, randomValue } from '../key-value/entries.ts'
import { batchSize } from '../key-value/workloads.ts'
import type { KeyValueStore } from '../peers/key-value/store.ts'
import { smallMemtables } from './entrants.ts'

const bench = 'scale/background'
const readsPerTurn = 4, turnMs = 1
/** Of the fill: so many entries at a time, so often. */
const fillEntries = 100, fillMs = 5
const phases = ['idle', 'while filling'] as const

type Phase = (typeof phases)[number]
/** Microseconds of each call. */
type Samples = Record<'get' | 'put' | 'turn', number[]>

export async function* measure({ smoke }: BenchOptions): AsyncGenerator<BenchNote> {
  const count = smoke ? 2_000 : Number(process.env['LSMT_BENCH_ROWS'] ?? 500_000)
  const seconds = smoke ? 0.3 : Number(process.env['LSMT_BENCH_SECONDS'] ?? 20)
  const root = mkdtempSync(join(tmpdir(), 'lsmt-bench-background-'))
  try {
    const store = await smallMemtables.open(root, 'written')
    const random = seededRandom(7)
    for (let from = 0; from < count; from += batchSize) await putBatch(store, Array.from({ length: Math.min(batchSize, count - from) }, (_, i) => from + i), random)
    await store.settle()
    // What is compiled while it runs is compiled before anything counts.
    await runPhase(store, 'while filling', count, seconds / 4, random)
    const samples = { idle: emptySamples(), 'while filling': emptySamples() }
    let tableBytes = 0
    for (let round = 0; round < (smoke ? 1 : 3); round++) {
      for (const phase of phases) {
        const before = store.writeUse!().tableBytes
        append(samples[phase], await runPhase(store, phase, count, seconds, random))
        if (phase === 'while filling') tableBytes += store.writeUse!().tableBytes - before
      }
    }
    yield { bench, note: report(samples, tableBytes) }
    await store.close()
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function putBatch(store: KeyValueStore, indexes: readonly number[], random: Random): Promise<void> {
  await store.putBatch(indexes.map(presentKey), indexes.map(() => randomValue(random)))
}

async function runPhase(store: KeyValueStore, phase: Phase, count: number, seconds: number, random: Random): Promise<Samples> {
  const endMs = performance.now() + 1_000 * seconds, delay = monitorEventLoopDelay({ resolution: 1 })
  const filling = phase === 'idle' ? undefined : fillUntil(store, count, endMs)
  const samples = emptySamples()
  delay.enable()
  while (performance.now() < endMs) {
    for (let i = 0; i < readsPerTurn; i++) samples.get.push(await microseconds(() => expectValue(store.getSync(presentKey(random.below(count))))))
    const key = presentKey(random.below(count)), value = randomValue(random)
    samples.put.push(await microseconds(() => store.put(key, value)))
    await sleep(turnMs)
  }
  delay.disable()
  await filling
  samples.turn.push(...[0.5, 0.99, 0.999].map((share) => delay.percentile(100 * share) / 1_000))
  return samples
}

async function fillUntil(store: KeyValueStore, count: number, endMs: number): Promise<void> {
  const random = seededRandom(13)
  while (performance.now() < endMs) {
    await putBatch(store, Array.from({ length: fillEntries }, () => random.below(count)), random)
    await sleep(fillMs)
  }
}

/** A call that gives no promise is over when it returns; no turn of the event loop is counted as its time. */
async function microseconds(call: () => Promise<void> | void): Promise<number> {
  const startMs = performance.now(), called = call()
  if (called !== undefined) await called
  return 1_000 * (performance.now() - startMs)
}

function expectValue(value: string | undefined): void {
  if (value === undefined) throw new Error('a key that was written is not there')
}

const emptySamples = (): Samples => ({ get: [], put: [], turn: [] })

function append(to: Samples, from: Samples): void {
  for (const name of ['get', 'put', 'turn'] as const) for (const each of from[name]) to[name].push(each)
}

function report(samples: Record<Phase, Samples>, tableBytes: number): string {
  const lines = (['get', 'put'] as const).flatMap((name) => {
    const [idle, busy] = phases.map((phase) => [0.5, 0.99, 0.999].map((share) => at(samples[phase][name], share)))
    return [`${name}, idle ${texts(idle!)}, while filling ${texts(busy!)}; p99.9 ${(busy![2]! / idle![2]!).toFixed(1)} times`]
  })
  const turns = phases.map((phase) => `${phase} ${Math.max(...samples[phase].turn).toFixed(0)}`).join(', ')
  return [`µs of p50, p99 and p99.9, ${(tableBytes / 1e6).toFixed(1)} MB of table files being written meanwhile`, ...lines, `turn of the event loop, p99.9 of the slowest phase: ${turns}`].join('\n')
}

function at(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}

const texts = (numbers: readonly number[]): string => numbers.map((each) => each.toFixed(0)).join(' / ')
