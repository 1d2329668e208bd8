/**
 * Reads a shard's log back: judges every segment first, so that no record is handed out of a log that is damaged
 * anywhere, and makes durable what it found, since a crashed process may have left records that no sync ever covered.
 */
import { corruption, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Storage } from '../../storage/storage.ts'
import { tryAllocateBeforeCache } from '../state/memtable-memory.ts'
import type { Evicting } from '../state/memtable-memory.ts'
import { fileNumberOf, logFileName, logFolder } from '../file-names.ts'
import type { LogRecord } from './log.ts'
import { readRecord, readSegmentHeader, recordHeaderBytes, segmentHeaderBytes } from './segment-format.ts'
import { missingBefore, scanSegment } from './segment-scan.ts'
import type { SegmentHeader } from './segment-format.ts'
import type { WrittenSegment } from './segment-writer.ts'
import type { LoadedSegment, LogCut, ScannedRecord, ScanPosition } from './segment-scan.ts'

export interface ReadLogOptions {
  readonly storage: Storage
  readonly kernel: Kernel
  readonly shard: number
  /** Of the same heap: caches give way to segments. */
  readonly memtableMemory?: Evicting
  /** Everything up to this sequence is in table files: records at or below it are not handed out and need not be there. */
  readonly afterSequence: number
}

/** A record with what only segments tell of it. */
export interface SegmentRecord extends LogRecord {
  readonly lastSequence: number
  readonly writerEpoch: number
}

export interface ReadLog {
  /** Records after `afterSequence`, or after another sequence as far as they are there, in order; may be iterated again. */
  records(afterSequence?: number): AsyncIterable<SegmentRecord>
  /** Those that are part of the log, oldest first. */
  readonly segments: readonly ReadSegment[]
  /** All files that are there, for the writer that goes on: they go when what counts in them is flushed. */
  readonly files: readonly WrittenSegment[]
  /** 0 when there are no segments. The next writer starts at the next number. */
  readonly lastSegmentNumber: number
  /** The last sequence in the log; 0 when it holds none. The next writer starts after it, and after what is flushed. */
  readonly lastSequence: number
  readonly recordCount: number
  /** Tails that were written but never acknowledged, and are left out; and those of flushed segments, which nobody needs. */
  readonly cuts: readonly LogCut[]
}

/** A segment as it was read, without what a later one cut off. */
export interface ReadSegment {
  readonly file: string
  readonly header: SegmentHeader
  readonly records: readonly ScannedRecord[]
}

export async function readLog(options: ReadLogOptions): Promise<ReadLog> {
  const { storage, kernel, shard, afterSequence } = options
  const numbers = await segmentNumbers(storage, shard)
  let segments: readonly ReadSegment[] = []
  let files: readonly WrittenSegment[] = []
  let position: ScanPosition = { lastSequence: undefined, writerEpoch: 0 }
  const cuts: LogCut[] = []
  for (const segmentNumber of numbers) {
    const file = logFileName(shard, segmentNumber)
    const { header, records, ...scan } = await withSegment(options, segmentNumber, async (segment) => scanSegment(kernel, segment, position, afterSequence))
    position = scan.position
    if (scan.cut !== undefined) cuts.push(scan.cut)
    if (header?.cuts === true) {
      const cutTo = header.sequenceBefore
      segments = withoutCutOff(segments, file, header)
      files = files.map((each) => ({ ...each, lastSequence: Math.min(each.lastSequence, cutTo) }))
    }
    const { lastSequence = 0, writerEpoch } = position
    files = [...files, { name: file, writerEpoch, sequenceBefore: header?.sequenceBefore ?? lastSequence, lastSequence }]
    if (header === undefined) continue
    segments = [...segments, { file, header, records }]
  }
  checkBegin(segments, afterSequence)
  const newest = segments.at(-1)
  if (newest !== undefined) await makeDurable(storage, newest.file)
  return {
    records: (after = afterSequence) => recordsOf(options, segments, after),
    segments,
    files,
    lastSegmentNumber: numbers.at(-1) ?? 0,
    lastSequence: position.lastSequence ?? 0,
    recordCount: segments.reduce((sum, { records }) => sum + records.filter(({ lastSequence }) => lastSequence > afterSequence).length, 0),
    cuts,
  }
}

/** The sequence before the first segment that is there, as its header says; 0 where there is none, or it says nothing. */
export async function sequenceBeforeLog(options: Omit<ReadLogOptions, 'afterSequence'>): Promise<number> {
  const [first] = await segmentNumbers(options.storage, options.shard)
  if (first === undefined) return 0
  return await withSegment({ ...options, afterSequence: 0 }, first, async ({ address, byteLength, scratch }) => {
    const reading = byteLength < segmentHeaderBytes ? undefined : readSegmentHeader(options.kernel, address, scratch)
    return reading?.kind === 'header' ? reading.header.sequenceBefore : 0
  })
}

