/** Trees with settings so small that every path runs. */
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { createInlineRunner } from '../../../src/lsm/compaction/inline-runner.ts'
import { createDiskRoom } from '../../../src/lsm/disk-room.ts'
import { recoverTree } from '../../../src/lsm/open-tree.ts'
import { createChunkCache } from '../../../src/lsm/table/chunk-cache.ts'
import { createMemtableMemory } from '../../../src/lsm/state/memtable-memory.ts'
import type { TreeOptions } from '../../../src/lsm/state/tree-state.ts'
import type { Tree } from '../../../src/lsm/tree.ts'
import { systemClock } from '../../../src/runtime/clock.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { defaultTreeSettings } from '../../../src/settings.ts'
import type { TreeSettings } from '../../../src/settings.ts'
import type { Storage } from '../../../src/storage/storage.ts'

const KiB = 1024

export const tinySettings: TreeSettings = {
  ...defaultTreeSettings,
  memtableBytesMax: 24 * KiB,
  memtableImageRowsMin: 8,
  frozenMemtablesMax: 2,
  logSegmentBytes: 8 * KiB,
  rowGroupBytes: 600,
  rowGroupGrowthMax: 1,
  tableFileBytes: 3 * KiB,
  level0RunsCompact: 3,
  level1Bytes: 8 * KiB,
  levelSizeRatio: 3,
}

export function testTreeOptions(kernel: Kernel, storage: Storage, more: Partial<TreeOptions> = {}): TreeOptions {
  const cache = more.cache ?? createChunkCache(kernel.heap, 2 * 1024 * KiB)
  const clock = more.clock ?? systemClock
  return {
    storage, kernel, cache, settings: tinySettings, shard: 0, durability: 'sync', syncIntervalMs: 10, clock,
    jobs: createInlineRunner({ storage, kernel, cache, clock, sliceMsMax: 2 }),
    beforePublish: () => Promise.resolve(),
    memtableMemory: createMemtableMemory(cache.evict),
    room: createDiskRoom(storage, clock),
    ...more,
  }
}

/** A clock that advances by being looked at, so that a history runs the same whatever the machine does meanwhile. */
export function steppingClock(): Clock {
  let now = 0
  return {
    monotonicMs: () => (now += 0.1),
    wallMicros: () => BigInt(Math.round(now * 1000)),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

export async function openTestTree(kernel: Kernel, storage: Storage, more: Partial<TreeOptions> = {}): Promise<Tree> {
  const recovered = await recoverTree(testTreeOptions(kernel, storage, more))
  return recovered.open(() => true)
}
