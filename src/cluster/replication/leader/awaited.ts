/** Whom a leader waits for. */
import type { ReplicaId } from '../configuration.ts'
import type { Leader, Peer, ReplicaState } from '../state/replica-state.ts'
import type { StepContext, Turn } from '../state/turn.ts'

export function maximalMembers(turn: Turn, { joined }: Leader): readonly ReplicaId[] {
  return turn.context.rules.maximalMembers(turn.state.known!.configuration, joined)
}

/** The members that commits wait for, without the leader itself. */
export function awaitedPeers(turn: Turn, leader: Leader): readonly Peer[] {
  const { self } = turn.state
  return maximalMembers(turn, leader).filter(({ store }) => store !== self.store).map((member) => leader.peers.find(({ id }) => id.store === member.store)!)
}

/** Once everything before its epoch is committed, a leader knows all that ever was. Until then it answers nothing. */
export const isReady = ({ commitSequence }: ReplicaState, { sinceSequence }: Leader): boolean => commitSequence >= sinceSequence

/** Under the lease that it was elected or confirmed with, and that by its own clock has not ended. */
export const holdsLease = ({ context, state }: Turn, leader: Leader): boolean => holdsLeaseAt(context, state, leader, state.nowMs)

/** The same as of a moment after the last step. */
export function holdsLeaseAt({ rules }: StepContext, { lease }: ReplicaState, { leaseId, resignByMs }: Leader, nowMs: number): boolean {
  return lease !== undefined && lease.leaseId === leaseId && resignByMs === undefined && rules.leaseHolds(nowMs, lease.deadlineMs)
}
