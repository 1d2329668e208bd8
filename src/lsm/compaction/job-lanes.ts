/**
 * The order in which one thread works off jobs: one flush and one compaction at a time, side by side, but a compaction
 * stands still while a flush runs or waits, since writers wait for flushes and nobody waits for compactions.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import { folderStorage } from '../../storage/folder-storage.ts'
import type { Storage } from '../../storage/storage.ts'
import type { ChunkCache } from '../table/chunk-cache.ts'
import { slicedPause } from './job-environment.ts'
import type { Job, JobResult } from './job.ts'
import { runJob } from './run-job.ts'

export interface JobLanesOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly cache: ChunkCache
  readonly clock: Clock
  /** Longest uninterrupted stretch of work. */
  readonly sliceMsMax: number
}

export interface JobLanes {
  run(job: Job, signal: AbortSignal): Promise<JobResult>
  /** Resolves when no job is left. */
  settled(): Promise<void>
}

export function createJobLanes({ storage, kernel, cache, clock, sliceMsMax }: JobLanesOptions): JobLanes {
  const lanes: Record<Job['kind'], Promise<unknown>> = { flush: Promise.resolve(), compact: Promise.resolve() }
  let flushes = 0

  const compactionPause = (pause: () => Promise<void>) => async (): Promise<void> => {
    while (flushes > 0) await lanes.flush
    await pause()
  }
  const start = (job: Job, signal: AbortSignal): Promise<JobResult> => {
    const pause = slicedPause(clock, sliceMsMax, signal)
    return runJob(job, { storage: job.place === undefined ? storage : folderStorage(storage, job.place.folder), kernel, cache, pause: job.kind === 'flush' ? pause : compactionPause(pause) })
  }
  return {
    run(job, signal) {
      if (job.kind === 'flush') flushes++
      const outcome = lanes[job.kind].then(() => start(job, signal)).finally(() => {
        if (job.kind === 'flush') flushes--
      })
      lanes[job.kind] = outcome.catch(() => undefined)
      return outcome
    },
    async settled() {
      await Promise.all([lanes.flush, lanes.compact])
    },
  }
}
