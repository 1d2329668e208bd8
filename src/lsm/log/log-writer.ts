/**
 * Appends to a shard's log with group commit (DeWitt et al., "Implementation Techniques for Main Memory Database
 * Systems", 1984). Records queue until the next round of the logs (rounds/log-rounds.ts); then one write and one awaited sync carry all of
 * them, while later ones queue for the next. The first error ends the log: what it left unacknowledged stays so.
 * That the disk is full is no such error, unless a sync says so: all wait for room.
 *
 * What a round brings may be made durable by a journal (journal/commit-journal.ts) for several logs at once: then it stays
 * placed here, and is written and synced with what comes later. Records are placed in order, so that whatever makes one of
 * them durable in this file makes those before it durable too.
 */
import { invariant, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Clock } from '../../runtime/clock.ts'
import { createHistogram, observe } from '../../runtime/histogram.ts'
import type { HistogramRecorder } from '../../runtime/histogram.ts'
import type { Durability, TreeSettings } from '../../settings.ts'
import type { Storage } from '../../storage/storage.ts'
import { batchHeaderBytes, viewOf } from '../batch.ts'
import { isDiskFull } from '../disk-room.ts'
import type { DiskRoom } from '../disk-room.ts'
import { fileNumberOf, logFolder } from '../file-names.ts'
import type { Evicting } from '../state/memtable-memory.ts'
import type { CommitJournal } from './journal/commit-journal.ts'
import type { JournalledLog } from './journal/carry-over.ts'
import { groupBounds, syncMsBounds } from './log.ts'
import type { Log, LogCounts } from './log.ts'
import { createLogRounds } from './rounds/log-rounds.ts'
import type { LogRounds } from './rounds/log-rounds.ts'
import { lastSequenceOf } from './segment-scan.ts'
import { recordBytes } from './segment-format.ts'
import { createSegmentSupply } from './segment-supply.ts'
import { beginSegment, hasPlace, placeCut, placeRecord, prepareNext, refusalOfSize, scratchBytes, segmentBytesFor, syncSegment, writeScratch } from './segment-writer.ts'
import type { PlacedRecord, SegmentWriter, WrittenSegment } from './segment-writer.ts'

export interface LogWriterOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly shard: number
  readonly settings: Pick<TreeSettings, 'logSegmentBytes'>
  readonly durability: Durability
  readonly syncIntervalMs: number
  readonly clock: Clock
  readonly room: DiskRoom
  /** Of the same heap: caches give way to large records. */
  readonly memtableMemory?: Evicting
  /** Those of the other shards. By default this log keeps its own. */
  readonly rounds?: LogRounds | undefined
  /** Of the same rounds: takes records of several logs at once. Where durability is `sync`. */
  readonly journal?: CommitJournal | undefined
  /** One more than the last segment there is. */
  readonly firstSegmentNumber: number
  readonly writerEpoch: number
  /** The last sequence that is durable anywhere: in the log, or in table files. Records come after it. */
  readonly baseSequence: number
  /** The segments before, where it is known what each holds. */
  readonly segmentsBefore?: readonly WrittenSegment[]
}

export interface LogWriter extends Log {
  /** Records from here on are of another epoch. */
  beginEpoch(writerEpoch: number): void
  /** Cuts off the records after `toSequence`, where one of `writerEpoch` ends; resolves when that is durable. */
  cut(toSequence: number, writerEpoch: number): Promise<void>
  /** Oldest first; the last is being written, once something was. */
  segments(): readonly WrittenSegment[]
}

/** A segment that is to be begun: of another epoch, and perhaps with a cut. */
interface SegmentStart {
  readonly writerEpoch: number
  readonly cutTo: number | undefined
}

/** A record, a wish to begin a new segment, or (`undefined`) a wish for a sync. */
interface Entry {
  readonly record: PlacedRecord | SegmentStart | 'roll' | undefined
  readonly resolve: (() => void) | undefined
  readonly reject: ((error: Error) => void) | undefined
}

interface WriterState {
  readonly options: LogWriterOptions
  readonly rounds: LogRounds
  readonly writer: SegmentWriter
  queue: Entry[]
  queuedSequence: number
  /** Of the records in the queue. */
  queuedBytes: number
  draining: boolean
  /** Lets the others go on without this log, which waits. */
  leaveRound: () => void
  intervalRunning: boolean
  closed: boolean
  failure: Error | undefined
  appends: number
  readonly groups: HistogramRecorder
  /** The last roll, done or given up. */
  rolled: Promise<void>
  /** Segments are deleted by one at a time. */
  deleting: Promise<void>
  /** All that is asked to be deleted, done or failed. */
  truncating: Promise<unknown>
  /** What the journal sees of this log. */
  readonly asJournalled: JournalledLog
}

