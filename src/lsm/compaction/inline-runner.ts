/** Runs jobs on the serving thread, in slices, one at a time: for where no worker can be had, and for tests. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'
import { slicedPause } from './job-environment.ts'
import type { JobRunner } from './job.ts'
import { runJob } from './run-job.ts'

export interface InlineRunnerOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly clock: Clock
  readonly sliceMsMax: number
}

export function createInlineRunner({ storage, kernel, cache, clock, sliceMsMax }: InlineRunnerOptions): JobRunner {
  /** Settles when the jobs given before are done; flushes and compactions share one lane, so that slices do not add up. */
  let lane: Promise<unknown> = Promise.resolve()
  return {
    run(job, signal) {
      const outcome = lane.then(() => runJob(job, { storage, kernel, cache, pause: slicedPause(clock, sliceMsMax, signal) }))
      lane = outcome.catch(() => undefined)
      return outcome
    },
    fallback: undefined,
    close: async () => {
      await lane
    },
  }
}
