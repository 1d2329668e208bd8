/** What a server serves: a database of its own, or a node's part in a cluster. */
import type { Engine } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { ServedCluster } from '../../http/forward/served-cluster.ts'
import type { HttpServices } from '../../http/server.ts'
import type { Log } from '../../runtime/log.ts'
import type { DatabaseSettings } from '../../settings.ts'
import type { CliHost } from '../host.ts'
import { archiveLabel } from '../backup/archive-label.ts'
import { commitOf } from '../target/commit-kind.ts'
import { opening } from '../target/opening.ts'
import type { ChosenDatabase } from '../target/storage-flags.ts'
import type { ClusterChoice, ClusterNode } from './cluster-node.ts'
import { clusterStatusOf } from './cluster-status.ts'
import { watchEngine } from './watch-engine.ts'

export interface Served extends Pick<HttpServices, 'commit' | 'backup' | 'notReady' | 'peerCa'> {
  readonly engine: Engine
  readonly cluster?: ServedCluster
  /** What /status tells of the cluster. */
  readonly clusterStatus: () => Promise<unknown>
  /** For the line that is printed. */
  readonly kind: string
  /** Resolves when nothing may be served any more. */
  readonly isOut: Promise<LsmtError>
  /** After the last request, if there is something to do then: what it is about, and what it came to. What is left undone the next start does. */
  readonly leaving: { readonly what: 'memtables' | 'cluster'; readonly run: () => Promise<string> } | undefined
  /** May be called again. */
  close(): Promise<void>
}

export interface Serving {
  readonly place: ChosenDatabase
  readonly settings: DatabaseSettings
  readonly log: Log
  readonly host: CliHost
}

type Reading = Partial<Pick<Parameters<CliHost['openEngine']>[0], 'readOnly' | 'atCheckpoint'>>

export async function openAlone({ place, settings, log, host }: Serving, isShardCountGiven: boolean, reading: Reading): Promise<Served> {
  const engine = await opening(host.openEngine({ ...place, settings, isShardCountGiven, ...reading }))
  const { isOut, out } = outOnce()
  const unwatch = watchEngine(engine, log, out)
  return {
    engine,
    commit: commitOf(settings.durability, place),
    backup: { checkpoint: engine.checkpoint, archiveLabel: () => archiveLabel(host) },
    notReady: () => failedLog(engine) ?? notFollowing(engine, settings),
    clusterStatus: async () => null,
    kind: reading.readOnly === true ? 'read-only' : `durability: ${settings.durability}`,
    isOut,
    leaving: engine.isReadOnly === true ? undefined : { what: 'memtables', run: () => flushed(engine) },
    close: once(async () => {
      unwatch()
      await engine.close()
    }),
  }
}

const flushed = (engine: Engine): Promise<string> => engine.flush().then(() => 'flushed', (error: unknown) => `not flushed: ${reasonOf(error)}`)

export async function openInCluster({ settings, log, host }: Serving, choice: ClusterChoice): Promise<Served> {
  const { isOut, out } = outOnce()
  const cluster = await opening(host.openCluster({ ...choice, settings, version: host.version, log, fatal: out }))
  const unwatch = watchEngine(cluster.engine, log, out)
  const refused = (): Promise<never> => Promise.reject(new LsmtError('0A000', 'a backup of a running cluster is not supported', { hint: 'export its tables: lsmt export' }))
  return {
    engine: cluster.engine,
    cluster,
    peerCa: choice.peerCa,
    commit: { durability: 'sync', get copies() { return cluster.copies } },
    backup: { checkpoint: refused, archiveLabel: () => archiveLabel(host) },
    notReady: () => failedLog(cluster.engine) ?? whyNotReady(cluster),
    clusterStatus: async () => clusterStatusOf(await cluster.membership.statusOfAll(statusMsMax), whyNotReady(cluster) === undefined),
    kind: `node ${choice.nodeId} of cluster ${choice.cluster}`,
    isOut,
    leaving: { what: 'cluster', run: () => cluster.leave().then(() => 'left', (error: unknown) => `left without a word: ${reasonOf(error)}`) },
    close: once(async () => {
      unwatch()
      await cluster.close()
    }),
  }
}

/** For the leaders of all shards to tell how they are. */
const statusMsMax = 1_000

function whyNotReady({ isReady, membership }: ClusterNode): string | undefined {
  const { storeFailure, isPlaced, isLeaseTrusted, shards } = membership.status()
  if (storeFailure !== undefined) return `etcd cannot be read: ${storeFailure}`
  if (!isPlaced) return 'shards have no nodes yet: too few are there'
  if (!isLeaseTrusted) return 'this node is not known to be live'
  if (shards[0]?.leader === undefined) return 'nobody coordinates writes'
  return isReady() ? undefined : 'the tables were not read yet'
}

function failedLog(engine: Engine): string | undefined {
  return engine.stats().shards.some((shard) => shard.failure !== undefined) ? 'a log failed and takes no more writes until a restart' : undefined
}

/** A node that only reads is ready while what it shows is not much older than it should be. */
function notFollowing(engine: Engine, { followMs }: DatabaseSettings): string | undefined {
  const { following } = engine.stats()
  if (following === undefined || following.behindMs <= Math.max(behindMsMax, 5 * followMs)) return undefined
  return `the writer was followed ${Math.round(following.behindMs / 1000)} s ago for the last time${following.trouble === undefined ? '' : `: ${following.trouble}`}`
}

const behindMsMax = 30_000

function outOnce(): { readonly isOut: Promise<LsmtError>; readonly out: (error: LsmtError) => void } {
  let out: ((error: LsmtError) => void) | undefined
  const isOut = new Promise<LsmtError>((resolve) => { out = resolve })
  return { isOut, out: (error) => out?.(error) }
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined
  return () => (closing ??= close())
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
