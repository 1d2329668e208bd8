/** What one shard's writer holds: batches that are not seen yet, and the leadership that they are offered to. */
import { LsmtError } from '../../../errors.ts'
import type { Deferred } from '../../../runtime/deferred.ts'
import type { SettledParts } from './settled-parts.ts'
import type { ShardLeader } from './shard-leader.ts'

export interface ShardWriterOptions {
  readonly shard: number
  /** The coordinator's epoch. */
  readonly coordinator: number
  /** By what is known now; undefined when nobody leads. */
  readonly leader: () => ShardLeader | undefined
  /** Resolves when who leads may have changed, and after a short while in any case. */
  readonly changed: () => Promise<void>
  /** This coordinator cannot go on: another one has taken over, or the shard has lost what was committed. */
  readonly onLost: (cause: unknown) => void
  readonly settled: SettledParts
}

export interface Entry {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly batch: Uint8Array
  /** Is not visible before it is released. */
  readonly isGated: boolean
  readonly committed: Deferred
  readonly visible: Deferred
  isOffered: boolean
  isCommitted: boolean
  mayBeSeen: boolean
}

/** One leadership that was opened. */
export interface Session {
  readonly leader: ShardLeader
  /** The leader's, when it was opened. */
  readonly epoch: number
  /** Settles when it is of no use any more. */
  readonly over: Deferred
  nextOffer: number
  offersUnderWay: number
  releasesUnderWay: number
  /** Asked of this leader. */
  releasedThrough: number
  settledThrough: number
  /** It has done something that it was asked for. */
  hasWorked: boolean
}

export interface WriterState {
  readonly options: ShardWriterOptions
  nextSequence: number
  /** Of which it is known that the leader shows it. */
  visibleSequence: number
  /** Not known to be visible, in the order of the log. */
  readonly entries: Entry[]
  /** All parts up to here may be seen. */
  releasable: number
  /** Settles once `releasable`, as it was at the beginning, is visible. */
  readonly begun: Deferred
  session: Session | undefined
  isPumpDue: boolean
  copies: number
  end: LsmtError | undefined
  /** Rejects with `end`. */
  readonly ended: Deferred
}

export function committedThrough(state: WriterState, sequence: number): void {
  for (const entry of state.entries) {
    if (entry.lastSequence > sequence) break
    if (entry.isCommitted) continue
    entry.isCommitted = true
    entry.committed.resolve()
  }
}

export function visibleThrough(state: WriterState, sequence: number): void {
  const { entries, options: { settled, shard } } = state
  state.visibleSequence = Math.max(state.visibleSequence, sequence)
  while (entries[0] !== undefined && entries[0].lastSequence <= sequence) {
    const entry = entries.shift()!
    if (entry.isGated) settled.visible(shard, entry.baseSequence)
    entry.committed.resolve()
    entry.visible.resolve()
  }
}

/** What becomes of a batch when its coordinator ends: of what no leader was ever offered nothing can be found. */
export function failEntry({ committed, visible, isOffered }: Entry, cause: LsmtError): void {
  const told = isOffered ? unknownOutcome(cause) : cause
  committed.reject(told)
  visible.reject(told)
}

function unknownOutcome(cause: LsmtError): LsmtError {
  return new LsmtError('40003', 'it is not known whether this was written: the node that coordinates writes changed meanwhile', { hint: 'look, or send the statement again under its idempotency key' }, cause)
}
