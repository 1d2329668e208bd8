/**
 * Who keeps a shard: the value under `/shard/<id>` in etcd, one small JSON object. It is changed by compare-and-swap on
 * its revision only, one change at a time, and the number of members never changes: a lost one is replaced, not dropped.
 *
 * The store is an id made with the data directory, so a wiped or foreign disk under a known name is another replica. An
 * incarnation is a number that grows with every start of a node, so nobody takes a leadership for its own that it won
 * in an earlier life, whose open requests it no longer knows.
 */
import { fieldsOf, isCount, isName, readStoreValue } from '../store-value.ts'
import type { Broken } from '../store-value.ts'

export interface ReplicaId {
  readonly node: string
  readonly store: string
}

export interface Leadership {
  readonly node: string
  readonly incarnation: number
}

export interface Joining {
  readonly replica: ReplicaId
  /** Store of the member that it is to replace. */
  readonly replaces: string
  /** Wanted by placement, not by a loss: it goes on though the member is well. */
  readonly isMove: boolean
}

export interface ShardConfiguration {
  readonly format: 1
  /** Grows by one with every change. */
  readonly version: number
  /** Grows by one with every election. */
  readonly epoch: number
  /** null after a leader stepped down by itself: any member may follow. */
  readonly leader: Leadership | null
  readonly members: readonly ReplicaId[]
  readonly joining: Joining | null
  /** The epoch after which something acknowledged may be missing, since people took a copy that was no member; null: never. */
  readonly possibleLoss: number | null
}

/** A configuration as etcd has it at a revision; of two, the one with the greater revision is newer. */
export interface ConfigurationAt {
  readonly revision: number
  readonly configuration: ShardConfiguration
}

export const isMember = ({ members }: ShardConfiguration, store: string): boolean => members.some((member) => member.store === store)

export function firstConfiguration(members: readonly ReplicaId[]): ShardConfiguration {
  return { format: 1, version: 1, epoch: 0, leader: null, members, joining: null, possibleLoss: null }
}

export const withLeader = (was: ShardConfiguration, leader: Leadership): ShardConfiguration => ({ ...was, version: was.version + 1, epoch: was.epoch + 1, leader })

export const withoutLeader = (was: ShardConfiguration): ShardConfiguration => ({ ...was, version: was.version + 1, leader: null })

export const withJoining = (was: ShardConfiguration, joining: Joining | null): ShardConfiguration => ({ ...was, version: was.version + 1, joining })

/** The one that joined takes its place. */
export function withJoined(was: ShardConfiguration, { replica, replaces }: Joining): ShardConfiguration {
  return { ...was, version: was.version + 1, members: was.members.map((member) => (member.store === replaces ? replica : member)), joining: null }
}

/**
 * All members are gone, and a copy that was none takes the place of one of them. The others are replaced as any lost member
 * is, so no copy fewer is waited for than before. The epoch ends whatever leadership there was.
 */
export function withSurvivor(was: ShardConfiguration, survivor: ReplicaId, lostStore: string): ShardConfiguration {
  const members = was.members.map((member) => (member.store === lostStore ? survivor : member))
  return { ...was, version: was.version + 1, epoch: was.epoch + 1, leader: null, members, joining: null, possibleLoss: was.epoch }
}

export const sameConfiguration = (a: ShardConfiguration, b: ShardConfiguration): boolean => encodeConfiguration(a) === encodeConfiguration(b)

/** Equal configurations give equal text. */
export function encodeConfiguration({ version, epoch, leader, members, joining, possibleLoss }: ShardConfiguration): string {
  const replica = ({ node, store }: ReplicaId): ReplicaId => ({ node, store })
  return JSON.stringify({
    format: 1,
    version,
    epoch,
    leader: leader === null ? null : { node: leader.node, incarnation: leader.incarnation },
    members: members.map(replica),
    joining: joining === null ? null : { replica: replica(joining.replica), replaces: joining.replaces, isMove: joining.isMove },
    possibleLoss,
  })
}

const membersMax = 64

/** The value under `key`; XX002 for another format, XX001 for anything that is no configuration. */
export function decodeConfiguration(text: string, key: string): ShardConfiguration {
  const { fields, broken } = readStoreValue(text, key, 1)
  const { version, epoch, leader, members, joining, possibleLoss } = fields
  if (!isCount(version)) throw broken('a version', version)
  if (!isCount(epoch)) throw broken('an epoch', epoch)
  if (!Array.isArray(members) || members.length === 0 || members.length > membersMax) throw broken(`1 to ${membersMax} members`, members)
  if (possibleLoss !== null && !isCount(possibleLoss)) throw broken('an epoch of possible loss, or null', possibleLoss)
  const replicas = members.map((member: unknown) => replicaOf(member, broken))
  if (new Set(replicas.map(({ store }) => store)).size !== replicas.length) throw broken('members of different stores', members)
  return { format: 1, version, epoch, leader: leader === null ? null : leadershipOf(leader, broken), members: replicas, joining: joining === null ? null : joiningOf(joining, broken), possibleLoss }
}

function replicaOf(value: unknown, broken: Broken): ReplicaId {
  const { node, store } = fieldsOf(value, 'a member with node and store', broken)
  if (!isName(node) || !isName(store)) throw broken('a member with node and store', value)
  return { node, store }
}

function leadershipOf(value: unknown, broken: Broken): Leadership {
  const { node, incarnation } = fieldsOf(value, 'a leader with node and incarnation', broken)
  if (!isName(node) || !isCount(incarnation)) throw broken('a leader with node and incarnation', value)
  return { node, incarnation }
}

function joiningOf(value: unknown, broken: Broken): Joining {
  const { replica, replaces, isMove } = fieldsOf(value, 'who joins', broken)
  if (!isName(replaces) || typeof isMove !== 'boolean') throw broken('whom the one that joins replaces', value)
  return { replica: replicaOf(replica, broken), replaces, isMove }
}
