/** Several runners as one: a shard's jobs always go to the same, whose cache then holds that shard's files. */
import { invariant } from '../../errors.ts'
import { sumOfCounts } from '../../storage/storage-counts.ts'
import type { JobRunner } from './job.ts'

export function createRunnerPool(runners: readonly JobRunner[]): JobRunner {
  invariant(runners.length > 0, 'a pool of no runners')
  return {
    run: (job, signal) => runners[(job.place?.lane ?? job.shard) % runners.length]!.run(job, signal),
    prepare: (shard) => runners[shard % runners.length]!.prepare?.(shard),
    get fallback() { return runners.find((runner) => runner.fallback !== undefined)?.fallback },
    pinnedBytesMax: Math.min(...runners.map((runner) => runner.pinnedBytesMax)),
    get ingestBytesMax() { return runners.reduce((sum, runner) => sum + (runner.ingestBytesMax ?? 0), 0) },
    get storageCounts() { return sumOfCounts(runners.map((runner) => runner.storageCounts)) },
    close: async () => {
      await Promise.all(runners.map((runner) => runner.close()))
    },
  }
}
