/**
 * Reads that need no clock: a leader asks everybody who could have been elected meanwhile whether it still leads, after
 * the read has come (the read index of Raft, ch. 6.4 of Ongaro's thesis). One round is under way at a time; reads that
 * come during it share the next.
 */
import type { Leader, Peer } from '../state/replica-state.ts'
import { changeLeader } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'
import { awaitedPeers } from './awaited.ts'
import { sendHeartbeats } from './peers.ts'

export function confirmRead(turn: Turn, leader: Leader, id: string): void {
  const read = { id, sinceMs: turn.state.nowMs }
  if (leader.confirming.length > 0) changeLeader(turn, leader, { queued: [...leader.queued, read] })
  else beginRound(turn, changeLeader(turn, leader, { queued: [read] }))
}

function beginRound(turn: Turn, was: Leader): Leader {
  const leader = changeLeader(turn, was, { confirming: was.queued, queued: [], round: was.round + 1 })
  const awaited = awaitedPeers(turn, leader)
  return awaited.length === 0 ? serveConfirmed(turn, leader, awaited) : sendHeartbeats(turn, leader)
}

/** What was committed when the read came is applied, since everything committed is. */
export function serveConfirmed(turn: Turn, leader: Leader, awaited: readonly Peer[]): Leader {
  if (!awaited.every(({ round }) => round >= leader.round)) return leader
  for (const { id } of leader.confirming) turn.effects.push({ kind: 'serve', id, deadlineMs: Infinity })
  const served = changeLeader(turn, leader, { confirming: [] })
  return served.queued.length > 0 ? beginRound(turn, served) : served
}
