/**
 * The commit journal: one file for a round of the logs. Where many small statements come at once, each shard's log has a
 * little to write in every round, and its own sync for it. Here what several logs have is written together, to a log of its
 * own (round-format.ts), and made durable by one sync; each shard's own log gets it as well, with what comes later, and
 * is synced for it only before the journal lets go of it. (As in Apache BookKeeper: Junqueira et al., "Durability with
 * BookKeeper", 2013.)
 *
 * What holds at every moment, and what recovery builds on (read-journal.ts, journalled-logs.ts):
 * 1. What was acknowledged of a shard is what table files hold, then what its own log has durably, then records of the
 *    journal, in order and without a gap. A round takes all that a log has to write in it, or nothing; and who writes to
 *    its own log writes all that it left to the journal before.
 * 2. A sequence of a shard stands for the same bytes wherever it stands. It is given out once in the life of a writer, and
 *    the next life takes what it finds into the shards' own logs, and deletes the journal, before it gives out any.
 * 3. Rounds are written one after the other, each synced before the next, by the rules of any log: only the last can be torn.
 * 4. A segment goes when each of its records is durable in the log of its shard, and a later round that says so is durable:
 *    so whoever reads the journal knows whether its beginning is missing.
 * 5. The journal only ever declines, never delays: whatever it cannot take at once, the logs write by themselves. That the
 *    disk has no room for its next segment is no reason to refuse writes, for which the logs have theirs.
 */
import { invariant } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { createHistogram } from '../../../runtime/histogram.ts'
import type { Histogram } from '../../../runtime/histogram.ts'
import type { Storage } from '../../../storage/storage.ts'
import { isDiskFull } from '../../disk-room.ts'
import { journalShard } from '../../file-names.ts'
import { syncMsBounds } from '../log.ts'
import type { LogRounds } from '../rounds/log-rounds.ts'
import { recordHeaderBytes } from '../segment-format.ts'
import { createSegmentSupply } from '../segment-supply.ts'
import type { SegmentSupply } from '../segment-supply.ts'
import { hasPlace, placeRecord, prepareNext, scratchBytes, segmentBytesFor, syncSegment, writeScratch } from '../segment-writer.ts'
import type { PlacedRecord, SegmentWriter } from '../segment-writer.ts'
import { createCarryOver } from './carry-over.ts'
import type { CarryOver, JournalledLog } from './carry-over.ts'
import { removeJournal } from './remove-journal.ts'
import { encodeRound, entryBytes, roundBytes } from './round-format.ts'

export interface CommitJournalOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly clock: Clock
  readonly rounds: LogRounds
  /** Segments grow up to this size. */
  readonly segmentBytesMax: number
}

export interface CommitJournal {
  /**
   * Offers what a log has placed in this round, in the step of the round that the log was called in. Resolves when it is
   * durable here (true), or the journal has declined it (false); rejects when the journal failed, and what was offered
   * may be found or not. Undefined: nothing is taken now.
   */
  offer(log: JournalledLog, records: readonly PlacedRecord[]): Promise<boolean> | undefined
  /** From now on rounds may be taken: nothing of an earlier journal is there. */
  begin(writerEpoch: number): void
  readonly counts: JournalCounts
  /** After the logs were closed. Deletes the journal, unless a log has failed: then the next opening needs it. */
  close(): Promise<void>
}

export interface JournalCounts {
  /** Full segments included that are about to go. */
  readonly segments: number
  readonly rounds: number
  /** Rounds of several logs that these had to write by themselves. */
  readonly declined: number
  readonly syncs: number
  readonly bytes: number
  readonly syncMs: Histogram
  /** Why it takes no more, or could not be made; undefined: it does, or nothing has needed it yet. */
  readonly failure: string | undefined
}

interface Offer {
  readonly log: JournalledLog
  readonly records: readonly PlacedRecord[]
  readonly settle: (isTaken: boolean) => void
  readonly fail: (cause: unknown) => void
}

