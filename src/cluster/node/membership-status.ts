/** The state of a cluster for people, from the view and from what leaders tell. */
import type { Plan } from '../placement/plan.ts'
import type { LedStatus, MembershipStatus, NodeStatus, ShardStatus } from './membership.ts'
import { liveNodes } from './store/cluster-view.ts'
import type { ClusterView, LiveEntries } from './store/cluster-view.ts'

export interface StatusInput extends Pick<MembershipStatus, 'cluster' | 'node' | 'shardCount' | 'factor' | 'isLeaseTrusted' | 'storeFailure' | 'unopened'> {
  readonly view: ClusterView
  readonly plan: Plan | undefined
  /** By shard. */
  readonly led: ReadonlyMap<number, LedStatus>
}

export function membershipStatus({ view, plan, led, ...rest }: StatusInput): MembershipStatus {
  const live = liveNodes(view)
  const draining = view.cluster?.draining ?? []
  const shards = [...view.shards].filter(([shard]) => shard < rest.shardCount).toSorted(([a], [b]) => a - b)
  return {
    ...rest,
    isPlaced: view.cluster?.isPlaced === true,
    nodes: [...view.nodes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([node, value]): NodeStatus => ({ node, ...value, isLive: live.has(node), isDraining: draining.includes(node) })),
    shards: shards.map(([shard, { configuration: { epoch, leader, members, joining, possibleLoss } }]): ShardStatus => ({
      shard, epoch, leader: leader?.node, joining, possibleLoss, led: led.get(shard),
      members: members.map(({ node, store }) => ({ node, store, isLive: isThere(live, node, store) })),
    })),
    stuck: plan?.stuck ?? [],
  }
}

const isThere = (live: LiveEntries, node: string, store: string): boolean => live.get(node)?.store === store
