/**
 * Who may write which keys of a table, and when. Three kinds of statements meet here:
 *
 * - Read-modify-write (INSERT that must find nothing, UPDATE …) locks its keys, by 32-bit hash, from before its read
 *   until its write is visible. All keys of a statement are queued for in one synchronous step, first come first
 *   served, so every two statements stand in the same order in all queues they share: no deadlock, no starvation.
 *   Different keys do not meet, so such statements still share one sync of the log.
 * - Blind writes (upserts) need no lock against each other, since the log orders them. While no read-modify-write is
 *   active they are only counted, and one that begins then waits until those counted are visible. While one is
 *   active, blind writes queue for their keys as well.
 * - Statements about rows that they must find first, and range deletes, take the table alone: they wait for all that
 *   are active, and later ones wait for them.
 *
 * Two keys of one hash only wait for each other without need.
 */
export interface TableLocks {
  /** Locks the keys for a read-modify-write; resolves with what releases them. */
  lockKeys(hashes: Uint32Array): Promise<() => void>
  /** True: a blind write may be appended now, in this synchronous step; `leaveBlind` when it is visible or has failed. */
  enterBlind(): boolean
  leaveBlind(): void
  /** Locks the whole table, all writes before it visible; resolves with what releases it. */
  lockTable(): Promise<() => void>
  /** Statements that hold or wait for keys (for tests). */
  readonly activeCount: number
}

interface Request {
  /** Holders before this one that have not released yet. */
  pending: number
  readonly followers: Request[]
  grant: () => void
}

export function createTableLocks(): TableLocks {
  /** The last request in each key's queue. */
  const tails = new Map<number, Request>()
  let active = 0
  let blind = 0
  let barrier: Promise<void> | undefined
  const whenIdle: (() => void)[] = []
  const whenNoBlind: (() => void)[] = []

  /** Queues for all keys at once; resolves when first in all queues. */
  function queue(request: Request, hashes: Uint32Array): Promise<void> | undefined {
    for (const hash of hashes) {
      const before = tails.get(hash)
      if (before === request) continue
      tails.set(hash, request)
      if (before === undefined) continue
      before.followers.push(request)
      request.pending++
    }
    if (request.pending === 0) return undefined
    return new Promise((resolve) => (request.grant = resolve))
  }

  function release(request: Request, hashes: Uint32Array): void {
    for (const hash of hashes) if (tails.get(hash) === request) tails.delete(hash)
    for (const follower of request.followers) if (--follower.pending === 0) follower.grant()
    if (--active === 0) for (const resume of whenIdle.splice(0)) resume()
  }

  return {
    async lockKeys(hashes) {
      while (barrier !== undefined) await barrier
      active++
      const request: Request = { pending: 0, followers: [], grant: () => {} }
      const queued = queue(request, hashes)
      if (queued !== undefined) await queued
      if (blind > 0) await new Promise<void>((resolve) => whenNoBlind.push(resolve))
      return () => release(request, hashes)
    },
    enterBlind() {
      if (active > 0 || barrier !== undefined) return false
      blind++
      return true
    },
    leaveBlind() {
      if (--blind === 0) for (const resume of whenNoBlind.splice(0)) resume()
    },
    async lockTable() {
      const before = barrier
      let open = (): void => {}
      const mine = new Promise<void>((resolve) => (open = resolve))
      barrier = mine
      await before
      if (active > 0) await new Promise<void>((resolve) => whenIdle.push(resolve))
      if (blind > 0) await new Promise<void>((resolve) => whenNoBlind.push(resolve))
      return () => {
        if (barrier === mine) barrier = undefined
        open()
      }
    },
    get activeCount() {
      return active
    },
  }
}
