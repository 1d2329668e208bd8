/**
 * Everything that can happen to a replica, and everything that it asks for. Whoever drives the step function carries
 * effects out in their order, and gives storage its requests in that order.
 */
import type { ConfigurationAt, Leadership, ReplicaId, ShardConfiguration } from './configuration.ts'
import type { PeerMessage } from './message.ts'
import type { LogEnd } from './state/epochs.ts'
import type { LogEntry } from './state/log-state.ts'

/** A node as `/live/<node>` shows it. */
export interface LiveNode extends ReplicaId {
  readonly incarnation: number
}

/**
 * How fresh a read must be.
 * - `linearizable`: the leader asks all members of its configuration whether it still leads.
 * - `lease`: the leader answers as long as its lease holds by its own clock, otherwise as `linearizable`.
 * - `session`: any replica, once it has `afterSequence`.
 * - `stale`: any replica that knows that it is at most `staleMsMax` behind.
 */
export type ReadLevel =
  | { readonly kind: 'linearizable' }
  | { readonly kind: 'lease' }
  | { readonly kind: 'session'; readonly afterSequence: number }
  | { readonly kind: 'stale'; readonly staleMsMax: number }

export type ReplicaEvent =
  /** Time went by. Given often, at least every half `heartbeatMs`; `stoodStillMs`: but before this one not for so long, in which nobody could be heard. */
  | { readonly kind: 'tick'; readonly stoodStillMs?: number }
  | { readonly kind: 'message'; readonly message: PeerMessage }
  /** The log is on disk up to `throughSequence`. */
  | { readonly kind: 'logged'; readonly generation: number; readonly throughSequence: number }
  | { readonly kind: 'epochStored'; readonly epoch: number }
  /** Entries after `previous`, some or none; undefined when the log no longer has what follows it. */
  | { readonly kind: 'entriesRead'; readonly store: string; readonly readId: number; readonly entries: readonly LogEntry[] | undefined }
  /** The files of another replica are here, in place of log and files as they were, atomically. */
  | { readonly kind: 'filesFetched'; readonly through: LogEnd }
  /** They are not, and nothing has changed. */
  | { readonly kind: 'fetchFailed' }
  /** What was committed is in files up to `startSequence`, and the log may have been cut before it. Whoever lacks what was cut gets files, so it is not cut below files that somebody is fetching. */
  | { readonly kind: 'trimmed'; readonly startSequence: number }
  /** As a watch showed it, perhaps late, or, `isFresh`, as a linearizable read gave it that was sent after it was asked for. */
  | { readonly kind: 'configuration'; readonly at: ConfigurationAt; readonly isFresh: boolean }
  /**
   * What came of a swap. `refused` is certain: this request changed nothing. `unknown` is not, and it may yet take effect.
   * `revision` is that of the new value.
   */
  | { readonly kind: 'swapped'; readonly swapId: number; readonly outcome: 'done'; readonly revision: number }
  | { readonly kind: 'swapped'; readonly swapId: number; readonly outcome: 'refused' | 'unknown' }
  /** Who is there, best candidates for a copy first. A hint: it may be old. */
  | { readonly kind: 'live'; readonly nodes: readonly LiveNode[] }
  /** The newest lease of this node holds until then by its own clock. `leaseId` is another number for every lease: the revision at which the live key was made under it. */
  | { readonly kind: 'lease'; readonly leaseId: number; readonly deadlineMs: number }
  | { readonly kind: 'write'; readonly id: string; readonly operationCount: number; readonly batch: Uint8Array }
  | { readonly kind: 'read'; readonly id: string; readonly level: ReadLevel }
  /** Placement wants another member in place of one; the leader brings it about while the copy count holds. */
  | { readonly kind: 'move'; readonly fromStore: string; readonly to: ReplicaId }
  /** Let another member lead. Dropped, or taken back later, where none is heard of that could. */
  | { readonly kind: 'resign' }

/** Why a request is not carried out. `outcomeUnknown`: a write that may yet be found (40003); all others left no trace. */
export type RefusalReason = 'notLeader' | 'notReady' | 'outcomeUnknown' | 'timedOut'

export type Effect =
  | { readonly kind: 'send'; readonly message: PeerMessage }
  /** Append and sync, then `logged`. On the leader the base sequence is written into the batch first, before it is sent too. */
  | { readonly kind: 'appendLog'; readonly generation: number; readonly entries: readonly LogEntry[] }
  /** Cut and sync, then `logged`: completions of what was appended before it are not counted any more, though part of that stays. */
  | { readonly kind: 'truncateLog'; readonly generation: number; readonly toSequence: number }
  /** Sync, then `epochStored`. */
  | { readonly kind: 'storeEpoch'; readonly epoch: number }
  | { readonly kind: 'readLog'; readonly store: string; readonly readId: number; readonly afterSequence: number }
  | { readonly kind: 'fetchFiles'; readonly from: ReplicaId; readonly through: LogEnd }
  /** Make it visible up to here, before the next effect: only what is committed goes to memtables and files. */
  | { readonly kind: 'apply'; readonly throughSequence: number }
  /** The write is on disk on `copies` members. `sequence` is its token for reads of the session. */
  | { readonly kind: 'acknowledge'; readonly id: string; readonly sequence: number; readonly copies: number; readonly epoch: number }
  | { readonly kind: 'refuse'; readonly id: string; readonly reason: RefusalReason; readonly leader: string | undefined }
  /** Take a snapshot, then look at the clock: at or past `deadlineMs` the snapshot is dropped and the read given again. */
  | { readonly kind: 'serve'; readonly id: string; readonly deadlineMs: number }
  /**
   * In one transaction: if the configuration is at `revision`, the node's own lease is still `leaseId` (when given) and
   * `absent` is not live in that incarnation (when given), put this one. The outcome comes as `swapped`, in any case.
   */
  | { readonly kind: 'swap'; readonly swapId: number; readonly revision: number; readonly configuration: ShardConfiguration; readonly leaseId: number | undefined; readonly absent: Leadership | undefined }
  /** Read the configuration linearizably and tell it as fresh. */
  | { readonly kind: 'readConfiguration' }
  /** What cannot be has been seen; the replica does nothing any more until people have looked. */
  | { readonly kind: 'halt'; readonly reason: string }
