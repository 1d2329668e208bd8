/** One shard as the engine sees it, wherever its replicas are: reads go where the snapshot was taken, or to the leader; appends to the writer, where this node coordinates. */
import { LsmtError } from '../../../errors.ts'
import type { TableLayout } from '../../../lsm/layout.ts'
import { noTreeStats } from '../../../lsm/state/tree-stats.ts'
import type { Tree } from '../../../lsm/tree.ts'
import { placeOf, placeSnapshot } from './placed-snapshot.ts'
import type { ReadingTree } from './placed-snapshot.ts'

export interface ClusterTreeOptions {
  readonly shard: number
  /** What reads as of now are asked of: the replica here, when it may answer in this step, or another node. */
  readonly newest: () => ReadingTree
  readonly layouts: () => ReadonlyMap<number, TableLayout>
  /** The replica here, if there is one: flushes and compactions are each node's own, and so are stats. */
  readonly here: () => Pick<Tree, 'flush' | 'compact' | 'stats'> | undefined
  readonly writer?: Pick<Tree, 'append' | 'nextSequence' | 'visibleSequence'>
}

export function createClusterTree({ shard, newest, layouts, here, writer }: ClusterTreeOptions): Tree {
  const writing = (): NonNullable<typeof writer> => {
    if (writer === undefined) throw new LsmtError('25006', `shard ${shard} is written by another node`)
    return writer
  }
  return {
    get layouts() { return layouts() },
    get visibleSequence() { return writing().visibleSequence },
    get nextSequence() { return writing().nextSequence },
    append: (batch, gate) => writing().append(batch, gate),
    // What is under way is bounded by admission, and what a leader cannot take yet it takes later.
    admit: () => undefined,
    sync: () => Promise.resolve(),
    snapshot() {
      throw new LsmtError('XX000', `internal error: a snapshot of shard ${shard} alone is asked for`)
    },
    overlay(below) {
      const { tree, inner } = placeOf(below)
      const overlay = tree.overlay(inner)
      return { get snapshot() { return placeSnapshot(tree, overlay.snapshot) }, apply: (batch) => overlay.apply(batch) }
    },
    get(snapshot, ...rest) {
      if (snapshot === undefined) return newest().get(undefined, ...rest)
      const { tree, inner } = placeOf(snapshot)
      return tree.get(inner, ...rest)
    },
    scan: (snapshot, ...rest) => placeOf(snapshot).tree.scan(placeOf(snapshot).inner, ...rest),
    aggregate: (snapshot, ...rest) => placeOf(snapshot).tree.aggregate(placeOf(snapshot).inner, ...rest),
    groupedAggregate: (snapshot, ...rest) => placeOf(snapshot).tree.groupedAggregate(placeOf(snapshot).inner, ...rest),
    topRows: (snapshot, ...rest) => placeOf(snapshot).tree.topRows(placeOf(snapshot).inner, ...rest),
    flush: async () => await here()?.flush(),
    checkpoint: () => Promise.reject(new LsmtError('0A000', 'a checkpoint of a cluster is not supported')),
    compact: async () => await here()?.compact(),
    get stats() { return here()?.stats ?? noTreeStats },
    close: () => Promise.resolve(),
  }
}
