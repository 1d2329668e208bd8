/**
 * Whether it pays to share scans just now. Where other work uses the cores that readers would run on, a reader that has
 * taken a row group may be kept from its core for some milliseconds, and the scan waits for it at its end. After a scan that
 * waited for long, readers are left out for a while, and for longer when the next one waits again.
 */
import type { Clock } from '../../runtime/clock.ts'

export interface Lateness {
  readonly areLeftOut: boolean
  /** A scan waited so long at its end, of so long since readers were invited. */
  note(waitedMs: number, wholeMs: number): void
}

/** Less is no more than a turn of the event loop. */
const waitedMsMin = 0.5
/** Of the whole; what a fair share of the rows spares is more. */
const waitedShareMax = 0.1
const leftOutMsStart = 50, leftOutMsMax = 2_000

export function createLateness(clock: Pick<Clock, 'monotonicMs'>): Lateness {
  let leftOutMs = leftOutMsStart, until = 0
  return {
    get areLeftOut() {
      return clock.monotonicMs() < until
    },
    note(waitedMs, wholeMs) {
      if (waitedMs < waitedMsMin || waitedMs < waitedShareMax * wholeMs) {
        leftOutMs = leftOutMsStart
        return
      }
      until = clock.monotonicMs() + leftOutMs
      leftOutMs = Math.min(leftOutMsMax, 2 * leftOutMs)
    },
  }
}
