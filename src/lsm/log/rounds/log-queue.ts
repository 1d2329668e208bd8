/**
 * What waits to be written to a log, and how a round of the logs writes it: all of it together, then one sync, unless the
 * journal takes it. That the disk is full lets the others go on without this log, which waits for room.
 */
import { LsmtError } from '../../../errors.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { observe } from '../../../runtime/histogram.ts'
import type { HistogramRecorder } from '../../../runtime/histogram.ts'
import type { Durability, TreeSettings } from '../../../settings.ts'
import { isDiskFull } from '../../disk-room.ts'
import type { DiskRoom } from '../../disk-room.ts'
import type { CommitJournal } from '../journal/commit-journal.ts'
import type { JournalledLog } from '../journal/carry-over.ts'
import { recordBytes } from '../segment-format.ts'
import { firstSegmentBytes, smallSegmentBytes } from '../segment-supply.ts'
import { beginSegment, placeCut, placeRecord, prepareNext, syncBeside, syncSegment, writeScratch } from '../segment-writer.ts'
import type { PlacedRecord, SegmentWriter } from '../segment-writer.ts'
import type { LogRounds } from './log-rounds.ts'
import type { SyncPlace } from './sync-place.ts'

/** A segment that is to be begun: of another epoch, and perhaps with a cut. */
export interface SegmentStart {
  readonly writerEpoch: number
  readonly cutTo: number | undefined
}

/** A record, a wish to begin a new segment, for a sync beside the rounds, or (`undefined`) for a sync in this one. */
interface Entry {
  readonly record: PlacedRecord | SegmentStart | 'roll' | 'sync beside' | undefined
  readonly resolve: (() => void) | undefined
  readonly reject: ((error: Error) => void) | undefined
}

export interface QueueOptions {
  readonly shard: number
  readonly settings: Pick<TreeSettings, 'logSegmentBytes'>
  readonly durability: Durability
  readonly syncIntervalMs: number
  readonly clock: Clock
  readonly room: DiskRoom
  /** Of the same rounds: takes records of several logs at once. Where durability is `sync`. */
  readonly journal?: CommitJournal | undefined
}

export interface LogQueue {
  readonly options: QueueOptions
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
  /** What the journal sees of this log. */
  readonly asJournalled: JournalledLog
}

export function refusalOf({ failure, closed, options }: LogQueue): Error | undefined {
  if (failure !== undefined) return failure
  return closed ? new LsmtError('55000', `the log of shard ${options.shard} is closed`) : undefined
}

/** What nobody waits for. */
export function enqueueSilently(state: LogQueue, record: Entry['record']): void {
  if (refusalOf(state) !== undefined) return
  state.queue.push({ record, resolve: undefined, reject: undefined })
  startDrain(state)
}

export function enqueue(state: LogQueue, record: Entry['record']): Promise<void> {
  const refusal = refusalOf(state)
  if (refusal !== undefined) return Promise.reject(refusal)
  return new Promise((resolve, reject) => {
    state.queue.push({ record, resolve, reject })
    startDrain(state)
  })
}

function startDrain(state: LogQueue): void {
  if (state.draining) return
  state.draining = true
  state.rounds.join(() => drain(state))
}

