import { expect, it } from 'vitest'
import type { Job, JobRunner } from '../../../src/lsm/compaction/job.ts'
import { placedJobs } from '../../../src/lsm/compaction/placed-jobs.ts'
import { zeroCounts } from '../../../src/storage/storage-counts.ts'
import { createRunnerPool } from '../../../src/lsm/compaction/runner-pool.ts'

function runner(name: string, log: string[], fallback?: string): JobRunner {
  return {
    run: (job) => {
      log.push(`${name} ran ${job.shard}`)
      return Promise.resolve({ files: [] })
    },
    prepare: (shard) => void log.push(`${name} prepared for ${shard}`),
    fallback,
    pinnedBytesMax: name.length,
    storageCounts: { ...zeroCounts(), reads: name.length },
    close: () => {
      log.push(`${name} closed`)
      return Promise.resolve()
    },
  }
}

it('gives a shard’s jobs always to the same runner, tells of any that failed, closes all', async () => {
  const log: string[] = []
  const pool = createRunnerPool([runner('a', log), runner('bb', log, 'b died')])
  pool.prepare?.(3)
  for (const shard of [0, 1, 2, 3, 1]) await pool.run({ shard } as Job, new AbortController().signal)
  await placedJobs(pool, { folder: 'shards/5/', lane: 5 }).run({ shard: 0 } as Job, new AbortController().signal)
  await pool.close()
  expect(log).toEqual(['bb prepared for 3', 'a ran 0', 'bb ran 1', 'a ran 2', 'bb ran 3', 'bb ran 1', 'bb ran 0', 'a closed', 'bb closed'])
  expect(pool.fallback).toBe('b died')
  expect(pool.pinnedBytesMax).toBe(1)
})
