/** What a job needs of the thread it runs on, and how it takes its turns there. */
import { LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'

export interface JobEnvironment {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly cache: ChunkCache
  /** Lets others run when it is time; rejects with 57014 when the job is to stop. */
  pause(): Promise<void>
}

export const jobAborted = (): LsmtError => new LsmtError('57014', 'background work was stopped')

/** A `pause` that gives the event loop its turn after every `sliceMsMax`, and stops when `signal` aborts. */
export function slicedPause(clock: Clock, sliceMsMax: number, signal: AbortSignal): () => Promise<void> {
  let sliceStart = clock.monotonicMs()
  return async () => {
    if (signal.aborted) throw jobAborted()
    if (clock.monotonicMs() - sliceStart < sliceMsMax) return
    await new Promise((resolve) => setImmediate(resolve))
    if (signal.aborted) throw jobAborted()
    sliceStart = clock.monotonicMs()
  }
}
