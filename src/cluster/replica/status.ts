/** What a replica is about, as plain data. */
import type { ReplicatedTree } from '../../lsm/replicated/replicated-tree.ts'
import { isReady } from '../replication/leader/awaited.ts'
import type { Rules } from '../replication/rules.ts'
import { endOfLog } from '../replication/state/log-state.ts'
import type { Peer, ReplicaState } from '../replication/state/replica-state.ts'
import type { PeerStatus, ReplicaStatus } from './replica.ts'

/** Node that leads, as far as is known; a configuration that names this one is old while it follows. */
export function leaderOf({ role, self, known }: ReplicaState): string | undefined {
  if (role.kind === 'leader') return self.node
  if (role.kind === 'follower' && role.leader !== undefined) return role.leader.node
  const leader = known?.configuration.leader?.node
  return leader === self.node && role.kind === 'follower' ? undefined : leader
}

export const isReadyLeader = (state: ReplicaState): boolean => state.role.kind === 'leader' && isReady(state, state.role)

/** Disks that everything committed now is on. */
export function copiesOf({ role, known }: ReplicaState, rules: Rules): number {
  return known === undefined ? 0 : rules.maximalMembers(known.configuration, role.kind === 'leader' ? role.joined : undefined).length
}

export function statusOf(shard: number, state: ReplicaState, { tree, flushedSequence }: ReplicatedTree, rules: Rules): ReplicaStatus {
  const { role, log, known } = state
  return {
    shard,
    role: role.kind,
    isReady: isReadyLeader(state),
    epoch: state.epoch,
    lastEpoch: endOfLog(log).epoch,
    leader: leaderOf(state),
    durableSequence: log.durableSequence,
    commitSequence: state.commitSequence,
    visibleSequence: tree.visibleSequence,
    flushedSequence,
    members: known?.configuration.members ?? [],
    joining: known?.configuration.joining?.replica,
    peers: role.kind === 'leader' ? role.peers.map((peer) => peerStatusOf(peer, log.lastSequence)) : [],
    copies: copiesOf(state, rules),
    isFetching: role.kind === 'follower' && role.isFetching,
    halted: state.halted,
  }
}

function peerStatusOf({ id, matchSequence }: Peer, lastSequence: number): PeerStatus {
  return { node: id.node, store: id.store, lag: lastSequence - matchSequence }
}
