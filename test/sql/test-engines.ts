/** The engines that SQL is tested over. */
import type { Engine } from '../../src/engine/engine.ts'
import { createLocalEngine } from '../../src/engine/local-engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { reserveLinearMemory } from '../../src/kernel/linear-memory.ts'
import { openKernel } from '../../src/kernel/open-kernel.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import type { KernelKind } from '../../src/settings.ts'
import { createMemoryStorage } from '../../src/storage/memory-storage.ts'
import { openModelEngine } from '../engine/model-engine.ts'
import { createModelTree, freeAdmission } from '../engine/model-tree.ts'
import { createDiskRoom } from '../../src/lsm/disk-room.ts'

type TestEngine = readonly [string, () => Promise<Engine>]
const overModelTrees: TestEngine = ['the local engine over three model trees', openOverModelTrees]

export const testEngines: readonly TestEngine[] = [
  ['the model engine', async () => openModelEngine()],
  overModelTrees,
  ['the engine with small memtables, so that most rows are in files', () => openOverFiles('wasm')],
  ['the engine with JavaScript kernels', () => openOverFiles('js')],
]

/** For long runs: model trees never free what their reads have taken. */
export const lastingEngines: readonly TestEngine[] = testEngines.filter((each) => each !== overModelTrees)

async function openOverFiles(kernels: KernelKind): Promise<Engine> {
  const tree = { ...defaultDatabaseSettings.tree, memtableBytesMax: 4_096 }
  const settings = { ...defaultDatabaseSettings, shards: 3, kernels, workers: 0, kernelMemoryBytes: 256 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, tree }
  return await openEngine({ storage: createMemoryStorage(), settings, clock: systemClock, random: seededRandom(1) })
}

async function openOverModelTrees(): Promise<Engine> {
  const kernel = openKernel('js', reserveLinearMemory(256 * 1024 * 1024))
  const trees = Array.from({ length: 3 }, () => createModelTree(kernel))
  return await createLocalEngine({ kernel, trees, admission: freeAdmission(trees), room: createDiskRoom(createMemoryStorage(), systemClock), random: seededRandom(1), cacheBytes: () => 0, cacheCounts: { hits: 0, misses: 0, evictions: 0 }, createTemporary: createMemoryStorage().createTemporary, close: async () => {} })
}
