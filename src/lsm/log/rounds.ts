/**
 * Rounds that the logs of a database's shards keep together: in each, all that have something to write do so and sync
 * at the same time, and the next begins when all are through. Left to themselves, each log would sync as soon as it is
 * free and for few records; clients that are answered together send together, so rounds keep groups large.
 */
export interface LogRounds {
  /** Has `step` (which never rejects) run in the next round; it takes part in one round. */
  join(step: () => Promise<void>): void
  /** Has a round begin though no log has joined it yet. */
  request(): void
  /** Calls `listener` when a round begins, before any step: what was held back until then joins it. */
  onBegin(listener: () => void): void
  /** Calls `listener` when all steps of a round have begun, which is before any of them waits for a disk. */
  onBegun(listener: () => void): void
}

export function createLogRounds(): LogRounds {
  const beginListeners: (() => void)[] = []
  const begunListeners: (() => void)[] = []
  let steps: (() => Promise<void>)[] = []
  let isUnderWay = false, isWanted = false

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
    const begun = taking.map((step) => step())
    for (const listener of begunListeners) listener()
    await Promise.all(begun)
    isUnderWay = false
    if (isWanted) request()
  }

  return {
    join(step) {
      steps.push(step)
      request()
    },
    request,
    onBegin: (listener) => void beginListeners.push(listener),
    onBegun: (listener) => void begunListeners.push(listener),
  }
}
