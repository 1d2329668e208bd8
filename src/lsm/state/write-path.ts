/**
 * Writes: a batch gets its sequence numbers and is queued in the log at once; it reaches the memtable, by one kernel
 * call, strictly in log order, when it is durable and its gate has opened. What reads see moves only then. A failed log
 * ends writes: nothing behind the failure is ever applied, since none of it was acknowledged.
 */
import { LsmtError } from '../../errors.ts'
import { assignBaseSequence, batchFlag, batchPieces, decodeLayout, operation, readOperations, tableIdOf, viewOf } from '../batch.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { failureOfDurable, outcomeOf, refusalAfter } from '../log/outcome.ts'
import { createMemtable } from './memtable.ts'
import type { Memtable } from './memtable.ts'
import { allocateBeforeCache } from './memtable-memory.ts'
import { defineTable, dropTable, poison, replaceView } from './tree-state.ts'
import type { PendingBatch, TreeState } from './tree-state.ts'
import type { CommitGate, Tree } from '../tree.ts'

/** `startFlush` is called when a memtable was frozen. */
export function appendBatch(state: TreeState, batch: Uint8Array, gate: CommitGate | undefined, startFlush: () => void): ReturnType<Tree['append']> {
  const refusal = refusalOf(state)
  if (refusal !== undefined) {
    const refused = Promise.reject(refusal)
    refused.catch(ignore)
    return { baseSequence: state.nextSequence, durable: refused, applied: refused }
  }
  const baseSequence = state.nextSequence
  assignBaseSequence(batch, baseSequence)
  state.nextSequence += viewOf(batch).getUint32(4, true)
  const entry: PendingBatch = { batch, baseSequence, gate, isReady: false, isApplied: false, applied: undefined }
  state.pending.push(entry)
  const durable = gate?.isLogged === true ? logged : state.log.append(baseSequence, batch)
  // It may reject while only the log is awaited.
  gate?.durableEverywhere.catch(ignore)
  const passed = gate === undefined ? durable : durable.then(() => gate.durableEverywhere)
  const applied = passed.then(() => applyDurable(state, entry, startFlush), (cause: unknown) => poisonUndurable(state, cause))
  // Callers may await only one of the two; the failure reaches them there, and through the tree's stats.
  applied.catch(ignore)
  return { baseSequence, durable, applied }
}

const logged = Promise.resolve()

/** See `Tree.appendAtOnce`. */
export function appendBatchAtOnce(state: TreeState, batch: Uint8Array, startFlush: () => void): Promise<void> | undefined {
  try {
    if (!logBatchAtOnce(state, batch)) return appendBatch(state, batch, undefined, startFlush).applied
    applyLoggedBatch(state, batch, startFlush)
    return undefined
  } catch (error) {
    return Promise.reject(error)
  }
}

/** See `Tree.logAtOnce`. What was appended before is applied first, so it waits for none. */
export function logBatchAtOnce(state: TreeState, batch: Uint8Array): boolean {
  if (state.pending.length > 0 || refusalOf(state) !== undefined) return false
  assignBaseSequence(batch, state.nextSequence)
  try {
    return state.log.appendAtOnce?.(state.nextSequence, batch) === true
  } catch (cause) {
    return poisonUndurable(state, cause)
  }
}

/** See `Tree.applyLogged`. */
export function applyLoggedBatch(state: TreeState, batch: Uint8Array, startFlush: () => void): void {
  const baseSequence = state.nextSequence
  state.nextSequence += viewOf(batch).getUint32(4, true)
  try {
    applyBatch(state, batch, baseSequence)
    freezeWhenFull(state, startFlush)
  } catch (error) {
    throw poisonUnapplied(state, error)
  }
}

function ignore(): void {
  // The rejection is handed to whoever awaits the promise; this only marks it as expected.
}

function refusalOf(state: TreeState): Error | undefined {
  if (state.isClosed) return new LsmtError('55000', `the tree of shard ${state.options.shard} is closed`)
  // A log that shards share may have failed with another one's record.
  const failure = state.failure ?? state.log.failure
  return failure === undefined ? undefined : refusalAfter(failure, state.options.shard)
}

/** Applies a batch, or leaves it to the one before it in the log; resolves when it is visible. */
function applyDurable(state: TreeState, entry: PendingBatch, startFlush: () => void): Promise<void> | undefined {
  if (state.failure !== undefined) throw outcomeOf(state.failure)
  entry.isReady = true
  applyReady(state, startFlush)
  return entry.isApplied ? undefined : new Promise<void>((resolve, reject) => (entry.applied = { resolve, reject }))
}

/** A batch whose other parts failed must not be passed over either: later flushes would count it as written. */
function poisonUndurable(state: TreeState, cause: unknown): never {
  poison(state, cause)
  throw outcomeOf(cause)
}

