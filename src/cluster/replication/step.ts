/**
 * A replica of a shard as a pure step function: what it knows and something that happened give what it knows then and what
 * is to be done. Nothing here reads a clock, throws dice or waits; the same events give the same effects.
 *
 * The data path is primary and backup over a configuration that a consensus service keeps (Lamport, Malkhi & Zhou,
 * "Vertical Paxos", 2009; PacificA, 2008): committed is what all members have on disk, members change by
 * compare-and-swap, epochs fence. Time is for leases that only serve reads, and for suspicion.
 */
import { invariant } from '../../errors.ts'
import { onConfiguration, onSwapped, runForLeader } from './election.ts'
import type { Effect, ReplicaEvent } from './event.ts'
import { commitFollowing, follow, onAppend, onDiverged, onFilesFetched, onInstall, sayMatch, sendPosition } from './follower/follow.ts'
import { abandonLeadership } from './leader/abandon.ts'
import { advance } from './leader/commit.ts'
import { lead, onLeaderTick, onWrite } from './leader/lead.ts'
import { onMove, onResign } from './leader/membership.ts'
import { onAppended, onEntriesRead, onPosition, tell } from './leader/peers.ts'
import type { LeaderMessage, PeerMessage } from './message.ts'
import { tendProposal } from './proposal.ts'
import { onRead, serveWaiting } from './reads.ts'
import { trimmed } from './state/log-state.ts'
import { follower } from './state/replica-state.ts'
import type { Follower, Leader, ReplicaState } from './state/replica-state.ts'
import { change, changeFollower, changeLeader, halt, refuse, send } from './state/turn.ts'
import type { StepContext, Turn } from './state/turn.ts'

export interface StepResult {
  readonly state: ReplicaState
  readonly effects: readonly Effect[]
}

/** `nowMs` is the node's monotonic clock, read when the event is handled. */
export function step(context: StepContext, state: ReplicaState, event: ReplicaEvent, nowMs: number): StepResult {
  const turn: Turn = { context, state: { ...state, nowMs: Math.max(state.nowMs, nowMs) }, effects: [] }
  if (state.halted === undefined) handle(turn, event)
  else if (event.kind === 'write' || event.kind === 'read') refuse(turn, event.id, 'notLeader')
  if (state.halted === undefined && turn.state.halted !== undefined) putDown(turn)
  serveWaiting(turn)
  return { state: turn.state, effects: turn.effects }
}

/** It halts: whoever waits is told. */
function putDown(turn: Turn): void {
  abandonLeadership(turn)
  for (const { id } of turn.state.waiting) refuse(turn, id, 'notLeader')
  change(turn, { role: follower(undefined), waiting: [] })
}

function handle(turn: Turn, event: ReplicaEvent): void {
  const { role, log } = turn.state
  switch (event.kind) {
    case 'tick':
      tendProposal(turn)
      return role.kind === 'leader' ? onLeaderTick(turn, role, event.stoodStillMs ?? 0) : runForLeader(turn)
    case 'message':
      return onMessage(turn, event.message)
    case 'logged':
      return event.generation === log.generation ? onLogged(turn, event.throughSequence) : undefined
    case 'epochStored':
      return onEpochStored(turn, event.epoch)
    case 'entriesRead':
      return role.kind === 'leader' ? onEntriesRead(turn, role, event.store, event.readId, event.entries) : undefined
    case 'filesFetched':
      return role.kind === 'follower' && role.isFetching ? onFilesFetched(turn, role, event.through) : undefined
    case 'fetchFailed':
      return role.kind === 'follower' ? void changeFollower(turn, role, { isFetching: false }) : undefined
    case 'trimmed':
      return onTrimmed(turn, event.startSequence)
    case 'configuration':
      return onConfiguration(turn, event.at, event.isFresh)
    case 'swapped':
      return onSwapped(turn, event.swapId, event.outcome, event.outcome === 'done' ? event.revision : 0)
    case 'live':
      return change(turn, { live: event.nodes })
    case 'lease':
      return onLease(turn, event.leaseId, event.deadlineMs)
    case 'write':
      return role.kind === 'leader' ? onWrite(turn, role, event.id, event.operationCount, event.batch) : refuse(turn, event.id, 'notLeader')
    case 'read':
      return onRead(turn, event.id, event.level)
    case 'move':
      return role.kind === 'leader' ? onMove(turn, role, event.fromStore, event.to) : undefined
    case 'resign':
      return role.kind === 'leader' ? onResign(turn, role) : undefined
  }
}

