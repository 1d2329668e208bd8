/** Reads of every level, on every role. */
import type { ReadLevel } from './event.ts'
import { sayMatch } from './follower/follow.ts'
import { holdsLease, isReady } from './leader/awaited.ts'
import { confirmRead } from './leader/confirmed-reads.ts'
import type { ReplicaState, WaitingRead } from './state/replica-state.ts'
import { change, refuse } from './state/turn.ts'
import type { Turn } from './state/turn.ts'

export function onRead(turn: Turn, id: string, level: ReadLevel): void {
  const { role, nowMs } = turn.state
  if (level.kind === 'session' || (level.kind === 'stale' && role.kind !== 'leader')) {
    const deadlineMs = servableUntilMs(turn.state, level)
    return deadlineMs > nowMs ? void turn.effects.push({ kind: 'serve', id, deadlineMs }) : wait(turn, { id, level, sinceMs: nowMs })
  }
  if (role.kind !== 'leader' || role.resignByMs !== undefined) return refuse(turn, id, 'notLeader')
  if (!isReady(turn.state, role)) return refuse(turn, id, 'notReady')
  // The deadline is looked at again once the snapshot is taken: the process may stand still in between.
  if (level.kind !== 'linearizable' && holdsLease(turn, role)) turn.effects.push({ kind: 'serve', id, deadlineMs: turn.state.lease!.deadlineMs })
  else confirmRead(turn, role, id)
}

/** Those that wait ask once, however many they are; what comes later by itself serves the rest. */
function wait(turn: Turn, read: WaitingRead): void {
  const { waiting, role } = turn.state
  change(turn, { waiting: [...waiting, read] })
  if (role.kind === 'follower' && waiting.length === 0) sayMatch(turn, role, true)
}

/** Until when what is here satisfies a read; -Infinity: not now. */
function servableUntilMs({ commitSequence, role }: ReplicaState, level: ReadLevel): number {
  if (level.kind === 'session') return commitSequence >= level.afterSequence ? Infinity : -Infinity
  return level.kind === 'stale' && role.kind === 'follower' ? role.freshAtMs + level.staleMsMax : -Infinity
}

/** At the end of every step: something may have come that reads wait for. */
export function serveWaiting(turn: Turn): void {
  const { waiting, nowMs } = turn.state
  if (waiting.length === 0) return
  const left: WaitingRead[] = []
  for (const read of waiting) {
    const deadlineMs = servableUntilMs(turn.state, read.level)
    if (deadlineMs > nowMs) turn.effects.push({ kind: 'serve', id: read.id, deadlineMs })
    else if (nowMs - read.sinceMs >= turn.context.timing.readMsMax) refuse(turn, read.id, 'timedOut')
    else left.push(read)
  }
  if (left.length < waiting.length) change(turn, { waiting: left })
}
