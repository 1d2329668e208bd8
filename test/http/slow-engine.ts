/** An engine whose inserts come to their end together, when told. */
import type { Engine } from '../../src/engine/engine.ts'
import { openModelEngine } from '../engine/model-engine.ts'

export interface Slow {
  readonly engine: Engine
  readonly arrived: () => number
  readonly finish: () => void
}

export function slowEngine(): Slow {
  let count = 0
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => { finish = resolve })
  return { engine: { ...openModelEngine(), insert: async () => { count++; await finished; return 1 } }, arrived: () => count, finish: () => finish() }
}
