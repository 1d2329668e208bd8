/** DISTINCT, UNION, INTERSECT and EXCEPT, by whole rows; nulls equal each other here. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { keyOfAll } from '../expression/value/order.ts'
import { hold, pace } from './query-run.ts'
import type { QueryRun, Stream } from './query-run.ts'

export function distinct(input: Stream, run: QueryRun): Stream {
  return filtered(input, run, () => {
    const seen = new Set<EngineValue>()
    return (row) => {
      const key = keyOfAll(row)
      if (seen.has(key)) return false
      hold(run, row)
      seen.add(key)
      return true
    }
  })
}

export function unionAll(left: Stream, right: Stream): Stream {
  return async function* () {
    yield* left()
    yield* right()
  }
}

/** Rows of the left side that are (INTERSECT) or are not (EXCEPT) on the right; with ALL as often as both say. */
export function matched(kind: 'intersect' | 'except', all: boolean, left: Stream, right: Stream, run: QueryRun): Stream {
  return async function* () {
    const counts = await countRows(right, run)
    const wanted = kind === 'intersect'
    const kept = filtered(left, run, () => (row) => {
      if (!all) return counts.has(keyOfAll(row)) === wanted
      const key = keyOfAll(row)
      const count = counts.get(key) ?? 0
      if (count > 0) counts.set(key, count - 1)
      return count > 0 === wanted
    })
    yield* (all ? kept : distinct(kept, run))()
  }
}

async function countRows(input: Stream, run: QueryRun): Promise<Map<EngineValue, number>> {
  const counts = new Map<EngineValue, number>()
  for await (const batch of input()) {
    await pace(run, batch.length)
    for (const row of batch) {
      const key = keyOfAll(row)
      const count = counts.get(key) ?? 0
      if (count === 0) hold(run, row)
      counts.set(key, count + 1)
    }
  }
  return counts
}

/** `begin` makes the test anew for each pass over the rows. */
export function filtered(input: Stream, run: QueryRun, begin: () => (row: EngineRow) => boolean): Stream {
  return async function* () {
    const test = begin()
    for await (const batch of input()) {
      await pace(run, batch.length)
      const rows = batch.filter(test)
      if (rows.length > 0) yield rows
    }
  }
}
