/**
 * Log segments as bytes, for their writer and their reader; drawn in log.ts. Little-endian, in linear memory, at
 * addresses that are multiples of 8. Never change these numbers: a new layout gets a new version.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { batchHeaderBytes } from '../batch.ts'

const magic = Buffer.from('LSMTWAL1', 'latin1')
const formatVersion = 1
const algorithmXxh64 = 1
export const segmentHeaderBytes = 64
export const recordHeaderBytes = 32

const headerChecksumAt = 56
/** Bits of the header's flags. */
const cutsFlag = 1

export interface SegmentHeader {
  readonly shard: number
  readonly segmentNumber: number
  readonly writerEpoch: number
  /** The last sequence before this segment, durable when the segment was begun. */
  readonly sequenceBefore: number
  /** Segments before it go on after `sequenceBefore`: what they have there was cut off. Only in the log of a replica. */
  readonly cuts: boolean
}

/** What was expected and what stands there, when bytes are not what they should be. */
export interface Mismatch {
  readonly expected: string
  readonly actual: string
}

export type HeaderReading =
  | { readonly kind: 'header'; readonly header: SegmentHeader }
  /** All zeros: preallocated, or begun by a write that was lost. */
  | { readonly kind: 'unwritten' }
  | { readonly kind: 'unknownVersion'; readonly version: number; readonly algorithm: number }
  | ({ readonly kind: 'damaged' } & Mismatch)

export type RecordReading =
  | { readonly kind: 'record'; readonly byteLength: number; readonly payloadBytes: number; readonly baseSequence: number; readonly durableSequence: number }
  | ({ readonly kind: 'damaged' } & Mismatch)

export function recordBytes(payloadBytes: number): number {
  return recordHeaderBytes + ((payloadBytes + 7) & ~7)
}

export function writeSegmentHeader({ memory, exports }: Kernel, at: Pointer, header: SegmentHeader): void {
  const { u8, view } = memory
  u8.fill(0, at, at + segmentHeaderBytes)
  u8.set(magic, at)
  view.setUint16(at + 8, formatVersion, true)
  view.setUint16(at + 10, algorithmXxh64, true)
  view.setUint32(at + 12, header.shard, true)
  view.setFloat64(at + 16, header.segmentNumber, true)
  view.setFloat64(at + 24, header.writerEpoch, true)
  view.setFloat64(at + 32, header.sequenceBefore, true)
  view.setUint32(at + 40, header.cuts ? cutsFlag : 0, true)
  exports.checksumXxh64(at, headerChecksumAt, at + headerChecksumAt)
}

/** `scratch` has room for 8 bytes. */
export function readSegmentHeader(kernel: Kernel, at: Pointer, scratch: Pointer): HeaderReading {
  const { u8, view } = kernel.memory
  if (isZero(kernel, at, segmentHeaderBytes)) return { kind: 'unwritten' }
  const found = Buffer.from(u8.slice(at, at + magic.length))
  if (!found.equals(magic)) return { kind: 'damaged', expected: `magic ${magic.toString('latin1')}`, actual: JSON.stringify(found.toString('latin1')) }
  const mismatch = checksumMismatch(kernel, at, headerChecksumAt, at + headerChecksumAt, scratch)
  if (mismatch !== undefined) return { kind: 'damaged', ...mismatch }
  const version = view.getUint16(at + 8, true)
  const algorithm = view.getUint16(at + 10, true)
  const flags = view.getUint32(at + 40, true)
  if (version !== formatVersion || algorithm !== algorithmXxh64 || flags > cutsFlag) return { kind: 'unknownVersion', version, algorithm }
  return {
    kind: 'header',
    header: {
      shard: view.getUint32(at + 12, true),
      segmentNumber: view.getFloat64(at + 16, true),
      writerEpoch: view.getFloat64(at + 24, true),
      sequenceBefore: view.getFloat64(at + 32, true),
      cuts: flags === cutsFlag,
    },
  }
}

/** Writes a record of `recordBytes(payload.length)` bytes. */
export function writeRecord({ memory, exports }: Kernel, at: Pointer, baseSequence: number, durableSequence: number, payload: Uint8Array): void {
  const { u8, u32, f64 } = memory
  const end = at + recordBytes(payload.length)
  u32[(at >> 2) + 2] = payload.length
  u32[(at >> 2) + 3] = ~payload.length
  f64[(at >> 3) + 2] = baseSequence
  f64[(at >> 3) + 3] = durableSequence
  f64[(end >> 3) - 1] = 0
  u8.set(payload, at + recordHeaderBytes)
  exports.checksumXxh64(at + 8, end - at - 8, at)
}

/** Whether lengths at `at` could be those of a record that ends by `end`; the cheap test before the checksum. */
export function mayBeRecord({ memory: { u32 } }: Kernel, at: Pointer, end: Pointer): boolean {
  if (at + recordHeaderBytes > end) return false
  const payloadBytes = u32[(at >> 2) + 2]!
  return payloadBytes === (~u32[(at >> 2) + 3]! >>> 0) && payloadBytes >= batchHeaderBytes && payloadBytes <= end - at - recordHeaderBytes && at + recordBytes(payloadBytes) <= end
}

export function readRecord(kernel: Kernel, at: Pointer, end: Pointer, scratch: Pointer): RecordReading {
  const { u32, f64 } = kernel.memory
  if (!mayBeRecord(kernel, at, end)) return { kind: 'damaged', expected: 'a record length and its complement', actual: describeLengths(kernel, at, end) }
  const payloadBytes = u32[(at >> 2) + 2]!
  const byteLength = recordBytes(payloadBytes)
  const mismatch = checksumMismatch(kernel, at + 8, byteLength - 8, at, scratch)
  if (mismatch !== undefined) return { kind: 'damaged', ...mismatch }
  return { kind: 'record', byteLength, payloadBytes, baseSequence: f64[(at >> 3) + 2]!, durableSequence: f64[(at >> 3) + 3]! }
}

export function isZero({ memory: { u32 } }: Kernel, at: Pointer, byteLength: number): boolean {
  for (let word = at >> 2; word < (at + byteLength) >> 2; word++) if (u32[word] !== 0) return false
  return true
}

function describeLengths({ memory: { u32 } }: Kernel, at: Pointer, end: Pointer): string {
  if (at + 16 > end) return 'the end of the file'
  return `${u32[(at >> 2) + 2]} and ${~u32[(at >> 2) + 3]! >>> 0}`
}

function checksumMismatch({ memory: { u64, u32 }, exports }: Kernel, bytes: Pointer, byteLength: number, stored: Pointer, scratch: Pointer): Mismatch | undefined {
  exports.checksumXxh64(bytes, byteLength, scratch)
  if (u32[stored >> 2] === u32[scratch >> 2] && u32[(stored >> 2) + 1] === u32[(scratch >> 2) + 1]) return undefined
  const hex = (at: Pointer): string => u64[at >> 3]!.toString(16).padStart(16, '0')
  return { expected: `xxh64 ${hex(stored)}`, actual: `xxh64 ${hex(scratch)}` }
}
