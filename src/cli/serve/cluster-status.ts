/** What `/status` tells of a cluster, as this node and the leaders of its shards know it. */
import type { MembershipStatus, ShardStatus } from '../../cluster/node/membership.ts'

export interface ClusterStatus {
  readonly name: string
  /** The node that tells. */
  readonly node: string
  readonly ready: boolean
  readonly replicationFactor: number
  /** The node that coordinates writes; null while there is none. */
  readonly coordinator: string | null
  readonly etcd: { readonly leaseTrusted: boolean; readonly failure: string | null }
  readonly nodes: readonly { readonly node: string; readonly address: string; readonly version: string; readonly live: boolean; readonly draining: boolean; readonly copies: number; readonly leads: number; readonly cleanlyStopped: boolean }[]
  readonly shards: readonly ToldShard[]
  /** Shards of which a copy is on its way to another node. */
  readonly moving: number
  /** Shards that stay on draining nodes, since no other can take them. */
  readonly stuck: readonly number[]
  /** Copies of the node that tells which it cannot open; they count as lost. */
  readonly unopened: MembershipStatus['unopened']
}

export interface ToldShard {
  readonly shard: number
  readonly epoch: number
  readonly leader: string | null
  readonly members: readonly { readonly node: string; readonly live: boolean }[]
  /** The node that a copy is on its way to. */
  readonly joining: string | null
  /** What its leader tells; null while that is not known. */
  readonly ready: boolean | null
  readonly copies: number | null
  readonly lag: number | null
  readonly commitSequence: number | null
  /** The epoch since which something acknowledged may be missing, since people took a copy that was no member. */
  readonly possibleLoss: number | null
}

export function clusterStatusOf(status: MembershipStatus, ready: boolean): ClusterStatus {
  const { cluster, node, factor, nodes, shards, stuck, unopened, isLeaseTrusted, storeFailure } = status
  const placed = (name: string): number => shards.filter(({ members }) => members.some((member) => member.node === name)).length
  return {
    name: cluster,
    node,
    ready,
    replicationFactor: factor,
    coordinator: shards[0]?.leader ?? null,
    etcd: { leaseTrusted: isLeaseTrusted, failure: storeFailure ?? null },
    nodes: nodes.map((each) => ({ node: each.node, address: each.address, version: each.version, live: each.isLive, draining: each.isDraining, copies: placed(each.node), leads: shards.filter(({ leader }) => leader === each.node).length, cleanlyStopped: each.wasCleanlyStopped })),
    shards: shards.map(toldShard),
    moving: shards.filter(({ joining }) => joining !== null).length,
    stuck,
    unopened,
  }
}

function toldShard({ shard, epoch, leader, members, joining, led, possibleLoss }: ShardStatus): ToldShard {
  return {
    shard,
    epoch,
    leader: leader ?? null,
    members: members.map(({ node, isLive }) => ({ node, live: isLive })),
    joining: joining?.replica.node ?? null,
    ready: led?.isReady ?? null,
    copies: led?.copies ?? null,
    lag: led?.lag ?? null,
    commitSequence: led?.commitSequence ?? null,
    possibleLoss,
  }
}