interface JournalState {
  readonly options: CommitJournalOptions
  /** 0 before it may begin. */
  writerEpoch: number
  /** Those of the round that begins. */
  offers: Offer[]
  /** Rounds of several logs until it is made. */
  roundsBeforeMade: number
  making: Promise<void> | undefined
  /** A round under way. */
  writing: Promise<void> | undefined
  /** Why a segment could not be made, or written to; and until when no other is tried to be made. */
  trouble: Error | undefined
  pausedUntilMs: number
  /** Where rounds are put together, one after the other; empty until the journal is made. */
  roundBuffer: Uint8Array
  /** Undefined until it is made: a database that never has a round of several logs has no journal. */
  writer: SegmentWriter | undefined
  carryOver: CarryOver | undefined
  isClosed: boolean
  failure: Error | undefined
  rounds: number
  declined: number
}

/** A round with more is not written twice: its logs write to their own files, side by side. One of up to so many bytes, as of an INSERT of a thousand rows, is placed without asking for memory. */
export const roundBytesMax = scratchBytes - recordHeaderBytes
/** A command of one statement is through before; what comes after it may be many, of which each that comes before the journal costs a sync for each log. */
export const roundsBeforeMade = 2
/** After a segment could not be made. */
const pauseMs = 1_000
/** Full segments that may wait for the logs; with more these write by themselves. */
const fullSegmentsMax = 2

export function createCommitJournal(options: CommitJournalOptions): CommitJournal {
  const state: JournalState = { options, writerEpoch: 0, offers: [], roundsBeforeMade, making: undefined, writing: undefined, trouble: undefined, pausedUntilMs: 0, roundBuffer: new Uint8Array(0), writer: undefined, carryOver: undefined, isClosed: false, failure: undefined, rounds: 0, declined: 0 }
  const noSyncs = createHistogram(syncMsBounds)
  options.rounds.onBegun(() => decide(state))
  return {
    offer: (log, records) => (state.writerEpoch === 0 || state.isClosed || state.failure !== undefined ? undefined : offer(state, log, records)),
    begin(writerEpoch) {
      state.writerEpoch = writerEpoch
    },
    get counts() {
      const { writer, rounds, declined } = state
      const failure = state.failure ?? state.trouble ?? state.carryOver?.failure
      return { segments: writer === undefined ? 0 : writer.full.length + 1, rounds, declined, syncs: writer?.syncs ?? 0, bytes: writer?.bytes ?? 0, syncMs: writer?.syncMs ?? noSyncs, failure: failure?.message }
    },
    close: () => close(state),
  }
}

function offer(state: JournalState, log: JournalledLog, records: readonly PlacedRecord[]): Promise<boolean> {
  return new Promise((settle, fail) => state.offers.push({ log, records, settle, fail }))
}

/** All logs that write in this round have said so. */
function decide(state: JournalState): void {
  const { offers } = state
  state.offers = []
  if (offers.length > 1 && !state.isClosed) {
    const bytes = bytesOf(offers)
    if (bytes <= roundBytesMax && hasPlaceFor(state, bytes)) {
      state.writing = writeRound(state, offers).finally(() => (state.writing = undefined))
      return
    }
    state.declined++
  }
  for (const { settle } of offers) settle(false)
}

function bytesOf(offers: readonly Offer[]): number {
  let entriesBytes = 0
  for (const { records } of offers) for (const { payload } of records) entriesBytes += entryBytes(payload.length)
  return roundBytes(entriesBytes)
}

/** Whether a round of so many bytes has a preallocated place; where it has none, one is being made for those that come. */
function hasPlaceFor(state: JournalState, bytes: number): boolean {
  const { writer, carryOver } = state
  if (writer === undefined || carryOver === undefined) {
    if (--state.roundsBeforeMade <= 0 && !isPaused(state)) state.making ??= make(state).finally(() => (state.making = undefined))
    return false
  }
  const isFresh = writer.byteOffset === 0
  if (isFresh ? segmentBytesFor(bytes) <= (writer.segment?.byteLength ?? 0) : hasPlace(writer, 0, bytes)) return true
  // The one that ends here would be one more.
  if (carryOver.waitingSegments() + 1 > fullSegmentsMax) {
    carryOver.start()
    return false
  }
  if (!isFresh && writer.supply.readyBytes >= segmentBytesFor(bytes)) return true
  writer.supply.prepare()
  return false
}

