/** The engines that SQL is tested over. */
import type { Engine } from '../../src/engine/engine.ts'
import { createLocalEngine } from '../../src/engine/local-engine.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { createModelTree } from '../engine/model-tree.ts'

export const testEngines: readonly (readonly [string, () => Promise<Engine>])[] = [
  ['the model engine', async () => openModelEngine()],
  ['the local engine over three model trees', openOverModelTrees],
]

async function openOverModelTrees(): Promise<Engine> {
  const kernel = openKernel('js', reserveLinearMemory(256 * 1024 * 1024))
  const trees = Array.from({ length: 3 }, () => createModelTree(kernel))
  return await createLocalEngine({ kernel, trees, random: seededRandom(1), cacheBytes: () => 0, close: async () => {} })
}
