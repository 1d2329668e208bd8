/** Statements whose table was changed under way, before they wrote anything, run again by the new schema. */
import { LsmtError } from '../../errors.ts'
import type { Engine } from '../engine.ts'

/** Each run again needs one more change of the table in the meantime; nobody does that so often by intent. */
const runsMax = 100

export async function againWhenChanged<T>(engine: Pick<Engine, 'catalogSettled'>, run: () => T | Promise<T>): Promise<T> {
  for (let runs = 1; ; runs++) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code !== '40001' || runs === runsMax) throw error
      await engine.catalogSettled()
    }
  }
}
