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
import { invariant } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { createHistogram, observe } from '../../runtime/histogram.ts'
import type { Storage } from '../../storage/storage.ts'
import { batchHeaderBytes, viewOf } from '../batch.ts'
import { isDiskFull } from '../disk-room.ts'
import { fileNumberOf, logFolder } from '../file-names.ts'
import type { Evicting } from '../state/memtable-memory.ts'
import { groupBounds, syncMsBounds } from './log.ts'
import type { Log, LogCounts } from './log.ts'
import { enqueue, enqueueSilently, fail, refusalOf, startInterval } from './rounds/log-queue.ts'
import type { LogQueue, QueueOptions } from './rounds/log-queue.ts'
import { createLogRounds } from './rounds/log-rounds.ts'
import type { LogRounds } from './rounds/log-rounds.ts'
import { lastSequenceOf } from './segment-scan.ts'
import { recordBytes } from './segment-format.ts'
import { createSegmentSupply } from './segment-supply.ts'
import { hasPlace, refusalOfSize, scratchBytes, segmentBytesFor, tryWriteRecord } from './segment-writer.ts'
import type { PlacedRecord, SegmentWriter, WrittenSegment } from './segment-writer.ts'

export interface LogWriterOptions extends QueueOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  /** Of the same heap: caches give way to large records. */
  readonly memtableMemory?: Evicting
  /** Those of the other shards. By default this log keeps its own. */
  readonly rounds?: LogRounds | undefined
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

interface WriterState extends LogQueue {
  readonly options: LogWriterOptions
  /** The last roll, done or given up. */
  rolled: Promise<void>
  /** Segments are deleted by one at a time. */
  deleting: Promise<void>
  /** All that is asked to be deleted, done or failed. */
  truncating: Promise<unknown>
}

/** Starts a log writer that begins a new segment with its first record. Segments before it are taken to end at `baseSequence` where nothing else is known. */
export async function openLogWriter(options: LogWriterOptions): Promise<LogWriter> {
  const state = createState(options, options.segmentsBefore ?? (await segmentsBefore(options)))
  const { writer } = state
  return Object.assign(new LogStanding(state), {
    append: (baseSequence, payload) => append(state, baseSequence, payload),
    appendAtOnce: (baseSequence, payload) => appendAtOnce(state, baseSequence, payload),
    admit: (payloadBytes) => (hasPlace(writer, state.queuedBytes, payloadBytes) ? undefined : writer.supply.ensure(segmentBytesFor(payloadBytes))),
    sync: () => enqueue(state, undefined),
    roll: () => {
      // Whoever writes next learns of a failure.
      state.rolled = enqueue(state, 'roll').catch(() => undefined)
    },
    expectRoll: () => {
      if (!state.closed && writer.segment !== undefined) writer.supply.prepare()
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
    lastSequence: baseSequence, durableSequence: baseSequence, dirty: false, beside: undefined, syncFailure: undefined, syncs: 0, syncMs: createHistogram(syncMsBounds), bytes: 0,
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
  const record = recordOf(state, baseSequence, payload)
  state.queuedSequence = record.lastSequence
  state.appends++
  state.queuedBytes += recordBytes(payload.length)
  if (state.options.durability !== 'memory') return enqueue(state, record)
  enqueueSilently(state, record)
  return Promise.resolve()
}

/** Only where a write is as durable as set once the operating system has it. */
function appendAtOnce(state: WriterState, baseSequence: number, payload: Uint8Array): boolean {
  if (state.options.durability !== 'interval' || state.draining || refusalOf(state) !== undefined) return false
  const record = recordOf(state, baseSequence, payload)
  try {
    if (!tryWriteRecord(state.writer, record)) return false
  } catch (cause) {
    fail(state, [], cause)
    throw cause
  }
  state.queuedSequence = record.lastSequence
  state.appends++
  observe(state.groups, 1)
  startInterval(state)
  return true
}

function recordOf(state: WriterState, baseSequence: number, payload: Uint8Array): PlacedRecord {
  const view = viewOf(payload)
  invariant(payload.length >= batchHeaderBytes && view.getUint32(0, true) === payload.length, 'a log record must be a write batch')
  invariant(view.getFloat64(8, true) === baseSequence, () => `batch of sequence ${view.getFloat64(8, true)} appended as ${baseSequence}`)
  invariant(baseSequence > state.queuedSequence, () => `sequence ${baseSequence} appended after ${state.queuedSequence}`)
  return { payload, baseSequence, lastSequence: lastSequenceOf(baseSequence, view.getUint32(4, true)) }
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
    await Promise.all([state.truncating, writer.beside])
    const { segment } = writer
    await segment?.file.close()
    await writer.supply.discard()
    if (segment !== undefined && writer.byteOffset === 0) await options.storage.delete(segment.name)
  }
}