/** Applies what is ready, from the front of the queue. */
function applyReady(state: TreeState, startFlush: () => void): void {
  try {
    while (state.pending[0]?.isReady === true) {
      const entry = state.pending[0]
      applyBatch(state, entry.batch, entry.baseSequence)
      state.pending.shift()
      entry.isApplied = true
      entry.applied?.resolve()
      freezeWhenFull(state, startFlush)
    }
  } catch (error) {
    throw poisonUnapplied(state, error)
  }
}

function freezeWhenFull(state: TreeState, startFlush: () => void): void {
  if (isFull(state)) {
    if (freezeIfPossible(state)) startFlush()
  } else if (isFull(state, fullSoonPart)) {
    state.log.expectRoll?.()
  }
}

/** A batch that is durable and not in the memtable ends the tree: it is there again after the next opening. */
function poisonUnapplied(state: TreeState, error: unknown): unknown {
  const failure = failureOfDurable(error)
  poison(state, failure)
  return failure
}

/**
 * Brings one batch into the memtable and makes it visible. When there is no memory for it (53200), then nothing of it was
 * brought in where it was asked for `whole`; otherwise some may have been, which nobody sees.
 */
export function applyBatch(state: TreeState, batch: Uint8Array, baseSequence: number, { whole = false } = {}): void {
  const view = viewOf(batch)
  const flags = view.getUint32(20, true)
  if ((flags & batchFlag.control) === 0) {
    if (whole || batch.length <= keptScratchBytesMax) applyOperations(state, state.active, batch)
    else for (const piece of batchPieces(batch, pieceBytesMax)) applyOperations(state, state.active, piece)
  }
  state.visibleSequence = baseSequence + view.getUint32(4, true) - 1
  if ((flags & batchFlag.tables) !== 0) applyTables(state, batch)
}

/** Larger batches get memory for the time of their application. */
const keptScratchBytesMax = 256 * 1024
/** Of these, so that neither their copy nor a memtable's next segment needs much memory in a row, which may be there only in pieces. */
const pieceBytesMax = 64 * 1024

/** Brings a batch's operations into a memtable: all, or none when there is no memory (53200). */
export function applyOperations(state: TreeState, memtable: Memtable, batch: Uint8Array): void {
  const { kernel: { heap, memory }, memtableMemory } = state.options
  const isKept = batch.length <= keptScratchBytesMax
  const address = isKept ? keptScratch(state, batch.length) : allocateBeforeCache(heap, memtableMemory, batch.length)
  try {
    memory.u8.set(batch, address)
    memtable.apply(address, batch.length)
  } finally {
    if (!isKept) heap.free(address)
  }
}

function keptScratch({ options: { kernel: { heap }, memtableMemory }, batchScratch }: TreeState, needed: number): Pointer {
  if (needed > batchScratch.byteLength) {
    const byteLength = Math.min(keptScratchBytesMax, Math.max(needed, 2 * batchScratch.byteLength))
    const address = allocateBeforeCache(heap, memtableMemory, byteLength)
    if (batchScratch.address !== 0) heap.free(batchScratch.address)
    batchScratch.address = address
    batchScratch.byteLength = byteLength
  }
  return batchScratch.address
}

function applyTables(state: TreeState, batch: Uint8Array): void {
  for (const each of readOperations(batch)) {
    if (each.kind === operation.defineTable) defineTable(state, decodeLayout(each))
    if (each.kind === operation.dropTable) dropTable(state, tableIdOf(each.key))
  }
  replaceView(state)
}

/** Of a memtable that is to be frozen soon: what is left takes longer to write than the log takes to make a segment. */
const fullSoonPart = 0.75

/** Whether a memtable has more than `part` of what it may have. */
export function isFull({ active, options: { settings } }: TreeState, part = 1): boolean {
  return active.usedBytes() > part * settings.memtableBytesMax
}

/** Without memory for another memtable this one grows on. */
export function freezeIfPossible(state: TreeState): boolean {
  try {
    return freeze(state)
  } catch (error) {
    if (!(error instanceof LsmtError && error.code === '53200')) throw error
    return false
  }
}

/** Ends the active memtable, if anything was applied since it was started, and begins another and a log segment. */
export function freeze(state: TreeState): boolean {
  const { active, visibleSequence } = state
  if (visibleSequence === active.startSequence) return false
  const next = createMemtable(state.memtables, visibleSequence)
  active.order()
  state.frozen.push({ memtable: active, minSequence: active.startSequence + 1, maxSequence: visibleSequence, layouts: [...state.layouts.values()], maxTableId: state.maxTableId })
  state.active = next
  replaceView(state)
  state.log.roll()
  return true
}