/** Starts a log writer that begins a new segment with its first record. Segments before it are taken to end at `baseSequence` where nothing else is known. */
export async function openLogWriter(options: LogWriterOptions): Promise<LogWriter> {
  const state = createState(options, options.segmentsBefore ?? (await segmentsBefore(options)))
  const { writer } = state
  return Object.assign(new LogStanding(state), {
    append: (baseSequence, payload) => append(state, baseSequence, payload),
    admit: (payloadBytes) => (hasPlace(writer, state.queuedBytes, payloadBytes) ? undefined : writer.supply.ensure(segmentBytesFor(payloadBytes))),
    sync: () => enqueue(state, undefined),
    roll: () => {
      // Whoever writes next learns of a failure.
      state.rolled = enqueue(state, 'roll').catch(() => undefined)
    },
    beginEpoch: (writerEpoch) => enqueueSilently(state, { writerEpoch, cutTo: undefined }),
    cut: (toSequence, writerEpoch) => {
      invariant(toSequence < state.queuedSequence, () => `a cut to ${toSequence} of a log that ends at ${state.queuedSequence}`)
      state.queuedSequence = toSequence
      return enqueue(state, { writerEpoch, cutTo: toSequence })
    },
    segments: () => (writer.segment === undefined ? writer.full : [...writer.full, { name: writer.segment.name, writerEpoch: writer.writerEpoch, sequenceBefore: writer.sequenceBefore, lastSequence: writer.lastSequence }]),
    truncateBelow: (sequence) => {
      const truncated = truncateBelow(state, sequence)
      state.truncating = Promise.allSettled([state.truncating, truncated])
      return truncated
    },
    close: () => close(state),
  } satisfies Omit<LogWriter, keyof LogStanding>)
}

/** A class, since accessors of an object literal would make the log of every shard an object of its own kind. */
class LogStanding {
  readonly #state: WriterState

  constructor(state: WriterState) {
    this.#state = state
  }

  get counts(): LogCounts {
    const { writer, appends, groups } = this.#state
    return { segments: writer.full.length + (writer.segment === undefined ? 0 : 1), appends, syncs: writer.syncs, bytes: writer.bytes, groups, syncMs: writer.syncMs }
  }

  get failure(): Error | undefined {
    return this.#state.failure
  }
}

function createState(options: LogWriterOptions, before: readonly WrittenSegment[]): WriterState {
  const { storage, kernel, shard, writerEpoch, baseSequence, firstSegmentNumber } = options
  const supply = createSegmentSupply(storage, shard, firstSegmentNumber, options.settings.logSegmentBytes, (error) => {
    if (isDiskFull(error)) options.room.noteFull(error, options.settings.logSegmentBytes)
  })
  const scratch = kernel.heap.allocate(scratchBytes)
  const writer: SegmentWriter = {
    kernel, clock: options.clock, memtableMemory: options.memtableMemory, supply, shard, writerEpoch, scratch, scratchUsed: 0, segment: undefined, byteOffset: 0, sequenceBefore: baseSequence, full: [...before],
    lastSequence: baseSequence, durableSequence: baseSequence, dirty: false, syncFailure: undefined, syncs: 0, syncMs: createHistogram(syncMsBounds), bytes: 0,
  }
  const state: WriterState = {
    options, rounds: options.rounds ?? createLogRounds(), writer, queue: [], queuedSequence: baseSequence, queuedBytes: 0, draining: false, leaveRound: () => {}, intervalRunning: false, closed: false,
    failure: undefined, appends: 0, groups: createHistogram(groupBounds),
    rolled: Promise.resolve(), deleting: Promise.resolve(), truncating: Promise.resolve(),
    asJournalled: { shard, get durableSequence() { return writer.durableSequence }, sync: () => enqueue(state, undefined) },
  }
  return state
}

async function segmentsBefore({ storage, shard, firstSegmentNumber, baseSequence, writerEpoch }: LogWriterOptions): Promise<readonly WrittenSegment[]> {
  const folder = logFolder(shard)
  const listed = await storage.list(folder)
  return listed
    .filter((object) => (fileNumberOf(object.name, folder, 'wal') ?? Infinity) < firstSegmentNumber)
    .map((object) => ({ name: object.name, writerEpoch, sequenceBefore: 0, lastSequence: baseSequence }))
}

