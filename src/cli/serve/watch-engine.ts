/** Tells the log what happens to a database that no request asked for: a full disk, a failed log, background work in trouble; and sees whether another writer has come. */
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { EngineStats } from '../../engine/engine-stats.ts'
import type { Log } from '../../runtime/log.ts'

const lookMs = 1_000
/** So many looks from one at claims to the next, which is a request. */
const looksPerClaim = 5

/** Looks now and then until the returned function is called. `onOvertaken` is called when another writer has come: what this one reads is old from then on. */
export function watchEngine(engine: Pick<Engine, 'stats' | 'assertWriter'>, log: Log, onOvertaken: (error: LsmtError) => void): () => void {
  let looks = 0
  let before = conditionOf(engine.stats())
  const look = (): void => {
    const now = conditionOf(engine.stats())
    tellChanges(before, now, log)
    before = now
    if (looks++ % looksPerClaim === 0) engine.assertWriter?.().catch((error: unknown) => {
      // Whatever else it is, writes tell of it.
      if (error instanceof LsmtError && error.code === '55006') onOvertaken(error)
    })
  }
  const timer = setInterval(look, lookMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    look()
  }
}

interface Condition {
  readonly refusal: string | undefined
  /** By shard. */
  readonly failures: readonly (string | undefined)[]
  readonly troubles: readonly (string | undefined)[]
  /** Of a node that only reads. */
  readonly following: string | undefined
}

function conditionOf({ disk, shards, following }: EngineStats): Condition {
  return { refusal: disk.refusal, failures: shards.map(({ failure }) => failure), troubles: shards.map(({ background }) => background), following: following?.trouble }
}

function tellChanges(before: Condition, now: Condition, log: Log): void {
  if (before.refusal === undefined && now.refusal !== undefined) log.error({ reason: now.refusal }, 'the disk is full: read-only')
  if (before.refusal !== undefined && now.refusal === undefined) log.info({}, 'the disk has room again: writes are taken')
  if (now.following !== undefined && now.following !== before.following) log.warn({ reason: now.following }, 'the writer cannot be followed; it is tried again')
  if (now.following === undefined && before.following !== undefined) log.info({}, 'the writer is followed again')
  for (const [shard, failure] of now.failures.entries()) {
    if (failure !== undefined && before.failures[shard] === undefined) log.error({ shard, reason: failure }, 'a shard takes no more writes until a restart')
  }
  for (const [shard, trouble] of now.troubles.entries()) {
    if (trouble !== undefined && trouble !== before.troubles[shard]) log.warn({ shard, reason: trouble }, 'background work failed and is tried again')
  }
}
