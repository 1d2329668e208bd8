/** The value of a shard in the configuration store: fresh reads and swaps, with what came of them mapped exactly. */
import { LsmtError } from '../../../errors.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { Condition } from '../../etcd/wire/transaction.ts'
import { decodeConfiguration, encodeConfiguration } from '../../replication/configuration.ts'
import type { ConfigurationAt } from '../../replication/configuration.ts'
import type { LiveNode } from '../../replication/event.ts'
import type { SwapOutcome, SwapRequest } from '../hosted-replica.ts'
import { isAbsent } from './keys.ts'
import type { StoreKeys } from './keys.ts'
import { numberOf } from './revision.ts'

/** A linearizable read that is sent after this call; undefined when the shard has no value. */
export async function readShard(etcd: Pick<EtcdClient, 'get'>, keys: StoreKeys, shard: number): Promise<ConfigurationAt | undefined> {
  const key = keys.shard(shard)
  const { found } = await etcd.get(key)
  return found === undefined ? undefined : { revision: numberOf(found.modRevision), configuration: decodeConfiguration(found.value, key) }
}

/**
 * One transaction, sent once: a second attempt could be refused because the first took effect, so an answer that is lost
 * is told as 'unknown' and the replica offers the same again. All other errors say that nothing was done.
 */
export async function swapShard(etcd: Pick<EtcdClient, 'transact'>, keys: StoreKeys, self: LiveNode, shard: number, request: SwapRequest): Promise<SwapOutcome> {
  const { revision, configuration, leaseId, absent } = request
  const key = keys.shard(shard)
  const when: Condition[] = [{ kind: 'mod-revision', key, is: '=', to: BigInt(revision) }]
  if (leaseId !== undefined) when.push({ kind: 'create-revision', key: keys.live(self.node, self.incarnation), is: '=', to: BigInt(leaseId) })
  if (absent !== undefined) when.push(isAbsent(keys.live(absent.node, absent.incarnation)))
  try {
    const result = await etcd.transact({ when, apply: [{ kind: 'put', key, value: encodeConfiguration(configuration) }] })
    return result.held ? { outcome: 'done', revision: numberOf(result.revision) } : { outcome: 'refused' }
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code === 'XX000') throw error
    return { outcome: error.code === '40003' ? 'unknown' : 'refused' }
  }
}
