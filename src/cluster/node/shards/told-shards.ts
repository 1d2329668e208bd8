/** Log lines for what becomes of the shards: who leads them, and who keeps them. Each is told once, by who leads it, or does no more. */
import type { Log } from '../../../runtime/log.ts'
import type { ConfigurationAt, ShardConfiguration } from '../../replication/configuration.ts'
import type { ClusterView } from '../store/cluster-view.ts'

export interface ToldShards {
  /** The view has changed. */
  tend(view: ClusterView): void
}

export function createToldShards(self: string, log: Log): ToldShards {
  let told: ReadonlyMap<number, ConfigurationAt> = new Map()
  return {
    tend({ shards }) {
      for (const [shard, { revision, configuration }] of shards) {
        const before = told.get(shard)
        if (before?.revision === revision) continue
        const { epoch, leader } = configuration, text = textOf(configuration)
        const isOurs = leader === null ? before?.configuration.leader?.node === self : leader.node === self
        if (isOurs && (before === undefined || textOf(before.configuration) !== text)) log.info({ shard, epoch }, `shard ${shard} ${text}`)
      }
      told = shards
    },
  }
}

function textOf({ leader, members, joining, epoch }: ShardConfiguration): string {
  const led = leader === null ? 'has no leader' : `is led by ${leader.node}`
  const replaced = members.find(({ store }) => store === joining?.replaces)
  const joins = joining === null ? '' : `; ${joining.replica.node} is to take the place of ${replaced?.node ?? joining.replaces}`
  return `${led} (epoch ${epoch}) and is kept by ${members.map(({ node }) => node).join(' and ')}${joins}`
}
