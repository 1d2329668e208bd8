/** Coordinators over shards without replicas: who leads shard 0 coordinates, and may not know that it does not any more. */
import { createLocalEngine } from '../../../src/engine/local-engine.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { beginCoordinating } from '../../../src/cluster/engine/coordinator/coordinator.ts'
import type { Coordinator, TermTold } from '../../../src/cluster/engine/coordinator/coordinator.ts'
import type { ShardWriter } from '../../../src/cluster/engine/appends/shard-writer.ts'
import { createFlightAdmission } from '../../../src/cluster/engine/coordinator/flight-admission.ts'
import { takeClusterSnapshot } from '../../../src/cluster/engine/reads/cluster-snapshot.ts'
import { viewsOfNow } from '../../../src/cluster/engine/reads/consistent-snapshot.ts'
import { newCut, viewsAtLeast } from '../../../src/cluster/engine/reads/level-views.ts'
import { createClusterTree } from '../../../src/cluster/engine/reads/cluster-tree.ts'
import type { ShardSnapshot } from '../../../src/engine/shards/shard-snapshot.ts'
import { createDiskRoom } from '../../../src/lsm/disk-room.ts'
import { openKernel } from '../../../src/kernel/open-kernel.ts'
import { reserveLinearMemory } from '../../../src/kernel/linear-memory.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { createMemoryStorage } from '../../../src/storage/memory-storage.ts'
import { FakeShard } from './fake-shard.ts'

export interface FakeCluster {
  readonly shards: readonly FakeShard[]
  readonly random: Random
  /** A term of its own; those before are not told. */
  coordinate(): Coordinator
  /** A view of all shards as a reader elsewhere takes it. */
  snapshot(): ShardSnapshot
  /** The same from replicas that lag. */
  nearSnapshot(): ShardSnapshot
}

/** So that what is told later by design is told within a test. */
const quickClock = { monotonicMs: () => 200 * systemClock.monotonicMs(), sleep: systemClock.sleep }

export function createFakeCluster(shardCount: number, seed: number): FakeCluster {
  const kernel = openKernel('js', reserveLinearMemory(256 * 1024 * 1024))
  const random = seededRandom(seed)
  const shards = Array.from({ length: shardCount }, (_, shard) => new FakeShard(kernel, shard, random))
  const sources = shards.map((shard) => shard.source())
  const seenElsewhere = shards.map(() => 0)
  const nearSources = shards.map((shard) => shard.nearSource())
  const cut = newCut(shardCount)
  const changed = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const storage = createMemoryStorage()
  let terms = 0

  const openEngine = (writers: readonly ShardWriter[], told: TermTold): Promise<Engine> => {
    const trees = shards.map((shard, index) => createClusterTree({ shard: index, newest: () => shard.newest(), layouts: () => shard.tree.layouts, here: () => shard.tree, writer: writers[index]! }))
    const seen = shards.map(() => 0)
    return createLocalEngine({ kernel, trees, random: seededRandom(seed * 1000 + ++terms), snapshot: () => takeClusterSnapshot(viewsOfNow(sources, seen), seen), ...told, admission: createFlightAdmission(1 << 20, systemClock), room: createDiskRoom(storage, systemClock), statementBytesMax: 1 << 20, cacheBytes: () => 0, cacheCounts: { hits: 0, misses: 0, evictions: 0 }, createTemporary: storage.createTemporary, close: async () => {} })
  }

  return {
    shards,
    random,
    coordinate: () => beginCoordinating({ shardCount, leader: (shard) => shards[shard]!.leader(), changed, clock: quickClock, openEngine }, ++terms * 10),
    snapshot: () => takeClusterSnapshot(viewsOfNow(sources, seenElsewhere), seenElsewhere),
    nearSnapshot: () => takeClusterSnapshot(viewsAtLeast({ sources: nearSources, cut, now: viewsOfNow(sources, seenElsewhere) }), seenElsewhere),
  }
}
