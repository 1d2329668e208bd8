/**
 * Gives every shard of a new cluster its first members, once there are enough nodes. All nodes may do this at once: a shard
 * gets what the first of them says. Once all have some, the cluster says so, and none is ever given first members again:
 * a shard whose value is lost has copies somewhere, which new and empty members would hide.
 */
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import { withPlaced } from '../../placement/cluster-value.ts'
import { firstPlacement } from '../../placement/spread.ts'
import { encodeConfiguration, firstConfiguration } from '../../replication/configuration.ts'
import type { MembershipSettings } from '../settings.ts'
import { changeCluster } from '../store/change-cluster.ts'
import { liveNodes } from '../store/cluster-view.ts'
import type { ClusterView } from '../store/cluster-view.ts'
import { isAbsent } from '../store/keys.ts'
import type { StoreKeys } from '../store/keys.ts'

export interface PlacementOptions {
  readonly etcd: Pick<EtcdClient, 'get' | 'swap' | 'transact'>
  readonly keys: StoreKeys
  readonly shardCount: number
  readonly factor: number
  readonly clock: { monotonicMs(): number }
  readonly log: Log
  readonly settings: MembershipSettings
  view(): ClusterView
}

export interface FirstPlacement {
  /** Called with every change and now and then; never throws what another attempt may mend. */
  tend(): void
  close(): Promise<void>
}

export function createFirstPlacement(options: PlacementOptions): FirstPlacement {
  const { clock, log, settings, factor } = options
  let working: Promise<void> | undefined
  let enoughSinceMs: number | undefined, toldAtMs = -Infinity
  let isClosed = false

  function tellWaiting(why: string): void {
    if (clock.monotonicMs() - toldAtMs < settings.tellEveryMs) return
    toldAtMs = clock.monotonicMs()
    log.warn({}, why)
  }

  /** Who may be a member; undefined while it is waited for more. */
  function candidates(view: ClusterView): ReturnType<typeof placeable> | undefined {
    const nodes = placeable(view)
    if (nodes.length < factor) {
      enoughSinceMs = undefined
      tellWaiting(`waiting for nodes: ${factor} copies need ${factor} of them, and there ${nodes.length === 1 ? 'is one' : `are ${nodes.length}`}: ${nodes.map(({ node }) => node).join(', ')}`)
      return undefined
    }
    enoughSinceMs ??= clock.monotonicMs()
    const live = liveNodes(view)
    const areAllThere = [...view.nodes.keys()].every((node) => live.has(node))
    return areAllThere || clock.monotonicMs() - enoughSinceMs >= settings.placementWaitMs ? nodes : undefined
  }

  async function attempt(): Promise<void> {
    const view = options.view()
    const missing = missingShards(view, options.shardCount)
    const nodes = missing.length === 0 ? [] : candidates(view)
    if (nodes === undefined) return
    try {
      if (missing.length > 0) await place(options, nodes, missing)
      await changeCluster(options.etcd, options.keys, withPlaced)
    } catch (error) {
      if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
      tellWaiting(`shards could not be given their first members yet: ${error.message}`)
    }
  }

  return {
    tend() {
      if (isClosed || options.view().cluster?.isPlaced !== false) return
      working ??= attempt().finally(() => { working = undefined })
    },
    async close() {
      isClosed = true
      await working
    },
  }
}

export function missingShards({ shards }: ClusterView, shardCount: number): readonly number[] {
  return Array.from({ length: shardCount }, (_, shard) => shard).filter((shard) => !shards.has(shard))
}

function placeable(view: ClusterView): readonly { readonly node: string; readonly store: string }[] {
  return [...liveNodes(view).values()].filter(({ node }) => view.cluster?.draining.includes(node) !== true).map(({ node, store }) => ({ node, store }))
}

async function place({ etcd, keys, shardCount, factor, log }: PlacementOptions, nodes: ReturnType<typeof placeable>, missing: readonly number[]): Promise<void> {
  const placement = firstPlacement(nodes, shardCount, factor)
  log.info({ shards: missing.length }, `shards are given their first members: ${factor} each of ${nodes.map(({ node }) => node).join(', ')}`)
  await Promise.all(missing.map(async (shard) => {
    const key = keys.shard(shard)
    // Of one that is there already nothing is changed, nor by a request that comes late.
    await etcd.transact({ when: [isAbsent(key)], apply: [{ kind: 'put', key, value: encodeConfiguration(firstConfiguration(placement[shard]!)) }] })
  }))
}
