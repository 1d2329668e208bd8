/** Snapshots of all shards as the engine takes them: at once where all that is asked is here, otherwise when the others have answered. */
import type { RenewableSnapshot } from '../../../engine/follow/renewing-reads.ts'
import { noteSeen, releaseTaken } from './consistent-snapshot.ts'
import type { SeenSequences, ViewSource } from './consistent-snapshot.ts'
import type { TakenSnapshot } from './placed-snapshot.ts'

/** `seen` gets what the snapshot shows. */
export function takeClusterSnapshot(views: ViewSource, seen: SeenSequences): RenewableSnapshot {
  let taken: readonly TakenSnapshot[] | undefined
  let ready: Promise<void> | undefined
  let isReleased = false

  function have(now: readonly TakenSnapshot[]): void {
    if (isReleased) return releaseTaken(now)
    taken = now
    noteSeen(seen, now)
  }

  async function wait(): Promise<void> {
    have(await views.take())
    ready = undefined
  }

  function take(): void {
    const now = views.now()
    if (now !== undefined) return have(now)
    ready = wait()
    // Whoever uses the snapshot gets the failure; one that nobody uses has nobody to tell.
    ready.catch(() => {})
  }

  function letGo(): void {
    if (taken !== undefined) releaseTaken(taken)
    taken = undefined
  }

  take()
  return {
    reading: 0,
    isUsed: false,
    get shards() { return taken?.map(({ snapshot }) => snapshot) },
    get ready() { return ready },
    renew() {
      letGo()
      if (!isReleased) take()
    },
    release() {
      isReleased = true
      letGo()
    },
  }
}
