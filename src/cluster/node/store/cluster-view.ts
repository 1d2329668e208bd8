/** The configuration store of a cluster as a watch shows it: plain data, replaced with every change. */
import { LsmtError } from '../../../errors.ts'
import type { KeyValue } from '../../etcd/wire/key-values.ts'
import type { Change } from '../../etcd/wire/watch-message.ts'
import { decodeCluster } from '../../placement/cluster-value.ts'
import type { ClusterValue } from '../../placement/cluster-value.ts'
import { decodeConfiguration } from '../../replication/configuration.ts'
import type { ConfigurationAt } from '../../replication/configuration.ts'
import type { StoreKeys } from './keys.ts'
import { decodeLive, decodeNode } from './node-value.ts'
import type { LiveEntry, NodeValue } from './node-value.ts'
import { numberOf } from './revision.ts'

export interface ClusterView {
  readonly cluster: ClusterValue | undefined
  readonly nodes: ReadonlyMap<string, NodeValue>
  /** By key: an earlier incarnation's may outlive it for a while. */
  readonly live: ReadonlyMap<string, LiveEntry>
  readonly shards: ReadonlyMap<number, ConfigurationAt>
}

export const emptyView: ClusterView = { cluster: undefined, nodes: new Map(), live: new Map(), shards: new Map() }

/** Told of values that cannot be read; what was known of them stays. */
export type OnUnreadable = (key: string, error: LsmtError) => void

interface Draft {
  cluster: ClusterValue | undefined
  readonly nodes: Map<string, NodeValue>
  readonly live: Map<string, LiveEntry>
  readonly shards: Map<number, ConfigurationAt>
}

/** All there is now. Of shards nothing older replaces what was known, and none is forgotten: replicas go by their last configuration. */
export function listedView(was: ClusterView, keys: StoreKeys, listed: readonly KeyValue[], onUnreadable: OnUnreadable): ClusterView {
  const draft: Draft = { cluster: was.cluster, nodes: new Map(), live: new Map(), shards: new Map(was.shards) }
  for (const { key } of listed) keepKnown(draft, was, keys, key)
  for (const each of listed) put(draft, keys, each, onUnreadable)
  return draft
}

export function changedView(was: ClusterView, keys: StoreKeys, changes: readonly Change[], onUnreadable: OnUnreadable): ClusterView {
  const draft: Draft = { cluster: was.cluster, nodes: new Map(was.nodes), live: new Map(was.live), shards: new Map(was.shards) }
  for (const change of changes) {
    if (change.kind === 'put') put(draft, keys, change.keyValue, onUnreadable)
    else remove(draft, keys, change.key)
  }
  return draft
}

/** In case that what is listed cannot be read. */
function keepKnown(draft: Draft, was: ClusterView, keys: StoreKeys, key: string): void {
  const parsed = keys.parse(key)
  const node = parsed?.kind === 'node' ? was.nodes.get(parsed.node) : undefined
  if (parsed?.kind === 'node' && node !== undefined) draft.nodes.set(parsed.node, node)
}

function put(draft: Draft, keys: StoreKeys, { key, value, modRevision, createRevision }: KeyValue, onUnreadable: OnUnreadable): void {
  const parsed = keys.parse(key)
  try {
    switch (parsed?.kind) {
      case 'cluster':
        draft.cluster = decodeCluster(value, key)
        break
      case 'node':
        draft.nodes.set(parsed.node, decodeNode(value, key))
        break
      case 'live':
        draft.live.set(key, { ...decodeLive(value, key), node: parsed.node, incarnation: parsed.incarnation, createRevision: numberOf(createRevision) })
        break
      case 'shard': {
        const at: ConfigurationAt = { revision: numberOf(modRevision), configuration: decodeConfiguration(value, key) }
        if ((draft.shards.get(parsed.shard)?.revision ?? 0) < at.revision) draft.shards.set(parsed.shard, at)
        break
      }
      case undefined:
        break
    }
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
    onUnreadable(key, error)
  }
}

function remove(draft: Draft, keys: StoreKeys, key: string): void {
  const parsed = keys.parse(key)
  if (parsed?.kind === 'live') draft.live.delete(key)
  else if (parsed?.kind === 'node') draft.nodes.delete(parsed.node)
}

/** By node. */
export type LiveEntries = ReadonlyMap<string, LiveEntry>

/** One entry for each node that is there: the newest. */
export function liveNodes({ live }: ClusterView): LiveEntries {
  const newest = new Map<string, LiveEntry>()
  for (const entry of live.values()) if ((newest.get(entry.node)?.incarnation ?? -1) < entry.incarnation) newest.set(entry.node, entry)
  return newest
}

/** Stores that are to keep the shard, or to get it. */
export function storesOf({ configuration: { members, joining } }: ConfigurationAt): readonly string[] {
  const stores = members.map(({ store }) => store)
  return joining === null ? stores : [...stores, joining.replica.store]
}
