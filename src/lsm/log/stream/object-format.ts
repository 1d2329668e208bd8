/**
 * Objects of a log stream as bytes, for their writer and their readers. A stream is the log of all shards of a node where
 * storage cannot append to what exists: `wal/<stream, 20 digits>/<id, 20 digits>.wal`, ids without a gap from 1.
 *
 *   0  magic "LSMTLOG1"   8  u16 version   10  u16 checksum algorithm (1 = xxh64)   12  u32 kind: 1 data, 2 fence
 *  16  f64 stream   24  f64 id   32  f64 writer epoch
 *  40  u8[16] put id, random   56  u8[16] put id of the object before; zeros in the first
 *  72  f64 bytes of the object   80  u32 records   84  u32 shards; 0 in a fence
 *  88  f64 for each shard: its last sequence before this object
 *      u64 xxh64 of all before
 *      records, each at a multiple of 8:
 *        0  u64 xxh64 of all that follows, padding included   8  u32 payload bytes   12  u32 shard   16  f64 base sequence
 *       24  payload (a write batch), zeros to the next multiple of 8
 *
 * Little-endian. Never change these numbers: a new layout gets a new version.
 */
import { corruption, LsmtError } from '../../../errors.ts'
import type { Kernel } from '../../../kernel/kernel.ts'
import { batchHeaderBytes, viewOf } from '../../batch.ts'
import { lastSequenceOf } from '../segment-scan.ts'
import type { Mismatch } from '../segment-format.ts'

const magic = Buffer.from('LSMTLOG1', 'latin1')
const formatVersion = 1
const algorithmXxh64 = 1
const kindNumbers = { data: 1, fence: 2 } as const
const tableAt = 88
const putIdBytes = 16
export const recordHeaderBytes = 24
/** 32 hexadecimal digits: what stands before the first object. */
export const noPutId = '0'.repeat(2 * putIdBytes)

export interface LogObjectHeader {
  readonly kind: keyof typeof kindNumbers
  readonly stream: number
  readonly id: number
  readonly writerEpoch: number
  /** 32 hexadecimal digits. */
  readonly putId: string
  readonly previousPutId: string
  readonly byteLength: number
  readonly recordCount: number
  /** By shard, the last sequence in the log before this object; empty in a fence, whose writer has not read the log yet. */
  readonly lastSequences: readonly number[]
}

export interface StreamRecord {
  readonly shard: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly payload: Uint8Array
}

export interface ObjectRecord extends StreamRecord {
  readonly byteOffset: number
  readonly byteLength: number
}

export interface ObjectDamage extends Mismatch {
  readonly byteOffset: number
}

/** An object as far as it can be read: what follows damage has no known place. */
export interface ObjectReading {
  readonly header: LogObjectHeader | undefined
  readonly records: readonly ObjectRecord[]
  readonly damage: ObjectDamage | undefined
}

const headerBytes = (shards: number): number => tableAt + 8 * shards + 8
export const recordBytes = (payloadBytes: number): number => recordHeaderBytes + ((payloadBytes + 7) & ~7)

/** The bytes of an object; 53200 when the kernel's memory has no room for its largest record. */
export function encodeObject(kernel: Kernel, given: Omit<LogObjectHeader, 'byteLength' | 'recordCount'>, records: readonly StreamRecord[]): Uint8Array {
  const headLength = headerBytes(given.lastSequences.length)
  const byteLength = records.reduce((sum, { payload }) => sum + recordBytes(payload.length), headLength)
  const object = Buffer.alloc(byteLength)
  writeHeader(object, { ...given, byteLength, recordCount: records.length })
  withChecksums(kernel, records.reduce((most, { payload }) => Math.max(most, recordBytes(payload.length)), headLength), (checksum) => {
    object.set(checksum(object.subarray(0, headLength - 8)), headLength - 8)
    let at = headLength
    for (const { shard, baseSequence, payload } of records) {
      object.writeUInt32LE(payload.length, at + 8)
      object.writeUInt32LE(shard, at + 12)
      object.writeDoubleLE(baseSequence, at + 16)
      object.set(payload, at + recordHeaderBytes)
      const end = at + recordBytes(payload.length)
      object.set(checksum(object.subarray(at + 8, end)), at)
      at = end
    }
  })
  return object
}

