/**
 * The bench harness: runs contestants on the same work in turn, checks that their answers are equal, and
 * prints medians, spread and ratios. Machines are noisy: trust ratios within one run, not absolute times.
 */
import { createHash } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Bench } from 'tinybench'
import { openKernel } from '../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../src/kernel/linear-memory.ts'
import type { Kernel } from '../src/kernel/kernel.ts'
import type { KernelKind } from '../src/settings.ts'

export interface BenchOptions {
  /** Seconds instead of minutes: small data, one round; part of the tests, so that no bench rots. */
  readonly smoke: boolean
}

/** One kernel under two implementations. `prepare` builds the data; `run` is timed, copies in and out included. */
export interface BenchCase {
  readonly name: string
  /** Operations (rows, keys, values) in one `run`, for the time of each; 1 when not given. */
  readonly operations?: number
  prepare(kernel: Kernel): PreparedCase
}

export interface PreparedCase {
  run(): void
  /** Text that depends on all that the run computed; equal for all contestants. */
  answer(): string
}

/** A whole-engine workload, each contestant timed by itself. */
export interface Contestant {
  readonly name: string
  run(): Promise<Outcome>
}

/** Milliseconds of the timed part, the operations in it, and an answer that must equal the others'. */
export interface Outcome {
  readonly elapsedMs: number
  /** What all threads of the process worked meanwhile, which other processes hardly change. */
  readonly cpuMs?: number
  readonly operations: number
  readonly answer: string
}

/** Runs and times what gives the operations that it did and an answer. */
export async function timed(run: () => Promise<Pick<Outcome, 'operations' | 'answer'>>): Promise<Outcome> {
  const cpuBefore = process.cpuUsage(), startMs = performance.now()
  const { operations, answer } = await run()
  const elapsedMs = performance.now() - startMs, { user, system } = process.cpuUsage(cpuBefore)
  return { elapsedMs, cpuMs: (user + system) / 1_000, operations, answer }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void

/**
 * Collects the young garbage that others have left, which would otherwise be done in the time of whoever comes next. Whole
 * collections would age compiled code, which is dropped where some of them pass without its being run.
 */
export function collectYoungGarbage(): void {
  collect({ type: 'minor' })
}

export interface Measurement {
  readonly bench: string
  readonly contestant: string
  readonly medianNs: number
  /** Of processor time, where all contestants tell it. */
  readonly cpuMedianNs?: number
  readonly spread: number
  readonly operationsPerSecond: number
  readonly answerHash: string
  /** Of a contestant that is a process of its own: its largest resident size. */
  readonly peakMemoryBytes?: number
  /** What it keeps on disk afterwards. */
  readonly diskBytes?: number
}

/** What is to be read beside the measurements. */
export interface BenchNote {
  readonly bench: string
  readonly note: string
  /** A contestant that does not take part because it is not there. */
  readonly missing?: string
}

export const answerHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const kinds: readonly KernelKind[] = ['wasm', 'js']

/** Times a kernel case under both kinds, interleaved in rounds; throws when their answers differ. */
export function measureKernelCase(bench: string, each: BenchCase, options: BenchOptions): readonly Measurement[] {
  const prepared = kinds.map((kind) => each.prepare(openKernel(kind, reserveLinearMemory(768 * 1024 * 1024))))
  const samples: number[][] = kinds.map(() => [])
  for (let round = 0; round < (options.smoke ? 1 : 3); round++) {
    prepared.forEach((contestant, index) => samples[index]!.push(timeOnce(contestant, options)))
  }
  const hashes = prepared.map((contestant) => answerHash(contestant.answer()))
  assertEqualAnswers(`${bench}/${each.name}`, kinds, hashes)
  return kinds.map((kind, index) => measured(`${bench}/${each.name}`, kind, samples[index]!, each.operations ?? 1, hashes[index]!))
}

function timeOnce(contestant: PreparedCase, options: BenchOptions): number {
  const budget = options.smoke ? { time: 1, iterations: 1, warmupTime: 1, warmupIterations: 1 } : { time: 120, iterations: 3, warmupTime: 40, warmupIterations: 1 }
  const bench = new Bench({ ...budget, throws: true })
  bench.add('case', () => contestant.run())
  bench.runSync()
  const { result } = bench.tasks[0]!
  if (result.state !== 'completed') throw new Error(`bench did not complete: ${result.state}`)
  return result.latency.p50 * 1e6
}

/**
 * Runs whole-engine contestants in turn, `rounds` times, each round beginning with another one. What is compiled while it
 * runs is compiled in a round before that is not counted, unless a bench has seen to that.
 */
export async function measureContestants(bench: string, contestants: readonly Contestant[], rounds: number, warmUpRounds = rounds > 1 ? 1 : 0): Promise<readonly Measurement[]> {
  const names = contestants.map(({ name }) => name)
  const samples: number[][] = contestants.map(() => []), cpuSamples: number[][] = contestants.map(() => [])
  const hashes: string[] = []
  let operations = 1
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (turn + Math.max(round, 0)) % contestants.length
      const outcome = await contestants[index]!.run()
      operations = outcome.operations
      if (round >= 0) samples[index]!.push(outcome.elapsedMs * 1e6)
      if (round >= 0 && outcome.cpuMs !== undefined) cpuSamples[index]!.push(outcome.cpuMs * 1e6)
      hashes[index] = answerHash(outcome.answer)
    }
    assertEqualAnswers(bench, names, hashes)
  }
  const cpuOf = (index: number): Pick<Measurement, 'cpuMedianNs'> => (cpuSamples[index]!.length === rounds ? { cpuMedianNs: median(cpuSamples[index]!) / operations } : {})
  return names.map((name, index) => ({ ...measured(bench, name, samples[index]!, operations, hashes[index]!), ...cpuOf(index) }))
}

/** `nanoseconds` of each round, in which `operations` were done. */
export function measured(bench: string, contestant: string, nanoseconds: readonly number[], operations: number, hash: string): Measurement {
  const middle = median(nanoseconds)
  const spread = (Math.max(...nanoseconds) - Math.min(...nanoseconds)) / middle
  return { bench, contestant, medianNs: middle / operations, spread, operationsPerSecond: (operations / middle) * 1e9, answerHash: hash }
}

/** Throws when hashes differ. */
export function assertEqualAnswers(bench: string, names: readonly string[], hashes: readonly string[]): void {
  if (new Set(hashes).size > 1) throw new Error(`${bench}: answers differ: ${names.map((name, i) => `${name} ${hashes[i]}`).join(', ')}`)
}
