/** What GET /status tells: the node, its tables, shards, levels and sizes. */
import { resolve } from 'node:path'
import type { Engine } from '../../engine/engine.ts'
import type { EngineStats } from '../../engine/engine-stats.ts'
import type { TreeStats } from '../../lsm/tree.ts'
import type { DatabaseSettings } from '../../settings.ts'
import type { PlaceAddress } from '../target/storage-flags.ts'

export interface Node {
  readonly version: string
  readonly settings: DatabaseSettings
  /** Paths below its directory are told without it. */
  readonly address: PlaceAddress
  readonly uptimeMs: () => number
}

/** `cluster`: null for a server by itself. */
export function statusOf(engine: Engine, { version, settings, address, uptimeMs }: Node, cluster: unknown = null): unknown {
  const stats = engine.stats()
  const { durability, kernels, workers, readers } = settings
  const told = (text: string | undefined): string | null => (address.kind === 'local' ? text?.replaceAll(`${resolve(address.directory)}/`, '') : text) ?? null
  return {
    version,
    node: { durability, kernels, workers, readers, ...storageOf(address), log: stats.logOn, uptimeSeconds: Math.floor(uptimeMs() / 1000) },
    readOnly: told(stats.disk.refusal ?? stats.doubt),
    tables: engine.tables().map(({ name, columns, hiddenKey }) => ({ name, columns: columns.length - (hiddenKey ? 1 : 0) })),
    levels: levelsOf(stats.shards),
    sizes: sizesOf(stats),
    shards: stats.shards.map(({ log: { segments, appends, syncs, bytes }, ...shard }, index) => ({ shard: index, ...shard, log: { segments, appends, syncs, bytes }, failure: told(shard.failure), background: told(shard.background) })),
    journal: journalOf(stats, told),
    cacheBytes: stats.cacheBytes,
    storage: { ...stats.storage.counts, estimatedUsd: stats.storage.estimatedUsd },
    diskCache: stats.storage.diskCache ?? null,
    kernelMemoryBytes: stats.kernelMemoryBytes,
    readers: { ...stats.readers, trouble: told(stats.readers.trouble) },
    following: stats.following === undefined ? null : { ...stats.following, trouble: told(stats.following.trouble) },
    cluster,
  }
}

/** Of the shards' logs; null where they have none. */
function journalOf({ journal }: EngineStats, told: (text: string | undefined) => string | null): unknown {
  if (journal === undefined) return null
  const { segments, rounds, declined, syncs, bytes, failure } = journal
  return { segments, rounds, declined, syncs, bytes, failure: told(failure) }
}

/** Where the data is; who may come in is nobody's business. */
function storageOf(address: PlaceAddress): Readonly<Record<string, string>> {
  return address.kind === 'local' ? { storage: 'local' } : { storage: 's3', bucket: address.bucket, prefix: address.prefix ?? '' }
}

/** Of all shards together. */
export function levelsOf(shards: readonly TreeStats[]): TreeStats['levels'] {
  const levels: { level: number; files: number; bytes: number }[] = []
  for (const { level, files, bytes } of shards.flatMap((shard) => shard.levels)) {
    const sum = (levels[level] ??= { level, files: 0, bytes: 0 })
    sum.files += files
    sum.bytes += bytes
  }
  return Array.from(levels, (sum, level) => sum ?? { level, files: 0, bytes: 0 })
}

function sizesOf({ shards }: EngineStats): unknown {
  return {
    tableFiles: shards.flatMap(({ levels }) => levels).reduce((sum, { files }) => sum + files, 0),
    tableBytes: shards.flatMap(({ levels }) => levels).reduce((sum, { bytes }) => sum + bytes, 0),
    memtableBytes: shards.reduce((sum, { memtableBytes }) => sum + memtableBytes, 0),
    logSegments: shards.reduce((sum, { log }) => sum + log.segments, 0),
  }
}
