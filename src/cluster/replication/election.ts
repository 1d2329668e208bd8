/**
 * Who leads: etcd decides, by one transaction. A member asks for it when the leader's lease is gone, when a leader stepped
 * down, or when the leader is an earlier incarnation of its own; all members have everything that was committed.
 */
import { withLeader } from './configuration.ts'
import type { ConfigurationAt } from './configuration.ts'
import { follow } from './follower/follow.ts'
import { advance } from './leader/commit.ts'
import { beElected } from './leader/lead.ts'
import { peersOf } from './leader/peers.ts'
import { doubt, isWon, onUnmoved, pauseMs, propose } from './proposal.ts'
import type { Leader, Proposal } from './state/replica-state.ts'
import { change, changeLeader } from './state/turn.ts'
import type { Turn } from './state/turn.ts'

export function runForLeader(turn: Turn): void {
  const { state, context } = turn
  const { self, known, role, proposal, lease, nowMs } = state
  if (known === undefined || proposal !== undefined || role.kind !== 'follower' || role.isFetching || nowMs < state.restUntilMs) return
  const { configuration } = known
  const { leader, epoch } = configuration
  if (lease === undefined || !context.rules.mayLead(configuration, self.store) || state.epoch > epoch) return
  const isOurs = leader?.node === self.node
  if (isOurs && leader.incarnation === self.incarnation && epoch > state.epoch) return beElected(turn, epoch, undefined)
  const isLive = leader !== null && !isOurs && state.live.some(({ node, incarnation }) => node === leader.node && incarnation === leader.incarnation)
  if (isLive) return
  const absent = leader === null || isOurs ? {} : { absent: leader }
  propose(turn, 'lead', withLeader(configuration, { node: self.node, incarnation: self.incarnation }), { leaseId: lease.leaseId, ...absent })
}

export function onSwapped(turn: Turn, swapId: number, outcome: 'done' | 'refused' | 'unknown', revision: number): void {
  const { proposal } = turn.state
  if (proposal?.swapId !== swapId) return
  if (outcome === 'done') onConfiguration(turn, { revision, configuration: proposal.configuration }, false)
  else doubt(turn, proposal, outcome)
}

/** Watches may be late and may skip revisions; only a newer one than known changes anything. */
export function onConfiguration(turn: Turn, at: ConfigurationAt, isFresh: boolean): void {
  const { known, proposal } = turn.state
  if (known !== undefined && at.revision <= known.revision) {
    if (isFresh && proposal !== undefined && at.revision === proposal.revision) onUnmoved(turn, proposal)
    return
  }
  const isOver = proposal !== undefined && at.revision > proposal.revision
  const won = isOver && isWon(proposal, at.configuration) ? proposal : undefined
  change(turn, { known: at, ...(isOver && { proposal: undefined }) })
  if (isOver && won === undefined) change(turn, { restUntilMs: turn.state.nowMs + pauseMs(turn) })
  takeRole(turn, at, won)
}

function takeRole(turn: Turn, { configuration }: ConfigurationAt, won: Proposal | undefined): void {
  const { self, epoch, role } = turn.state
  const { leader, members } = configuration
  if (configuration.epoch < epoch) return
  const isOurs = leader?.node === self.node && leader.incarnation === self.incarnation
  if (configuration.epoch > epoch) {
    if (isOurs && role.kind === 'follower' && role.isFetching) return
    if (isOurs) beElected(turn, configuration.epoch, won?.leaseId)
    else follow(turn, configuration.epoch, members.find(({ node }) => node === leader?.node))
  } else if (role.kind !== 'follower') {
    if (!isOurs) stepDown(turn)
    else if (role.kind === 'leader') keepLeading(turn, role, won)
  }
}

/** It handed over, so somebody else is to have the first try. */
function stepDown(turn: Turn): void {
  follow(turn, turn.state.epoch, undefined)
  change(turn, { restUntilMs: turn.state.nowMs + turn.context.timing.standAsideMs })
}

function keepLeading(turn: Turn, was: Leader, won: Proposal | undefined): void {
  const { known, self, nowMs } = turn.state
  const { configuration } = known!
  const leader = changeLeader(turn, was, {
    peers: peersOf(configuration, self, was.peers, nowMs),
    joined: undefined,
    leaseId: won?.purpose === 'renew' ? won.leaseId : was.leaseId,
    nextChangeMs: won?.purpose === 'joined' ? nowMs + turn.context.timing.changePauseMs : was.nextChangeMs,
  })
  advance(turn, leader)
}
