/**
 * Lets go of the journal's full segments: first what they hold is made durable in the logs of its shards, one log after the
 * other, so that a round waits for one more sync at most; then the rounds that follow say that they are not needed; when
 * one that does is durable they are deleted, oldest first. Until then whoever opens the database finds them whole.
 */
import type { Storage } from '../../../storage/storage.ts'
import type { SegmentWriter } from '../segment-writer.ts'

/** A shard's log that leaves records to the journal. */
export interface JournalledLog {
  readonly shard: number
  /** Up to here its own file is synced. */
  readonly durableSequence: number
  /** Resolves when all that was placed before is durable in its own file. */
  sync(): Promise<void>
}

export interface CarryOver {
  /** The first round that is needed by the logs. */
  readonly neededFrom: number
  /** Full segments with rounds that are needed. */
  waitingSegments(): number
  noteJournalled(log: JournalledLog, lastSequence: number): void
  /** A round is durable that says from where on rounds are needed. */
  noteDurable(neededFrom: number): void
  /** Does in the background what is to be done, if anything is. */
  afterRound(): void
  /** Begins to carry full segments over, unless that is under way. */
  start(): void
  /** Whether all that is in the journal is durable in the logs. */
  isAllCarried(): boolean
  /** Why a segment could not be deleted that is not needed any more; it is tried again. */
  readonly failure: Error | undefined
  /** Resolves when nothing is under way. */
  settled(): Promise<void>
  /** Of all segments that are there, oldest first. */
  files(): readonly string[]
}

interface CarryState {
  readonly storage: Pick<Storage, 'delete'>
  readonly writer: SegmentWriter
  /** By shard. */
  readonly logs: Map<number, { readonly log: JournalledLog; lastSequence: number }>
  neededFrom: number
  /** What the last durable round says of it. */
  toldNeededFrom: number
  carrying: Promise<void> | undefined
  deleting: Promise<void> | undefined
  failure: Error | undefined
}

export function createCarryOver(storage: Pick<Storage, 'delete'>, writer: SegmentWriter): CarryOver {
  const state: CarryState = { storage, writer, logs: new Map(), neededFrom: 1, toldNeededFrom: 1, carrying: undefined, deleting: undefined, failure: undefined }
  const start = (): void => {
    if (waitingSegments(state) === 0) return
    state.carrying ??= carry(state).finally(() => (state.carrying = undefined))
  }
  return {
    get neededFrom() { return state.neededFrom },
    waitingSegments: () => waitingSegments(state),
    noteJournalled: (log, lastSequence) => void state.logs.set(log.shard, { log, lastSequence }),
    noteDurable(neededFrom) {
      state.toldNeededFrom = neededFrom
    },
    afterRound() {
      start()
      if (isDeletable(state)) state.deleting ??= deleteCarried(state).finally(() => (state.deleting = undefined))
    },
    start,
    get failure() { return state.failure },
    isAllCarried: () => notCarried(state).length === 0,
    settled: async () => void (await Promise.all([state.carrying, state.deleting])),
    files: () => [...writer.full, ...(writer.segment === undefined ? [] : [writer.segment])].map(({ name }) => name),
  }
}

function waitingSegments({ writer, neededFrom }: CarryState): number {
  return writer.full.filter(({ lastSequence }) => lastSequence >= neededFrom).length
}

function notCarried({ logs }: CarryState): readonly JournalledLog[] {
  return [...logs.values()].filter(({ log, lastSequence }) => log.durableSequence < lastSequence).map(({ log }) => log)
}

/** Never rejects: a log that cannot be synced has failed for good, which its writers are told; its records stay here. */
async function carry(state: CarryState): Promise<void> {
  const lastRound = state.writer.sequenceBefore
  try {
    for (const log of notCarried(state)) await log.sync()
    state.neededFrom = lastRound + 1
  } catch {
    // The next full segment, or the next round that finds no place, tries again.
  }
}

function isDeletable({ writer: { full }, toldNeededFrom }: CarryState): boolean {
  return full.length > 0 && full[0]!.lastSequence < toldNeededFrom
}

/** Never rejects: a segment that cannot be deleted is not needed by anybody, and tried again with the next round. */
async function deleteCarried(state: CarryState): Promise<void> {
  try {
    while (isDeletable(state)) {
      await state.storage.delete(state.writer.full[0]!.name)
      state.writer.full.shift()
    }
    state.failure = undefined
  } catch (cause) {
    // It stays the oldest, so that no gap can come to be.
    state.failure = cause instanceof Error ? cause : new Error(String(cause))
  }
}