function append(state: WriterState, baseSequence: number, payload: Uint8Array): Promise<void> {
  const refusal = refusalOf(state) ?? refusalOfSize(state.writer, payload.length)
  if (refusal !== undefined) return Promise.reject(refusal)
  const view = viewOf(payload)
  invariant(payload.length >= batchHeaderBytes && view.getUint32(0, true) === payload.length, 'a log record must be a write batch')
  invariant(view.getFloat64(8, true) === baseSequence, () => `batch of sequence ${view.getFloat64(8, true)} appended as ${baseSequence}`)
  invariant(baseSequence > state.queuedSequence, () => `sequence ${baseSequence} appended after ${state.queuedSequence}`)
  const lastSequence = lastSequenceOf(baseSequence, view.getUint32(4, true))
  const record = { payload, baseSequence, lastSequence }
  state.queuedSequence = lastSequence
  state.appends++
  state.queuedBytes += recordBytes(payload.length)
  if (state.options.durability !== 'memory') return enqueue(state, record)
  enqueueSilently(state, record)
  return Promise.resolve()
}

function refusalOf({ failure, closed, options }: WriterState): Error | undefined {
  if (failure !== undefined) return failure
  return closed ? new LsmtError('55000', `the log of shard ${options.shard} is closed`) : undefined
}

/** What nobody waits for. */
function enqueueSilently(state: WriterState, record: Entry['record']): void {
  if (refusalOf(state) !== undefined) return
  state.queue.push({ record, resolve: undefined, reject: undefined })
  startDrain(state)
}

function enqueue(state: WriterState, record: Entry['record']): Promise<void> {
  const refusal = refusalOf(state)
  if (refusal !== undefined) return Promise.reject(refusal)
  return new Promise((resolve, reject) => {
    state.queue.push({ record, resolve, reject })
    startDrain(state)
  })
}

function startDrain(state: WriterState): void {
  if (state.draining) return
  state.draining = true
  state.rounds.join(() => drain(state))
}

/** Never fails: a failure goes to everyone who waits, and to everyone who comes after. */
function drain(state: WriterState): Promise<void> | undefined {
  const group = state.queue
  state.queue = []
  // To be left before all is written, should the disk have no room.
  const left = new Promise<void>((resolve) => (state.leaveRound = resolve))
  try {
    const writing = writeGroup(state, group)
    if (writing !== undefined) {
      void writing.then(() => settle(state, group), (cause: unknown) => settle(state, group, cause)).then(state.leaveRound)
      return left
    }
    settle(state, group)
  } catch (cause) {
    settle(state, group, cause)
  }
  return undefined
}

function settle(state: WriterState, group: readonly Entry[], cause?: unknown): void {
  if (cause !== undefined) fail(state, group, cause)
  else for (const { resolve } of group) resolve?.()
  state.draining = false
  if (state.queue.length > 0) startDrain(state)
}

/** Of a group that is being written. */
interface Placing {
  readonly placed: PlacedRecord[]
  /** A journal takes what was placed in the step of the round that this log was called in. */
  mayLeave: boolean
  syncWanted: boolean
}

/** undefined: all is done, and nothing had to be waited for. */
function writeGroup(state: WriterState, group: readonly Entry[]): Promise<void> | undefined {
  const isSynced = state.options.durability === 'sync'
  const placing: Placing = { placed: [], mayLeave: isSynced, syncWanted: isSynced }
  for (let i = 0; i < group.length; i++) {
    const wait = placeEntry(state, placing, group[i]!)
    if (wait !== undefined) return placeRest(state, placing, group.slice(i + 1), wait)
  }
  return writePlaced(state, placing)
}

async function placeRest(state: WriterState, placing: Placing, rest: readonly Entry[], first: Promise<void>): Promise<void> {
  placing.mayLeave = false
  await first
  for (const entry of rest) await placeEntry(state, placing, entry)
  await writePlaced(state, placing)
}

function placeEntry(state: WriterState, placing: Placing, { record }: Entry): Promise<void> | undefined {
  if (record === undefined) {
    placing.syncWanted = true
    placing.mayLeave = false
    return undefined
  }
  if (record === 'roll') return roll(state)
  if ('cutTo' in record) return startSegment(state, record)
  const begun = onceThereIsRoom(state, () => placeRecord(state.writer, record))
  if (begun !== undefined) return begun.then(() => notePlaced(state, placing, record))
  notePlaced(state, placing, record)
  return undefined
}

function notePlaced(state: WriterState, { placed }: Placing, record: PlacedRecord): void {
  state.queuedBytes -= recordBytes(record.payload.length)
  placed.push(record)
}

function writePlaced(state: WriterState, { placed, mayLeave, syncWanted }: Placing): Promise<void> | undefined {
  if (placed.length > 0) observe(state.groups, placed.length)
  const isAlone = state.rounds.members === 1
  const offered = mayLeave && placed.length > 0 && !isAlone ? state.options.journal?.offer(state.asJournalled, placed) : undefined
  const hereIfAlone = isAlone && placed.length > 0
  if (offered === undefined) return writeOut(state, syncWanted, hereIfAlone)
  return offered.then((isTaken) => {
    if (!isTaken) return writeOut(state, syncWanted, hereIfAlone)
    prepareNext(state.writer)
    return undefined
  })
}

