/** What membership and a replica that it keeps do for each other. */
import type { ConfigurationAt, ReplicaId } from '../replication/configuration.ts'
import type { Lease } from '../replication/state/replica-state.ts'
import type { Effect, LiveNode, ReplicaEvent } from '../replication/event.ts'

/** What membership asks of a replica. */
export interface HostedReplica {
  readonly shard: number
  status(): HostedReplicaStatus
  /** Placement's wish; what cannot be done now is dropped. */
  move(fromStore: string, to: ReplicaId): void
  /** Lets another member lead. Resolves when it does not lead any more; 55000 when none is heard of that could, and then it goes on. */
  resign(): Promise<void>
  /** Nothing is sent in its name any more once this resolves. */
  close(): Promise<void>
}

export interface HostedReplicaStatus {
  readonly role: 'leader' | 'elected' | 'follower'
  readonly isReady: boolean
  readonly epoch: number
  /** Of the last entry of its log. */
  readonly lastEpoch: number
  /** Its log on disk. */
  readonly durableSequence: number
  readonly commitSequence: number
  /** Disks that what is acknowledged now is on. */
  readonly copies: number
  /** Of a leader: those that get the log. */
  readonly peers: readonly HostedPeer[]
  readonly isFetching: boolean
  readonly halted: string | undefined
}

export interface HostedPeer extends ReplicaId {
  /** Sequences that it lacks. */
  readonly lag: number
}

export type SwapRequest = Omit<Extract<Effect, { readonly kind: 'swap' }>, 'kind' | 'swapId'>
export type SwapOutcome = { readonly outcome: 'done'; readonly revision: number } | { readonly outcome: 'refused' | 'unknown' }
/** What is told when a lease has ended: nobody is live by it, so a swap under it is refused. */
export const noLease: Lease = { leaseId: -1, deadlineMs: -Infinity }

export type HostEvent = Extract<ReplicaEvent, { readonly kind: 'configuration' | 'live' | 'lease' }>

/** What a replica has of membership. */
export interface ReplicaHost {
  readonly self: LiveNode
  /**
   * Tells what is known, within this call, and from then on what changes; what it gives ends that. A replica listens before
   * it hears any other: one that had been here before, and whose data was deleted, is held by the epoch of its
   * configuration to what it promised then.
   */
  listen(listener: (event: HostEvent) => void): () => void
  /** Carries out a swap effect. Never rejects: what is not known is 'unknown'. */
  swap(request: SwapRequest): Promise<SwapOutcome>
  /** A linearizable read that is sent after this call; undefined when nothing could be read, and asking again is to be tried. */
  readConfiguration(): Promise<ConfigurationAt | undefined>
}

export type OpenReplica<R extends HostedReplica> = (shard: number, host: ReplicaHost) => Promise<R>
