/** How often and how long a request is repeated: steps that double, half of each by chance, until a deadline. */
import type { Clock } from '../../runtime/clock.ts'
import type { Random } from '../../runtime/random.ts'
import type { Answer } from './bucket/bucket.ts'

export interface AttemptSettings {
  readonly backoffFirstMs: number
  readonly backoffMsMax: number
}

export interface Attempts {
  /** Waits for the next attempt; false, at once, if it would begin after the deadline. A store that asks for fewer requests is left alone longer. */
  again(isThrottled: boolean): Promise<boolean>
}

/** The deadline counts from this call. */
export function startAttempts({ clock, random }: { readonly clock: Clock; readonly random: Random }, { backoffFirstMs, backoffMsMax }: AttemptSettings, deadlineMs: number): Attempts {
  const endMs = clock.monotonicMs() + deadlineMs
  let stepMs = backoffFirstMs
  return {
    async again(isThrottled) {
      const waitMs = Math.min(backoffMsMax, isThrottled ? stepMs * 4 : stepMs) * (0.5 + random.nextFloat() / 2)
      stepMs = Math.min(backoffMsMax, stepMs * 2)
      if (clock.monotonicMs() + waitMs > endMs) return false
      await clock.sleep(waitMs)
      return true
    },
  }
}

/** Repeats a request that may be made any number of times. Gives the last answer when time is over. */
export async function repeat<T>(attempts: Attempts, request: () => Promise<Answer<T>>): Promise<Answer<T>> {
  for (;;) {
    const answer = await request()
    const isWorthwhile = answer.kind === 'again' || answer.kind === 'skewed' || answer.kind === 'conflict'
    if (!isWorthwhile || !(await attempts.again(answer.isThrottled))) return answer
  }
}
