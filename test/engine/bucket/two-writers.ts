/**
 * Two writers over one bucket, interleaved by seed at every request, with lost and late answers, repeated requests and
 * pauses, while flushes collect garbage. Tells what is wrong: nothing when exactly one of them goes on, the other
 * learns so by a clear error, and all that either acknowledged is there in the end.
 */
import type { Engine, EngineRow } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createSharedBucket } from '../../../src/storage/simulated/shared-bucket.ts'
import type { SharedBucket } from '../../../src/storage/simulated/shared-bucket.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { scanAll } from '../engine-fixtures.ts'
import { openTestEngine } from '../open-test-engine.ts'

export const smallSettings = { shards: 2, kernels: 'js', kernelMemoryBytes: 8 * 1024 * 1024, cacheBytesMax: 1024 * 1024, readers: 0, tree: { memtableBytesMax: 64 * 1024 } } as const

/** Time that passes when somebody sleeps, and otherwise not. */
export function turningClock(): Clock {
  let nowMs = 0
  return {
    monotonicMs: () => nowMs,
    wallMicros: () => 1_700_000_000_000_000n + BigInt(Math.round(nowMs * 1000)),
    async sleep(ms) {
      nowMs += ms
      await turn()
    },
  }
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function openOver(storage: Storage): Promise<Engine> {
  return openTestEngine(storage, smallSettings, undefined, turningClock())
}

interface Writer {
  readonly name: string
  engine: Engine | undefined
  /** What ended it. */
  error: unknown
}

export async function raceOfTwo(seed: number): Promise<readonly string[]> {
  const random = seededRandom(seed)
  const pause = async (): Promise<void> => {
    // Mostly none, now and then long enough for the other to do all of its work.
    const turns = random.below(12) === 0 ? random.below(150) : random.below(3)
    for (let i = 0; i < turns; i++) await turn()
  }
  const bucket = createSharedBucket({ random, pause })
  const acknowledged = new Set<string>()
  if (random.below(2) === 0) await earlierWriter(bucket, random, acknowledged)
  bucket.faults = { unknown: random.below(2) * 15, repeated: random.below(2) * 30 }
  const writers = await Promise.all(['a', 'b'].map((name) => work(bucket, random, name, acknowledged)))
  bucket.faults = { unknown: 0, repeated: 0 }
  const problems = await judgeWriters(writers, acknowledged)
  for (const { engine } of writers) await engine?.close().catch(() => undefined)
  bucket.arrive()
  return [...problems, ...(await judgeRows(bucket, acknowledged))]
}

async function earlierWriter(bucket: SharedBucket, random: Random, acknowledged: Set<string>): Promise<void> {
  const engine = await openOver(bucket.client('earlier'))
  await write(engine, random, 'earlier', 5, acknowledged)
  if (random.below(2) === 0) await engine.close()
}

async function work(bucket: SharedBucket, random: Random, name: string, acknowledged: Set<string>): Promise<Writer> {
  const writer: Writer = { name, engine: undefined, error: undefined }
  try {
    writer.engine = await openOver(bucket.client(name))
    await write(writer.engine, random, name, 12, acknowledged)
  } catch (error) {
    writer.error = error
  }
  return writer
}

/** Statements of one row or of several in both shards, some at a time; flushes between. */
async function write(engine: Engine, random: Random, name: string, count: number, acknowledged: Set<string>): Promise<void> {
  const table = engine.table('kv')!
  for (let i = 0; i < count; i++) {
    const rows: EngineRow[] = Array.from({ length: 1 + random.below(3) }, (_, j) => [`${name}/${i}/${j}`, name])
    await engine.insert(table, rows, 'upsert').then(() => rows.forEach(([key]) => acknowledged.add(String(key))), ignoreUnknown)
    if (random.below(3) === 0) await engine.flush()
  }
}

/** Whether it was written will be seen; the writer goes on. */
function ignoreUnknown(error: unknown): void {
  if (!(error instanceof LsmtError && (error.code === '40003' || error.code === '57P03'))) throw error
}

async function judgeWriters(writers: readonly Writer[], acknowledged: Set<string>): Promise<readonly string[]> {
  const problems: string[] = []
  let going = 0
  for (const { name, engine, error } of writers) {
    const outcome: unknown = engine === undefined ? error : await lastWrite(engine, name, acknowledged)
    if (outcome === undefined) going++
    else if (!(outcome instanceof LsmtError) || outcome.code !== '55006') problems.push(`writer ${name} ended by ${describeOutcome(outcome)}`)
  }
  if (going !== 1) problems.push(`${going} writers go on`)
  return problems
}

/** More than one, since the first may tell that it, or an earlier one, is not known; pauses take their time. */
async function lastWrite(engine: Engine, name: string, acknowledged: Set<string>): Promise<unknown> {
  let outcome: unknown
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const key = `last of ${name}/${attempt}`
    outcome = await engine.insert(engine.table('kv')!, [[key, name]], 'upsert').then(() => void acknowledged.add(key), (error: unknown) => error)
    if (!(outcome instanceof LsmtError && (outcome.code === '40003' || outcome.code === '57P03'))) return outcome
    await turn()
  }
  return outcome
}

async function judgeRows(bucket: SharedBucket, acknowledged: ReadonlySet<string>): Promise<readonly string[]> {
  try {
    const engine = await openOver(bucket.client('reader'))
    const rows = await scanAll(engine, engine.table('kv')!)
    await engine.close()
    const found = new Set(rows.map(([key]) => String(key)))
    return [...acknowledged].filter((key) => !found.has(key)).map((key) => `acknowledged row ${key} is lost`)
  } catch (error) {
    return [`the database cannot be opened: ${String(error)}`]
  }
}

/** An error with what caused it. */
export function describeOutcome(outcome: unknown): string {
  if (!(outcome instanceof Error)) return JSON.stringify(outcome) ?? 'going on'
  return outcome.cause === undefined ? String(outcome) : `${String(outcome)} (${describeOutcome(outcome.cause)})`
}
