/**
 * The last resort: shards of which no member is there any more, while some other disk still has a copy: one that was a
 * member before, or was about to become one. That copy takes a lost member's place and so can lead; the other members are
 * lost ones as any, and are replaced by live nodes before anything is acknowledged again. Nothing waits for fewer copies
 * than before. What the lost members alone had is gone, which the configuration says from then on.
 */
import { LsmtError } from '../../../errors.ts'
import type { Log } from '../../../runtime/log.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { Condition } from '../../etcd/wire/transaction.ts'
import { encodeConfiguration, withSurvivor } from '../../replication/configuration.ts'
import type { ConfigurationAt } from '../../replication/configuration.ts'
import type { NodeCopy, NodeQuestions } from '../control/requests.ts'
import type { FoundCopy, LostShard } from '../membership.ts'
import { liveNodes } from '../store/cluster-view.ts'
import type { ClusterView } from '../store/cluster-view.ts'
import { isAbsent } from '../store/keys.ts'
import type { StoreKeys } from '../store/keys.ts'
import { readShard } from '../store/shard-store.ts'

export interface RecoverOptions {
  readonly etcd: Pick<EtcdClient, 'get' | 'transact'>
  readonly keys: StoreKeys
  readonly shardCount: number
  readonly log: Log
  readonly questions: Pick<NodeQuestions, 'copies'>
  readonly self: { readonly node: string }
  view(): ClusterView
  ownCopies(): Promise<readonly NodeCopy[]>
}

/** 08006 when a live node does not answer: what it has is not to be left out. */
export async function findLostShards(options: RecoverOptions): Promise<readonly LostShard[]> {
  const copies = await copiesOfAll(options)
  const lost: LostShard[] = []
  for (let shard = 0; shard < options.shardCount; shard++) {
    const at = await readShard(options.etcd, options.keys, shard)
    if (at === undefined) continue
    const found = copies.filter((copy) => copy.shard === shard)
    if (!isMemberAmong(at, found)) lost.push({ shard, at, copies: found.toSorted(byMost).map(({ node, store, epoch, sequence }) => ({ node, store, epoch, sequence })) })
  }
  return lost
}

/** 55000 when it cannot be done, or is not as it was found any more. */
export async function recoverLostShard(options: RecoverOptions, { shard, at, copies }: LostShard): Promise<void> {
  const { etcd, keys, log } = options
  const survivor = copies[0]
  if (survivor === undefined) throw new LsmtError('55000', `no live node has a copy of shard ${shard}`, { hint: 'start a node that had one, with its data directory' })
  if (isMemberAmong(at, copies)) throw new LsmtError('55000', `shard ${shard} has a member that is there`)
  const { members } = at.configuration
  const lost = members.find(({ node }) => node === survivor.node) ?? members[0]!
  const key = keys.shard(shard)
  const unchanged: Condition = { kind: 'mod-revision', key, is: '=', to: BigInt(at.revision) }
  const value = encodeConfiguration(withSurvivor(at.configuration, { node: survivor.node, store: survivor.store }, lost.store))
  const { held } = await etcd.transact({ when: [unchanged, ...membersGone(options, at)], apply: [{ kind: 'put', key, value }] })
  if (!held) throw new LsmtError('55000', `shard ${shard} has changed since it was looked at, or one of its members is live again: look again`)
  log.warn({ shard, node: survivor.node, epoch: survivor.epoch, sequence: survivor.sequence }, `shard ${shard} goes on from the copy on ${survivor.node}, which was no member of it: what was acknowledged after epoch ${survivor.epoch}, sequence ${survivor.sequence} may be lost`)
}

/** By epoch first: what a later leader has written counts. */
const byMost = (a: FoundCopy, b: FoundCopy): number => b.epoch - a.epoch || b.sequence - a.sequence

const isMemberAmong = ({ configuration: { members } }: ConfigurationAt, copies: readonly FoundCopy[]): boolean => copies.some(({ store }) => members.some((member) => member.store === store))

/** Of members that are live though their copies cannot be used nothing is asked. */
function membersGone({ view, keys }: RecoverOptions, { configuration: { members } }: ConfigurationAt): readonly Condition[] {
  const live = liveNodes(view())
  return members.flatMap(({ node, store }) => {
    const registered = view().nodes.get(node)
    return registered === undefined || registered.store !== store || live.get(node)?.store === store ? [] : [isAbsent(keys.live(node, registered.incarnation))]
  })
}

async function copiesOfAll({ view, self, ownCopies, questions }: RecoverOptions): Promise<readonly (NodeCopy & { readonly node: string })[]> {
  const asked = await Promise.all([...liveNodes(view()).keys()].map(async (node) => {
    const copies = await (node === self.node ? ownCopies() : questions.copies(node))
    return copies.map((copy) => ({ ...copy, node }))
  }))
  return asked.flat()
}