function writeOut(state: WriterState, syncWanted: boolean, isOnly: boolean): Promise<void> | undefined {
  const written = onceThereIsRoom(state, () => { writeScratch(state.writer); return undefined })
  return written === undefined ? syncWritten(state, syncWanted, isOnly) : written.then(() => syncWritten(state, syncWanted, isOnly))
}

/** `isOnly`: no other sync is made in this round. */
function syncWritten(state: WriterState, syncWanted: boolean, isOnly: boolean): Promise<void> | undefined {
  const { writer, options: { durability } } = state
  if (syncWanted) return syncSegment(writer, isOnly && durability === 'sync' ? state.rounds.syncPlace : undefined)
  if (durability === 'interval') startInterval(state)
  return undefined
}

/** Without room for a new segment the old one goes on: it can only be deleted later. */
async function roll({ writer, options }: WriterState): Promise<void> {
  if (writer.segment === undefined) return
  try {
    await beginSegment(writer)
  } catch (error) {
    if (writer.syncFailure !== undefined || !isDiskFull(error)) throw error
    options.room.noteFull(error)
  }
}

async function startSegment(state: WriterState, { writerEpoch, cutTo }: SegmentStart): Promise<void> {
  const { writer } = state
  if (writer.byteOffset + writer.scratchUsed > 0) writer.supply.startSmall()
  await onceThereIsRoom(state, () => beginSegment(writer))
  writer.writerEpoch = writerEpoch
  if (cutTo === undefined) return
  placeCut(writer, cutTo, writerEpoch)
  await onceThereIsRoom(state, () => { writeScratch(writer); return undefined })
  // Before any record, so that those behind a header that is lost prove that it was there.
  await syncSegment(writer)
}

/** Takes a step, which may be taken again after it found no room. */
function onceThereIsRoom(state: WriterState, step: () => Promise<void> | undefined): Promise<void> | undefined {
  try {
    return step()?.catch((error: unknown) => stepAgain(state, step, error))
  } catch (error) {
    return stepAgain(state, step, error)
  }
}

async function stepAgain(state: WriterState, step: () => Promise<void> | undefined, failure: unknown): Promise<void> {
  const { writer, options: { room, settings } } = state
  for (let error = failure; ;) {
    if (writer.syncFailure !== undefined || !isDiskFull(error)) throw error
    room.noteFull(error, settings.logSegmentBytes)
    state.leaveRound()
    await room.awaitRoom()
    if (state.closed) throw error
    try {
      await step()
      return
    } catch (again) {
      error = again
    }
  }
}

/** Asks for a sync one interval from now, once for all writes until then. */
function startInterval(state: WriterState): void {
  if (state.intervalRunning || !state.writer.dirty) return
  state.intervalRunning = true
  const { clock, syncIntervalMs } = state.options
  void clock.sleep(syncIntervalMs).then(() => {
    state.intervalRunning = false
    if (state.closed || state.failure !== undefined) return
    enqueueSilently(state, undefined)
  })
}

function fail(state: WriterState, group: readonly Entry[], cause: unknown): void {
  const failure = cause instanceof Error ? cause : new LsmtError('XX000', `internal error: ${String(cause)}`)
  state.failure ??= failure
  const waiting = [...group, ...state.queue]
  state.queue = []
  state.queuedBytes = 0
  for (const entry of waiting) entry.reject?.(failure)
}

/** Twice: a memtable may be in files before the segment that holds its records has ended, for which a log without room may wait. */
async function truncateBelow(state: WriterState, sequence: number): Promise<void> {
  await deleteInTurn(state, sequence)
  await state.rolled
  await deleteInTurn(state, sequence)
}

function deleteInTurn(state: WriterState, sequence: number): Promise<void> {
  const deleted = state.deleting.then(() => deleteSegments(state, sequence))
  state.deleting = deleted.catch(() => undefined)
  return deleted
}

/** Oldest first, so that what is left after a crash is still without a gap. */
async function deleteSegments({ options, writer }: WriterState, sequence: number): Promise<void> {
  for (let oldest = writer.full[0]; oldest !== undefined && oldest.lastSequence <= sequence; oldest = writer.full[0]) {
    await options.storage.delete(oldest.name)
    writer.full.shift()
  }
}

/** Makes all durable, whatever the setting, and removes segments that nothing was written to. */
async function close(state: WriterState): Promise<void> {
  if (state.closed) return
  const { writer, options } = state
  const settled = state.failure === undefined ? enqueue(state, undefined) : Promise.resolve()
  state.closed = true
  try {
    await settled
  } finally {
    writer.kernel.heap.free(writer.scratch)
    await state.truncating
    const { segment } = writer
    await segment?.file.close()
    await writer.supply.discard()
    if (segment !== undefined && writer.byteOffset === 0) await options.storage.delete(segment.name)
  }
}
