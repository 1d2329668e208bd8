/** What people ask of a cluster, carried out by whichever node they ask. */
import { LsmtError } from '../../../errors.ts'
import type { EtcdClient } from '../../etcd/etcd-client.ts'
import type { Change } from '../../placement/plan.ts'
import { withDraining, withReplaced, withoutDraining } from '../../placement/cluster-value.ts'
import type { ClusterOperations } from '../membership.ts'
import { findLostShards, recoverLostShard } from '../recover/lost-shards.ts'
import type { RecoverOptions } from '../recover/lost-shards.ts'
import { changeCluster } from '../store/change-cluster.ts'
import { liveNodes } from '../store/cluster-view.ts'

export interface OperationsOptions extends RecoverOptions {
  readonly etcd: Pick<EtcdClient, 'get' | 'swap' | 'transact'>
  ask(node: string, change: Change): Promise<void>
}

export function createOperations(options: OperationsOptions): ClusterOperations {
  const { etcd, keys, view, log, shardCount } = options

  function checkNode(node: string): void {
    const { nodes } = view()
    if (!nodes.has(node)) throw new LsmtError('22023', `the cluster has no node '${node}': there are ${[...nodes.keys()].toSorted().join(', ')}`)
  }

  return {
    async drain(node) {
      checkNode(node)
      await changeCluster(etcd, keys, (was) => withDraining(was, node))
      log.info({ node }, `${node} is draining: what it keeps moves to other nodes`)
    },
    async undrain(node) {
      checkNode(node)
      await changeCluster(etcd, keys, (was) => withoutDraining(was, node))
      log.info({ node }, `${node} is not draining any more`)
    },
    async replace(node, by) {
      checkNode(node)
      checkNode(by)
      if (node === by) throw new LsmtError('22023', `${node} cannot take its own place`)
      if (!liveNodes(view()).has(by)) throw new LsmtError('55000', `${by}, which is to take the place of ${node}, is not live: start it first`)
      // One change, whatever it consists of.
      await changeCluster(etcd, keys, (was) => withReplaced(was, node, by))
      log.info({ node, by }, `${by} takes the place of ${node}, which is draining`)
    },
    async handOver(shard) {
      if (!Number.isInteger(shard) || shard < 0 || shard >= shardCount) throw new LsmtError('22023', `there is no shard ${shard}: they are numbered 0 to ${shardCount - 1}`)
      const leader = view().shards.get(shard)?.configuration.leader?.node
      if (leader === undefined) throw new LsmtError('55000', `nobody leads shard ${shard} now`)
      await options.ask(leader, { kind: 'handOver', shard, node: leader })
    },
    findLost: () => findLostShards(options),
    recoverLost: (lost) => recoverLostShard(options, lost),
  }
}
