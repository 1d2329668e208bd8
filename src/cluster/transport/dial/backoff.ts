/** How long to wait before the next attempt to connect: twice as long each time, half of it by chance, so that nodes which lost a third one do not come back all at once. */
import type { Random } from '../../../runtime/random.ts'

export interface Backoff {
  nextMs(): number
  /** The last attempt was good. */
  reset(): void
}

export function createBackoff(firstMs: number, greatestMs: number, random: Random): Backoff {
  let baseMs = firstMs
  return {
    nextMs() {
      const waitMs = baseMs / 2 + random.nextFloat() * (baseMs / 2)
      baseMs = Math.min(greatestMs, baseMs * 2)
      return waitMs
    },
    reset: () => void (baseMs = firstMs),
  }
}
