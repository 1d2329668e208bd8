/**
 * Admission at the coordinator: what statements have under way to the leaders, and transactions in memory, stays below a
 * bound. How much room the leaders have in their memtables is theirs to know: they take batches as fast as they can, and
 * what they have not taken is still under way here.
 */
import type { Admission } from '../../../engine/shards/admission.ts'
import type { Clock } from '../../../runtime/clock.ts'

interface Waiter {
  readonly bytes: number
  readonly letIn: () => void
}

export function createFlightAdmission(bytesMax: number, clock: Pick<Clock, 'monotonicMs'>): Admission {
  const waiters: Waiter[] = []
  let reserved = 0, waitedMs = 0
  // Somebody who wants more than there may be goes alone.
  const hasRoom = (bytes: number): boolean => reserved === 0 || reserved + bytes <= bytesMax
  const letIn = (): void => {
    for (let next = waiters[0]; next !== undefined && hasRoom(next.bytes); next = waiters[0]) {
      waiters.shift()
      reserved += next.bytes
      next.letIn()
    }
  }
  return {
    bytesOf: (parts) => parts.reduce((sum, { batch }) => sum + batch.length, 0),
    tryReserve(bytes) {
      if (waiters.length > 0 || !hasRoom(bytes)) return false
      reserved += bytes
      return true
    },
    async reserve(bytes) {
      const startMs = clock.monotonicMs()
      await new Promise<void>((resolve) => {
        waiters.push({ bytes, letIn: resolve })
        letIn()
      })
      waitedMs += clock.monotonicMs() - startMs
    },
    release(bytes) {
      reserved -= bytes
      letIn()
    },
    get counts() { return { waiting: waiters.length, waitedMs } },
  }
}
