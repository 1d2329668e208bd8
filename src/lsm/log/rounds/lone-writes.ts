/**
 * Writes without a round, of one who writes while nobody else does: one at a time, until it has gone on. Who is answered goes on
 * before timers and sockets have their turn, so a small write joins a round, which begins with such a turn, when that is due;
 * a large one goes at once all the same, and its answer waits.
 */
import type { Clock } from '../../../runtime/clock.ts'
import { sliceMs } from '../../../runtime/pace.ts'

export interface LoneWrites {
  /**
   * Whether who asks may write in this step, without a round: nothing waits for one, nobody else has written since all that was
   * ready ran, and the event loop had its turn not long ago. Who comes next, until then, is to join a round.
   */
  mayWriteAlone(): boolean
  /**
   * The same for one whose write is worth more than a turn of the event loop: it may go though that had none for long, and is to be
   * answered when this resolves, at the latest after the next turn. Undefined: it is to join a round.
   */
  writeAlone(): Promise<void> | undefined
}

/** So long may rounds, and writes without one, follow one another before timers and sockets have their turn: as long as reads may, since a turn takes as long as a dozen writes. */
export const promptMsMax = sliceMs

export const nobodyAlone: LoneWrites = { mayWriteAlone: () => false, writeAlone: () => undefined }

const settled = Promise.resolve()
const untilTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** `isNobodyThere`: no round is under way, or asked for. */
export function createLoneWrites(clock: Pick<Clock, 'monotonicMs'>, isNobodyThere: () => boolean): LoneWrites {
  let isTaken = false, isTurnAwaited = false
  let firstMs = 0

  /** Whether it is less than `promptMsMax` since the first who asked in this turn of the event loop. */
  function isInTime(): boolean {
    const nowMs = clock.monotonicMs()
    if (isTurnAwaited) return nowMs - firstMs < promptMsMax
    isTurnAwaited = true
    firstMs = nowMs
    setImmediate(() => (isTurnAwaited = false))
    return true
  }

  function take(): boolean {
    if (isTaken) return false
    isTaken = true
    void settled.then(() => (isTaken = false))
    return true
  }

  return {
    mayWriteAlone: () => isNobodyThere() && !isTaken && isInTime() && take(),
    writeAlone() {
      if (!isNobodyThere() || !take()) return undefined
      return isInTime() ? settled : untilTurn()
    },
  }
}
