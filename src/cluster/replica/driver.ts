/**
 * Runs the step function: one event after the other, each to the end of its effects. What effects lead to at once is an
 * event of its own, after them. All of it is one turn of the event loop, so that what a turn brings shares one round of
 * the log and one write to each peer.
 */
import type { Effect, ReplicaEvent } from '../replication/event.ts'
import type { ReplicaState } from '../replication/state/replica-state.ts'
import type { StepContext } from '../replication/state/turn.ts'
import { step } from '../replication/step.ts'

export interface Driver {
  readonly state: ReplicaState
  give(event: ReplicaEvent): void
}

export interface DriverOptions {
  readonly context: StepContext
  readonly first: ReplicaState
  readonly clock: { monotonicMs(): number }
  /** Before the effects of a step. */
  readonly watch: ((before: ReplicaState, after: ReplicaState, effects: readonly Effect[]) => void) | undefined
  carryOut(effect: Effect): void
  /** After the effects of a step. */
  stepped(before: ReplicaState): void
  /** When all events that were given are done. */
  rested(): void
  /** A bug: nothing is done any more. */
  failed(error: unknown): void
}

export function createDriver({ context, first, clock, watch, carryOut, stepped, rested, failed }: DriverOptions): Driver {
  const events: ReplicaEvent[] = []
  let state = first, hasFailed = false

  function runAll(): void {
    for (let i = 0; i < events.length; i++) {
      const before = state
      const result = step(context, before, events[i]!, clock.monotonicMs())
      state = result.state
      watch?.(before, state, result.effects)
      for (const effect of result.effects) carryOut(effect)
      stepped(before)
    }
  }

  return {
    get state() { return state },
    give(event) {
      if (hasFailed) return
      events.push(event)
      if (events.length > 1) return
      try {
        runAll()
      } catch (error) {
        hasFailed = true
        return failed(error)
      }
      events.length = 0
      rested()
    },
  }
}
