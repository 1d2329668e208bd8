/** A node's part in a cluster: who else is there, which replicas are kept here, and who leads what. */
import type { ConfigurationAt, Joining } from '../replication/configuration.ts'
import type { LiveNode } from '../replication/event.ts'
import type { Transport } from '../transport/transport.ts'
import type { HostedReplica } from './hosted-replica.ts'

export interface ClusterMembership<R extends HostedReplica = HostedReplica> {
  readonly self: LiveNode
  readonly shardCount: number
  readonly factor: number
  readonly transport: Transport
  /** That of this node, once it is open. */
  replica(shard: number): R | undefined
  /** By the configuration as known; the node need not be live any more. */
  leaderOf(shard: number): string | undefined
  membersOf(shard: number): readonly string[]
  /** Where others, and clients, reach a node. */
  addressOf(node: string): string | undefined
  configuration(shard: number): ConfigurationAt | undefined
  /** Linearizable, from the configuration store, by a read that is sent after this call. 08006 when it cannot be read. */
  readShardZeroEpoch(): Promise<number>
  /** Called when nodes, configurations, replicas kept here or the lease have changed. What it gives ends that. */
  onChange(listener: () => void): () => void
  /** Every shard has its place, and this node is known to be live. */
  isReady(): boolean
  /** As this node knows it: positions and lag only of shards that are led here. */
  status(): MembershipStatus
  /** The same, with what the leaders of all shards tell; those that do not answer within `timeoutMs` are left as they are. */
  statusOfAll(timeoutMs: number): Promise<MembershipStatus>
  readonly operate: ClusterOperations
  /**
   * For a node that is about to stop: hands over what it leads, waits a bounded time until others lead, then ends its lease,
   * so that nobody waits for that. It follows until it is closed.
   */
  leave(): Promise<void>
  /** Closes the replicas. The transport and the client of the configuration store stay open. */
  close(): Promise<void>
}

/** What people ask of a cluster, by any of its nodes. 22023 for a node or shard that there is not, 55000 when it cannot be done now. */
export interface ClusterOperations {
  /** Nothing is placed there any more, and what is there moves elsewhere; see `stuck` in the status. */
  drain(node: string): Promise<void>
  undrain(node: string): Promise<void>
  /** Drains one node while another, which is live, is to take its place; that one may have waited as a draining node. One change for both. */
  replace(node: string, by: string): Promise<void>
  /** The leader of the shard steps down for another member. */
  handOver(shard: number): Promise<void>
  /** Shards all of whose members are gone, with every copy that live nodes have. Changes nothing. */
  findLost(): Promise<readonly LostShard[]>
  /**
   * The last resort: the copy that has most takes a lost member's place, and may lack what was acknowledged. 55000 when the
   * shard is not as it was found, a member is live again, or nobody has a copy.
   */
  recoverLost(lost: LostShard): Promise<void>
}

/** Copies in the order in which they should be taken, the best first. */
export interface LostShard {
  readonly shard: number
  readonly at: ConfigurationAt
  readonly copies: readonly FoundCopy[]
}

export interface FoundCopy {
  readonly node: string
  readonly store: string
  /** Epoch and end of its log. */
  readonly epoch: number
  readonly sequence: number
}

export interface MembershipStatus {
  readonly cluster: string
  readonly node: string
  readonly shardCount: number
  readonly factor: number
  /** Every shard was given its members once. */
  readonly isPlaced: boolean
  readonly isLeaseTrusted: boolean
  /** Why the configuration store cannot be read now; undefined when it can. */
  readonly storeFailure: string | undefined
  readonly nodes: readonly NodeStatus[]
  readonly shards: readonly ShardStatus[]
  /** Shards that stay on draining nodes, since no other node can take them. */
  readonly stuck: readonly number[]
  /** Copies of this node that it cannot open, and tries again to; they count as lost meanwhile. */
  readonly unopened: readonly UnopenedCopy[]
}

export interface UnopenedCopy {
  readonly shard: number
  readonly reason: string
}

export interface NodeStatus extends LiveNode {
  readonly address: string
  readonly version: string
  readonly isLive: boolean
  readonly isDraining: boolean
  /** It said good-bye at its last end. */
  readonly wasCleanlyStopped: boolean
}

export interface ShardStatus {
  readonly shard: number
  readonly epoch: number
  readonly leader: string | undefined
  readonly members: readonly { readonly node: string; readonly store: string; readonly isLive: boolean }[]
  readonly joining: Joining | null
  /** The epoch since which something acknowledged may be missing, because people had to take a copy that was no member. */
  readonly possibleLoss: number | null
  /** What the leader tells; undefined while that is not known. */
  readonly led: LedStatus | undefined
}

export interface LedStatus {
  readonly isReady: boolean
  readonly commitSequence: number
  readonly copies: number
  /** Sequences that the slowest member lacks. */
  readonly lag: number
}
