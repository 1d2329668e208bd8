/** Everything that a replica of one shard knows; plain data that no step changes in place. */
import type { ConfigurationAt, Leadership, ReplicaId, ShardConfiguration } from '../configuration.ts'
import type { LiveNode, ReadLevel } from '../event.ts'
import type { ReplicaTime } from '../message.ts'
import type { LogState } from './log-state.ts'

export interface ReplicaState {
  readonly self: LiveNode
  readonly nowMs: number
  /** The greatest epoch that it has heard of from a leader, or won. */
  readonly epoch: number
  /** How much of that is on disk: nothing is promised under an epoch that a crash would forget. */
  readonly storedEpoch: number
  readonly log: LogState
  /** Committed and applied up to here. */
  readonly commitSequence: number
  readonly known: ConfigurationAt | undefined
  readonly live: readonly LiveNode[]
  readonly lease: Lease | undefined
  readonly proposal: Proposal | undefined
  /** Of swaps and of reads of the log. */
  readonly lastRequestId: number
  readonly role: Role
  /** Reads that wait for what a follower or leader gets to know by itself. */
  readonly waiting: readonly WaitingRead[]
  /** No attempt to lead before it. */
  readonly restUntilMs: number
  /** Why it stopped for good. */
  readonly halted: string | undefined
}

export interface Lease {
  readonly leaseId: number
  readonly deadlineMs: number
}

/** A change of the configuration that was asked for and whose outcome is not known. */
export interface Proposal {
  readonly swapId: number
  readonly purpose: 'lead' | 'renew' | 'join' | 'joined' | 'resign'
  readonly revision: number
  readonly configuration: ShardConfiguration
  readonly leaseId: number | undefined
  readonly absent: Leadership | undefined
  readonly askedAtMs: number
  /** After `unknown` the store is read, and asked again, until its revision has moved; after `refused` it is only read. */
  readonly status: 'asked' | 'unknown' | 'refused'
}

export interface WaitingRead {
  readonly id: string
  readonly level: ReadLevel
  readonly sinceMs: number
}

export type Role = Follower | Elected | Leader

export interface Follower {
  readonly kind: 'follower'
  /** Who leads the epoch, once it has spoken. */
  readonly leader: ReplicaId | undefined
  /** Its log is the leader's up to its end, which is asked anew in every epoch and after every start. */
  readonly isMatched: boolean
  /** The leader's, in this epoch. */
  readonly leaderCommit: number
  readonly round: number
  readonly isFetching: boolean
  /** As of when it has applied every commit there was, by its own clock. */
  readonly freshAtMs: number
}

/** The store says that we lead; the epoch is not on disk yet. */
export interface Elected {
  readonly kind: 'elected'
  readonly leaseId: number | undefined
}

export interface Leader {
  readonly kind: 'leader'
  /** End of the log when the epoch began: once that is committed, the leader knows all that ever was. */
  readonly sinceSequence: number
  /** The lease that held in the transaction that made it leader, or confirmed it. Another one says nothing: somebody may have led in between. */
  readonly leaseId: number | undefined
  /** All other replicas that get the log: members, and who joins. */
  readonly peers: readonly Peer[]
  /** The one that commits must wait for already, because a change to it is under way. */
  readonly joined: ReplicaId | undefined
  readonly writes: readonly PendingWrite[]
  /** Reads that the round in flight confirms, and those that came after it began. */
  readonly confirming: readonly ConfirmedRead[]
  readonly queued: readonly ConfirmedRead[]
  readonly round: number
  /** It takes no requests any more, and steps down when what it has is done, at that time at the latest. */
  readonly resignByMs: number | undefined
  readonly heartbeatAtMs: number
  /** When any of the peers was heard. */
  readonly heardAtMs: number
  readonly nextChangeMs: number
  /** The last one that failed to join; others are tried first. */
  readonly avoidedStore: string | undefined
}

export interface Peer {
  readonly id: ReplicaId
  /** It has the log up to here on disk, and said so in this epoch. */
  readonly matchSequence: number
  /** The end of what was sent; undefined until it is known where its log ends. */
  readonly sentSequence: number | undefined
  /** A request to the log is under way for it. */
  readonly readId: number | undefined
  readonly isMatched: boolean
  readonly round: number
  readonly heardAtMs: number
  readonly progressAtMs: number
  /** Its own time when it sent what we heard last. */
  readonly sentAt: ReplicaTime | undefined
}

export interface PendingWrite {
  readonly id: string
  readonly lastSequence: number
}

export interface ConfirmedRead {
  readonly id: string
  readonly sinceMs: number
}

/** What a replica finds on its disk when it starts. */
export interface Found {
  readonly storedEpoch: number
  readonly log: LogState
}

/** A replica as it starts: a follower of nobody yet. What is in files was committed; of the rest it waits to be told. */
export function startReplica(self: LiveNode, { storedEpoch, log }: Found): ReplicaState {
  return {
    self,
    nowMs: 0,
    epoch: storedEpoch,
    storedEpoch,
    log,
    commitSequence: log.startSequence,
    known: undefined,
    live: [],
    lease: undefined,
    proposal: undefined,
    lastRequestId: 0,
    role: follower(undefined),
    waiting: [],
    restUntilMs: 0,
    halted: undefined,
  }
}

export const follower = (leader: ReplicaId | undefined): Follower => ({
  kind: 'follower', leader, isMatched: false, leaderCommit: 0, round: 0, isFetching: false, freshAtMs: -Infinity,
})

