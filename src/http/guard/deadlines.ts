/** One time limit for many things: one timer for all of them, since a timer for each costs more than most of them take. */
import type { Clock } from '../../runtime/clock.ts'

export interface Deadlines<T> {
  add(item: T): void
  /** It is not late any more; nothing when it has been already. */
  remove(item: T): void
}

/** Calls `late` for each item that is still there `msMax` after it was added, or a little later. */
export function createDeadlines<T>({ monotonicMs }: Clock, msMax: number, late: (item: T) => void): Deadlines<T> {
  /** When they were added; the oldest first. */
  const added = new Map<T, number>()
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    timer = undefined
    const now = monotonicMs()
    for (const [item, atMs] of added) {
      // A timer may be a moment early.
      if (now - atMs < msMax - 1) {
        wait(msMax - (now - atMs))
        return
      }
      added.delete(item)
      late(item)
    }
  }

  /** What waits holds the process, not its time limit. */
  function wait(ms: number): void {
    timer = setTimeout(look, ms)
    timer.unref()
  }

  return {
    add(item) {
      added.set(item, monotonicMs())
      if (timer === undefined) wait(msMax)
    },
    remove(item) {
      added.delete(item)
    },
  }
}
