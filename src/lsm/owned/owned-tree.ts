/**
 * The tree of a shard that one owner at a time writes, where claims in a bucket decide who that is. What is durable in its
 * log is committed, since nobody else has to have it; a part of a statement over several shards becomes visible when it is
 * released, as in a replica (../replicated/), also what an earlier owner has left of such parts.
 */
import type { Tree } from '../tree.ts'
import type { ReplicatedTree, ReplicatedTreeOptions } from '../replicated/replicated-tree.ts'
import type { TreeOptions } from '../state/tree-state.ts'

export interface OwnedTreeOptions extends Omit<ReplicatedTreeOptions, 'onTrimmed' | 'recentBytesMax'>, Required<Pick<TreeOptions, 'log' | 'claim'>>, Pick<TreeOptions, 'listed' | 'pins'> {
  /** Asked when no earlier writer can publish any more, before the log is applied; rejects when a later one has come. */
  assertStillMine(): Promise<void>
  /** Everything up to `sequence` is in the log. */
  readonly onDurable?: (sequence: number) => void
}

export interface OwnedTree extends Pick<ReplicatedTree, 'release' | 'flushedSequence' | 'logged' | 'tablesSequence' | 'visibleParts' | 'partsAfter' | 'settle' | 'close'> {
  /** Reads, flush, compact, checkpoint, stats, close. Its own `append` refuses. */
  readonly tree: Tree
  /** Where the log ended when it was opened. */
  readonly foundSequence: number
  /** With what is on its way to the log. */
  readonly lastSequence: number
  readonly durableSequence: number
  /** The batch that comes next, with its base sequence in it; it waits as writers must. Belongs to the tree from here on. */
  append(batch: Uint8Array): void
}
