/**
 * Admission: a statement reserves the memory that it will take in the memtables before it is appended, and gives the
 * reservation back when it is visible there (or has failed). So what writers have under way, in the logs' queues and in
 * the memtables, stays below one bound, and a writer that finds no room waits for flushes, first come first served,
 * instead of being let in to fail half-way.
 *
 * Who waits has the memtables flushed, the fullest shard's first. When that is done, nothing else is under way, and
 * there is still no room, then snapshots keep it: the writer is told so (53200), since it may be who holds them.
 */
import { LsmtError } from '../../errors.ts'
import { batchHeaderBytes } from '../../lsm/batch.ts'
import type { MemtableMemory } from '../../lsm/state/memtable-memory.ts'
import type { Tree } from '../../lsm/tree.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { StatementPart } from './commit.ts'

export interface Admission {
  /** What a statement of these parts reserves. */
  bytesOf(parts: readonly StatementPart[]): number
  /** Reserves at once; false when writers must wait. */
  tryReserve(bytes: number): boolean
  reserve(bytes: number): Promise<void>
  release(bytes: number): void
  readonly counts: { readonly waiting: number; readonly waitedMs: number }
}

export interface AdmissionOptions {
  readonly trees: readonly Tree[]
  readonly memory: MemtableMemory
  /** For memtables and what is on its way there. */
  readonly bytesMax: number
  readonly clock: Clock
}

interface Waiter {
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface AdmissionState {
  readonly options: AdmissionOptions
  reserved: number
  readonly waiters: Waiter[]
  relieving: boolean
  waitedMs: number
}

/** Towers, index and headers of one operation in a memtable, about. */
const operationBytes = 128

/** What a statement of one operation of so many bytes reserves. */
export function bytesOfOperation(byteLength: number): number {
  return batchHeaderBytes + byteLength + operationBytes
}

export function createAdmission(options: AdmissionOptions): Admission {
  const state: AdmissionState = { options, reserved: 0, waiters: [], relieving: false, waitedMs: 0 }
  options.memory.onFreed = () => letIn(state)
  return {
    bytesOf: (parts) => parts.reduce((sum, { batch, operationCount }) => sum + batch.length + operationCount * operationBytes, 0),
    tryReserve(bytes) {
      if (state.waiters.length > 0 || !hasRoom(state, bytes)) return false
      state.reserved += bytes
      return true
    },
    reserve: (bytes) => reserve(state, bytes),
    release(bytes) {
      state.reserved -= bytes
      letIn(state)
    },
    get counts() { return { waiting: state.waiters.length, waitedMs: state.waitedMs } },
  }
}

const hasRoom = ({ options: { memory, bytesMax }, reserved }: AdmissionState, bytes: number): boolean => memory.bytes + reserved + bytes <= bytesMax

async function reserve(state: AdmissionState, bytes: number): Promise<void> {
  const { clock } = state.options
  const start = clock.monotonicMs()
  try {
    await new Promise<void>((resolve, reject) => {
      state.waiters.push({ bytes, resolve, reject })
      letIn(state)
    })
  } finally {
    state.waitedMs += clock.monotonicMs() - start
  }
}

/** Lets in whom there is room for, in order; sees to relief for the others. */
function letIn(state: AdmissionState): void {
  const { waiters } = state
  for (let next = waiters[0]; next !== undefined && hasRoom(state, next.bytes); next = waiters[0]) {
    waiters.shift()
    state.reserved += next.bytes
    next.resolve()
  }
  if (waiters.length > 0 && !state.relieving) void relieve(state)
}

async function relieve(state: AdmissionState): Promise<void> {
  const { waiters, options: { trees } } = state
  state.relieving = true
  const first = waiters[0], isIdle = state.reserved === 0
  try {
    const fullestFirst = trees.map((tree) => ({ tree, bytes: tree.stats.memtableBytes })).toSorted((a, b) => b.bytes - a.bytes)
    for (const { tree } of fullestFirst) {
      if (waiters.length > 0) await tree.flush()
      letIn(state)
    }
    // Nothing was written meanwhile, since nothing was under way and nobody was let in.
    if (isIdle && waiters[0] === first) refuseFirst(state)
  } catch (error) {
    for (const waiter of waiters.splice(0)) waiter.reject(error)
  } finally {
    state.relieving = false
  }
  // With reservations under way, their release looks again.
  if (state.reserved === 0) letIn(state)
}

function refuseFirst({ waiters, options: { memory, bytesMax } }: AdmissionState): void {
  const first = waiters.shift()
  if (first === undefined) return
  first.reject(new LsmtError('53200', `no room for ${first.bytes} bytes in the memtables: after a flush, open snapshots still keep ${memory.bytes} of ${bytesMax} bytes`, { hint: 'end long scans before writing, or raise the kernel memory setting' }))
}
