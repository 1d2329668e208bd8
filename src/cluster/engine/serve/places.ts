/** Where the shards of a cluster are written and read now, as this node knows it. */
import { LsmtError } from '../../../errors.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import type { Tree } from '../../../lsm/tree.ts'
import type { Clock } from '../../../runtime/clock.ts'
import type { FragmentClient } from '../../fragments/client/fragment-client.ts'
import type { PeerReplica } from '../../replica/replica-options.ts'
import { leaderElsewhere } from '../appends/remote-leader.ts'
import { leaderHere } from '../appends/shard-leader.ts'
import type { ShardLeader } from '../appends/shard-leader.ts'
import type { ShardWriter } from '../appends/shard-writer.ts'
import { createClusterTree } from '../reads/cluster-tree.ts'
import type { ShardSource } from '../reads/consistent-snapshot.ts'
import { createFarShard } from '../reads/far-shard.ts'
import { createLeaderSource, untilAnswered } from '../reads/leader-source.ts'
import type { LeaderSourceOptions } from '../reads/leader-source.ts'
import type { Changes } from './changes.ts'
import type { ClusterNode } from './cluster-node.ts'

export interface PlacesOptions {
  readonly node: ClusterNode
  readonly client: FragmentClient
  readonly changes: Changes
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
}

/** Tables as whoever reads knows them. */
export type KnownLayouts = Pick<ReadonlyMap<number, TableLayout>, 'get'>

/** One way to read all shards as of now. */
export interface ReadingPlaces {
  readonly sources: readonly ShardSource[]
  /** Trees without a way to write, but where a writer is given. */
  trees(writers?: readonly ShardWriter[]): readonly Tree[]
}

/** By the configuration, and by what the replica here has heard. */
export function leaderOf({ node: { membership, transport } }: PlacesOptions, shard: number): ShardLeader | undefined {
  const configuration = membership.configuration(shard)?.configuration
  const leader = configuration?.leader?.node
  if (configuration === undefined || leader === undefined) return undefined
  if (leader !== membership.self.node) return leaderElsewhere(transport, leader, configuration.epoch, shard)
  const here = membership.replica(shard)
  return here?.status().role === 'leader' ? leaderHere(leader, configuration.epoch, here) : undefined
}

export function createReadingPlaces(options: PlacesOptions, layouts: KnownLayouts, definedTables: () => ReadonlyMap<number, TableLayout>): ReadingPlaces {
  const { node: { membership }, client, changes, clock } = options
  const { node: self } = membership.self
  const places = Array.from({ length: membership.shardCount }, (_, shard) => {
    const far = createFarShard(client, shard, layouts)
    const replica = (): PeerReplica | undefined => membership.replica(shard)
    const sourceOptions: LeaderSourceOptions = {
      shard, replica, clock,
      changed: () => changes.next(),
      elsewhere() {
        const leader = membership.leaderOf(shard)
        return leader === undefined || leader === self ? undefined : (level, minSequence) => far.take(leader, level, minSequence)
      },
    }
    const where = (): string => {
      const leader = membership.leaderOf(shard)
      if (leader === undefined) throw new LsmtError('57P03', `shard ${shard} has no leader now`)
      return leader
    }
    const farNewest = far.newest(where, (ask) => untilAnswered(sourceOptions, ask, clock))
    const newest: Parameters<typeof createClusterTree>[0]['newest'] = () => {
      const here = replica()
      return here?.mayServe() === true ? here.tree : farNewest
    }
    return { source: createLeaderSource(sourceOptions), tree: (writer?: ShardWriter) => createClusterTree({ shard, newest, layouts: definedTables, here: () => replica()?.tree, ...(writer !== undefined && { writer }) }) }
  })
  return { sources: places.map(({ source }) => source), trees: (writers) => places.map(({ tree }, shard) => tree(writers?.[shard])) }
}
