/**
 * The writing half of one shard's tree, wherever its leader is. Batches get their sequences here, in one synchronous step
 * for all shards of a statement, and are kept until they are seen there: when a leader is gone, or an answer was lost,
 * they are offered again to whoever leads then. A log takes each position once, so nothing is written twice, and no
 * statement learns of it but by waiting.
 *
 * A part of a statement over several shards is released, in the order of the log, once its gate has opened.
 */
import { assignBaseSequence, readBatchHeader } from '../../../lsm/batch.ts'
import type { CommitGate, Tree } from '../../../lsm/tree.ts'
import { createDeferred } from '../../../runtime/deferred.ts'
import { LsmtError } from '../../../errors.ts'
import { refusalOf } from '../../replica/refusal.ts'
import type { OpenedShard } from '../../replica/replica.ts'
import { endSession, pump } from './offers.ts'
import { operationCountOf } from './shard-leader.ts'
import type { ShardLeader } from './shard-leader.ts'
import { committedThrough, failEntry } from './writer-state.ts'
import type { Entry, Session, ShardWriterOptions, WriterState } from './writer-state.ts'

export interface ShardWriter extends Pick<Tree, 'append' | 'nextSequence' | 'visibleSequence'> {
  /** What its leader has, of which nothing more of earlier coordinators will come. From now on a leadership is kept open. */
  open(): Promise<OpenedShard>
  /** All that was found, and appended since, may be seen; resolves when the leader shows it. */
  releaseAll(): Promise<void>
  /** Who leads may have changed. */
  look(): void
  /** Everything that was appended is visible. */
  readonly isIdle: boolean
  /** Disks that what was acknowledged last is on. */
  readonly copies: number
  /** Nothing is offered any more. What was not acknowledged is told: 40003 of what was offered, `refusal` of what was not, and of all that comes later. */
  end(refusal: LsmtError): void
}

export function createShardWriter(options: ShardWriterOptions): ShardWriter {
  const state: WriterState = { options, nextSequence: 0, visibleSequence: 0, entries: [], releasable: 0, begun: createDeferred(), session: undefined, isPumpDue: false, copies: 0, end: undefined, ended: createDeferred() }
  return {
    get nextSequence() { return state.nextSequence },
    get visibleSequence() { return state.visibleSequence },
    get copies() { return state.copies },
    get isIdle() { return state.entries.length === 0 },
    append: (batch, gate) => append(state, batch, gate),
    async open() {
      const { opened } = await openSession(state)
      void keepOpen(state)
      return opened
    },
    releaseAll() {
      state.releasable = state.nextSequence - 1
      wake(state)
      return state.begun.promise
    },
    look: () => look(state),
    end: (refusal) => end(state, refusal),
  }
}

function append(state: WriterState, batch: Uint8Array, gate: CommitGate | undefined): ReturnType<Tree['append']> {
  const { settled, shard } = state.options
  const baseSequence = state.nextSequence
  const entry: Entry = { baseSequence, lastSequence: baseSequence + operationCountOf(batch) - 1, batch, isGated: gate !== undefined, committed: createDeferred(), visible: createDeferred(), isOffered: false, isCommitted: false, mayBeSeen: gate === undefined }
  const appended = { baseSequence, durable: entry.committed.promise, applied: entry.visible.promise }
  if (state.end !== undefined) {
    failEntry(entry, state.end)
    return appended
  }
  assignBaseSequence(batch, baseSequence)
  state.nextSequence = entry.lastSequence + 1
  state.entries.push(entry)
  if (gate !== undefined) {
    const { participants } = readBatchHeader(batch)
    if (participants !== undefined) settled.add(shard, baseSequence, participants)
    // That it does not open is told by the part which failed.
    gate.durableEverywhere.then(() => letSee(state, entry), () => {})
  }
  wake(state)
  return appended
}

function letSee(state: WriterState, entry: Entry): void {
  entry.mayBeSeen = true
  state.releasable = Math.max(state.releasable, entry.lastSequence)
  wake(state)
}

/** At the end of the turn: what comes in one turn goes as one. */
function wake(state: WriterState): void {
  if (state.isPumpDue) return
  state.isPumpDue = true
  setImmediate(() => {
    state.isPumpDue = false
    if (state.session !== undefined && state.end === undefined) pump(state, state.session, () => wake(state))
  })
}

/** Never rejects. Whoever leads next has to hear what may be seen, so it is opened when nothing is to be written as well. */
async function keepOpen(state: WriterState): Promise<void> {
  for (;;) {
    try {
      const session = state.session ?? (await openSession(state)).session
      pump(state, session, () => wake(state))
      await session.over.promise
      if (!session.hasWorked) await state.options.changed()
    } catch (cause) {
      // Anything but the end is a bug, which must not go on in a loop.
      if (state.end === undefined) state.options.onLost(cause)
      return
    }
  }
}

/** Rejects only when the writer has ended. */
async function openSession(state: WriterState): Promise<{ readonly session: Session; readonly opened: OpenedShard }> {
  const { leader: currentLeader, changed, coordinator, onLost } = state.options
  for (;;) {
    if (state.end !== undefined) throw state.end
    const leader = currentLeader()
    try {
      if (leader !== undefined) {
        const opened = await unlessEnded(state, leader.open(coordinator))
        const session = begin(state, leader, opened)
        if (session !== undefined) return { session, opened }
      }
    } catch (cause) {
      if (refusalOf(cause)?.kind === 'fenced') onLost(cause)
    }
    await changed()
  }
}

/** A leader may take long to answer, and need not once nobody waits for it. */
async function unlessEnded<T>({ ended }: WriterState, answer: Promise<T>): Promise<T> {
  await Promise.race([answer, ended.promise])
  return await answer
}

/** What the leader has is committed, whoever wrote it down; offers go on behind it. */
function begin(state: WriterState, leader: ShardLeader, { lastSequence, epoch }: OpenedShard): Session | undefined {
  const isFirst = state.nextSequence === 0
  const endsBefore = state.entries[0]?.baseSequence ?? state.nextSequence
  if (!isFirst && (lastSequence >= state.nextSequence || lastSequence < endsBefore - 1)) {
    state.options.onLost(new LsmtError('55000', `shard ${state.options.shard} ends at sequence ${lastSequence}, expected from ${endsBefore - 1} to ${state.nextSequence - 1}`))
    return undefined
  }
  if (isFirst) state.nextSequence = lastSequence + 1
  const session: Session = { leader, epoch, over: createDeferred(), nextOffer: lastSequence + 1, offersUnderWay: 0, releasesUnderWay: 0, releasedThrough: 0, settledThrough: 0, hasWorked: false }
  state.session = session
  committedThrough(state, lastSequence)
  return session
}

function look(state: WriterState): void {
  const { session, options } = state
  const leader = options.leader()
  if (session !== undefined && leader !== undefined && (leader.node !== session.leader.node || leader.epoch > session.epoch)) endSession(state, session)
}

function end(state: WriterState, refusal: LsmtError): void {
  if (state.end !== undefined) return
  state.end = refusal
  state.begun.reject(refusal)
  state.ended.reject(refusal)
  state.session?.over.reject(refusal)
  for (const entry of state.entries.splice(0)) failEntry(entry, refusal)
}
