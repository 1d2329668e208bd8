import { describe, expect, test } from 'vitest'
import type { Engine, TableChange } from '../../src/engine/engine.ts'
import { createLocalEngine } from '../../src/engine/local-engine.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { runDifferential } from './engine-differential.ts'
import { describeEngine } from './engine-conformance.ts'
import { newTable } from './engine-fixtures.ts'
import { createModelTree, freeAdmission } from './model-tree.ts'
import type { ModelTree } from './model-tree.ts'
import { createDiskRoom } from '../../src/lsm/disk-room.ts'
import { systemClock } from '../../src/runtime/clock.ts'

interface Opened {
  readonly engine: Engine
  readonly kernel: Kernel
  readonly trees: readonly ModelTree[]
}

async function openOverModels(shardCount: number, fetchEvery = 0): Promise<Opened> {
  const kernel = openKernel('js', reserveLinearMemory(256 * 1024 * 1024))
  const trees = Array.from({ length: shardCount }, () => createModelTree(kernel))
  for (const tree of trees) tree.fetchEvery = fetchEvery
  const engine = await createLocalEngine({ kernel, trees, admission: freeAdmission(trees), room: createDiskRoom(createMemoryStorage(), systemClock), random: seededRandom(1), statementBytesMax: 1 << 20, cacheBytes: () => 0, cacheCounts: { hits: 0, misses: 0, evictions: 0 }, createTemporary: createMemoryStorage().createTemporary, close: async () => {} })
  return { engine, kernel, trees }
}

describeEngine('local engine over one model tree', async () => (await openOverModels(1)).engine)
describeEngine('local engine over five model trees', async () => (await openOverModels(5)).engine)
describeEngine('local engine over three model trees that must fetch', async () => (await openOverModels(3, 2)).engine)

describe('random operations over model trees agree with the model', () => {
  test.each([[1, 0], [4, 0], [3, 5]])('%i shards, every %ith read fetched', async (shardCount, fetchEvery) => {
    await runDifferential({ open: async () => (await openOverModels(shardCount, fetchEvery)).engine, reopens: false, steps: 400, seed: 1000 + shardCount })
  })

  test.each([4, 7, 14, 30])('reopened over the same trees, seed %i', async (seed) => {
    const opened = await openOverModels(4)
    const again = (): Promise<Engine> => createLocalEngine({ kernel: opened.kernel, trees: opened.trees, admission: freeAdmission(opened.trees), room: createDiskRoom(createMemoryStorage(), systemClock), random: seededRandom(2), statementBytesMax: 1 << 20, cacheBytes: () => 0, cacheCounts: { hits: 0, misses: 0, evictions: 0 }, createTemporary: createMemoryStorage().createTemporary, close: async () => {} })
    await opened.engine.close()
    await runDifferential({ open: again, reopens: true, steps: 400, seed })
  })
})

test.each<readonly [string, TableChange]>([
  ['a new column', { kind: 'addColumn', column: { name: 'c', type: { kind: 'bigint' }, notNull: false } }],
  ['a column that goes', { kind: 'dropColumn', column: 'b' }],
  ['a renamed column', { kind: 'renameColumn', column: 'b', to: 'c' }],
  ['a default', { kind: 'setDefault', column: 'b', default: '1' }],
  ['nulls that are allowed', { kind: 'dropNotNull', column: 'b' }],
  ['a renamed table', { kind: 'renameTable', to: 'u' }],
])('%s is a part of every shard, whose rows stay as they are', async (_, change) => {
  const { engine, trees } = await openOverModels(3)
  await engine.createTable(newTable('t', { id: 'bigint', b: 'bigint' }, ['id']))
  const grown = await engine.alterTable('t', { kind: 'addColumn', column: { name: 'old', type: { kind: 'bigint' }, notNull: false }, missing: 7 })
  const before = trees.map(({ visibleSequence }) => visibleSequence)
  await engine.alterTable('t', change)
  expect(trees.filter((tree, shard) => tree.visibleSequence > before[shard]!)).toHaveLength(3)
  expect(trees.map(({ layouts }) => layouts.get(grown.tableId)?.missing)).toEqual(trees.map(() => [{ ordinal: 2, value: 7n }]))
  await engine.close()
})
