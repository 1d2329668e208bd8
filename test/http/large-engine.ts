/** Engines whose answers are larger than what is kept of them. */
import type { Engine, EngineRow } from '../../src/engine/engine.ts'
import { openModelEngine } from '../engine/model-engine.ts'

export interface Endless {
  readonly engine: Engine
  batches: number
  released: number
}

/** An engine whose scans yield `batchCount` batches of 100 rows of about 1 KB, then perhaps fail. */
export function largeEngine(batchCount: number, failure?: Error): Endless {
  const model = openModelEngine()
  const row: EngineRow = ['k', 'v'.repeat(1000)]
  const batch = Array.from({ length: 100 }, () => row)
  const state: Endless = {
    batches: 0,
    released: 0,
    engine: {
      ...model,
      snapshot: () => ({ release: () => { state.released++ } }),
      async *scan() {
        for (; state.batches < batchCount; state.batches++) {
          await new Promise((resolve) => setImmediate(resolve))
          yield batch
        }
        if (failure !== undefined) throw failure
      },
    },
  }
  return state
}
