/** Engines for tests: small memory, small memtables, so that little data passes through all levels. */
import type { Engine } from '../../src/engine/engine.ts'
import { openEngine } from '../../src/engine/open-engine.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { defaultDatabaseSettings } from '../../src/settings.ts'
import type { DatabaseSettings, TreeSettings } from '../../src/settings.ts'
import type { Storage } from '../../src/storage/storage.ts'

const smallTree: TreeSettings = { ...defaultDatabaseSettings.tree, memtableBytesMax: 64 * 1024, memtableImageRowsMin: 8, logSegmentBytes: 64 * 1024, rowGroupBytes: 4 * 1024, rowGroupGrowthMax: 1, tableFileBytes: 64 * 1024, level1Bytes: 256 * 1024 }

export interface TestSettings extends Partial<Omit<DatabaseSettings, 'tree'>> {
  readonly tree?: Partial<TreeSettings>
}

export function testSettings({ tree, ...settings }: TestSettings = {}): DatabaseSettings {
  return { ...defaultDatabaseSettings, kernelMemoryBytes: 128 * 1024 * 1024, cacheBytesMax: 16 * 1024 * 1024, workers: 0, logFlushMs: 0, ...settings, tree: { ...smallTree, ...tree } }
}

/** Transaction ids must differ between openings of one database. */
let opened = 0

export function openTestEngine(storage: Storage, given: TestSettings = {}, storageDirectory?: string, clock: Clock = systemClock): Promise<Engine> {
  return openEngine({
    storage,
    settings: testSettings(given),
    clock,
    random: seededRandom(7_000 + opened++),
    isShardCountGiven: given.shards !== undefined,
    ...(storageDirectory !== undefined && { storageAddress: { kind: 'local', directory: storageDirectory } }),
  })
}
