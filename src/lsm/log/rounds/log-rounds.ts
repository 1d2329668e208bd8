/**
 * Rounds that the logs of a database's shards keep together: in each, all that have something to write do so and sync
 * at the same time, and the next begins when all are through. Left to themselves, each log would sync as soon as it is
 * free and for few records; clients that are answered together send together, so rounds keep groups large.
 *
 * A round begins at the end of a turn of the event loop, so that all that sockets brought is in it. Where no round waits for
 * a disk, such a turn costs a lone writer as much as all that is done for its row. There, those who write again because a round
 * has answered them get the next one as soon as all of them have asked: what sockets brought has no part in it and is not
 * waited for. It still gets its turn, after `promptMsMax` at the latest. One who writes while nobody else does needs no round:
 * it may write at once, and only those who come before it has gone on share one (lone-writes.ts).
 */
import type { Clock } from '../../../runtime/clock.ts'
import { whenSettled } from '../../../runtime/event-loop.ts'
import { createLoneWrites, nobodyAlone, promptMsMax } from './lone-writes.ts'
import type { LoneWrites } from './lone-writes.ts'
import type { SyncPlace } from './sync-place.ts'

export interface LogRounds extends LoneWrites {
  /** Logs that write in the round under way. */
  readonly members: number
  /** For what is the only sync of a round; absent: such syncs are made as any. */
  readonly syncPlace: SyncPlace | undefined
  /** Has `step` run in the next round; it takes part in one round. It never fails; undefined: it is through when it returns. */
  join(step: () => Promise<void> | undefined): void
  /** Has a round begin though no log has joined it yet. */
  request(): void
  /** Calls `listener` when a round begins, before any step: what was held back until then joins it. */
  onBegin(listener: () => void): void
  /** Calls `listener` when all steps of a round have begun, which is before any of them waits for a disk. */
  onBegun(listener: () => void): void
}

export interface LogRoundsOptions {
  readonly syncPlace?: SyncPlace | undefined
  /** Where no round waits for a disk: who was answered and writes again need not wait for the event loop. */
  readonly promptly?: Pick<Clock, 'monotonicMs'> | undefined
}

export function createLogRounds({ syncPlace, promptly }: LogRoundsOptions = {}): LogRounds {
  const beginListeners: (() => void)[] = []
  const begunListeners: (() => void)[] = []
  let steps: (() => Promise<void> | undefined)[] = []
  let isUnderWay = false, isWanted = false, members = 0
  /** The round is through, and those whom it answered have not all gone on. */
  let isAnswering = false
  /** When the event loop last came by. */
  let turnMs = 0
  const lone = promptly === undefined ? nobodyAlone : createLoneWrites(promptly, () => !isWanted && (!isUnderWay || isAnswering))

  function request(): void {
    isWanted = true
    if (isUnderWay) return
    isUnderWay = true
    setImmediate(begin)
  }

  function begin(): void {
    if (promptly !== undefined) turnMs = promptly.monotonicMs()
    run()
  }

  function run(): void {
    isAnswering = false
    for (const listener of beginListeners) listener()
    const taking = steps
    steps = []
    isWanted = false
    members = taking.length
    const waits: Promise<void>[] = []
    for (const step of taking) {
      const wait = step()
      if (wait !== undefined) waits.push(wait)
    }
    for (const listener of begunListeners) listener()
    if (waits.length === 0) through()
    else void Promise.all(waits).then(through)
  }

  function through(): void {
    if (promptly === undefined) return end()
    isAnswering = true
    whenSettled(goOn)
  }

  /** All who were answered by the round have gone on, and those that write again have asked for the next. */
  function goOn(): void {
    if (isWanted && promptly !== undefined && promptly.monotonicMs() - turnMs < promptMsMax) run()
    else end()
  }

  function end(): void {
    isUnderWay = isAnswering = false
    if (isWanted) request()
  }

  return {
    get members() { return members },
    syncPlace,
    join(step) {
      steps.push(step)
      request()
    },
    ...lone,
    request,
    onBegin: (listener) => void beginListeners.push(listener),
    onBegun: (listener) => void begunListeners.push(listener),
  }
}
