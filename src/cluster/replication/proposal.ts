/**
 * One change of the configuration at a time. A request without an answer may take effect at any later time, as long as the
 * revision that it names is the current one: reading that nothing has changed yet proves nothing. So the same change is
 * asked for again, and it is over only when the revision has moved; then the value tells whose change it was.
 */
import { sameConfiguration } from './configuration.ts'
import type { Leadership, ShardConfiguration } from './configuration.ts'
import type { Proposal } from './state/replica-state.ts'
import { change } from './state/turn.ts'
import type { Turn } from './state/turn.ts'

export interface Conditions {
  readonly leaseId?: number
  readonly absent?: Leadership
}

export function propose(turn: Turn, purpose: Proposal['purpose'], configuration: ShardConfiguration, { leaseId, absent }: Conditions): void {
  const { known, lastRequestId, nowMs } = turn.state
  const swapId = lastRequestId + 1
  const proposal: Proposal = { swapId, purpose, revision: known!.revision, configuration, leaseId, absent, askedAtMs: nowMs, status: 'asked' }
  change(turn, { lastRequestId: swapId })
  ask(turn, proposal)
}

function ask(turn: Turn, proposal: Proposal): void {
  const { swapId, revision, configuration, leaseId, absent } = proposal
  change(turn, { proposal: { ...proposal, status: 'asked', askedAtMs: turn.state.nowMs } })
  turn.effects.push({ kind: 'swap', swapId, revision, configuration, leaseId, absent })
}

/** The outcome is not known to be ours: look. */
export function doubt(turn: Turn, proposal: Proposal, status: 'unknown' | 'refused'): void {
  change(turn, { proposal: { ...proposal, status, askedAtMs: turn.state.nowMs } })
  turn.effects.push({ kind: 'readConfiguration' })
}

/** At every tick, while an answer is missing. */
export function tendProposal(turn: Turn): void {
  const { proposal, nowMs } = turn.state
  if (proposal === undefined || proposal.status === 'asked' || nowMs - proposal.askedAtMs < turn.context.timing.storeTimeoutMs) return
  doubt(turn, proposal, proposal.status)
}

/** A fresh read gave the revision that the change was to replace. Only what has conditions of its own can have been refused for others than that. */
export function onUnmoved(turn: Turn, proposal: Proposal): void {
  const { status, leaseId } = proposal
  if (status === 'unknown' || (status === 'refused' && leaseId === undefined)) ask(turn, proposal)
  else if (status === 'refused') change(turn, { proposal: undefined, restUntilMs: turn.state.nowMs + pauseMs(turn) })
}

/** Members try one after the other, not all at once. */
export function pauseMs({ state: { known, self }, context: { timing } }: Turn): number {
  const place = known?.configuration.members.findIndex(({ store }) => store === self.store) ?? 0
  return timing.electionPauseMs * (1 + Math.max(place, 0))
}

export function isWon({ configuration }: Proposal, seen: ShardConfiguration): boolean {
  return sameConfiguration(configuration, seen)
}
