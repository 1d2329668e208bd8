/**
 * Where a sync is made that writers wait for. The thread pool keeps the event loop free, and two changes of threads cost
 * half as much again as a quick disk's sync. So once syncs have been short for a while, and this thread had nothing to do
 * meanwhile, it makes them itself: who waits is all there is. Now and then one goes to the pool all the same, to see
 * whether that is still so. One that takes long is the last for a time, twice as long as the time before.
 *
 * It keeps the thread no longer than background work does in one stretch, and how long a sync will take nobody knows: so
 * only programs that have the thread for themselves use it (`inlineSyncMsMax`).
 */
import type { Clock } from '../../../runtime/clock.ts'
import type { AppendFile } from '../../../storage/storage.ts'

export interface SyncPlace {
  /** Makes a file durable, which nothing else is synced beside; undefined: it is. Throws or rejects as the file's `sync` does. */
  sync(file: AppendFile): Promise<void> | undefined
}

export interface SyncPlaceOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Milliseconds that the event loop was not idle, since it began. */
  readonly activeMs: () => number
  /** A sync that takes longer is not short. */
  readonly msMax: number
}

/** Short syncs in a row before the first is made here; after one that was not, twice as many, up to the second. */
export const calmSyncsMin = 8
const calmSyncsMax = 4096
/** So many are made here before one goes to the pool. */
export const syncsHereMax = 63
/** Part of the longest sync that the thread may be busy with something else. */
const activePartMax = 0.1

export function createSyncPlace({ clock, activeMs, msMax }: SyncPlaceOptions): SyncPlace {
  let calmSyncs = 0, calmSyncsWanted = calmSyncsMin, syncsHere = 0

  function syncHere(syncNow: () => void): void {
    const startMs = clock.monotonicMs()
    syncNow()
    if (clock.monotonicMs() - startMs <= msMax) return
    calmSyncs = syncsHere = 0
    calmSyncsWanted = Math.min(2 * calmSyncsWanted, calmSyncsMax)
  }

  async function syncAway(file: AppendFile): Promise<void> {
    const startMs = clock.monotonicMs(), activeBeforeMs = activeMs()
    await file.sync()
    const isCalm = clock.monotonicMs() - startMs <= msMax && activeMs() - activeBeforeMs <= activePartMax * msMax
    calmSyncs = isCalm ? calmSyncs + 1 : 0
    if (isCalm && syncsHere === syncsHereMax) calmSyncsWanted = Math.max(calmSyncsMin, calmSyncsWanted / 2)
    syncsHere = 0
  }

  return {
    sync(file) {
      const { syncNow } = file
      if (syncNow === undefined || calmSyncs < calmSyncsWanted || syncsHere === syncsHereMax) return syncAway(file)
      syncsHere++
      syncHere(syncNow)
      return undefined
    },
  }
}
