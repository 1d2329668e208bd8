/** The runner of a storage's jobs for a tree in a folder of it. */
import type { JobPlace, JobRunner } from './job.ts'

export function placedJobs(jobs: JobRunner, place: JobPlace): JobRunner {
  return {
    run: (job, signal) => jobs.run({ ...job, place }, signal),
    get fallback() { return jobs.fallback },
    pinnedBytesMax: jobs.pinnedBytesMax,
    get ingestBytesMax() { return jobs.ingestBytesMax ?? 0 },
    get storageCounts() { return jobs.storageCounts },
    close: () => jobs.close(),
  }
}
