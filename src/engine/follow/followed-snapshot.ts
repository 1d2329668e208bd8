/**
 * Snapshots of a database whose writer deletes files without asking who reads them. A read that meets a file which is
 * gone looks for newer manifests; as long as its snapshot has given nothing, it takes a newer one and begins anew.
 */
import { LsmtError } from '../../errors.ts'
import type { ManifestState } from '../../lsm/manifest.ts'
import type { Snapshot, Tree } from '../../lsm/tree.ts'
import type { EngineSnapshot } from '../engine.ts'
import type { ShardSnapshot } from '../shards/shard-snapshot.ts'
import type { Pinnable, SnapshotPins } from './snapshot-pins.ts'

export interface FollowedSnapshot extends ShardSnapshot, Pinnable {
  /** Reads under way. */
  reading: number
  /** Somebody knows something of it, so that it must stay as it is. */
  isUsed: boolean
  /** Takes what is visible now. */
  renew(): void
}

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

/** Newer files may be gone as well by the time they are read. */
const renewalsMax = 5

export interface Renewing {
  /** Resolves when what is visible is as new as can be. */
  refresh(): Promise<void>
}

/** Runs a read that gives all or nothing. 40001 when its snapshot needs files that are gone, and others know of it. */
export async function readRenewing<T>({ refresh }: Renewing, given: EngineSnapshot | undefined, read: () => T | Promise<T>): Promise<T> {
  const snapshot = renewable(given)
  if (snapshot !== undefined) snapshot.reading++
  try {
    for (let renewals = 0; ; renewals++) {
      try {
        const outcome = await read()
        if (snapshot !== undefined) snapshot.isUsed = true
        return outcome
      } catch (error) {
        await renewAfter(error, refresh, snapshot, given !== undefined && snapshot === undefined, renewals)
      }
    }
  } finally {
    if (snapshot !== undefined) snapshot.reading--
  }
}

/** The same of a read that gives batches: it begins anew until it has given one. */
export async function* scanRenewing<T>({ refresh }: Renewing, given: EngineSnapshot, scan: () => AsyncIterable<T>): AsyncGenerator<T> {
  const snapshot = renewable(given)
  if (snapshot !== undefined) snapshot.reading++
  let hasGiven = false
  try {
    for (let renewals = 0; ; renewals++) {
      try {
        for await (const batch of scan()) {
          hasGiven = true
          if (snapshot !== undefined) snapshot.isUsed = true
          yield batch
        }
        if (snapshot !== undefined) snapshot.isUsed = true
        return
      } catch (error) {
        await renewAfter(error, refresh, snapshot, hasGiven || snapshot === undefined, renewals)
      }
    }
  } finally {
    if (snapshot !== undefined) snapshot.reading--
  }
}

/** Those of transactions keep a memtable of their own above what they have read. */
function renewable(given: EngineSnapshot | undefined): FollowedSnapshot | undefined {
  return given !== undefined && 'renew' in given ? (given as FollowedSnapshot) : undefined
}

/** Raises what cannot be healed by reading newer files. */
async function renewAfter(error: unknown, refresh: () => Promise<void>, snapshot: FollowedSnapshot | undefined, mustStay: boolean, renewals: number): Promise<void> {
  if (!isGone(error)) throw error
  if (mustStay || snapshot?.isUsed === true || (snapshot?.reading ?? 0) > 1 || renewals === renewalsMax) throw tooOld(error)
  await refresh().catch((cause: unknown) => {
    // The writer is quicker than the looks.
    throw isGone(cause) ? tooOld(cause) : cause
  })
  snapshot?.renew()
}

const isGone = (error: unknown): error is LsmtError => error instanceof LsmtError && error.code === '58P01'

function tooOld(cause: LsmtError): LsmtError {
  return new LsmtError('40001', `the snapshot is too old: the writer has replaced ${cause.evidence.file ?? 'a file'} that it needs`, { ...cause.evidence, hint: 'run it again; a checkpoint (lsmt checkpoint create) keeps files for reads that take long' }, cause)
}
