/**
 * Pace of long work on the serving thread: what never waits for storage would keep every timer and socket waiting, since
 * resolved promises run before them. So such work asks at each step whether it is somebody else's turn, or over.
 */
import { endReason } from './end-signal.ts'
import type { EndSignal } from './end-signal.ts'

/** How the event loop goes round; injected, so that a simulator can own it. */
export interface Turns {
  monotonicMs(): number
  /** Resolves once timers and sockets had their turn. */
  next(): Promise<void>
}

export const systemTurns: Turns = {
  monotonicMs: () => performance.now(),
  // Twice, since what sockets bring may have work of its own put off to the end of that turn, as answers are.
  next: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
}

export interface Pace {
  /** Whose wish ends the work; for work that waits for somebody who is to be told of it at once. */
  readonly signal?: EndSignal | undefined
  /** undefined: go on. Otherwise others have the turn until it resolves. Throws when the work is to end: 57014, or the signal's own LsmtError. */
  turn(): Promise<void> | undefined
}

/** So long may work that waits for nothing keep timers and sockets waiting. */
export const sliceMs = 4

/**
 * One pace for all parts of one statement: when one of them gives its turn away, the others wait with it. `assertOpen`
 * throws when what they work on was closed in the meantime.
 */
export function createPace(turns: Turns, signal: EndSignal | undefined, assertOpen: () => void = () => {}): Pace {
  let startMs = turns.monotonicMs()
  let pause: Promise<void> | undefined
  return {
    signal,
    turn() {
      if (signal?.aborted === true) throw endReason(signal)
      if (pause !== undefined) return pause
      if (turns.monotonicMs() - startMs < sliceMs) return undefined
      pause = turns.next().then(() => {
        startMs = turns.monotonicMs()
        pause = undefined
        assertOpen()
      })
      return pause
    },
  }
}

/** So long may calls that are answered at once follow one another before timers and sockets have their turn. */
const callsMsMax = 2
/** A look at the clock costs a tenth of a read by key, so it is for as many calls as take an eighth of that, and not more than these. */
const callsPerLookMax = 16

/** undefined: give the answer; otherwise once it resolves. */
export type CallPace = () => Promise<void> | undefined

/**
 * Turns between calls that are answered without waiting for anything: whoever awaits one after the other never leaves the
 * queue of microtasks, and everybody else waits for as long as that goes on. To be asked when an answer is there: calls
 * then begin in their order, and have had their effect, whoever waits.
 */
export function createCallPace(turns: Turns): CallPace {
  /** Until the event loop comes by, which is watched for from a first call on. */
  let next: Promise<void> | undefined
  let watchedMs = 0, cameByMs = -Infinity
  let lookedMs = -Infinity, callsOfLook = 1, callsLeft = 0

  function callsUntilLook(nowMs: number): number {
    const msPerCall = (nowMs - lookedMs) / callsOfLook
    lookedMs = nowMs
    return Math.min(callsPerLookMax, Math.max(1, Math.floor(callsMsMax / 8 / msPerCall)))
  }

  function watch(nowMs: number): void {
    watchedMs = nowMs
    next = turns.next().then(() => {
      next = undefined
      cameByMs = turns.monotonicMs()
    })
  }

  return () => {
    if (--callsLeft > 0) return undefined
    const nowMs = turns.monotonicMs()
    callsLeft = callsOfLook = callsUntilLook(nowMs)
    if (next === undefined && nowMs - cameByMs >= callsMsMax) watch(nowMs)
    else if (next !== undefined && nowMs - watchedMs >= callsMsMax) return next
    return undefined
  }
}
