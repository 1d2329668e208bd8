/**
 * Judges one log segment: which records are good, where they end, and whether what follows is a torn tail or damage
 * (the rules stand in log.ts). Works on a segment in linear memory and on what came before it.
 */
import { corruption, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { isZero, mayBeRecord, readRecord, readSegmentHeader, recordHeaderBytes, segmentHeaderBytes } from './segment-format.ts'
import type { Mismatch, RecordReading, SegmentHeader } from './segment-format.ts'

/** A segment as loaded. `byteLength` is a multiple of 8; `scratch` has room for 8 bytes. */
export interface LoadedSegment {
  readonly file: string
  readonly shard: number
  readonly segmentNumber: number
  readonly address: Pointer
  readonly byteLength: number
  readonly scratch: Pointer
}

/** Where the good records of the segments before ended. */
export interface ScanPosition {
  /** undefined before the first segment that holds anything. */
  readonly lastSequence: number | undefined
  readonly writerEpoch: number
}

export interface ScannedRecord {
  readonly byteOffset: number
  readonly payloadBytes: number
  readonly baseSequence: number
  readonly lastSequence: number
}

/** A torn tail: bytes that were written but never acknowledged. */
export interface LogCut {
  readonly file: string
  readonly byteOffset: number
  /** From the cut to the last byte that is not zero. */
  readonly bytesDropped: number
}

export interface SegmentScan {
  readonly records: readonly ScannedRecord[]
  readonly position: ScanPosition
  readonly cut: LogCut | undefined
  /** A segment that has none was never part of the log. */
  readonly header: SegmentHeader | undefined
}

/** Scans a segment; `flushedSequence` is what need not be in the log. */
export function scanSegment(kernel: Kernel, segment: LoadedSegment, before: ScanPosition, flushedSequence: number): SegmentScan {
  const { file, address, byteLength, scratch } = segment
  const reading = byteLength < segmentHeaderBytes
    ? { kind: 'damaged', expected: `at least ${segmentHeaderBytes} bytes`, actual: `${byteLength} bytes` } as const
    : readSegmentHeader(kernel, address, scratch)
  switch (reading.kind) {
    case 'unknownVersion':
      throw new LsmtError('XX002', `${file} has log format ${reading.version} (checksum algorithm ${reading.algorithm}); this version of lsmt reads 1 (1)`, { file })
    case 'unwritten':
      return scanHeadless(kernel, segment, before, before.lastSequence ?? flushedSequence, { expected: 'a segment header', actual: 'zeros' })
    case 'damaged':
      return scanHeadless(kernel, segment, before, -1, reading)
    case 'header':
      checkHeader(segment, reading.header, before, flushedSequence)
      return scanRecords(kernel, segment, reading.header, before)
  }
}

/**
 * A segment without a good header: its first write was lost or torn, so nothing in it was acknowledged, unless a record
 * says that one past `durableLimit` was.
 */
function scanHeadless(kernel: Kernel, segment: LoadedSegment, before: ScanPosition, durableLimit: number, found: Mismatch): SegmentScan {
  // Records that repeat sequences of segments before stand behind a header that cuts, which was durable first.
  if (hasRecord(kernel, segment, segmentHeaderBytes, ({ durableSequence, baseSequence }) => durableSequence > durableLimit || baseSequence <= (before.lastSequence ?? 0))) {
    throw corruption('log segment', { file: segment.file, block: 'header', byteOffset: 0, expected: found.expected, actual: found.actual })
  }
  return { records: [], position: before, cut: cutAt(kernel, segment, 0), header: undefined }
}

function checkHeader(segment: LoadedSegment, header: SegmentHeader, before: ScanPosition, flushedSequence: number): void {
  const demand = (good: boolean, expected: string, actual: string): void => {
    if (!good) throw corruption('log segment', { file: segment.file, block: 'header', byteOffset: 0, expected, actual })
  }
  demand(header.shard === segment.shard && header.segmentNumber === segment.segmentNumber,
    `shard ${segment.shard} segment ${segment.segmentNumber}`, `shard ${header.shard} segment ${header.segmentNumber}`)
  const { sequenceBefore, writerEpoch } = header
  const { lastSequence } = before
  // Whether a log that begins here lacks something, what cuts it off may tell: the reader asks at the end.
  if (lastSequence === undefined) return
  if (header.cuts) {
    demand(writerEpoch <= before.writerEpoch && sequenceBefore < lastSequence, `a cut below sequence ${lastSequence}, to an epoch up to ${before.writerEpoch}`, `to sequence ${sequenceBefore}, epoch ${writerEpoch}`)
    return
  }
  demand(writerEpoch >= before.writerEpoch, `a writer epoch from ${before.writerEpoch}`, String(writerEpoch))
  demand(sequenceBefore === lastSequence || (sequenceBefore > lastSequence && sequenceBefore <= flushedSequence), `a segment that follows sequence ${lastSequence}`, missingBefore(header))
}

/** What is wrong with a segment that does not go on where what is there ends. */
export const missingBefore = ({ sequenceBefore }: SegmentHeader): string => `one that follows ${sequenceBefore}: records between are missing`

function scanRecords(kernel: Kernel, segment: LoadedSegment, header: SegmentHeader, before: ScanPosition): SegmentScan {
  const { file, address, scratch } = segment
  const end = address + segment.byteLength
  const records: ScannedRecord[] = []
  let lastSequence = header.sequenceBefore
  let byteOffset = segmentHeaderBytes
  for (;;) {
    const reading = readRecord(kernel, address + byteOffset, end, scratch)
    if (reading.kind === 'damaged') {
      if (hasRecord(kernel, segment, byteOffset, ({ durableSequence }) => durableSequence > lastSequence)) throw corruption('log record', { file, byteOffset, block: `record at byte ${byteOffset}`, expected: reading.expected, actual: reading.actual })
      break
    }
    const { payloadBytes, baseSequence } = reading
    lastSequence = checkRecord(kernel, segment, byteOffset, payloadBytes, baseSequence, lastSequence)
    records.push({ byteOffset, payloadBytes, baseSequence, lastSequence })
    byteOffset += reading.byteLength
  }
  // An epoch whose first record was lost has not begun.
  const writerEpoch = records.length > 0 || header.cuts ? header.writerEpoch : before.writerEpoch
  return { records, position: { lastSequence, writerEpoch }, cut: cutAt(kernel, segment, byteOffset), header }
}

/** The checksum holds; the batch in it must agree with the record and follow the one before. Returns its last sequence. */
function checkRecord(kernel: Kernel, { file, address }: LoadedSegment, byteOffset: number, payloadBytes: number, baseSequence: number, lastSequence: number): number {
  const { view } = kernel.memory
  const payload = address + byteOffset + recordHeaderBytes
  const demand = (good: boolean, expected: string, actual: number): void => {
    if (!good) throw corruption('log record', { file, byteOffset, block: `record at byte ${byteOffset}`, expected, actual: String(actual) })
  }
  demand(view.getUint32(payload, true) === payloadBytes, `a batch of ${payloadBytes} bytes`, view.getUint32(payload, true))
  demand(view.getFloat64(payload + 8, true) === baseSequence, `a batch of base sequence ${baseSequence}`, view.getFloat64(payload + 8, true))
  demand(Number.isSafeInteger(baseSequence) && baseSequence > lastSequence, `a sequence past ${lastSequence}`, baseSequence)
  return lastSequenceOf(baseSequence, view.getUint32(payload + 4, true))
}

/** A batch of n operations covers n sequences from its base; one of none takes a sequence all the same. */
export function lastSequenceOf(baseSequence: number, operationCount: number): number {
  return baseSequence + Math.max(operationCount, 1) - 1
}

/** Whether a whole record from `byteOffset` on proves that something before it was durable. */
function hasRecord(kernel: Kernel, { address, byteLength, scratch }: LoadedSegment, byteOffset: number, isProof: (record: Extract<RecordReading, { readonly kind: 'record' }>) => boolean): boolean {
  const end = address + byteLength
  for (let at = address + byteOffset; at < end; at += 8) {
    if (!mayBeRecord(kernel, at, end)) continue
    const reading = readRecord(kernel, at, end, scratch)
    if (reading.kind === 'record' && isProof(reading)) return true
  }
  return false
}

/** The torn tail from `byteOffset` on, if anything but zeros stands there. */
function cutAt(kernel: Kernel, { file, address, byteLength }: LoadedSegment, byteOffset: number): LogCut | undefined {
  let end = address + byteLength
  while (end > address + byteOffset && isZero(kernel, end - 8, 8)) end -= 8
  return end === address + byteOffset ? undefined : { file, byteOffset, bytesDropped: end - address - byteOffset }
}
