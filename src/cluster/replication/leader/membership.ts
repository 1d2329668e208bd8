/**
 * Replacing a member. A lost one is not dropped: another replica gets the log first, then commits wait for it as well, and
 * only then it takes the lost one's place. So the number of copies of what is acknowledged never falls.
 *
 * The protocols that this follows let a leader change members only once it knows what is committed. With two members
 * that would never be, if it leads because the other one died. What it needs is less: that the new replica has the whole
 * log of the leader as it was when the epoch began, since that holds everything that was committed until then.
 */
import { isMember, withJoined, withJoining, withoutLeader } from '../configuration.ts'
import type { Joining, ReplicaId, ShardConfiguration } from '../configuration.ts'
import type { LiveNode } from '../event.ts'
import { propose } from '../proposal.ts'
import type { Leader, Peer, ReplicaState } from '../state/replica-state.ts'
import { changeLeader } from '../state/turn.ts'
import type { Turn } from '../state/turn.ts'

/** At every tick: confirms a new lease, hands over, or begins, ends or abandons a replacement; one change at a time. */
export function tendMembers(turn: Turn, leader: Leader): void {
  const { proposal, known, lease, nowMs } = turn.state
  const { replaceAfterMs } = turn.context.timing
  if (proposal !== undefined || known === undefined) return
  if (leader.resignByMs !== undefined) {
    // Nobody would follow, and what is lost is replaced by leaders only: it goes on.
    if (!hasSuccessor(turn.state, leader, nowMs - replaceAfterMs)) changeLeader(turn, leader, { resignByMs: undefined })
    else if (leader.writes.length === 0 || nowMs >= leader.resignByMs) propose(turn, 'resign', withoutLeader(known.configuration), {})
  } else if (isIsolated(turn, leader)) {
    // Somebody may follow without waiting for the lease. Commits may go on: they know of a follower by themselves.
    changeLeader(turn, leader, { leaseId: undefined })
    propose(turn, 'resign', withoutLeader(known.configuration), {})
  } else if (lease !== undefined && lease.leaseId !== leader.leaseId) {
    propose(turn, 'renew', { ...known.configuration, version: known.configuration.version + 1 }, { leaseId: lease.leaseId })
  } else if (known.configuration.joining !== null) tendJoining(turn, leader, known.configuration, known.configuration.joining)
  else if (nowMs >= leader.nextChangeMs) replaceLost(turn, leader, known.configuration)
}

/** The node is about to stop, or leads too much. Dropped where all others count as lost. */
export function onResign(turn: Turn, leader: Leader): void {
  const { nowMs } = turn.state
  const { replaceAfterMs, resignAfterMs } = turn.context.timing
  if (hasSuccessor(turn.state, leader, nowMs - replaceAfterMs)) changeLeader(turn, leader, { resignByMs: nowMs + resignAfterMs })
}

/** Another member that was heard of since then, as a follower of this leadership. */
export function hasSuccessor({ known }: ReplicaState, { peers }: Leader, sinceMs: number): boolean {
  return peers.some(({ id, isMatched, heardAtMs }) => isMatched && heardAtMs > sinceMs && isMember(known!.configuration, id.store))
}

/** Placement's wish. What cannot be done now is dropped: placement looks at the configuration and wishes again. */
export function onMove(turn: Turn, leader: Leader, fromStore: string, to: ReplicaId): void {
  const { proposal, known, self } = turn.state
  if (proposal !== undefined || known === undefined || leader.resignByMs !== undefined) return
  const { configuration } = known
  const isPossible = configuration.joining === null && fromStore !== self.store && isMember(configuration, fromStore) && !configuration.members.some(({ node, store }) => store !== fromStore && node === to.node) && !isMember(configuration, to.store)
  if (isPossible) propose(turn, 'join', withJoining(configuration, { replica: to, replaces: fromStore, isMove: true }), {})
}

function tendJoining(turn: Turn, leader: Leader, configuration: ShardConfiguration, joining: Joining): void {
  const { nowMs, self, commitSequence } = turn.state
  const peer = leader.peers.find(({ id }) => id.store === joining.replica.store)!
  const replaced = leader.peers.find(({ id }) => id.store === joining.replaces)
  const isSilent = nowMs - peer.heardAtMs >= turn.context.timing.joinAfterMs
  const isNeedless = joining.replaces === self.store || replaced === undefined || (!joining.isMove && isBack(turn, replaced))
  if (isSilent || isNeedless) {
    // What the leader before began against this one says nothing of the members now.
    const nextChangeMs = joining.replaces === self.store ? nowMs : nowMs + turn.context.timing.changePauseMs
    changeLeader(turn, leader, { nextChangeMs, avoidedStore: isSilent ? joining.replica.store : undefined })
    return propose(turn, 'join', withJoining(configuration, null), {})
  }
  if (!peer.isMatched || peer.matchSequence < Math.max(leader.sinceSequence, commitSequence)) return
  // First wait for it, then say so: from now on the store may elect it.
  changeLeader(turn, leader, { joined: joining.replica })
  propose(turn, 'joined', withJoined(configuration, joining), {})
}

function replaceLost(turn: Turn, leader: Leader, configuration: ShardConfiguration): void {
  const lost = leader.peers.find((peer) => isLost(turn, peer))
  if (lost === undefined) return
  const taken = configuration.members.filter(({ store }) => store !== lost.id.store)
  const spares = newestOf(turn.state.live).filter(({ node, store }) => !taken.some((member) => member.node === node) && !isMember(configuration, store))
  const spare = spares.find(({ store }) => store !== leader.avoidedStore) ?? spares[0]
  if (spare === undefined) return
  propose(turn, 'join', withJoining(configuration, { replica: { node: spare.node, store: spare.store }, replaces: lost.id.store, isMove: false }), {})
}

/** Silent for long, or less long if its lease has ended too, or back with another disk. */
function isLost(turn: Turn, { id, heardAtMs }: Peer): boolean {
  const { replaceAfterMs, goneAfterMs } = turn.context.timing
  const seen = newestOf(turn.state.live).find(({ node }) => node === id.node)
  return turn.state.nowMs - heardAtMs >= (seen === undefined ? goneAfterMs : replaceAfterMs) || (seen !== undefined && seen.store !== id.store)
}

/** It is heard again: that etcd sees it is not enough, since a start takes longer than what the one that joins may still lack. */
const isBack = (turn: Turn, peer: Peer): boolean => !isLost(turn, peer) && turn.state.nowMs - peer.heardAtMs < turn.context.timing.goneAfterMs

/** Without those that were started again since: their leases may outlive them for a while. */
function newestOf(live: readonly LiveNode[]): readonly LiveNode[] {
  return live.filter(({ node, incarnation }) => !live.some((other) => other.node === node && other.incarnation > incarnation))
}

/** Nobody is heard, while the store sees a member that may be better off. One that has begun to join is given a moment to be heard. */
function isIsolated(turn: Turn, { heardAtMs, peers }: Leader): boolean {
  const { nowMs, live, self, known } = turn.state
  const { resignAfterMs, replaceAfterMs } = turn.context.timing
  const { members, joining } = known!.configuration
  const isOtherLive = members.some(({ store }) => store !== self.store && live.some((node) => node.store === store))
  const joinsSinceMs = peers.find(({ id }) => id.store === joining?.replica.store)?.heardAtMs ?? -Infinity
  return isOtherLive && nowMs - heardAtMs >= resignAfterMs && nowMs - joinsSinceMs >= resignAfterMs - replaceAfterMs
}
