/** Changes what all nodes of a cluster agree on. */
import { LsmtError } from '../../../errors.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import { decodeCluster, encodeCluster } from '../../placement/cluster-value.ts'
import type { ClusterValue } from '../../placement/cluster-value.ts'
import type { StoreKeys } from './keys.ts'

const attemptsMax = 20

/** `change` gives the same value where nothing is to be changed; it may be asked several times. 40001 when others change it all the time. */
export async function changeCluster(etcd: Pick<EtcdClient, 'get' | 'swap'>, keys: StoreKeys, change: (was: ClusterValue) => ClusterValue): Promise<void> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const seen = await etcd.get(keys.cluster)
    if (seen.found === undefined) throw new LsmtError('55000', `etcd has no ${keys.cluster} any more`)
    const was = decodeCluster(seen.found.value, keys.cluster)
    const now = change(was)
    if (now === was) return
    // Whoever else writes the same value wants the same.
    if ((await etcd.swap({ seen, value: encodeCluster(now) })).kind === 'swapped') return
  }
  throw new LsmtError('40001', `${keys.cluster} in etcd was changed by others at each of ${attemptsMax} attempts: try again`)
}
