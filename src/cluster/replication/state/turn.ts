/** One step under way: the state as it will be, and what it asks for. Lives within a single call of `step`. */
import type { Effect, RefusalReason } from '../event.ts'
import type { MessageBody, PeerMessage } from '../message.ts'
import type { ReplicaId } from '../configuration.ts'
import type { Rules } from '../rules.ts'
import type { ReplicationTiming } from '../timing.ts'
import type { Follower, Leader, Peer, ReplicaState } from './replica-state.ts'

export interface StepContext {
  readonly rules: Rules
  readonly timing: ReplicationTiming
}

export interface Turn {
  readonly context: StepContext
  /** A copy that belongs to this turn; what its fields hold is never changed in place. */
  readonly state: ReplicaState
  readonly effects: Effect[]
}

export function change(turn: Turn, changes: Partial<ReplicaState>): void {
  Object.assign(turn.state, changes)
}

export function changeLeader(turn: Turn, leader: Leader, changes: Partial<Leader>): Leader {
  const role = { ...leader, ...changes }
  change(turn, { role })
  return role
}

export function changeFollower(turn: Turn, was: Follower, changes: Partial<Follower>): Follower {
  const role = { ...was, ...changes }
  change(turn, { role })
  return role
}

export function changePeer(turn: Turn, leader: Leader, store: string, changes: Partial<Peer>): Leader {
  return changeLeader(turn, leader, { peers: leader.peers.map((peer) => (peer.id.store === store ? { ...peer, ...changes } : peer)) })
}

export function send(turn: Turn, to: ReplicaId, body: MessageBody): void {
  const { self, epoch } = turn.state
  const message = { ...body, from: { node: self.node, store: self.store }, to, epoch } as PeerMessage
  turn.effects.push({ kind: 'send', message })
}

/** Whom clients should rather ask. */
function leaderHint({ role, known, self }: ReplicaState): string | undefined {
  if (role.kind === 'follower' && role.leader !== undefined) return role.leader.node
  const leader = known?.configuration.leader?.node
  return leader === self.node ? undefined : leader
}

export function halt(turn: Turn, reason: string): void {
  change(turn, { halted: reason })
  turn.effects.push({ kind: 'halt', reason })
}

export function refuse(turn: Turn, id: string, reason: RefusalReason): void {
  turn.effects.push({ kind: 'refuse', id, reason, leader: leaderHint(turn.state) })
}
