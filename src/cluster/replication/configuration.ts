/**
 * Who keeps a shard: the value under `/shard/<id>` in etcd, one small JSON object. It is changed by compare-and-swap on
 * its revision only, one change at a time, and the number of members never changes: a lost one is replaced, not dropped.
 *
 * The store is an id made with the data directory, so a wiped or foreign disk under a known name is another replica. An
 * incarnation is a number that grows with every start of a node, so nobody takes a leadership for its own that it won
 * in an earlier life, whose open requests it no longer knows.
 */
import { LsmtError } from '../../errors.ts'

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
}

/** A configuration as etcd has it at a revision; of two, the one with the greater revision is newer. */
export interface ConfigurationAt {
  readonly revision: number
  readonly configuration: ShardConfiguration
}

export const isMember = ({ members }: ShardConfiguration, store: string): boolean => members.some((member) => member.store === store)

export function firstConfiguration(members: readonly ReplicaId[]): ShardConfiguration {
  return { format: 1, version: 1, epoch: 0, leader: null, members, joining: null }
}

export const withLeader = (was: ShardConfiguration, leader: Leadership): ShardConfiguration => ({ ...was, version: was.version + 1, epoch: was.epoch + 1, leader })

export const withoutLeader = (was: ShardConfiguration): ShardConfiguration => ({ ...was, version: was.version + 1, leader: null })

export const withJoining = (was: ShardConfiguration, joining: Joining | null): ShardConfiguration => ({ ...was, version: was.version + 1, joining })

/** The one that joined takes its place. */
export function withJoined(was: ShardConfiguration, { replica, replaces }: Joining): ShardConfiguration {
  return { ...was, version: was.version + 1, members: was.members.map((member) => (member.store === replaces ? replica : member)), joining: null }
}

export const sameConfiguration = (a: ShardConfiguration, b: ShardConfiguration): boolean => encodeConfiguration(a) === encodeConfiguration(b)

/** Equal configurations give equal text. */
export function encodeConfiguration({ version, epoch, leader, members, joining }: ShardConfiguration): string {
  const replica = ({ node, store }: ReplicaId): ReplicaId => ({ node, store })
  return JSON.stringify({
    format: 1,
    version,
    epoch,
    leader: leader === null ? null : { node: leader.node, incarnation: leader.incarnation },
    members: members.map(replica),
    joining: joining === null ? null : { replica: replica(joining.replica), replaces: joining.replaces, isMove: joining.isMove },
  })
}

const membersMax = 64

/** XX002 for a newer format, XX001 for anything that is no configuration; `key` names it. */
export function decodeConfiguration(text: string, key: string): ShardConfiguration {
  const broken = (expected: string, actual: unknown): LsmtError =>
    new LsmtError('XX001', `${key} in the configuration store: expected ${expected}, found ${String(JSON.stringify(actual)).slice(0, 200)}`, { file: key, expected, actual: String(JSON.stringify(actual)).slice(0, 200) })
  const value = parsed(text, broken)
  const { format, version, epoch, leader, members, joining } = recordOf(value, 'an object', broken)
  if (format !== 1) {
    if (isCount(format)) throw new LsmtError('XX002', `${key} in the configuration store has format ${format}; this version knows format 1: run the version that wrote it`, { file: key, expected: '1', actual: String(format) })
    throw broken('format 1', format)
  }
  if (!isCount(version)) throw broken('a version', version)
  if (!isCount(epoch)) throw broken('an epoch', epoch)
  if (!Array.isArray(members) || members.length === 0 || members.length > membersMax) throw broken(`1 to ${membersMax} members`, members)
  const replicas = members.map((member: unknown) => replicaOf(member, broken))
  if (new Set(replicas.map(({ store }) => store)).size !== replicas.length) throw broken('members of different stores', members)
  return { format: 1, version, epoch, leader: leader === null ? null : leadershipOf(leader, broken), members: replicas, joining: joining === null ? null : joiningOf(joining, broken) }
}

type Broken = (expected: string, actual: unknown) => LsmtError

function parsed(text: string, broken: Broken): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw broken('JSON', text)
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function recordOf(value: unknown, expected: string, broken: Broken): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken(expected, value)
  return value as Readonly<Record<string, unknown>>
}

function replicaOf(value: unknown, broken: Broken): ReplicaId {
  const { node, store } = recordOf(value, 'a member with node and store', broken)
  if (typeof node !== 'string' || typeof store !== 'string' || node === '' || store === '') throw broken('a member with node and store', value)
  return { node, store }
}

function leadershipOf(value: unknown, broken: Broken): Leadership {
  const { node, incarnation } = recordOf(value, 'a leader with node and incarnation', broken)
  if (typeof node !== 'string' || !isCount(incarnation)) throw broken('a leader with node and incarnation', value)
  return { node, incarnation }
}

function joiningOf(value: unknown, broken: Broken): Joining {
  const { replica, replaces, isMove } = recordOf(value, 'who joins', broken)
  if (typeof replaces !== 'string' || typeof isMove !== 'boolean') throw broken('whom the one that joins replaces', value)
  return { replica: replicaOf(replica, broken), replaces, isMove }
}