/** Answers may come out of order; each is right. */
function onLease(turn: Turn, leaseId: number, deadlineMs: number): void {
  const { lease } = turn.state
  change(turn, { lease: { leaseId, deadlineMs: lease?.leaseId === leaseId ? Math.max(lease.deadlineMs, deadlineMs) : deadlineMs } })
}

function onTrimmed(turn: Turn, startSequence: number): void {
  const { log, commitSequence } = turn.state
  invariant(startSequence <= commitSequence, () => `files up to sequence ${startSequence} where only ${commitSequence} is committed`)
  change(turn, { log: trimmed(log, startSequence) })
}

function onLogged(turn: Turn, throughSequence: number): void {
  const { log, role } = turn.state
  change(turn, { log: { ...log, isCutting: false, durableSequence: Math.max(log.durableSequence, Math.min(throughSequence, log.lastSequence)) } })
  if (role.kind === 'leader') advance(turn, role)
  else if (role.kind === 'follower') {
    commitFollowing(turn, role)
    sayMatch(turn, role)
  }
}

function onEpochStored(turn: Turn, epoch: number): void {
  const { storedEpoch, role } = turn.state
  change(turn, { storedEpoch: Math.max(storedEpoch, epoch) })
  if (turn.state.storedEpoch !== turn.state.epoch) return
  if (role.kind === 'elected') lead(turn, role.leaseId)
  else if (role.kind === 'follower') sayMatch(turn, role)
}

function isFromLeader(message: PeerMessage): message is LeaderMessage {
  const { kind } = message
  return kind === 'append' || kind === 'diverged' || kind === 'install' || kind === 'locate'
}

/** Epochs fence both ways: who is behind is told, and who hears of a later one follows it and looks at the configuration. */
function onMessage(turn: Turn, message: PeerMessage): void {
  const { self, epoch } = turn.state
  const { to, from } = message
  if (to.store !== self.store || to.node !== self.node) return
  if (message.epoch < epoch) {
    if (isFromLeader(message)) send(turn, from, { kind: 'fenced' })
    return
  }
  if (message.epoch > epoch) {
    follow(turn, message.epoch, isFromLeader(message) ? from : undefined)
    if (!isFromLeader(message)) turn.effects.push({ kind: 'readConfiguration' })
  }
  const { role } = turn.state
  if (role.kind === 'follower') return isFromLeader(message) ? onMessageOfLeader(turn, role, message) : undefined
  if (isFromLeader(message)) halt(turn, `${from.node} leads epoch ${message.epoch}, which is led here`)
  else if (role.kind === 'leader') onMessageOfPeer(turn, role, message)
}

function onMessageOfLeader(turn: Turn, was: Follower, message: LeaderMessage): void {
  const role = changeFollower(turn, was, { leader: message.from })
  switch (message.kind) {
    case 'append':
      return onAppend(turn, role, message)
    case 'diverged':
      return onDiverged(turn, role, message)
    case 'install':
      return onInstall(turn, role, message)
    case 'locate':
      return sendPosition(turn, role)
  }
}

/** One that is no peer (any more) has nothing to say. */
function onMessageOfPeer(turn: Turn, was: Leader, message: PeerMessage): void {
  const peer = was.peers.find(({ id }) => id.store === message.from.store)
  if (peer === undefined) return
  const leader = changeLeader(turn, was, { heardAtMs: turn.state.nowMs })
  if (message.kind === 'appended') {
    const now = onAppended(turn, leader, peer, message)
    if (turn.state.halted !== undefined) return
    const advanced = advance(turn, now)
    if (message.isAsking) tell(turn, advanced, peer)
  } else if (message.kind === 'position') onPosition(turn, leader, peer, message)
}