function writeHeader(object: Buffer, header: LogObjectHeader): void {
  object.set(magic)
  object.writeUInt16LE(formatVersion, 8)
  object.writeUInt16LE(algorithmXxh64, 10)
  object.writeUInt32LE(kindNumbers[header.kind], 12)
  for (const [i, value] of [header.stream, header.id, header.writerEpoch].entries()) object.writeDoubleLE(value, 16 + 8 * i)
  object.write(header.putId, 40, 'hex')
  object.write(header.previousPutId, 56, 'hex')
  object.writeDoubleLE(header.byteLength, 72)
  object.writeUInt32LE(header.recordCount, 80)
  object.writeUInt32LE(header.lastSequences.length, 84)
  for (const [shard, sequence] of header.lastSequences.entries()) object.writeDoubleLE(sequence, tableAt + 8 * shard)
}

/** Reads an object that must be whole and that of its name: XX001 where it is not, XX002 when another version wrote it. Payloads are views on `bytes`. */
export function decodeObject(kernel: Kernel, bytes: Uint8Array, file: string, expected: { readonly stream: number; readonly id: number }): { readonly header: LogObjectHeader; readonly records: readonly ObjectRecord[] } {
  const { header, records, damage } = readObject(kernel, bytes, file)
  if (damage !== undefined || header === undefined) throw corruption('log object', { file, byteOffset: damage?.byteOffset ?? 0, expected: damage?.expected ?? 'a header', actual: damage?.actual ?? 'none' })
  if (header.stream !== expected.stream || header.id !== expected.id) {
    throw corruption('log object', { file, byteOffset: 0, expected: `object ${expected.id} of stream ${expected.stream}`, actual: `object ${header.id} of stream ${header.stream}` })
  }
  return { header, records }
}

/** Reads an object as far as its checksums hold; XX002 when another version wrote it. */
export function readObject(kernel: Kernel, bytes: Uint8Array, file: string): ObjectReading {
  const object = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const broken = (byteOffset: number, expected: string, actual: string, header?: LogObjectHeader, records: readonly ObjectRecord[] = []): ObjectReading => ({ header, records, damage: { byteOffset, expected, actual } })
  if (object.length < headerBytes(0)) return broken(0, `at least ${headerBytes(0)} bytes`, `${object.length}`)
  if (!object.subarray(0, magic.length).equals(magic)) return broken(0, `magic ${magic.toString('latin1')}`, JSON.stringify(object.toString('latin1', 0, magic.length)))
  const headLength = headerBytes(object.readUInt32LE(84))
  if (headLength > object.length) return broken(84, `a header of at most ${object.length} bytes`, `${headLength}`)
  return withChecksums(kernel, object.length, (checksum) => {
    const mismatch = mismatchOf(object.subarray(headLength - 8, headLength), checksum(object.subarray(0, headLength - 8)))
    if (mismatch !== undefined) return broken(0, mismatch.expected, mismatch.actual)
    refuseOtherVersions(object, file)
    const header = readHeader(object)
    if (header === undefined || header.byteLength !== object.length) return broken(72, `${header?.byteLength ?? 'data or fence'} bytes`, `${object.length}`, header)
    const { records, damage } = readRecords(object, headLength, header.recordCount, checksum)
    return { header, records, damage }
  })
}

function refuseOtherVersions(object: Buffer, file: string): void {
  const version = object.readUInt16LE(8)
  const algorithm = object.readUInt16LE(10)
  if (version === formatVersion && algorithm === algorithmXxh64) return
  throw new LsmtError('XX002', `${file} has log object format ${version} (checksum algorithm ${algorithm}); this version of lsmt reads ${formatVersion} (${algorithmXxh64})`, { file })
}

