/**
 * Appends to a stream with group commit by time and by size. Records of all shards queue; what has come together becomes
 * one object, and while that is being created later ones queue for the next: one creation is under way at a time, so the
 * order of the records is that of the objects. Records are acknowledged, in order, when their object stands and no later
 * writer has claimed the database by then.
 *
 * Where storage cannot tell whether an object stands, or whether somebody has claimed, or cannot be reached, it is asked
 * again in the same way until it can: never are other bytes offered for a place that is not decided. Meanwhile there is doubt (../doubt.ts). An
 * object that is not this writer's, or a later claim, ends the log for good.
 */
import { LsmtError } from '../../../errors.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { createHistogram, observe } from '../../../runtime/histogram.ts'
import type { HistogramRecorder } from '../../../runtime/histogram.ts'
import type { Random } from '../../../runtime/random.ts'
import type { Durability } from '../../../settings.ts'
import { isStorageFailure, isUnknown, untilKnown } from '../../claim/until-known.ts'
import type { Patience } from '../../claim/until-known.ts'
import { lookForClaims, randomId } from '../../claim/writer-claim.ts'
import type { WriterClaim } from '../../claim/writer-claim.ts'
import { isDiskFull } from '../../disk-room.ts'
import type { DiskRoom } from '../../disk-room.ts'
import { streamObjectName } from '../../file-names.ts'
import { createDoubt } from '../doubt.ts'
import type { Doubt, DoubtfulLog } from '../doubt.ts'
import { groupBounds, syncMsBounds } from '../log.ts'
import { failureOfOffered } from '../outcome.ts'
import { encodeObject, recordBytes } from './object-format.ts'
import type { StreamRecord } from './object-format.ts'
import type { StreamFloor, StreamTail } from './stream-chain.ts'

export interface StreamSettings {
  /** Milliseconds between the beginnings of two objects, unless one is full before. */
  readonly logFlushMs: number
  /** An object takes no more records beyond these bytes. */
  readonly logObjectBytes: number
  readonly durability: Durability
  readonly syncIntervalMs: number
}

export interface StreamWriterOptions extends StreamFloor {
  readonly clock: Clock
  readonly random: Random
  readonly claim: WriterClaim
  readonly room: DiskRoom
  readonly settings: StreamSettings
  readonly tail: StreamTail
  /** By shard; of what is durable anywhere. Kept up to date by the writer. */
  readonly lastSequences: number[]
  /** Called when an object's records are durable, before they are acknowledged. */
  readonly onWritten: (name: string, byteLength: number, records: readonly StreamRecord[]) => void
}

export interface StreamWriter {
  /** Resolves when the record is durable; for less than `sync` when it is queued. */
  append(record: StreamRecord): Promise<void>
  /** Waits while more is queued than may be; undefined when there is room for so many bytes. */
  admit(payloadBytes: number): Promise<void> | undefined
  /** Resolves when all that was queued before is durable. */
  sync(): Promise<void>
  /** Writes an object without records, that only tells how far the log is. To be called before anything else is. */
  mark(): Promise<void>
  readonly doubt: Doubt
  readonly counts: { readonly objects: number; readonly bytes: number; readonly groups: HistogramRecorder; readonly syncMs: HistogramRecorder }
  readonly failure: Error | undefined
  close(): Promise<void>
}

/** A record, or (`undefined`) a wish that all before is durable. */
interface Entry {
  readonly record: StreamRecord | undefined
  readonly resolve: (() => void) | undefined
  readonly reject: ((error: Error) => void) | undefined
}

interface WriterState {
  readonly options: StreamWriterOptions
  readonly doubt: DoubtfulLog
  tail: StreamTail
  queue: Entry[]
  queuedBytes: number
  /** Wishes in the queue. */
  wishes: number
  draining: boolean
  /** Ends the wait for more records. */
  hurry: () => void
  lastStartMs: number
  waiters: (() => void)[]
  closedMs: number | undefined
  failure: Error | undefined
  objects: number
  bytes: number
  readonly groups: HistogramRecorder
  readonly syncMs: HistogramRecorder
}

