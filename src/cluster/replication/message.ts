/**
 * What replicas of a shard say to each other. Every message has the epoch of its sender, and both are named with their
 * stores: a message to another store of the node is not for us, one from another store is not from that replica.
 * Messages may be lost, delayed, repeated and reordered: none changes anything that a newer one has settled.
 */
import type { ReplicaId } from './configuration.ts'
import type { LogEnd } from './state/epochs.ts'
import type { LogEntry } from './state/log-state.ts'

interface Envelope {
  readonly from: ReplicaId
  readonly to: ReplicaId
  readonly epoch: number
}

/** A moment on a replica's monotonic clock, which may begin anew with every start. */
export interface ReplicaTime {
  readonly incarnation: number
  readonly atMs: number
}

/** Leader to follower; without entries it says that the leader is there and how far all have it. */
export interface AppendMessage extends Envelope {
  readonly kind: 'append'
  /** The position before the entries; without entries the end of the leader's log. */
  readonly previous: LogEnd
  readonly entries: readonly LogEntry[]
  readonly commitSequence: number
  /** Grows with each question whether the leader still leads; comes back with the answer. */
  readonly round: number
  /** The follower's own time as of which the leader, whose lease holds, knew of no later commit; undefined without a lease. */
  readonly freshAt: ReplicaTime | undefined
}

/** Follower to leader: its log is the leader's up to its end, and on disk up to `matchSequence`. */
export interface AppendedMessage extends Envelope {
  readonly kind: 'appended'
  readonly matchSequence: number
  readonly round: number
  readonly sentAt: ReplicaTime
  /** A read waits here: what is committed is to be told at once. */
  readonly isAsking: boolean
}

/** Follower to leader: where its log ends, when it cannot tell whether that is the leader's log. */
export interface PositionMessage extends Envelope {
  readonly kind: 'position'
  readonly end: LogEnd
  /** Files are coming in; nothing else is of use until they are there. */
  readonly isFetching: boolean
}

/** Leader to follower: your log, ending at `asked`, left mine; `end` is the end of the greatest epoch of mine that is not above your last. */
export interface DivergedMessage extends Envelope {
  readonly kind: 'diverged'
  readonly asked: LogEnd
  readonly end: LogEnd
}

/** Leader to follower: what follows `asked` is no longer in my log; take my files. */
export interface InstallMessage extends Envelope {
  readonly kind: 'install'
  readonly asked: LogEnd
  /** The files have everything up to it, at least. */
  readonly through: LogEnd
}

/** Leader to follower: say where your log ends, what follows what you have is no longer in mine. */
export interface LocateMessage extends Envelope {
  readonly kind: 'locate'
}

/** To whoever sent an epoch that is over. */
export interface FencedMessage extends Envelope {
  readonly kind: 'fenced'
}

export type LeaderMessage = AppendMessage | DivergedMessage | InstallMessage | LocateMessage
export type PeerMessage = LeaderMessage | AppendedMessage | PositionMessage | FencedMessage

type WithoutEnvelope<M> = M extends Envelope ? Omit<M, keyof Envelope> : never
export type MessageBody = WithoutEnvelope<PeerMessage>