function readHeader(object: Buffer): LogObjectHeader | undefined {
  const number = object.readUInt32LE(12)
  const kind = number === kindNumbers.data ? 'data' : number === kindNumbers.fence ? 'fence' : undefined
  if (kind === undefined) return undefined
  return {
    kind,
    stream: object.readDoubleLE(16), id: object.readDoubleLE(24), writerEpoch: object.readDoubleLE(32),
    putId: object.toString('hex', 40, 40 + putIdBytes), previousPutId: object.toString('hex', 56, 56 + putIdBytes),
    byteLength: object.readDoubleLE(72), recordCount: object.readUInt32LE(80),
    lastSequences: Array.from({ length: object.readUInt32LE(84) }, (_, shard) => object.readDoubleLE(tableAt + 8 * shard)),
  }
}

function readRecords(object: Buffer, from: number, count: number, checksum: Checksum): { readonly records: readonly ObjectRecord[]; readonly damage: ObjectDamage | undefined } {
  const records: ObjectRecord[] = []
  let at = from
  for (let i = 0; i < count; i++) {
    const payloadBytes = at + recordHeaderBytes <= object.length ? object.readUInt32LE(at + 8) : -1
    const end = at + recordBytes(payloadBytes)
    if (payloadBytes < batchHeaderBytes || end > object.length) return { records, damage: { byteOffset: at, expected: `record ${i + 1} of ${count}`, actual: payloadBytes < 0 ? 'the end of the object' : `${payloadBytes} payload bytes` } }
    const mismatch = mismatchOf(object.subarray(at, at + 8), checksum(object.subarray(at + 8, end)))
    if (mismatch !== undefined) return { records, damage: { byteOffset: at, ...mismatch } }
    const payload = object.subarray(at + recordHeaderBytes, at + recordHeaderBytes + payloadBytes)
    const baseSequence = object.readDoubleLE(at + 16)
    records.push({ shard: object.readUInt32LE(at + 12), baseSequence, lastSequence: lastSequenceOf(baseSequence, viewOf(payload).getUint32(4, true)), payload, byteOffset: at, byteLength: end - at })
    at = end
  }
  if (at !== object.length) return { records, damage: { byteOffset: at, expected: `the end after ${count} records`, actual: `${object.length - at} more bytes` } }
  return { records, damage: undefined }
}

type Checksum = (bytes: Uint8Array) => Uint8Array

/** Lends `use` the kernel's checksum for up to `bytesMax` bytes at a time. */
function withChecksums<T>({ heap, memory, exports }: Kernel, bytesMax: number, use: (checksum: Checksum) => T): T {
  const out = (bytesMax + 7) & ~7
  const address = heap.tryAllocate(out + 8)
  if (address === 0) throw noRoomFor(bytesMax)
  try {
    return use((bytes) => {
      memory.u8.set(bytes, address)
      exports.checksumXxh64(address, bytes.length, address + out)
      return memory.u8.slice(address + out, address + out + 8)
    })
  } finally {
    heap.free(address)
  }
}

/** Why a record of so many bytes cannot be written now, if the kernel's memory has no room for it. */
export function refusalOfRecord({ heap }: Kernel, payloadBytes: number): LsmtError | undefined {
  const address = heap.tryAllocate(recordBytes(payloadBytes) + 8)
  if (address === 0) return noRoomFor(recordBytes(payloadBytes))
  heap.free(address)
  return undefined
}

function noRoomFor(byteLength: number): LsmtError {
  return new LsmtError('53200', `no room for ${byteLength} bytes of the log; write less at once or raise the kernel memory setting`)
}

function mismatchOf(stored: Buffer, computed: Uint8Array): Mismatch | undefined {
  if (stored.equals(computed)) return undefined
  const hex = (bytes: Uint8Array): string => viewOf(bytes).getBigUint64(0, true).toString(16).padStart(16, '0')
  return { expected: `xxh64 ${hex(stored)}`, actual: `xxh64 ${hex(computed)}` }
}
