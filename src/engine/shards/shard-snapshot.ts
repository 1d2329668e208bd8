/**
 * One consistent view of all shards: a vector of the trees' snapshots, taken in one synchronous step at which no
 * statement is visible in some shards and not in others. When one is just then (which lasts microtasks, see
 * commit.ts), the vector is taken right after.
 */
import { invariant, LsmtError } from '../../errors.ts'
import type { Snapshot, Tree } from '../../lsm/tree.ts'
import type { EngineSnapshot } from '../engine.ts'
import type { Committer } from './commit.ts'

export interface ShardSnapshot extends EngineSnapshot {
  /** By shard; undefined until `ready`. */
  readonly shards: readonly Snapshot[] | undefined
  /** Resolves when `shards` is there; undefined when it is. */
  readonly ready: Promise<void> | undefined
}

export function takeShardSnapshot(trees: readonly Tree[], committer: Committer): ShardSnapshot {
  return new TreeSnapshots(trees, committer)
}

/** A class: every query makes one, and accessors of object literals would make each a kind of its own. */
class TreeSnapshots implements ShardSnapshot {
  shards: readonly Snapshot[] | undefined
  ready: Promise<void> | undefined
  private readonly trees: readonly Tree[]
  private isReleased = false

  constructor(trees: readonly Tree[], committer: Committer) {
    this.trees = trees
    const half = committer.halfVisible()
    if (half === undefined) this.take()
    else {
      this.ready = this.takeWhenWhole(half, committer)
      // Whoever uses the snapshot gets the failure; one that nobody uses has nobody to tell.
      this.ready.catch(() => {})
    }
  }

  release(): void {
    if (this.isReleased) return
    this.isReleased = true
    for (const shard of this.shards ?? []) shard.release()
    this.shards = undefined
  }

  private take(): void {
    this.shards = this.trees.map((tree) => tree.snapshot())
    this.ready = undefined
  }

  private async takeWhenWhole(half: Promise<void>, committer: Committer): Promise<void> {
    for (let waitFor: Promise<void> | undefined = half; waitFor !== undefined; waitFor = committer.halfVisible()) await waitFor
    if (this.isReleased) this.ready = undefined
    else this.take()
  }
}

/** The trees' snapshots of an engine snapshot that is ready. 55000 when it was released. */
export function shardsOf(snapshot: EngineSnapshot): readonly Snapshot[] {
  const { shards, ready } = snapshot as ShardSnapshot
  invariant(ready === undefined, 'a snapshot is used before it is ready')
  if (shards === undefined) throw new LsmtError('55000', 'the snapshot was released')
  return shards
}