/** Queued and under way at most, in objects. */
const queuedObjectsMax = 4
/** So long a writer that closes goes on asking what came of its last object. */
const closingMsMax = 10_000

export function createStreamWriter(options: StreamWriterOptions): StreamWriter {
  const state: WriterState = {
    options, doubt: createDoubt(), tail: options.tail, queue: [], queuedBytes: 0, wishes: 0, draining: false, hurry: () => {}, lastStartMs: -Infinity, waiters: [],
    closedMs: undefined, failure: undefined, objects: 0, bytes: 0, groups: createHistogram(groupBounds), syncMs: createHistogram(syncMsBounds),
  }
  return {
    append: (record) => append(state, record),
    admit: (payloadBytes) => (hasRoom(state, payloadBytes) ? undefined : waitForRoom(state, payloadBytes)),
    sync: () => enqueue(state, undefined),
    mark: () => writeGroup(state, []),
    doubt: state.doubt,
    get counts() { return { objects: state.objects, bytes: state.bytes, groups: state.groups, syncMs: state.syncMs } },
    get failure() { return state.failure },
    async close() {
      if (state.closedMs !== undefined) return
      const settled = state.failure === undefined ? enqueue(state, undefined) : Promise.resolve()
      state.closedMs = options.clock.monotonicMs()
      await settled
    },
  }
}

function append(state: WriterState, record: StreamRecord): Promise<void> {
  if (state.options.settings.durability === 'sync') return enqueue(state, record)
  const refusal = refusalOf(state)
  if (refusal !== undefined) return Promise.reject(refusal)
  push(state, { record, resolve: undefined, reject: undefined })
  return Promise.resolve()
}

function enqueue(state: WriterState, record: StreamRecord | undefined): Promise<void> {
  const refusal = refusalOf(state)
  if (refusal !== undefined) return Promise.reject(refusal)
  return new Promise((resolve, reject) => push(state, { record, resolve, reject }))
}

function push(state: WriterState, entry: Entry): void {
  state.queue.push(entry)
  if (entry.record === undefined) state.wishes++
  else state.queuedBytes += recordBytes(entry.record.payload.length)
  if (isDue(state)) state.hurry()
  if (state.draining) return
  state.draining = true
  void drain(state)
}

function refusalOf({ failure, closedMs }: WriterState): Error | undefined {
  return failure ?? (closedMs === undefined ? undefined : new LsmtError('55000', 'the log is closed'))
}

function hasRoom({ queuedBytes, options: { settings } }: WriterState, payloadBytes: number): boolean {
  return queuedBytes === 0 || queuedBytes + payloadBytes <= queuedObjectsMax * settings.logObjectBytes
}

async function waitForRoom(state: WriterState, payloadBytes: number): Promise<void> {
  while (!hasRoom(state, payloadBytes) && state.failure === undefined) await new Promise<void>((resolve) => state.waiters.push(resolve))
}

/** Never rejects: a failure goes to everyone who waits, and to everyone who comes after. */
async function drain(state: WriterState): Promise<void> {
  while (state.queue.length > 0) {
    await untilDue(state)
    const group = takeGroup(state)
    try {
      const records = group.map(({ record }) => record).filter((record) => record !== undefined)
      if (records.length > 0) await writeGroup(state, records)
      for (const entry of group) entry.resolve?.()
    } catch (cause) {
      fail(state, group, cause)
    }
    state.doubt.decided()
    for (const resolve of state.waiters.splice(0)) resolve()
  }
  state.draining = false
}

function isDue({ queuedBytes, wishes, options: { settings } }: WriterState): boolean {
  return wishes > 0 || queuedBytes >= settings.logObjectBytes
}

/** Lets records come together: those of one turn, and those of the time since the last object was begun. */
async function untilDue(state: WriterState): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  const { clock, settings: { durability, logFlushMs, syncIntervalMs } } = state.options
  const waitMs = durability === 'sync' ? state.lastStartMs + logFlushMs - clock.monotonicMs() : Math.max(logFlushMs, syncIntervalMs)
  if (waitMs <= 0 || isDue(state)) return
  await new Promise<void>((resolve) => {
    state.hurry = resolve
    void clock.sleep(waitMs).then(resolve)
  })
}

