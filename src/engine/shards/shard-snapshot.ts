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
  let shards: readonly Snapshot[] | undefined
  let ready: Promise<void> | undefined
  let isReleased = false

  const take = (): void => {
    shards = trees.map((tree) => tree.snapshot())
    ready = undefined
  }
  const takeWhenWhole = async (half: Promise<void>): Promise<void> => {
    for (let waitFor: Promise<void> | undefined = half; waitFor !== undefined; waitFor = committer.halfVisible()) await waitFor
    if (isReleased) ready = undefined
    else take()
  }
  const half = committer.halfVisible()
  if (half === undefined) take()
  else {
    ready = takeWhenWhole(half)
    // Whoever uses the snapshot gets the failure; one that nobody uses has nobody to tell.
    ready.catch(() => {})
  }

  return {
    get shards() {
      return shards
    },
    get ready() {
      return ready
    },
    release() {
      if (isReleased) return
      isReleased = true
      for (const shard of shards ?? []) shard.release()
      shards = undefined
    },
  }
}

/** The trees' snapshots of an engine snapshot that is ready. 55000 when it was released. */
export function shardsOf(snapshot: EngineSnapshot): readonly Snapshot[] {
  const { shards, ready } = snapshot as ShardSnapshot
  invariant(ready === undefined, 'a snapshot is used before it is ready')
  if (shards === undefined) throw new LsmtError('55000', 'the snapshot was released')
  return shards
}