/** What the log lacks at its beginning is in files, or was cut off: segments go oldest first, also those of which nothing counts. */
function checkBegin(segments: readonly ReadSegment[], flushedSequence: number): void {
  const [first] = segments
  if (first === undefined || beginOf(segments) <= flushedSequence) return
  throw corruption('log segment', { file: first.file, block: 'header', byteOffset: 0, expected: `a segment that follows sequence ${flushedSequence} or less`, actual: missingBefore(first.header) })
}

/** The sequence before the first record that counts, or may count later. */
function beginOf(segments: readonly ReadSegment[]): number {
  return Math.min(...segments.filter(({ header }, i) => i === 0 || header.cuts).map(({ header }) => header.sequenceBefore))
}

/** What stands before a segment that cuts: a cut is made between two records, and names the epoch of the first of them, or takes all there is. */
function withoutCutOff(segments: readonly ReadSegment[], file: string, { sequenceBefore, writerEpoch }: SegmentHeader): readonly ReadSegment[] {
  const kept = segments.map((segment) => ({ ...segment, records: segment.records.filter(({ lastSequence }) => lastSequence <= sequenceBefore) }))
  const last = kept.findLast(({ records }) => records.length > 0)
  const isWhole = last === undefined ? sequenceBefore <= beginOf(kept) : last.records.at(-1)!.lastSequence === sequenceBefore && last.header.writerEpoch === writerEpoch
  if (!isWhole) throw corruption('log segment', { file, block: 'header', byteOffset: 0, expected: 'a cut between two records before it', actual: `one at sequence ${sequenceBefore} of epoch ${writerEpoch}` })
  return kept
}

/** Numbers of the segments that are there, ascending; a gap between them is corruption. */
async function segmentNumbers(storage: Storage, shard: number): Promise<readonly number[]> {
  const folder = logFolder(shard)
  const listed = await storage.list(folder)
  const numbers = listed.map((object) => fileNumberOf(object.name, folder, 'wal')).filter((number) => number !== undefined)
  numbers.forEach((number, i) => {
    const expected = (numbers[0] ?? 0) + i
    if (number !== expected) throw corruption('log', { file: logFileName(shard, expected), expected: 'a segment of this name', actual: `none, though ${logFileName(shard, number)} is there` })
  })
  return numbers
}

/** Loads a segment into linear memory for the time of `use`. */
async function withSegment<T>({ storage, kernel, shard, memtableMemory }: ReadLogOptions, segmentNumber: number, use: (segment: LoadedSegment) => Promise<T>): Promise<T> {
  const file = logFileName(shard, segmentNumber)
  const reader = await storage.open(file)
  const byteLength = (reader.byteLength + 7) & ~7
  const address = tryAllocateBeforeCache(kernel.heap, memtableMemory, byteLength + 8)
  try {
    if (address === 0) throw new LsmtError('53200', `no room to read ${file} of ${byteLength} bytes; raise the kernel memory setting`, { file })
    kernel.memory.u8.fill(0, address + reader.byteLength, address + byteLength)
    const into = kernel.memory.u8.subarray(address, address + reader.byteLength)
    if (reader.readSync !== undefined) reader.readSync(into, 0)
    else await reader.read(into, 0)
    return await use({ file, shard, segmentNumber, address, byteLength, scratch: address + byteLength })
  } finally {
    if (address !== 0) kernel.heap.free(address)
    await reader.close()
  }
}

async function* recordsOf(options: ReadLogOptions, segments: readonly ReadSegment[], afterSequence: number): AsyncGenerator<SegmentRecord> {
  for (const { header, records } of segments) {
    const wanted = records.filter(({ lastSequence }) => lastSequence > afterSequence)
    if (wanted.length === 0) continue
    yield* await withSegment(options, header.segmentNumber, async (segment) => wanted.map((record) => takeRecord(options.kernel, segment, header, record)))
  }
}

/** Copies a judged record out; its bytes were read again, so they are checked again. */
function takeRecord(kernel: Kernel, segment: LoadedSegment, { writerEpoch }: SegmentHeader, { byteOffset, payloadBytes, baseSequence, lastSequence }: ScannedRecord): SegmentRecord {
  const { file, address, byteLength, scratch } = segment
  const reading = readRecord(kernel, address + byteOffset, address + byteLength, scratch)
  if (reading.kind === 'damaged') throw corruption('log record', { file, byteOffset, expected: reading.expected, actual: reading.actual })
  const start = address + byteOffset + recordHeaderBytes
  return { baseSequence, lastSequence, writerEpoch, payload: kernel.memory.u8.slice(start, start + payloadBytes), file, byteOffset }
}

async function makeDurable(storage: Storage, file: string): Promise<void> {
  const append = await storage.openAppend(file)
  try {
    await append.sync()
  } finally {
    await append.close()
  }
}
