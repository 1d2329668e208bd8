/**
 * A follower's side of the log. It takes entries only where its log is the leader's, and truncates only by what the leader
 * says of epochs (KIP-101): never to its own commit, which may lag behind what was acknowledged, and never below it.
 */
import type { ReplicaId } from '../configuration.ts'
import { abandonLeadership } from '../leader/abandon.ts'
import type { AppendMessage, DivergedMessage, InstallMessage } from '../message.ts'
import { endOfEpoch } from '../state/epochs.ts'
import type { LogEnd } from '../state/epochs.ts'
import { appended, endOfLog, replacedByFiles, truncated } from '../state/log-state.ts'
import { follower } from '../state/replica-state.ts'
import type { Follower } from '../state/replica-state.ts'
import { change, changeFollower, halt, send } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'

/** Follows whoever leads `epoch`, which is not below the own one. */
export function follow(turn: Turn, epoch: number, leader: ReplicaId | undefined): void {
  abandonLeadership(turn)
  const { role, storedEpoch } = turn.state
  const kept = role.kind === 'follower' ? { isFetching: role.isFetching, freshAtMs: role.freshAtMs } : {}
  change(turn, { epoch, role: { ...follower(leader), ...kept }, proposal: undefined })
  if (epoch > storedEpoch) turn.effects.push({ kind: 'storeEpoch', epoch })
}

export function onAppend(turn: Turn, was: Follower, message: AppendMessage): void {
  let role = changeFollower(turn, was, { leader: message.from, round: Math.max(was.round, message.round) })
  if (role.isFetching) return sendPosition(turn, role)
  if (!role.isMatched) {
    // The same epoch at the same position: then everything before it is the same too.
    if (!sameEnd(message.previous, endOfLog(turn.state.log))) return sendPosition(turn, role)
    role = changeFollower(turn, role, { isMatched: true })
  }
  if (message.entries.length > 0 && !takeEntries(turn, message)) return sendPosition(turn, role)
  role = changeFollower(turn, role, { leaderCommit: Math.max(role.leaderCommit, message.commitSequence) })
  commitFollowing(turn, role)
  const { commitSequence, self } = turn.state
  if (message.freshAt?.incarnation === self.incarnation && commitSequence >= message.commitSequence) {
    role = changeFollower(turn, role, { freshAtMs: Math.max(role.freshAtMs, message.freshAt.atMs) })
  }
  sayMatch(turn, role)
}

/** False if entries are missing in between. What is here already comes again after a lost answer. */
function takeEntries(turn: Turn, { entries }: AppendMessage): boolean {
  const { log } = turn.state
  const fresh = entries.filter(({ lastSequence }) => lastSequence > log.lastSequence)
  if (fresh.length === 0) return true
  if (fresh[0]!.baseSequence !== log.lastSequence + 1) return false
  change(turn, { log: appended(log, fresh) })
  turn.effects.push({ kind: 'appendLog', generation: log.generation, entries: fresh })
  return true
}

/** What is on disk here, and committed by the leader of whose log this is a part. */
export function commitFollowing(turn: Turn, { isMatched, leaderCommit }: Follower): void {
  const { commitSequence, log } = turn.state
  const sequence = Math.min(leaderCommit, log.durableSequence)
  if (!isMatched || sequence <= commitSequence) return
  change(turn, { commitSequence: sequence })
  turn.effects.push({ kind: 'apply', throughSequence: sequence })
}

/**
 * Nothing is promised under an epoch that is not on disk, nor while what was cut off may come back: whoever hears it knows
 * that nothing is on this disk but what the leader has.
 */
export function sayMatch(turn: Turn, { isMatched, leader, round }: Follower, isAsking = false): void {
  const { epoch, storedEpoch, log, nowMs, self } = turn.state
  if (!isMatched || leader === undefined || storedEpoch !== epoch || log.isCutting) return
  send(turn, leader, { kind: 'appended', matchSequence: log.durableSequence, round, sentAt: { incarnation: self.incarnation, atMs: nowMs }, isAsking })
}

export function sendPosition(turn: Turn, { leader, isFetching }: Follower): void {
  if (leader !== undefined) send(turn, leader, { kind: 'position', end: endOfLog(turn.state.log), isFetching })
}

/** Answers to an older position of ours say nothing about the log as it is now. */
export function onDiverged(turn: Turn, role: Follower, { asked, end }: DivergedMessage): void {
  const { log, commitSequence } = turn.state
  if (role.isMatched || role.isFetching || !sameEnd(asked, endOfLog(log))) return
  const own = endOfEpoch(log.epochs, log.lastSequence, end.epoch)
  const toSequence = Math.min(end.sequence, own?.sequence ?? -1)
  if (toSequence < commitSequence) return halt(turn, `the leader of epoch ${turn.state.epoch} has nothing after sequence ${toSequence} that is here, where everything up to ${commitSequence} is committed`)
  const left = truncated(log, toSequence)
  change(turn, { log: left })
  turn.effects.push({ kind: 'truncateLog', generation: left.generation, toSequence })
  sendPosition(turn, role)
}

export function onInstall(turn: Turn, role: Follower, { from, asked, through }: InstallMessage): void {
  const end = endOfLog(turn.state.log)
  if (role.isFetching || !sameEnd(asked, end) || (role.isMatched && through.sequence < end.sequence)) return
  if (through.sequence < turn.state.commitSequence) return halt(turn, `the leader's files end at sequence ${through.sequence}, where everything up to ${turn.state.commitSequence} is committed`)
  changeFollower(turn, role, { isFetching: true, isMatched: false })
  turn.effects.push({ kind: 'fetchFiles', from, through })
}

/** Files hold only what is committed, whoever leads by now. */
export function onFilesFetched(turn: Turn, was: Follower, through: LogEnd): void {
  if (through.sequence < turn.state.commitSequence) return halt(turn, `files that end at sequence ${through.sequence} came where everything up to ${turn.state.commitSequence} is committed`)
  change(turn, { log: replacedByFiles(turn.state.log, through), commitSequence: through.sequence })
  sendPosition(turn, changeFollower(turn, was, { isFetching: false, isMatched: false }))
}

const sameEnd = (a: LogEnd, b: LogEnd): boolean => a.sequence === b.sequence && a.epoch === b.epoch
