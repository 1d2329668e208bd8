/** Runs jobs on the serving thread, in slices: for where no worker can be had, and for tests. */
import { zeroCounts } from '../../storage/storage-counts.ts'
import { createJobLanes } from './job-lanes.ts'
import type { JobLanesOptions } from './job-lanes.ts'
import type { JobRunner } from './job.ts'

export type InlineRunnerOptions = JobLanesOptions

export function createInlineRunner(options: InlineRunnerOptions): JobRunner {
  const lanes = createJobLanes(options)
  return { run: lanes.run, fallback: undefined, pinnedBytesMax: options.cache.bytesMax / 4, ingestBytesMax: options.kernel.heap.byteLength / 16, storageCounts: zeroCounts(), close: lanes.close }
}
