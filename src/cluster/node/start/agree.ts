/** What all nodes must agree on: made by the first node of a cluster, checked by all others. */
import { LsmtError } from '../../../errors.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import { checkSettings, decodeCluster, encodeCluster, newCluster } from '../../placement/cluster-value.ts'
import type { ClusterValue } from '../../placement/cluster-value.ts'
import type { StoreKeys } from '../store/keys.ts'
import type { NodeDirectory } from './node-directory.ts'

export interface WantedCluster {
  readonly name: string
  /** For a new one; by chance. */
  readonly id: string
  readonly shardCount: number
  readonly factor: number
  /** Where the data is, if not in the nodes' directories. */
  readonly bucket: string | null
}

/**
 * The cluster's value; makes one when there is none. 22023 for other settings. 55000 when the directory is of a cluster
 * that the configuration store does not have: to make it anew would forget who keeps what.
 */
export async function agreeOnCluster(etcd: Pick<EtcdClient, 'get' | 'swap'>, keys: StoreKeys, { format }: NodeDirectory, wanted: WantedCluster): Promise<ClusterValue> {
  if (!Number.isInteger(wanted.factor) || wanted.factor < 1) throw new LsmtError('22023', `the replication factor is ${wanted.factor}: a whole number from 1 on is wanted`)
  const seen = await etcd.get(keys.cluster)
  if (seen.found === undefined && format !== undefined) {
    throw new LsmtError('55000', `etcd has no cluster '${wanted.name}', of which this node keeps copies: it is another etcd, or it has lost its data`, { hint: 'give the endpoints of the etcd that the cluster was made with, or restore its backup' })
  }
  const value = seen.found === undefined ? await make() : decodeCluster(seen.found.value, keys.cluster)
  if (format !== undefined && format.cluster.clusterId !== value.id) {
    throw new LsmtError('55000', `this node keeps copies of another cluster of the name '${wanted.name}' than the one in etcd`, { expected: value.id, actual: format.cluster.clusterId, hint: 'give an empty directory, or the endpoints of the etcd that the cluster was made with' })
  }
  checkSettings(value, wanted)
  return value

  async function make(): Promise<ClusterValue> {
    const fresh = newCluster(wanted.id, wanted.shardCount, wanted.factor, wanted.bucket)
    const outcome = await etcd.swap({ seen, value: encodeCluster(fresh) })
    return outcome.kind === 'swapped' ? fresh : decodeCluster(outcome.now.found!.value, keys.cluster)
  }
}
