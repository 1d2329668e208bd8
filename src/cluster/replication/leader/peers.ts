/**
 * A leader's view of those that get its log. Fresh entries go out at once to whoever has all before them; whoever lacks
 * more gets it read from the log, and whoever lacks what the log no longer has gets files.
 */
import type { ReplicaId, ShardConfiguration } from '../configuration.ts'
import type { AppendedMessage, PositionMessage, ReplicaTime } from '../message.ts'
import { endOfEpoch, epochAt } from '../state/epochs.ts'
import { endOfLog } from '../state/log-state.ts'
import type { LogEntry } from '../state/log-state.ts'
import type { Leader, Peer } from '../state/replica-state.ts'
import { change, changeLeader, changePeer, halt, send } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'
import { holdsLease, isReady } from './awaited.ts'

/** Sequences that may be on the way to a peer without an answer; it gets the rest as it answers. */
const aheadMax = 65_536

/** Those that are to have the log, with what is known of them already. */
export function peersOf({ members, joining }: ShardConfiguration, self: ReplicaId, known: readonly Peer[], nowMs: number): readonly Peer[] {
  const replicas = joining === null ? members : [...members, joining.replica]
  return replicas.filter(({ store }) => store !== self.store).map((id) => known.find((peer) => peer.id.store === id.store) ?? newPeer(id, nowMs))
}

const newPeer = (id: ReplicaId, nowMs: number): Peer => ({
  id, matchSequence: 0, sentSequence: undefined, readId: undefined, isMatched: false, round: 0, heardAtMs: nowMs, progressAtMs: nowMs, sentAt: undefined,
})

export function sendHeartbeats(turn: Turn, leader: Leader): Leader {
  for (const peer of leader.peers) sendAppend(turn, leader, peer, [])
  return changeLeader(turn, leader, { heartbeatAtMs: turn.state.nowMs })
}

function sendAppend(turn: Turn, leader: Leader, peer: Peer, entries: readonly LogEntry[]): void {
  const { log, commitSequence } = turn.state
  const previous = entries.length === 0 ? endOfLog(log) : { sequence: entries[0]!.baseSequence - 1, epoch: epochAt(log.epochs, entries[0]!.baseSequence - 1) }
  const freshAt = isReady(turn.state, leader) && holdsLease(turn, leader) ? peer.sentAt : undefined
  send(turn, peer.id, { kind: 'append', previous, entries, commitSequence, round: leader.round, freshAt })
}

/** To one that has a read which waits for what is committed. */
export function tell(turn: Turn, leader: Leader, { id }: Peer): void {
  const peer = leader.peers.find((other) => other.id.store === id.store)
  if (peer !== undefined) sendAppend(turn, leader, peer, [])
}

/** An entry that was just appended to the own log. */
export function ship(turn: Turn, leader: Leader, entry: LogEntry): void {
  const isInTime = ({ sentSequence, matchSequence }: Peer): boolean => sentSequence === entry.baseSequence - 1 && sentSequence - matchSequence < aheadMax
  for (const peer of leader.peers) if (isInTime(peer)) sendAppend(turn, leader, peer, [entry])
  changeLeader(turn, leader, { peers: leader.peers.map((peer) => (isInTime(peer) ? { ...peer, sentSequence: entry.lastSequence } : peer)) })
}

/** Has the log read for a peer that lacks something of it. */
function readFor(turn: Turn, leader: Leader, { id, sentSequence, matchSequence, readId }: Peer): Leader {
  const { log, lastRequestId } = turn.state
  if (sentSequence === undefined || readId !== undefined || sentSequence >= log.lastSequence || sentSequence - matchSequence >= aheadMax) return leader
  change(turn, { lastRequestId: lastRequestId + 1 })
  turn.effects.push({ kind: 'readLog', store: id.store, readId: lastRequestId + 1, afterSequence: sentSequence })
  return changePeer(turn, leader, id.store, { readId: lastRequestId + 1 })
}

export function onEntriesRead(turn: Turn, was: Leader, store: string, readId: number, entries: readonly LogEntry[] | undefined): void {
  const peer = was.peers.find(({ id }) => id.store === store)
  if (peer?.readId !== readId) return
  const leader = changePeer(turn, was, store, { readId: undefined })
  if (entries === undefined) return send(turn, peer.id, { kind: 'locate' })
  if (entries.length === 0 || entries[0]!.baseSequence - 1 !== peer.sentSequence) return
  sendAppend(turn, leader, peer, entries)
  const sentSequence = entries.at(-1)!.lastSequence
  readFor(turn, changePeer(turn, leader, store, { sentSequence }), { ...peer, readId: undefined, sentSequence })
}

export function onAppended(turn: Turn, leader: Leader, peer: Peer, message: AppendedMessage): Leader {
  const { nowMs, log } = turn.state
  if (message.matchSequence > log.lastSequence) {
    halt(turn, `${peer.id.node} says in epoch ${message.epoch} that it has the log up to ${message.matchSequence}, which here ends at ${log.lastSequence}`)
    return leader
  }
  const matchSequence = Math.max(peer.matchSequence, message.matchSequence)
  const now: Peer = {
    ...peer,
    matchSequence,
    isMatched: true,
    sentSequence: Math.max(peer.sentSequence ?? 0, matchSequence),
    round: Math.max(peer.round, message.round),
    heardAtMs: nowMs,
    progressAtMs: matchSequence > peer.matchSequence ? nowMs : peer.progressAtMs,
    sentAt: later(peer.sentAt, message.sentAt),
  }
  return readFor(turn, changePeer(turn, leader, peer.id.store, now), now)
}

const later = (a: ReplicaTime | undefined, b: ReplicaTime): ReplicaTime => (a === undefined || b.incarnation > a.incarnation || (b.incarnation === a.incarnation && b.atMs > a.atMs) ? b : a)

export function onPosition(turn: Turn, was: Leader, peer: Peer, { end, isFetching }: PositionMessage): void {
  const { log, nowMs } = turn.state
  const store = peer.id.store
  const leader = changePeer(turn, was, store, { heardAtMs: nowMs })
  // One that says less than it has on disk is an old message.
  if (isFetching || end.sequence < peer.matchSequence) return
  const start = log.epochs[0]!
  if (end.sequence < start.startSequence || end.epoch < start.epoch) {
    return send(turn, peer.id, { kind: 'install', asked: end, through: { sequence: start.startSequence, epoch: start.epoch } })
  }
  const own = endOfEpoch(log.epochs, log.lastSequence, end.epoch)!
  if (own.epoch < end.epoch || own.sequence < end.sequence) return send(turn, peer.id, { kind: 'diverged', asked: end, end: own })
  const now = { ...peer, heardAtMs: nowMs, progressAtMs: nowMs, sentSequence: end.sequence, readId: undefined }
  const found = changePeer(turn, leader, store, now)
  if (end.sequence === log.lastSequence) sendAppend(turn, found, now, [])
  else readFor(turn, found, now)
}

/** Sends again what got no answer. */
export function resend(turn: Turn, was: Leader): Leader {
  let leader = was
  const { nowMs, log } = turn.state
  for (const peer of was.peers) {
    if (!peer.isMatched || peer.readId !== undefined || peer.matchSequence >= log.lastSequence) continue
    if (nowMs - peer.progressAtMs < turn.context.timing.retransmitMs) continue
    const now = { ...peer, sentSequence: peer.matchSequence, progressAtMs: nowMs }
    leader = readFor(turn, changePeer(turn, leader, peer.id.store, now), now)
  }
  return leader
}
