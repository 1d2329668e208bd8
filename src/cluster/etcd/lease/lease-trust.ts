/** Until when a lease may be relied on. That a timer rings tells nothing, since a busy loop rings late: the clock is asked. */
import type { Alarms } from '../../../runtime/alarms.ts'

/**
 * - trusted: etcd keeps it until `untilMs`. - doubtful: it may have ended; it may be trusted again. - gone: it has ended,
 * finally.
 */
export type LeaseState = 'trusted' | 'doubtful' | 'gone'

export interface LeaseTrust {
  /** By the monotonic clock. */
  untilMs(): number
  /** `failure` is why the last renewal failed, for the day when time runs out. */
  failed(failure: string): void
  /** Never shortens it. */
  renewed(untilMs: number): void
  gone(why: string): void
  /** Nothing is told any more. */
  end(): void
}

export interface LeaseTrustOptions {
  readonly clock: { monotonicMs(): number }
  readonly alarms: Alarms
  readonly untilMs: number
  readonly onChange: (state: LeaseState, why: string) => void
}

export function createLeaseTrust({ clock, alarms, untilMs: firstUntilMs, onChange }: LeaseTrustOptions): LeaseTrust {
  let state: LeaseState = 'trusted'
  let isEnded = false
  let untilMs = firstUntilMs
  let lastFailure = 'it was not renewed in time'
  let takeBack = (): void => {}

  function enter(next: LeaseState, why: string): void {
    if (state === next || isEnded) return
    state = next
    onChange(next, why)
  }

  /** Rings for owners that wait; one that works asks. */
  function watchClock(): void {
    takeBack()
    takeBack = alarms.after(Math.max(0, untilMs - clock.monotonicMs()), () => {
      if (clock.monotonicMs() < untilMs) watchClock()
      else enter('doubtful', lastFailure)
    })
  }

  watchClock()
  return {
    untilMs: () => untilMs,
    failed: (failure) => { lastFailure = failure },
    renewed(until) {
      if (isEnded) return
      untilMs = Math.max(untilMs, until)
      lastFailure = 'it was not renewed in time'
      watchClock()
      if (clock.monotonicMs() < untilMs) enter('trusted', 'it was renewed')
    },
    gone(why) {
      untilMs = -Infinity
      takeBack()
      enter('gone', why)
    },
    end() {
      isEnded = true
      takeBack()
    },
  }
}
