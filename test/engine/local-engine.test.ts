import type { Engine } from '../../src/engine/engine.ts'
import { createLocalEngine } from '../../src/engine/local-engine.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { describeEngine } from './engine-conformance.ts'
import { createModelTree } from './model-tree.ts'
import type { ModelTree } from './model-tree.ts'

async function openOverModels(shardCount: number, fetchEvery = 0): Promise<{ readonly engine: Engine; readonly trees: readonly ModelTree[] }> {
  const kernel = openKernel('js', reserveLinearMemory(256 * 1024 * 1024))
  const trees = Array.from({ length: shardCount }, () => createModelTree(kernel))
  for (const tree of trees) tree.fetchEvery = fetchEvery
  const engine = await createLocalEngine({ kernel, trees, random: seededRandom(1), cacheBytes: () => 0, close: async () => {} })
  return { engine, trees }
}

describeEngine('local engine over one model tree', async () => (await openOverModels(1)).engine)
describeEngine('local engine over five model trees', async () => (await openOverModels(5)).engine)
describeEngine('local engine over three model trees that must fetch', async () => (await openOverModels(3, 2)).engine)
