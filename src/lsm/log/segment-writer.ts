/**
 * Places records in segments: encodes them in linear memory, writes each run of them at once, begins the next segment
 * when one is full. A segment is synced before the next is begun, so a tear can only be in the last.
 */
import { invariant, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import type { Clock } from '../../runtime/clock.ts'
import { observe } from '../../runtime/histogram.ts'
import type { HistogramRecorder } from '../../runtime/histogram.ts'
import { isDiskFull } from '../disk-room.ts'
import { tryAllocateBeforeCache } from '../state/memtable-memory.ts'
import type { Evicting } from '../state/memtable-memory.ts'
import { recordBytes, segmentHeaderBytes, writeRecord, writeSegmentHeader } from './segment-format.ts'
import type { FreshSegment, SegmentSupply } from './segment-supply.ts'
import type { SyncPlace } from './rounds/sync-place.ts'

export interface WrittenSegment {
  readonly name: string
  readonly writerEpoch: number
  readonly sequenceBefore: number
  /** Of what counts in it: what was cut off does not. */
  readonly lastSequence: number
}

export interface PlacedRecord {
  readonly payload: Uint8Array
  readonly baseSequence: number
  readonly lastSequence: number
}

export interface SegmentWriter {
  readonly kernel: Kernel
  readonly clock: Clock
  /** Caches give way to large records, where there are some. */
  readonly memtableMemory: Evicting | undefined
  readonly supply: SegmentSupply
  readonly shard: number
  /** Of the records from here on. */
  writerEpoch: number
  readonly scratch: Pointer
  scratchUsed: number
  /** The one that is written; undefined until the first record, so that who writes nothing makes no file. */
  segment: FreshSegment | undefined
  /** Bytes written in the segment; 0 before its header. */
  byteOffset: number
  sequenceBefore: number
  /** Full segments that still exist, oldest first. */
  full: WrittenSegment[]
  lastSequence: number
  durableSequence: number
  /** Something was written that no sync has begun to make durable. */
  dirty: boolean
  /** A sync that nothing written meanwhile waits for. Never rejects. */
  beside: Promise<void> | undefined
  /** Of a sync: whatever it was, it is not made again. */
  syncFailure: Error | undefined
  syncs: number
  readonly syncMs: HistogramRecorder
  bytes: number
}

export const scratchBytes = 256 * 1024

/** Whether a record fits behind what is written, placed, and queued before it. */
export function hasPlace({ segment, byteOffset, scratchUsed }: SegmentWriter, queuedBytes: number, payloadBytes: number): boolean {
  return segment !== undefined && byteOffset + scratchUsed + queuedBytes + recordBytes(payloadBytes) <= segment.byteLength
}

/** What a segment of its own takes for a record. */
export function segmentBytesFor(payloadBytes: number): number {
  return segmentHeaderBytes + recordBytes(payloadBytes)
}

/**
 * Places one record, to be written by the next `writeScratch` at the latest. When it does not fit, a new segment is begun
 * first, and the answer is when that is done.
 */
export function placeRecord(writer: SegmentWriter, record: PlacedRecord): Promise<void> | undefined {
  const { segment } = writer
  const filled = writer.byteOffset + writer.scratchUsed
  const fits = segment !== undefined && (filled <= segmentHeaderBytes || filled + recordBytes(record.payload.length) <= segment.byteLength)
  if (!fits) return beginSegment(writer).then(() => place(writer, record))
  place(writer, record)
  return undefined
}

/**
 * Writes one record by itself. False where it has no place, or the disk no room: then nothing of it counts, and its bytes are
 * written over.
 */
export function tryWriteRecord(writer: SegmentWriter, record: PlacedRecord): boolean {
  const { lastSequence } = writer
  const payloadBytes = record.payload.length
  if (writer.byteOffset === 0 || writer.scratchUsed > 0 || recordBytes(payloadBytes) > scratchBytes || !hasPlace(writer, 0, payloadBytes)) return false
  place(writer, record)
  try {
    writeScratch(writer)
  } catch (error) {
    if (!isDiskFull(error)) throw error
    writer.scratchUsed = 0
    writer.lastSequence = lastSequence
    return false
  }
  return true
}

/** Writes what was placed, in one piece. */
export function writeScratch(writer: SegmentWriter): void {
  if (writer.scratchUsed === 0) return
  writeBytes(writer, writer.scratch, writer.scratchUsed)
  writer.scratchUsed = 0
  prepareNext(writer)
}

/** Has the next segment made once this one is half full, counting what is placed. */
export function prepareNext({ byteOffset, scratchUsed, segment, supply }: SegmentWriter): void {
  if (segment !== undefined && byteOffset + scratchUsed > segment.byteLength / 2) supply.prepare()
}

/** Makes everything written durable; at `place`, where it has one. undefined: it is. */
export function syncSegment(writer: SegmentWriter, place?: SyncPlace): Promise<void> | undefined {
  // A failure is told to one sync of a file only, so there is one at a time.
  if (writer.beside !== undefined) return writer.beside.then(() => syncSegment(writer, place))
  if (writer.syncFailure !== undefined) throw writer.syncFailure
  if (!writer.dirty) return undefined
  const begun = beginSync(writer)
  let syncing: Promise<void> | undefined
  try {
    const { file } = segmentOf(writer)
    syncing = place === undefined ? file.sync() : place.sync(file)
  } catch (error) {
    return syncFailed(writer, error)
  }
  if (syncing !== undefined) return syncing.then(() => noteSynced(writer, begun), (error: unknown) => syncFailed(writer, error))
  noteSynced(writer, begun)
  return undefined
}

/**
 * Begins to make everything placed durable, while more is placed and written; `onFailure` learns when that failed. The one before
 * is through.
 */
export function syncBeside(writer: SegmentWriter, onFailure: (error: unknown) => void): void {
  invariant(writer.beside === undefined, 'two syncs of a log beside its rounds')
  writeScratch(writer)
  if (!writer.dirty) return
  const begun = beginSync(writer)
  writer.beside = segmentOf(writer).file.sync().then(() => noteSynced(writer, begun), (error: unknown) => syncFailed(writer, error)).catch(onFailure).finally(() => (writer.beside = undefined))
}

/** What a sync covers, and when it began. */
interface BegunSync {
  readonly throughSequence: number
  readonly startMs: number
}

function beginSync(writer: SegmentWriter): BegunSync {
  writer.syncs++
  writer.dirty = false
  return { throughSequence: writer.lastSequence, startMs: writer.clock.monotonicMs() }
}

function noteSynced(writer: SegmentWriter, { throughSequence, startMs }: BegunSync): void {
  observe(writer.syncMs, writer.clock.monotonicMs() - startMs)
  writer.durableSequence = throughSequence
}

function syncFailed(writer: SegmentWriter, error: unknown): never {
  writer.syncFailure = error instanceof Error ? error : new Error(String(error))
  throw error
}

/** Ends the segment, if anything is in it, and begins the next; there is one afterwards. */
export async function beginSegment(writer: SegmentWriter): Promise<void> {
  if (writer.beside !== undefined) await writer.beside
  const ended = writer.segment
  if (ended === undefined) {
    writer.segment = await writer.supply.take()
    return
  }
  writeScratch(writer)
  if (writer.byteOffset === 0) return
  await syncSegment(writer)
  const { writerEpoch } = writer
  writer.segment = await writer.supply.take()
  writer.byteOffset = 0
  writer.full.push({ name: ended.name, writerEpoch, sequenceBefore: writer.sequenceBefore, lastSequence: writer.lastSequence })
  writer.sequenceBefore = writer.lastSequence
  await ended.file.close()
}

/** Where something was placed there is one. */
function segmentOf({ segment }: SegmentWriter): FreshSegment {
  invariant(segment !== undefined, 'the log has no segment yet')
  return segment
}

/** What was written after `toSequence` counts no more, once the header of the empty segment that is begun here is durable. */
export function placeCut(writer: SegmentWriter, toSequence: number, writerEpoch: number): void {
  writer.full = writer.full.map((segment) => ({ ...segment, lastSequence: Math.min(segment.lastSequence, toSequence) }))
  writer.writerEpoch = writerEpoch
  writer.lastSequence = writer.durableSequence = writer.sequenceBefore = toSequence
  placeHeader(writer, true)
}

function place(writer: SegmentWriter, record: PlacedRecord): void {
  if (writer.byteOffset + writer.scratchUsed === 0) placeHeader(writer, false)
  const byteLength = recordBytes(record.payload.length)
  if (byteLength > scratchBytes) writeLarge(writer, record, byteLength)
  else placeInScratch(writer, record, byteLength)
  writer.lastSequence = record.lastSequence
}

function placeHeader(writer: SegmentWriter, cuts: boolean): void {
  const { kernel, shard, writerEpoch, scratch } = writer
  writeSegmentHeader(kernel, scratch, { shard, segmentNumber: segmentOf(writer).number, writerEpoch, sequenceBefore: writer.lastSequence, cuts })
  writer.scratchUsed = segmentHeaderBytes
}

function placeInScratch(writer: SegmentWriter, record: PlacedRecord, byteLength: number): void {
  if (writer.scratchUsed + byteLength > scratchBytes) writeScratch(writer)
  encode(writer, writer.scratch + writer.scratchUsed, record)
  writer.scratchUsed += byteLength
}

function writeLarge(writer: SegmentWriter, record: PlacedRecord, byteLength: number): void {
  const { kernel: { heap }, memtableMemory } = writer
  const address = tryAllocateBeforeCache(heap, memtableMemory, byteLength)
  if (address === 0) throw noRoomFor(byteLength)
  try {
    writeScratch(writer)
    encode(writer, address, record)
    writeBytes(writer, address, byteLength)
  } finally {
    heap.free(address)
  }
}

/** Why a record cannot be placed now, if it is too large for the memory there is; asked before it is queued. */
export function refusalOfSize({ kernel: { heap }, memtableMemory }: Pick<SegmentWriter, 'kernel' | 'memtableMemory'>, payloadBytes: number): LsmtError | undefined {
  const byteLength = recordBytes(payloadBytes)
  if (byteLength <= scratchBytes) return undefined
  const address = tryAllocateBeforeCache(heap, memtableMemory, byteLength)
  if (address === 0) return noRoomFor(byteLength)
  heap.free(address)
  return undefined
}

function noRoomFor(byteLength: number): LsmtError {
  return new LsmtError('53200', `no room for a log record of ${byteLength} bytes; write less at once or raise the kernel memory setting`)
}

function encode(writer: SegmentWriter, at: Pointer, { baseSequence, payload }: PlacedRecord): void {
  writeRecord(writer.kernel, at, baseSequence, writer.durableSequence, payload)
}

function writeBytes(writer: SegmentWriter, address: Pointer, byteLength: number): void {
  segmentOf(writer).file.write([writer.kernel.memory.u8.subarray(address, address + byteLength)], writer.byteOffset)
  writer.byteOffset += byteLength
  writer.bytes += byteLength
  writer.dirty = true
}
