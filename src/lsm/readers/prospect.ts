/**
 * Whether what is left of a scan is long enough to be shared. A row costs from half a nanosecond, where zone maps answer once
 * filtering leaves all of a row group, to ten, where it goes to one of many groups; a reader that is woken, takes part and
 * hands over costs the serving thread half a millisecond, whatever a row does. So that thread begins alone, and the time
 * that its first rows take tells how long it would be busy with the rest.
 */
import type { Clock } from '../../runtime/clock.ts'

export interface Prospect {
  /** A shard's scan begins. */
  begin(): void
  /** It will read so many rows. Returns how many all are likely to. */
  expect(rowCount: number): number
  /** The serving thread goes on to read so many of them, and is done with those before. */
  proceed(rowCount: number): void
  isLong(): boolean
  /** How many rows are likely to be left of all scans. */
  rowsLeft(): number
}

export interface ProspectOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Fewer rows are never many; 0: it is long from the start. */
  readonly rowsMin: number
  /** Scans that begin in one turn. Rows are spread evenly over shards: those that have not begun yet expect as many as the others. */
  readonly scanCount: number
}

/** After so long the time a row takes is known well enough. */
const lookMs = 0.25
/** Two threads need half of it each, and what inviting costs. */
const leftMsMin = 2

export function createProspect({ clock, rowsMin, scanCount }: ProspectOptions): Prospect {
  let begun = 0, expected = 0, done = 0, current = 0
  let startMs: number | undefined

  const expectedOfAll = (): number => expected * Math.max(1, scanCount / Math.max(1, begun))

  function isRestLong(): boolean {
    const total = expectedOfAll()
    if (startMs === undefined || done === 0 || total < rowsMin) return false
    const elapsedMs = clock.monotonicMs() - startMs
    return elapsedMs >= lookMs && ((total - done) * elapsedMs) / done >= leftMsMin
  }

  return {
    begin() {
      begun++
    },
    expect(rowCount) {
      expected += rowCount
      return expectedOfAll()
    },
    proceed(rowCount) {
      startMs ??= clock.monotonicMs()
      done += current
      current = rowCount
    },
    isLong() {
      return rowsMin === 0 || isRestLong()
    },
    rowsLeft: () => Math.max(0, expectedOfAll() - done),
  }
}
