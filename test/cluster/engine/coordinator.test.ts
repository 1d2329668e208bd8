import { expect, test } from 'vitest'
import { describeEngine } from '../../engine/engine-conformance.ts'
import { runDifferential } from '../../engine/engine-differential.ts'
import { createFakeCluster } from './fake-cluster.ts'

// The whole suite takes half a minute; what differs from an engine over local trees is tried by the rest.
if (process.env['LSMT_TEST_FULL'] === '1') describeEngine('the engine of a coordinator', async () => await createFakeCluster(3, 5).coordinate().ready)

test('random operations agree with the model while leaders change and answers are lost', async () => {
  const cluster = createFakeCluster(3, 11)
  for (const shard of cluster.shards) shard.trouble = 40
  const troubling = setInterval(() => cluster.shards[cluster.random.below(3)]!.changeLeader(), 5)
  try {
    await runDifferential({ open: () => cluster.coordinate().ready, reopens: false, steps: 200, seed: 31 })
  } finally {
    clearInterval(troubling)
  }
  expect(cluster.shards.some(({ epoch }) => epoch > 2)).toBe(true)
})
