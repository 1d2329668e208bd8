/**
 * Room on the disk, of which all shards of a database learn together. Whatever finds none (a log, a flush, a compaction)
 * says so here: new writes are refused from then on, before any of their bytes are appended, while reads go on. Now and
 * then a probe writes as much as was missing to a temporary file; once that works, writes are taken again and what
 * waited is tried again. Never a sync: one that failed may have lost what it should have made durable.
 */
import { LsmtError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Storage } from '../storage/storage.ts'

export interface DiskRoom {
  /** Why writes are refused now. */
  readonly refusal: LsmtError | undefined
  /** Told by what found no room for `bytes`. */
  noteFull(cause: LsmtError, bytes?: number): void
  /** Resolves when there is room again, or when the room is closed. */
  awaitRoom(): Promise<void>
  /** Nothing is served yet: a log that finds no room fails instead of waiting, so that whoever opens is told. */
  readonly isOpening: boolean
  /** From now on the database is being opened, until what this gives is called. */
  beginOpening(): () => void
  readonly counts: { readonly timesFull: number; readonly fullMs: number }
  /** Ends the probes. */
  close(): void
}

const probeMs = 500
/** Probed at least: what the next writes would soon want. */
const probeBytesMin = 1024 * 1024

interface RoomState {
  readonly storage: Pick<Storage, 'createTemporary'>
  readonly clock: Clock
  refusal: LsmtError | undefined
  bytes: number
  sinceMs: number
  isClosed: boolean
  isOpening: boolean
  waiters: (() => void)[]
  readonly counts: { timesFull: number; fullMs: number }
}

export function createDiskRoom(storage: Pick<Storage, 'createTemporary'>, clock: Clock): DiskRoom {
  const state: RoomState = { storage, clock, refusal: undefined, bytes: 0, sinceMs: 0, isClosed: false, isOpening: false, waiters: [], counts: { timesFull: 0, fullMs: 0 } }
  return {
    get refusal() { return state.refusal },
    noteFull: (cause, bytes = 0) => noteFull(state, cause, bytes),
    awaitRoom: () => (state.refusal === undefined || state.isClosed ? Promise.resolve() : new Promise((resolve) => state.waiters.push(resolve))),
    get isOpening() { return state.isOpening },
    beginOpening() {
      state.isOpening = true
      return () => { state.isOpening = false }
    },
    get counts() {
      const { timesFull, fullMs } = state.counts
      return { timesFull, fullMs: fullMs + (state.refusal === undefined ? 0 : clock.monotonicMs() - state.sinceMs) }
    },
    close() {
      state.isClosed = true
      letGo(state)
    },
  }
}

export function isDiskFull(error: unknown): error is LsmtError {
  return error instanceof LsmtError && error.code === '53100'
}

function noteFull(state: RoomState, cause: LsmtError, bytes: number): void {
  state.bytes = Math.max(state.bytes, bytes)
  if (state.refusal !== undefined || state.isClosed) return
  state.refusal = new LsmtError('53100', `the disk is full: nothing is written until there is room again (${cause.message})`, { hint: 'free some disk space; writes are then taken again by themselves' }, cause)
  state.sinceMs = state.clock.monotonicMs()
  state.counts.timesFull++
  void probe(state)
}

/** Never rejects: a probe that fails, for whatever reason, is made again. */
async function probe(state: RoomState): Promise<void> {
  do {
    await state.clock.sleep(probeMs)
    if (state.isClosed) return
  } while (!(await hasRoom(state)))
  state.refusal = undefined
  state.bytes = 0
  state.counts.fullMs += state.clock.monotonicMs() - state.sinceMs
  letGo(state)
}

const zeroBytes = new Uint8Array(256 * 1024)

async function hasRoom({ storage, bytes }: RoomState): Promise<boolean> {
  const wanted = Math.max(probeBytesMin, bytes)
  try {
    const file = await storage.createTemporary()
    try {
      for (let written = 0; written < wanted; written += zeroBytes.length) await file.append(zeroBytes)
    } finally {
      await file.discard()
    }
    return true
  } catch {
    return false
  }
}

function letGo(state: RoomState): void {
  for (const resolve of state.waiters.splice(0)) resolve()
}
