/** Steps whose outcome storage could not tell are taken again, in the same way, until it can. */
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'

export interface Patience {
  readonly clock: Clock
  /** Why not to go on asking; the outcome stays unknown then. */
  readonly hasEnded: () => boolean
  /** Told each time that the outcome is not known. */
  readonly onUnknown?: (error: Error) => void
}

const waitMsMin = 20, waitMsMax = 5_000

/** Whether an object stands was not known when this was raised. */
export function isUnknown(error: unknown): error is LsmtError {
  return error instanceof LsmtError && error.code === '40003'
}

/** Storage gave no answer, or none that can be used: asked again, it may. */
export function isStorageFailure(error: unknown): error is LsmtError {
  return error instanceof LsmtError && (error.code === '40003' || error.code === '58030')
}

/** Takes `step` until it tells what came of it, by its answer or by an error that `asksAgain` does not name. */
export async function untilKnown<T>(step: () => Promise<T>, asksAgain: (error: unknown) => error is LsmtError, { clock, hasEnded, onUnknown }: Patience): Promise<T> {
  for (let waitMs = waitMsMin; ; waitMs = Math.min(waitMsMax, 2 * waitMs)) {
    try {
      return await step()
    } catch (error) {
      if (!asksAgain(error)) throw error
      onUnknown?.(error)
      if (hasEnded()) throw error
      await clock.sleep(waitMs)
    }
  }
}

/** So long an opening waits to know. */
const openingMsMax = 60_000

/** The patience of an opening: nothing can be built on what is not known, and nobody waits for ever. */
export function openingPatience(clock: Clock): Patience {
  const endMs = clock.monotonicMs() + openingMsMax
  return { clock, hasEnded: () => clock.monotonicMs() >= endMs }
}
