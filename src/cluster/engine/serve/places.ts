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
import type { SeenSequences, ShardSource } from '../reads/consistent-snapshot.ts'
import { createFarShard } from '../reads/far-shard.ts'
import { createLeaderSource, untilAnswered } from '../reads/leader-source.ts'
import type { LeaderSourceOptions } from '../reads/leader-source.ts'
import { createNearSource, nearNewest } from '../reads/near-source.ts'
import type { NearLevel, NearSourceOptions } from '../reads/near-source.ts'
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
  /** The same at levels by shard. */
  near(levels: readonly NearLevel[]): { readonly sources: readonly ShardSource[]; readonly trees: readonly Tree[] }
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

/** `seen` gets what single rows were read of; snapshots tell whoever takes them. */
export function createReadingPlaces(options: PlacesOptions, layouts: KnownLayouts, definedTables: () => ReadonlyMap<number, TableLayout>, seen: SeenSequences): ReadingPlaces {
  const { node: { membership }, client, changes, clock } = options
  const { node: self } = membership.self
  const places = Array.from({ length: membership.shardCount }, (_, shard) => {
    const onRead = (sequence: number): void => void (seen[shard] = Math.max(seen[shard]!, sequence))
    const far = createFarShard(client, { shard, layouts, onRead })
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
      if (here?.mayServe() !== true) return farNewest
      onRead(here.tree.visibleSequence)
      return here.tree
    }
    const others = (): ReturnType<NearSourceOptions['others']> => {
      const nodes = new Set([membership.leaderOf(shard), ...membership.membersOf(shard)].filter((node) => node !== undefined && node !== self))
      return [...nodes].map((node) => (level, minSequence) => far.take(node!, level, minSequence))
    }
    const treeOptions = { shard, layouts: definedTables, here: () => replica()?.tree }
    return {
      source: createLeaderSource(sourceOptions),
      tree: (writer?: ShardWriter) => createClusterTree({ ...treeOptions, newest, ...(writer !== undefined && { writer }) }),
      near(level: NearLevel) {
        const nearOptions: NearSourceOptions = { ...sourceOptions, level, others, layouts }
        const afterSequence = level.kind === 'session' ? level.afterSequence : 0
        return { source: createNearSource(nearOptions), tree: createClusterTree({ ...treeOptions, newest: nearNewest({ ...nearOptions, onRead }, afterSequence, () => farNewest) }) }
      },
    }
  })
  return {
    sources: places.map(({ source }) => source),
    trees: (writers) => places.map(({ tree }, shard) => tree(writers?.[shard])),
    near(levels) {
      const near = places.map((place, shard) => place.near(levels[shard]!))
      return { sources: near.map(({ source }) => source), trees: near.map(({ tree }) => tree) }
    },
  }
}
