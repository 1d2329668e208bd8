/**
 * A writer that stands still at one of its requests, before it takes effect or before its answer comes, while another
 * takes over, writes, flushes, compacts and deletes what nobody needs. Then the first wakes up. Tells what is wrong:
 * nothing when one of them goes on (the first only if it had not looked for the claims that there were), the other
 * acknowledges no statement that it begins then, and all that was acknowledged is there.
 */
import type { Engine } from '../../../src/engine/engine.ts'
import { LsmtError } from '../../../src/errors.ts'
import { claimFolder } from '../../../src/lsm/file-names.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { createSharedBucket } from '../../../src/storage/simulated/shared-bucket.ts'
import type { BucketRequest } from '../../../src/storage/simulated/shared-bucket.ts'
import { scanAll } from '../engine-fixtures.ts'
import { describeOutcome, openOver } from './two-writers.ts'

export interface Pause {
  /** The number of the request, from 1. */
  readonly request: number
  readonly moment: 'before' | 'after'
}

/** `problems` is undefined when the writer made fewer requests. */
export async function wakeAfterTakeover(pause: Pause): Promise<{ readonly at: string; readonly problems: readonly string[] } | undefined> {
  const acknowledged = new Set<string>()
  const numbers = new Map<BucketRequest, number>()
  let at: string | undefined
  let hasSeenClaims = false
  let wake = (): void => {}
  const asleep = new Promise<void>((resolve) => (wake = resolve))
  let fellAsleep = (): void => {}
  const sleeping = new Promise<void>((resolve) => (fellAsleep = resolve))
  const bucket = createSharedBucket({
    random: seededRandom(1),
    async pause(request, moment) {
      if (request.client !== 'first') return
      if (moment === 'before') numbers.set(request, numbers.size + 1)
      if (at === undefined && moment === 'after' && request.name === claimFolder) hasSeenClaims = true
      if (at !== undefined || moment !== pause.moment || numbers.get(request) !== pause.request) return
      at = `${request.kind} ${request.name}, ${moment}`
      fellAsleep()
      await asleep
    },
  })
  await withSomeHistory(bucket.client('earlier'), acknowledged)
  const first: { engine: Engine | undefined } = { engine: undefined }
  const work = firstWriter(bucket.client('first'), first, acknowledged)
  await Promise.race([sleeping, work])
  if (at === undefined) {
    // What closing asks for counts no more.
    wake()
    await first.engine?.close()
    return undefined
  }
  const second = await openOver(bucket.client('second'))
  for (let i = 0; i < 3; i++) {
    await write(second, `second/${i}`, acknowledged)
    await second.flush()
  }
  await second.compact()
  await write(second, 'second/last', acknowledged)
  wake()
  const ended = await work
  const problems = hasSeenClaims
    ? [...judgeOut('first', ended), ...(await judgeOver('first', first.engine)), ...(await judgeGoing('second', second, acknowledged))]
    : [...judgeGone('first', ended), ...(await judgeOver('second', second)), ...(await judgeGoing('first', first.engine, acknowledged))]
  await first.engine?.close().catch(() => undefined)
  await second.close().catch(() => undefined)
  bucket.arrive()
  const third = await openOver(bucket.client('third'))
  const found = new Set((await scanAll(third, third.table('kv')!)).map(([key]) => String(key)))
  await third.close()
  return { at, problems: [...problems, ...[...acknowledged].filter((key) => !found.has(key)).map((key) => `acknowledged row ${key} is lost`)] }
}

/** It may have been through, if the last answer that it waited for was decided before. */
function judgeOut(name: string, ended: unknown): readonly string[] {
  return ended === undefined || (ended instanceof LsmtError && (ended.code === '55006' || ended.code === '40003')) ? [] : [`the ${name} writer ended by ${describeOutcome(ended)}`]
}

function judgeGone(name: string, ended: unknown): readonly string[] {
  return ended === undefined ? [] : [`the ${name} writer, which takes over, ended by ${describeOutcome(ended)}`]
}

/** The first statement after a takeover may be one of which nobody knows. */
async function judgeOver(name: string, engine: Engine | undefined): Promise<readonly string[]> {
  if (engine === undefined) return []
  const attempt = (): Promise<unknown> => write(engine, 'too late', new Set()).then(() => 'acknowledged', (error: unknown) => error)
  const outcomes = [await attempt(), await attempt()]
  const isOver = outcomes.every((outcome) => outcome instanceof LsmtError && (outcome.code === '55006' || outcome.code === '40003')) && (outcomes[1] as LsmtError).code === '55006'
  return isOver ? [] : [`the ${name} writer's last statements: ${outcomes.map(describeOutcome).join(', ')}`]
}

async function judgeGoing(name: string, engine: Engine | undefined, acknowledged: Set<string>): Promise<readonly string[]> {
  if (engine === undefined) return [`the ${name} writer did not open`]
  return await write(engine, `${name}/after`, acknowledged).then(() => [], (error: unknown) => [`the ${name} writer does not go on: ${String(error)}`])
}

async function withSomeHistory(storage: Parameters<typeof openOver>[0], acknowledged: Set<string>): Promise<void> {
  const engine = await openOver(storage)
  await write(engine, 'earlier', acknowledged)
  await engine.close()
}

/** Opens, writes and flushes until it cannot; tells what ended it. */
async function firstWriter(storage: Parameters<typeof openOver>[0], first: { engine: Engine | undefined }, acknowledged: Set<string>): Promise<unknown> {
  try {
    first.engine = await openOver(storage)
    for (let i = 0; i < 3; i++) {
      await write(first.engine, `first/${i}`, acknowledged)
      if (i > 0) await first.engine.flush()
    }
    await first.engine.compact()
    await write(first.engine, 'first/last', acknowledged)
    return undefined
  } catch (error) {
    return error
  }
}

/** Four rows, in both shards most probably. */
async function write(engine: Engine, name: string, acknowledged: Set<string>): Promise<void> {
  const keys = Array.from({ length: 4 }, (_, i) => `${name}/${i}`)
  await engine.insert(engine.table('kv')!, keys.map((key) => [key, name]), 'upsert')
  for (const key of keys) acknowledged.add(key)
}
