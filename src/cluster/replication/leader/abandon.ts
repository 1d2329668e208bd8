/** The end of a leadership, for the requests that it held. */
import { refuse } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'

/** Writes may have reached another member, so nobody knows; reads have not been answered, so they may be asked elsewhere. */
export function abandonLeadership(turn: Turn): void {
  const { role } = turn.state
  if (role.kind !== 'leader') return
  for (const { id } of role.writes) refuse(turn, id, 'outcomeUnknown')
  for (const { id } of [...role.confirming, ...role.queued]) refuse(turn, id, 'notLeader')
}
