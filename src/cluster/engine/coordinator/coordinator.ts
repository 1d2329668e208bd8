/** One term of a coordinator of writes: from the moment this node leads shard 0 until it does not any more. */
import type { Engine } from '../../../engine/engine.ts'
import { LsmtError } from '../../../errors.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { createSettledParts } from '../appends/settled-parts.ts'
import type { ShardLeader } from '../appends/shard-leader.ts'
import { createShardWriter } from '../appends/shard-writer.ts'
import type { ShardWriter } from '../appends/shard-writer.ts'
import { takeOver } from './take-over.ts'

export interface CoordinatorFloor {
  readonly shardCount: number
  /** Who leads a shard by what is known now. */
  readonly leader: (shard: number) => ShardLeader | undefined
  /** Resolves when who leads may have changed, and after a short while in any case. */
  readonly changed: () => Promise<void>
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  readonly openEngine: (writers: readonly ShardWriter[], told: TermTold) => Promise<Engine>
}

/** What statements of an engine are told, where these give something. */
export interface TermTold {
  /** Once it is closed. */
  readonly closed: () => LsmtError | undefined
  /** Before they write. */
  readonly refusal: () => LsmtError | undefined
}

export interface Coordinator {
  /** Of its leadership of shard 0. */
  readonly epoch: number
  /** Resolves when it takes statements; rejects when its term ends before. */
  readonly ready: Promise<Engine>
  /** Once it is ready, and until it is drained. */
  readonly engine: Engine | undefined
  /** Aborts when its term is over: statements that were under way have failed by then. */
  readonly over: AbortSignal
  /** Fewest disks that what was acknowledged last in a shard is on; undefined: nothing was yet. */
  readonly copies: number | undefined
  /** By shard: up to where what it wrote can be seen. */
  visible(): readonly number[]
  /** Who leads may have changed. */
  look(): void
  /** No statement writes any more. Resolves when what was under way is visible, and after `waitMs` in any case; taken back if the term goes on for long. */
  drain(waitMs: number): Promise<void>
  /** Ends its term. Resolves when its engine is closed. */
  end(): Promise<void>
}

const drainLookMs = 2
/** The leadership is given up at once after it; a node that cannot goes on. */
const drainedMsMax = 1_000

function termOver(cause?: unknown): LsmtError {
  return new LsmtError('57P03', 'this node does not coordinate writes any more', { hint: 'this statement was not written: send it again' }, cause)
}

export function beginCoordinating(floor: CoordinatorFloor, epoch: number): Coordinator {
  const over = new AbortController()
  const settled = createSettledParts(floor.shardCount, () => floor.clock.monotonicMs())
  let engine: Engine | undefined
  let ended: Promise<void> | undefined
  let drainedUntilMs = -Infinity

  const end = (cause?: unknown): Promise<void> => (ended ??= close(cause))
  const writers = Array.from({ length: floor.shardCount }, (_, shard) => createShardWriter({ shard, coordinator: epoch, leader: () => floor.leader(shard), changed: floor.changed, onLost: (cause) => void end(cause), settled }))

  async function close(cause: unknown): Promise<void> {
    const refusal = termOver(cause)
    for (const writer of writers) writer.end(refusal)
    over.abort(refusal)
    // One that is still being opened closes itself as soon as it is.
    await engine?.close()
  }

  const isDraining = (): boolean => floor.clock.monotonicMs() < drainedUntilMs

  async function drain(waitMs: number): Promise<void> {
    const { clock } = floor
    const endMs = clock.monotonicMs() + waitMs
    drainedUntilMs = endMs + drainedMsMax
    while (clock.monotonicMs() < endMs && writers.some(({ isIdle }) => !isIdle)) await clock.sleep(drainLookMs)
  }

  async function begin(): Promise<Engine> {
    await takeOver(writers)
    writers.forEach((writer, shard) => settled.begin(shard, writer.visibleSequence))
    const made = await floor.openEngine(writers, { closed: () => (over.signal.aborted ? termOver(over.signal.reason) : undefined), refusal: () => (isDraining() ? termOver() : undefined) })
    if (!over.signal.aborted) return (engine = made)
    await made.close()
    throw over.signal.reason
  }

  const ready = begin()
  // Whoever waits for it is told; the term itself goes on until this node does not lead any more.
  ready.catch(() => {})
  return {
    epoch,
    ready,
    get engine() { return over.signal.aborted || isDraining() ? undefined : engine },
    over: over.signal,
    get copies() {
      const known = writers.map(({ copies }) => copies).filter((copies) => copies > 0)
      return known.length === 0 ? undefined : Math.min(...known)
    },
    visible: () => writers.map(({ visibleSequence }) => visibleSequence),
    drain,
    look: () => writers.forEach((writer) => writer.look()),
    end: () => end(),
  }
}
