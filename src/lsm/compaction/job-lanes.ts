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
import type { JobEnvironment } from './job-environment.ts'
import { createIngests } from '../ingest/run-ingest.ts'
import type { CompactJob, FlushJob, Job, JobResult } from './job.ts'
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
  /** Resolves when no job is left, and no file open of an ingest. */
  close(): Promise<void>
}

export function createJobLanes({ storage, kernel, cache, clock, sliceMsMax }: JobLanesOptions): JobLanes {
  const lanes: Record<Exclude<Job['kind'], 'ingest'>, Promise<unknown>> = { flush: Promise.resolve(), compact: Promise.resolve() }
  const ingests = createIngests()
  let flushes = 0

  const compactionPause = (pause: () => Promise<void>) => async (): Promise<void> => {
    while (flushes > 0) await lanes.flush
    await pause()
  }
  const environmentOf = ({ place }: Job, pause: () => Promise<void>): JobEnvironment => ({ storage: place === undefined ? storage : folderStorage(storage, place.folder), kernel, cache, pause })
  const start = (job: FlushJob | CompactJob, signal: AbortSignal): Promise<JobResult> => {
    const pause = slicedPause(clock, sliceMsMax, signal)
    return runJob(job, environmentOf(job, job.kind === 'flush' ? pause : compactionPause(pause)))
  }
  return {
    run(job, signal) {
      // One step of each is under way at most, and somebody waits for it.
      if (job.kind === 'ingest') return ingests.run(job, environmentOf(job, slicedPause(clock, sliceMsMax, signal)))
      if (job.kind === 'flush') flushes++
      const outcome = lanes[job.kind].then(() => start(job, signal)).finally(() => {
        if (job.kind === 'flush') flushes--
      })
      lanes[job.kind] = outcome.catch(() => undefined)
      return outcome
    },
    async close() {
      await Promise.all([lanes.flush, lanes.compact, ingests.close()])
    },
  }
}
