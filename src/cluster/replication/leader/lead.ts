/** Leading: from the won election to the requests of clients. */
import { follow } from '../follower/follow.ts'
import { appended } from '../state/log-state.ts'
import type { LogEntry } from '../state/log-state.ts'
import type { Leader, Peer } from '../state/replica-state.ts'
import { change, changeLeader, refuse } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'
import { isReady } from './awaited.ts'
import { advance } from './commit.ts'
import { giveUpReads } from './confirmed-reads.ts'
import { tendMembers } from './membership.ts'
import { peersOf, resend, sendHeartbeats, ship } from './peers.ts'

/** The store names this incarnation as leader of `epoch`; it acts as one when the epoch is on disk. */
export function beElected(turn: Turn, epoch: number, leaseId: number | undefined): void {
  follow(turn, epoch, undefined)
  change(turn, { role: { kind: 'elected', leaseId } })
}

/**
 * An epoch in which nothing is written needs no mark in the log: positions are asked for with the epochs of entries, and
 * answered with the greatest epoch that is not above. Nor does it need an entry of its own to commit what is there, since
 * every replica that could be elected has all that was committed.
 */
export function lead(turn: Turn, leaseId: number | undefined): void {
  const { log, known, self, nowMs } = turn.state
  const role: Leader = {
    kind: 'leader',
    sinceSequence: log.lastSequence,
    leaseId,
    peers: peersOf(known!.configuration, self, [], nowMs).map((peer) => notThere(turn, peer)),
    joined: undefined,
    writes: [],
    confirming: [],
    queued: [],
    round: 0,
    resignByMs: undefined,
    heartbeatAtMs: nowMs,
    heardAtMs: nowMs,
    nextChangeMs: nowMs,
    avoidedStore: undefined,
  }
  change(turn, { role })
  advance(turn, sendHeartbeats(turn, role))
}

/** Whose lease has ended, such as the leader's before, has been silent for longer than this leadership lasts: it is replaced at once. */
function notThere({ state: { live, nowMs }, context: { timing } }: Turn, peer: Peer): Peer {
  return live.some(({ node }) => node === peer.id.node) ? peer : { ...peer, heardAtMs: nowMs - timing.goneAfterMs }
}

export function onWrite(turn: Turn, leader: Leader, id: string, operationCount: number, batch: Uint8Array): void {
  const { log, epoch } = turn.state
  if (leader.resignByMs !== undefined) return refuse(turn, id, 'notLeader')
  if (!isReady(turn.state, leader)) return refuse(turn, id, 'notReady')
  const entry: LogEntry = { epoch, baseSequence: log.lastSequence + 1, lastSequence: log.lastSequence + operationCount, batch }
  change(turn, { log: appended(log, [entry]) })
  turn.effects.push({ kind: 'appendLog', generation: log.generation, entries: [entry] })
  ship(turn, changeLeader(turn, leader, { writes: [...leader.writes, { id, lastSequence: entry.lastSequence }] }), entry)
}

export function onLeaderTick(turn: Turn, was: Leader, stoodStillMs: number): void {
  const { timing } = turn.context
  const { nowMs } = turn.state
  let leader = giveUpReads(turn, stoodStillMs > 0 ? notHeldAgainst(turn, was, stoodStillMs) : was)
  if (nowMs - leader.heartbeatAtMs >= timing.heartbeatMs) leader = sendHeartbeats(turn, leader)
  tendMembers(turn, resend(turn, leader))
}

/** A time in which this process stood still is not silence of the others. */
function notHeldAgainst(turn: Turn, leader: Leader, stoodStillMs: number): Leader {
  const { nowMs } = turn.state
  const later = (heardAtMs: number): number => Math.min(nowMs, heardAtMs + stoodStillMs)
  return changeLeader(turn, leader, { heardAtMs: later(leader.heardAtMs), peers: leader.peers.map((peer) => ({ ...peer, heardAtMs: later(peer.heardAtMs) })) })
}
