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
 * - Statements about rows that they must find first, range deletes and transactions take the table alone: they wait for
 *   all that came before, and those that come later wait for them, one round after the other. Who takes several tables
 *   queues for all of them in one synchronous step, so that again every two stand in the same order everywhere.
 *
 * Two keys of one hash only wait for each other without need.
 */
export interface TableLocks {
  /** Locks the keys for a read-modify-write; resolves with what releases them. */
  lockKeys(hashes: Uint32Array): Promise<() => void>
  /** True: a blind write may be appended now, in this synchronous step; `leaveBlind` when it is visible or has failed. */
  enterBlind(): boolean
  /** For so many of them, by default for one. */
  leaveBlind(count?: number): void
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

/** Statements between two locks of the whole table: the second lock waits for all of them, and they for the first. */
interface Round {
  /** Resolves when the lock before it is released; undefined when it is. */
  opening: Promise<void> | undefined
  members: number
  whenEmpty: () => void
}

interface LockState {
  /** The last request in each key's queue, unless `sole` is all there is. */
  readonly tails: Map<number, Request>
  /** The only request: its keys, perhaps a thousand, are entered when another one comes. */
  sole: { readonly request: Request; readonly hashes: Uint32Array } | undefined
  /** The round that comers join, and that of the blind writes under way. */
  current: Round
  blindRound: Round
  active: number
  blind: number
  readonly whenNoBlind: (() => void)[]
}

export function createTableLocks(): TableLocks {
  const first = newRound(undefined)
  const state: LockState = { tails: new Map(), sole: undefined, current: first, blindRound: first, active: 0, blind: 0, whenNoBlind: [] }
  return {
    lockKeys: (hashes) => lockKeys(state, hashes),
    enterBlind() {
      if (state.active > 0 || state.current.opening !== undefined) return false
      state.blind++
      state.blindRound = state.current
      state.blindRound.members++
      return true
    },
    leaveBlind(count = 1) {
      state.blind -= count
      if (state.blind === 0) for (const resume of state.whenNoBlind.splice(0)) resume()
      leave(state.blindRound, count)
    },
    lockTable: () => lockTable(state),
    get activeCount() {
      return state.active
    },
  }
}

const newRound = (opening: Promise<void> | undefined): Round => ({ opening, members: 0, whenEmpty: () => {} })

function leave(round: Round, count = 1): void {
  round.members -= count
  if (round.members === 0) round.whenEmpty()
}

async function lockKeys(state: LockState, hashes: Uint32Array): Promise<() => void> {
  const round = state.current
  round.members++
  state.active++
  const request: Request = { pending: 0, followers: [], grant: () => {} }
  const queued = queue(state, request, hashes)
  if (round.opening !== undefined) await round.opening
  if (queued !== undefined) await queued
  if (state.blind > 0) await new Promise<void>((resolve) => state.whenNoBlind.push(resolve))
  return () => {
    release(state, request, hashes)
    leave(round)
  }
}

/** Queues for all keys at once; resolves when first in all queues. */
function queue(state: LockState, request: Request, hashes: Uint32Array): Promise<void> | undefined {
  const { tails, sole } = state
  if (sole === undefined && tails.size === 0) {
    state.sole = { request, hashes }
    return undefined
  }
  if (sole !== undefined) for (const hash of sole.hashes) tails.set(hash, sole.request)
  state.sole = undefined
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

function release(state: LockState, request: Request, hashes: Uint32Array): void {
  if (state.sole?.request === request) state.sole = undefined
  else for (const hash of hashes) if (state.tails.get(hash) === request) state.tails.delete(hash)
  for (const follower of request.followers) if (--follower.pending === 0) follower.grant()
  state.active--
}

async function lockTable(state: LockState): Promise<() => void> {
  const before = state.current
  let open = (): void => {}
  const mine = newRound(new Promise<void>((resolve) => (open = resolve)))
  state.current = mine
  if (before.opening !== undefined) await before.opening
  if (before.members > 0) await new Promise<void>((resolve) => (before.whenEmpty = resolve))
  return () => {
    mine.opening = undefined
    open()
  }
}