/** Never rejects: without a journal each log goes on by itself, and it is tried again later. */
async function make(state: JournalState): Promise<void> {
  const { storage, kernel, clock, segmentBytesMax } = state.options
  const supply = pausing(state, createSegmentSupply(storage, journalShard, 1, segmentBytesMax, (error) => pause(state, error)))
  let scratch = 0
  try {
    scratch = kernel.heap.allocate(scratchBytes)
    const segment = await supply.take()
    const writer: SegmentWriter = {
      kernel, clock, memtableMemory: undefined, supply, shard: journalShard, writerEpoch: state.writerEpoch, scratch, scratchUsed: 0, segment, byteOffset: 0, sequenceBefore: 0, full: [],
      lastSequence: 0, durableSequence: 0, dirty: false, beside: undefined, syncFailure: undefined, syncs: 0, syncMs: createHistogram(syncMsBounds), bytes: 0,
    }
    state.carryOver = createCarryOver(storage, writer)
    state.roundBuffer = new Uint8Array(roundBytesMax)
    state.writer = writer
  } catch (cause) {
    if (scratch !== 0) kernel.heap.free(scratch)
    pause(state, cause)
  }
}

function pause(state: JournalState, cause: unknown): void {
  state.trouble = errorOf(cause)
  state.pausedUntilMs = state.options.clock.monotonicMs() + pauseMs
}

function isPaused({ pausedUntilMs, options: { clock } }: JournalState): boolean {
  return pausedUntilMs > 0 && clock.monotonicMs() < pausedUntilMs
}

/** Rounds ask for the next segment as long as there is none: on a full disk not each of them is to try. */
function pausing(state: JournalState, supply: SegmentSupply): SegmentSupply {
  const prepare = (): void => {
    if (!isPaused(state)) supply.prepare()
  }
  return { ...supply, prepare, get readyBytes() { return supply.readyBytes } }
}

/** Never rejects: a failure goes to the logs whose records were in the round. */
async function writeRound(state: JournalState, offers: readonly Offer[]): Promise<void> {
  const { carryOver } = state
  try {
    const isTaken = await append(state, offers)
    if (isTaken) for (const { log, records } of offers) carryOver!.noteJournalled(log, records.at(-1)!.lastSequence)
    for (const { settle } of offers) settle(isTaken)
    if (isTaken) carryOver!.afterRound()
  } catch (cause) {
    state.failure ??= errorOf(cause)
    for (const { fail } of offers) fail(cause)
  }
}

/** False when the disk has no room for it after all: nothing of it counts then, and its bytes are written over. */
async function append(state: JournalState, offers: readonly Offer[]): Promise<boolean> {
  const [writer, carryOver] = [state.writer!, state.carryOver!]
  invariant(!writer.dirty && writer.scratchUsed === 0, 'two rounds are being written to the journal')
  const before = writer.lastSequence
  const round = before + 1
  const neededFrom = carryOver.neededFrom
  const payload = encodeRound({ round, neededFrom, entries: offers.flatMap(({ log: { shard }, records }) => records.map((record) => ({ shard, payload: record.payload }))) }, state.roundBuffer)
  try {
    const begun = placeRecord(writer, { payload, baseSequence: round, lastSequence: round })
    if (begun !== undefined) await begun
    writeScratch(writer)
  } catch (error) {
    if (!isDiskFull(error)) throw error
    state.trouble = error
    writer.scratchUsed = 0
    writer.lastSequence = before
    state.declined++
    return false
  }
  prepareNext(writer)
  await syncSegment(writer, state.options.rounds.syncPlace)
  carryOver.noteDurable(neededFrom)
  if (!isPaused(state)) state.trouble = undefined
  state.rounds++
  return true
}

const errorOf = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)))

async function close(state: JournalState): Promise<void> {
  if (state.isClosed) return
  state.isClosed = true
  await Promise.all([state.making, state.writing])
  const { writer, carryOver } = state
  if (writer === undefined || carryOver === undefined) return
  writer.kernel.heap.free(writer.scratch)
  await carryOver.settled()
  try {
    await writer.segment?.file.close()
  } finally {
    await writer.supply.discard()
    if (carryOver.isAllCarried()) await removeJournal(state.options.storage, carryOver.files(), false)
  }
}
