/** Snapshots of one shard, each of a tree: that of the replica here, or one that asks another node. */
import { invariant } from '../../../errors.ts'
import type { VisiblePart } from '../../../lsm/replicated/replicated-tree.ts'
import type { Snapshot, Tree } from '../../../lsm/tree.ts'

/** What is read of a tree, wherever it is. */
export type ReadingTree = Pick<Tree, 'overlay' | 'get' | 'scan' | 'aggregate' | 'groupedAggregate' | 'topRows'>

/** A snapshot as it was taken, and what is to be known of it to see whether it fits to those of other shards. */
export interface TakenSnapshot {
  readonly snapshot: PlacedSnapshot
  /** Of the newest change of tables in it, or of a later one. */
  readonly tablesSequence: number
  /** Of statements over several shards, all that it shows above `partsAfter`, and maybe more. */
  readonly parts: readonly VisiblePart[]
  readonly partsAfter: number
}

export interface PlacedSnapshot extends Snapshot {
  readonly tree: ReadingTree
  /** As that tree knows it. */
  readonly inner: Snapshot
}

export function placeSnapshot(tree: ReadingTree, inner: Snapshot): PlacedSnapshot {
  return { tree, inner, sequence: inner.sequence, release: () => inner.release() }
}

export function placeOf(snapshot: Snapshot): PlacedSnapshot {
  invariant('inner' in snapshot && 'tree' in snapshot, 'a snapshot of a single tree is read as one of a cluster')
  return snapshot as PlacedSnapshot
}
