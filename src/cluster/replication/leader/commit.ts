/** What is committed: on the disks of everybody who could be elected. */
import type { Leader } from '../state/replica-state.ts'
import { change, changeLeader } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'
import { awaitedPeers, maximalMembers } from './awaited.ts'
import { serveConfirmed } from './confirmed-reads.ts'

/** After the own disk, a peer or the configuration has moved. */
export function advance(turn: Turn, was: Leader): Leader {
  const { log, commitSequence } = turn.state
  const awaited = awaitedPeers(turn, was)
  const sequence = turn.context.rules.commitSequence(log.durableSequence, awaited.map(({ matchSequence }) => matchSequence))
  const leader = sequence > commitSequence ? commit(turn, was, sequence) : was
  return leader.confirming.length > 0 ? serveConfirmed(turn, leader, awaited) : leader
}

function commit(turn: Turn, leader: Leader, sequence: number): Leader {
  change(turn, { commitSequence: sequence })
  turn.effects.push({ kind: 'apply', throughSequence: sequence })
  const copies = maximalMembers(turn, leader).length
  const done = leader.writes.filter(({ lastSequence }) => lastSequence <= sequence)
  for (const { id, lastSequence } of done) turn.effects.push({ kind: 'acknowledge', id, sequence: lastSequence, copies, epoch: turn.state.epoch })
  return done.length === 0 ? leader : changeLeader(turn, leader, { writes: leader.writes.slice(done.length) })
}