function takeGroup(state: WriterState): readonly Entry[] {
  const { settings: { logObjectBytes } } = state.options
  let bytes = 0
  let count = 0
  for (const { record } of state.queue) {
    if (record !== undefined && bytes >= logObjectBytes) break
    if (record !== undefined) bytes += recordBytes(record.payload.length)
    else state.wishes--
    count++
  }
  state.queuedBytes -= bytes
  return state.queue.splice(0, count)
}

async function writeGroup(state: WriterState, records: readonly StreamRecord[]): Promise<void> {
  const { options: { clock, lastSequences, onWritten }, tail } = state
  state.lastStartMs = clock.monotonicMs()
  const { name, bytes, putId } = await encode(state, records)
  await createAndLook(state, name, bytes).catch((error: unknown) => { throw failureOfOffered(error) })
  observe(state.syncMs, clock.monotonicMs() - state.lastStartMs)
  if (records.length > 0) observe(state.groups, records.length)
  state.objects++
  state.bytes += bytes.length
  state.tail = { nextId: tail.nextId + 1, previousPutId: putId }
  for (const { shard, lastSequence } of records) lastSequences[shard] = lastSequence
  onWritten(name, bytes.length, records)
}

/** Resolves when the object stands and nobody has claimed the database by then. */
async function createAndLook(state: WriterState, name: string, bytes: Uint8Array): Promise<void> {
  const { options: { claim, storage } } = state
  const created = await untilKnown(() => storage.createIfAbsent(name, [bytes]), isUndecided, patience(state))
  await lookForClaims(claim, patience(state))
  if (created === 'exists') throw new LsmtError('55006', `another writer has taken the place of ${name} in the log`)
}

/** Waits for memory where there is none just then: the records were admitted. */
async function encode({ options, tail }: WriterState, records: readonly StreamRecord[]): Promise<{ readonly name: string; readonly bytes: Uint8Array; readonly putId: string }> {
  const { kernel, stream, random, claim, clock, lastSequences } = options
  const putId = randomId(random)
  const header = { kind: 'data' as const, stream, id: tail.nextId, writerEpoch: claim.epoch, putId, previousPutId: tail.previousPutId, lastSequences }
  const endMs = clock.monotonicMs() + closingMsMax
  const bytes = await untilKnown(async () => encodeObject(kernel, header, records), isOutOfMemory, { clock, hasEnded: () => clock.monotonicMs() > endMs })
  return { name: streamObjectName(stream, tail.nextId), bytes, putId }
}

/** Not known, or certainly nothing, for want of room or of a way to storage. */
const isUndecided = (error: unknown): error is LsmtError => isStorageFailure(error) || isDiskFull(error)
const isOutOfMemory = (error: unknown): error is LsmtError => error instanceof LsmtError && error.code === '53200'

/** A writer that closes waits for what may be known soon, and not for a storage that cannot be reached. */
function patience(state: WriterState): Patience {
  const { options: { clock, room }, doubt } = state
  let isReached = true
  return {
    clock,
    hasEnded: () => state.closedMs !== undefined && (!isReached || clock.monotonicMs() - state.closedMs > closingMsMax),
    onUnknown(error) {
      isReached = isUnknown(error) || isDiskFull(error)
      if (isDiskFull(error)) room.noteFull(error)
      else doubt.begin(error)
    },
  }
}

function fail(state: WriterState, group: readonly Entry[], cause: unknown): void {
  const failure = cause instanceof Error ? cause : new LsmtError('XX000', `internal error: ${String(cause)}`)
  state.failure ??= failure
  const waiting = [...group, ...state.queue]
  state.queue = []
  state.queuedBytes = 0
  state.wishes = 0
  for (const entry of waiting) entry.reject?.(failure)
}
