/**
 * Rounds that the logs of a database's shards keep together: in each, all that have something to write do so and sync
 * at the same time, and the next begins when all are through. Left to themselves, each log would sync as soon as it is
 * free and for few records; clients that are answered together send together, so rounds keep groups large.
 */
import type { SyncPlace } from './sync-place.ts'

export interface LogRounds {
  /** Logs that write in the round under way. */
  readonly members: number
  /** For what is the only sync of a round; absent: such syncs are made as any. */
  readonly syncPlace: SyncPlace | undefined
  /** Has `step` (which never rejects) run in the next round; it takes part in one round. */
  join(step: () => Promise<void>): void
  /** Has a round begin though no log has joined it yet. */
  request(): void
  /** Calls `listener` when a round begins, before any step: what was held back until then joins it. */
  onBegin(listener: () => void): void
  /** Calls `listener` when all steps of a round have begun, which is before any of them waits for a disk. */
  onBegun(listener: () => void): void
}

export function createLogRounds(syncPlace?: SyncPlace): LogRounds {
  const beginListeners: (() => void)[] = []
  const begunListeners: (() => void)[] = []
  let steps: (() => Promise<void>)[] = []
  let isUnderWay = false, isWanted = false, members = 0

  function request(): void {
    isWanted = true
    if (isUnderWay) return
    isUnderWay = true
    setImmediate(() => void run())
  }

  async function run(): Promise<void> {
    isWanted = false
    for (const listener of beginListeners) listener()
    const taking = steps
    steps = []
    members = taking.length
    const begun = taking.map((step) => step())
    for (const listener of begunListeners) listener()
    await Promise.all(begun)
    isUnderWay = false
    if (isWanted) request()
  }

  return {
    get members() { return members },
    syncPlace,
    join(step) {
      steps.push(step)
      request()
    },
    request,
    onBegin: (listener) => void beginListeners.push(listener),
    onBegun: (listener) => void begunListeners.push(listener),
  }
}
