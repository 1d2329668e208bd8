import { expect, test } from 'vitest'
import type { Engine } from '../../../src/engine/engine.ts'
import type { ShardSnapshot } from '../../../src/engine/shards/shard-snapshot.ts'
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
    await runDifferential({ open: async () => viewsFirst(await cluster.coordinate().ready), reopens: false, steps: 200, seed: 31 })
  } finally {
    clearInterval(troubling)
  }
  expect(cluster.shards.some(({ epoch }) => epoch > 2)).toBe(true)
})

const writing = ['createTable', 'dropTable', 'alterTable', 'truncateTable', 'insert', 'insertText', 'insertColumns', 'insertOrUpdate', 'update', 'updateWhere', 'deleteWhere', 'write', 'deleteRange', 'begin'] as const satisfies readonly (keyof Engine)[]

/** A view of several nodes is of a moment after it was asked for; what the test writes next is not to be in it. */
function viewsFirst(engine: Engine): Engine {
  let ready: Promise<unknown> = Promise.resolve()
  const later = Object.fromEntries(writing.map((name) => [name, async (...args: readonly unknown[]): Promise<unknown> => {
    await ready
    return await (engine[name] as (...given: readonly unknown[]) => unknown)(...args)
  }])) as unknown as Pick<Engine, (typeof writing)[number]>
  return {
    ...engine, ...later,
    snapshot() {
      const snapshot = engine.snapshot()
      ready = Promise.all([ready, (snapshot as ShardSnapshot).ready])
      return snapshot
    },
  }
}
