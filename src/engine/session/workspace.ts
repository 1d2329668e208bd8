/**
 * What a transaction has written: the parts of its statements in order, and above its snapshot of each shard that it
 * wrote to an overlay that has them applied. They take memory twice until the end, in the heap and as bytes to commit.
 */
import type { Overlay, Snapshot, Tree } from '../../lsm/tree.ts'
import type { StatementPart } from '../shards/commit.ts'
import { joinParts } from '../shards/join-parts.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'

export interface Workspace {
  /** By shard: its snapshot under what was written. Good until the next write. */
  readonly snapshots: readonly Snapshot[]
  readonly partCount: number
  readonly byteLength: number
  /** Applies a statement's parts. When it throws, some of them may be applied: the transaction cannot go on. */
  write(parts: readonly StatementPart[]): void
  /** Drops all parts but the first `partCount`. */
  cutTo(partCount: number): void
  /** All that was written, one part a shard. */
  joined(): readonly StatementPart[]
  /** Frees the overlays and lets go of the snapshot. */
  release(): void
}

/** Takes over `base`, which is ready. */
export function createWorkspace(trees: readonly Tree[], base: ShardSnapshot): Workspace {
  const overlays = new Map<number, Overlay>()
  let snapshots = shardsOf(base)
  let written: StatementPart[] = []
  let byteLength = 0

  function overlayOf(shard: number): Overlay {
    const known = overlays.get(shard)
    if (known !== undefined) return known
    const overlay = trees[shard]!.overlay(snapshots[shard]!)
    overlays.set(shard, overlay)
    snapshots = snapshots.with(shard, overlay.snapshot)
    return overlay
  }

  function add(part: StatementPart): void {
    overlayOf(part.shard).apply(part.batch)
    written.push(part)
    byteLength += part.batch.length
  }

  function empty(): void {
    written = []
    byteLength = 0
    snapshots = shardsOf(base)
    for (const { snapshot } of overlays.values()) snapshot.release()
    overlays.clear()
  }

  return {
    get snapshots() {
      return snapshots
    },
    get partCount() {
      return written.length
    },
    get byteLength() {
      return byteLength
    },
    write(parts) {
      for (const part of parts) add(part)
    },
    cutTo(partCount) {
      if (partCount === written.length) return
      const kept = written.slice(0, partCount)
      empty()
      for (const part of kept) add(part)
    },
    joined: () => joinParts(written),
    release() {
      empty()
      base.release()
    },
  }
}
