/**
 * Snapshots of a database whose writer deletes files without asking who reads them. A read that meets a file which is
 * gone looks for newer manifests; as long as its snapshot has given nothing, it takes a newer one and begins anew.
 */
import { LsmtError } from '../../errors.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import type { Snapshot, Tree } from '../../lsm/tree.ts'
import type { Renewing, RenewableSnapshot } from './renewing-reads.ts'
import type { Pinnable, SnapshotPins } from './snapshot-pins.ts'

export interface FollowedSnapshot extends RenewableSnapshot, Pinnable {}

export interface SnapshotFloor {
  readonly trees: readonly Tree[]
  readonly manifests: () => readonly ManifestState[]
}

export function takeFollowedSnapshot({ trees, manifests: newest }: SnapshotFloor, pins: SnapshotPins, monotonicMs: () => number): FollowedSnapshot {
  const take = (): readonly Snapshot[] => trees.map((tree) => tree.snapshot())
  let shards: readonly Snapshot[] | undefined = take()
  let manifests = newest(), takenMs = monotonicMs()
  const letGo = (): void => {
    for (const shard of shards ?? []) shard.release()
    shards = undefined
  }
  const snapshot: FollowedSnapshot = {
    get manifests() { return manifests },
    get takenMs() { return takenMs },
    reading: 0,
    isUsed: false,
    get shards() { return shards },
    ready: undefined,
    release() {
      pins.delete(snapshot)
      letGo()
    },
    renew() {
      if (shards === undefined) return
      letGo()
      shards = take()
      manifests = newest()
      takenMs = monotonicMs()
    },
  }
  pins.add(snapshot)
  return snapshot
}

/** What a read meets whose files the writer has replaced. */
export const gone: Pick<Renewing, 'isLost' | 'lost'> = {
  isLost: (error): error is LsmtError => error instanceof LsmtError && error.code === '58P01',
  lost: (cause) => new LsmtError('40001', `the snapshot is too old: the writer has replaced ${cause.evidence.file ?? 'a file'} that it needs`, { ...cause.evidence, hint: 'run it again; a checkpoint (lsmt checkpoint create) keeps files for reads that take long' }, cause),
}
