/**
 * The decisions on which it rests that nothing acknowledged is lost, apart from everything that only carries them out.
 * They are passed in, so that a test can break one and see that the simulation notices.
 */
import { isMember } from './configuration.ts'
import type { ReplicaId, ShardConfiguration } from './configuration.ts'

export interface Rules {
  /** Committed is what every one of them has on disk: `own` is the leader, `others` the rest of the maximal configuration. */
  commitSequence(own: number, others: readonly number[]): number
  /**
   * Whom commits must wait for. From the moment a change is under way until its outcome is known, the store may already
   * have it, and then elects from the new members: so both the old and the new ones count (Vanlightly on KIP-966; the
   * replication set must contain every set from which a leader can come).
   */
  maximalMembers(configuration: ShardConfiguration, joined: ReplicaId | undefined): readonly ReplicaId[]
  /** Only members lead: only they have everything that is committed. */
  mayLead(configuration: ShardConfiguration, store: string): boolean
  /** Reads under a lease end before the lease does. */
  leaseHolds(nowMs: number, deadlineMs: number): boolean
}

export const rules: Rules = {
  commitSequence: (own, others) => others.reduce((least, match) => Math.min(least, match), own),
  maximalMembers: ({ members }, joined) => (joined === undefined || members.some(({ store }) => store === joined.store) ? members : [...members, joined]),
  mayLead: isMember,
  leaseHolds: (nowMs, deadlineMs) => nowMs < deadlineMs,
}
