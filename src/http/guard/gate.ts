/** How many requests have their statements run at a time; a few more wait for their turn, first come first served. */
import { LsmtError } from '../../errors.ts'
import { afterwards } from '../../runtime/afterwards.ts'
import { endReason } from '../../runtime/end-signal.ts'
import type { CancelSignal } from '../../sql/cancel.ts'
import type { HttpLimits } from './limits.ts'

export interface Gate {
  /** Undefined: at once. 53300 when too many wait already; the signal's reason when it gives up first. Whoever got in must `leave`. */
  enter(signal: CancelSignal): Promise<void> | undefined
  leave(): void
  readonly counts: { readonly running: number; readonly waiting: number }
}

/** Waits for its turn, if there is a queue. */
export function inTurn(gate: Gate, signal: CancelSignal, work: () => Promise<void> | undefined): Promise<void> | undefined {
  const turn = gate.enter(signal)
  return turn === undefined ? beforeEnd(work, gate.leave) : turn.then(() => beforeEnd(work, gate.leave))
}

/** Calls `end` when the work is over, however it ended: at once when it waits for nothing. */
export function beforeEnd(work: () => Promise<void> | undefined, end: () => void): Promise<void> | undefined {
  let working: Promise<void> | undefined
  try {
    working = work()
  } finally {
    if (working === undefined) end()
  }
  return working && afterwards(working, end)
}

export function createGate({ queriesMax, queueMax }: Pick<HttpLimits, 'queriesMax' | 'queueMax'>): Gate {
  let running = 0
  const waiting = new Set<() => void>()

  function wait(signal: CancelSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const letIn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        waiting.delete(letIn)
        signal.removeEventListener('abort', giveUp)
        reject(endReason(signal))
      }
      waiting.add(letIn)
      signal.addEventListener('abort', giveUp)
    })
  }

  return {
    enter(signal) {
      if (running < queriesMax) {
        running++
        return undefined
      }
      if (waiting.size >= queueMax) throw new LsmtError('53300', `${running} requests are at work and ${waiting.size} wait`, { hint: 'try again later' })
      return wait(signal)
    },
    leave() {
      const [next] = waiting
      if (next === undefined) running--
      else {
        // Its place goes to who waits.
        waiting.delete(next)
        next()
      }
    },
    get counts() { return { running, waiting: waiting.size } },
  }
}