/** Never fails: a failure goes to everyone who waits, and to everyone who comes after. */
function drain(state: LogQueue): Promise<void> | undefined {
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

function settle(state: LogQueue, group: readonly Entry[], cause?: unknown): void {
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
function writeGroup(state: LogQueue, group: readonly Entry[]): Promise<void> | undefined {
  const placing: Placing = { placed: [], mayLeave: state.options.durability === 'sync', syncWanted: false }
  for (let i = 0; i < group.length; i++) {
    const wait = placeEntry(state, placing, group[i]!)
    if (wait !== undefined) return placeRest(state, placing, group.slice(i + 1), wait)
  }
  return writePlaced(state, placing)
}

async function placeRest(state: LogQueue, placing: Placing, rest: readonly Entry[], first: Promise<void>): Promise<void> {
  placing.mayLeave = false
  await first
  for (const entry of rest) await placeEntry(state, placing, entry)
  await writePlaced(state, placing)
}

function placeEntry(state: LogQueue, placing: Placing, { record }: Entry): Promise<void> | undefined {
  if (record === undefined) {
    placing.syncWanted = true
    placing.mayLeave = false
    return undefined
  }
  if (record === 'roll') return roll(state)
  if (record === 'sync beside') return beginBeside(state)
  if ('cutTo' in record) return startSegment(state, record)
  const begun = onceThereIsRoom(state, () => placeRecord(state.writer, record))
  if (begun !== undefined) return begun.then(() => notePlaced(state, placing, record))
  notePlaced(state, placing, record)
  return undefined
}

function notePlaced(state: LogQueue, { placed }: Placing, record: PlacedRecord): void {
  state.queuedBytes -= recordBytes(record.payload.length)
  placed.push(record)
}

function writePlaced(state: LogQueue, { placed, mayLeave, syncWanted }: Placing): Promise<void> | undefined {
  if (placed.length === 0) return syncWanted ? writeOut(state, true) : undefined
  observe(state.groups, placed.length)
  const { rounds, options: { durability, journal } } = state
  const isAlone = rounds.members === 1
  const isSynced = durability === 'sync'
  const offered = mayLeave && !isAlone ? journal?.offer(state.asJournalled, placed) : undefined
  const place = isAlone && isSynced ? rounds.syncPlace : undefined
  if (offered === undefined) return writeOut(state, syncWanted || isSynced, place)
  return offered.then((isTaken) => {
    if (!isTaken) return writeOut(state, true)
    prepareNext(state.writer)
    return undefined
  })
}

function writeOut(state: LogQueue, syncWanted: boolean, place?: SyncPlace): Promise<void> | undefined {
  const { writer } = state
  const written = onceThereIsRoom(state, () => {
    writeScratch(writer)
    return undefined
  })
  const synced = (): Promise<void> | undefined => {
    if (syncWanted) return syncSegment(writer, place)
    if (state.options.durability === 'interval') startInterval(state)
    return undefined
  }
  return written === undefined ? synced() : written.then(synced)
}

/** Without room for a new segment the old one goes on: it can only be deleted later. One that has to be waited for is small. */
async function roll({ writer, options }: LogQueue): Promise<void> {
  if (writer.segment === undefined) return
  if (writer.supply.readyBytes === 0) writer.supply.startAgain(firstSegmentBytes)
  try {
    await beginSegment(writer)
  } catch (error) {
    if (writer.syncFailure !== undefined || !isDiskFull(error)) throw error
    options.room.noteFull(error)
  }
}

async function startSegment(state: LogQueue, { writerEpoch, cutTo }: SegmentStart): Promise<void> {
  const { writer } = state
  if (writer.byteOffset + writer.scratchUsed > 0) writer.supply.startAgain(smallSegmentBytes)
  await onceThereIsRoom(state, () => beginSegment(writer))
  writer.writerEpoch = writerEpoch
  if (cutTo === undefined) return
  placeCut(writer, cutTo, writerEpoch)
  await onceThereIsRoom(state, () => { writeScratch(writer); return undefined })
  // Before any record, so that those behind a header that is lost prove that it was there.
  await syncSegment(writer)
}

/** Takes a step, which may be taken again after it found no room. */
function onceThereIsRoom(state: LogQueue, step: () => Promise<void> | undefined): Promise<void> | undefined {
  try {
    return step()?.catch((error: unknown) => stepAgain(state, step, error))
  } catch (error) {
    return stepAgain(state, step, error)
  }
}

async function stepAgain(state: LogQueue, step: () => Promise<void> | undefined, failure: unknown): Promise<void> {
  const { writer, options: { room, settings } } = state
  for (let error = failure; ;) {
    if (writer.syncFailure !== undefined || !isDiskFull(error)) throw error
    if (room.isOpening) throw error
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

/** Begins a sync of all that was placed, for which this round does not wait; but for the one before, if that is not through. */
function beginBeside(state: LogQueue): Promise<void> | undefined {
  const { writer } = state
  if (writer.beside !== undefined) return writer.beside.then(() => beginBeside(state))
  if (writer.syncFailure !== undefined) return undefined
  return onceThereIsRoom(state, () => {
    syncBeside(writer, (error) => fail(state, [], error))
    return undefined
  })
}

/** Asks for a sync one interval from now, once for all writes until then. */
export function startInterval(state: LogQueue): void {
  if (state.intervalRunning || !state.writer.dirty) return
  state.intervalRunning = true
  const { clock, syncIntervalMs } = state.options
  void clock.sleep(syncIntervalMs).then(() => {
    state.intervalRunning = false
    if (state.closed || state.failure !== undefined) return
    enqueueSilently(state, 'sync beside')
  })
}

/** Ends the log: for those of `group`, for all that is queued, and for everyone who comes after. */
export function fail(state: LogQueue, group: readonly Entry[], cause: unknown): void {
  const failure = cause instanceof Error ? cause : new LsmtError('XX000', `internal error: ${String(cause)}`)
  state.failure ??= failure
  const waiting = [...group, ...state.queue]
  state.queue = []
  state.queuedBytes = 0
  for (const entry of waiting) entry.reject?.(failure)
}
