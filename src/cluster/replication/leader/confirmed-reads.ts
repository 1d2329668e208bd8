/**
 * Reads that need no clock: a leader asks everybody who could have been elected meanwhile whether it still leads, after
 * the read has come (the read index of Raft, ch. 6.4 of Ongaro's thesis). One round is under way at a time; reads that
 * come during it share the next.
 */
import type { ConfirmedRead, Leader, Peer } from '../state/replica-state.ts'
import { changeLeader, refuse } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'
import { awaitedPeers } from './awaited.ts'
import { sendHeartbeats } from './peers.ts'

export function confirmRead(turn: Turn, leader: Leader, id: string): void {
  const queued = changeLeader(turn, leader, { queued: [...leader.queued, { id, sinceMs: turn.state.nowMs }] })
  if (queued.confirming.length === 0) beginRound(turn, queued)
}

/** At every tick: what has waited for long is refused, and what was queued behind it gets its round. */
export function giveUpReads(turn: Turn, leader: Leader): Leader {
  const isLate = ({ sinceMs }: ConfirmedRead): boolean => turn.state.nowMs - sinceMs >= turn.context.timing.readMsMax
  const late = [...leader.confirming, ...leader.queued].filter(isLate)
  if (late.length === 0) return leader
  for (const { id } of late) refuse(turn, id, 'timedOut')
  const left = changeLeader(turn, leader, { confirming: leader.confirming.filter((read) => !isLate(read)), queued: leader.queued.filter((read) => !isLate(read)) })
  return left.confirming.length === 0 && left.queued.length > 0 ? beginRound(turn, left) : left
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
