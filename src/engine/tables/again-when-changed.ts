/** Statements whose table was changed under way, before they wrote anything, run again by the new schema. */
import { LsmtError } from '../../errors.ts'
import type { Engine } from '../engine.ts'

/** Each run again needs one more change of the table in the meantime; nobody does that so often by intent. */
const runsMax = 100

/** Rejects with what the last run fails with, even when that throws. */
export function againWhenChanged<T>(engine: Pick<Engine, 'catalogSettled'>, run: () => T | Promise<T>): Promise<T> {
  let first: T | Promise<T>
  try {
    first = run()
  } catch (error) {
    return againAfter(engine, run, error)
  }
  return first instanceof Promise ? first.catch((error: unknown) => againAfter(engine, run, error)) : Promise.resolve(first)
}

/** The same when the first run has failed so. */
export async function againAfter<T>(engine: Pick<Engine, 'catalogSettled'>, run: () => T | Promise<T>, failure: unknown): Promise<T> {
  let error = failure
  for (let runs = 1; ; runs++) {
    if (!(error instanceof LsmtError) || error.code !== '40001' || runs === runsMax) throw error
    await engine.catalogSettled()
    try {
      return await run()
    } catch (cause) {
      error = cause
    }
  }
}
