/**
 * Write batches: the one byte shape of a write, from the engine to the log, to peers and to the memtable.
 * The layout is drawn in src/kernel/skiplist.ts. Participants, when flag bit 0 is set, follow the 24 header
 * bytes, padded to a multiple of 8:
 *
 *  24  u32  part count n (shards that the statement writes to)
 *  28  u32  0
 *  32  u8[16] transaction id, random
 *  48  n × { u32 shard, u32 0, f64 baseSequence of that shard's part }
 *
 * A batch with participants counts only if every participant's log (or table files) has its part: see
 * recovery in src/engine/shards.ts. A control batch (flag bit 1) carries decisions for recovery and no
 * operations: its one operation kind is 6 abort (key = transaction id).
 *
 * Keys are a u32 big-endian table id and the primary-key bytes; the key of kinds 4 and 5 is the table id alone.
 * The value of kind 4, little-endian: u32 columns, u32 key columns, then a u32 kind number per column, then the
 * key's ordinals as u32. Then, for each column that has a value in rows older than it: u32 ordinal, u32 bytes, and the
 * bytes, padded with zeros to a multiple of 4: an i64 or f64 in 8, or the text.
 */
import { corruption } from '../errors.ts'
import { decodeValue, encodeValue, physicalKindNumber } from './layout.ts'
import type { MissingValue, PhysicalKind, TableLayout } from './layout.ts'

export const operation = { put: 1, delete: 2, rangeDelete: 3, defineTable: 4, dropTable: 5, abort: 6 } as const

/** Bits of the flags word. */
export const batchFlag = { participants: 1, control: 2, tables: 4 } as const

export const batchHeaderBytes = 24
export const operationHeaderBytes = 12
export const transactionIdBytes = 16
export const tableIdBytes = 4

const participantsOffset = batchHeaderBytes + 8 + transactionIdBytes
const participantBytes = 16

export interface Participant {
  readonly shard: number
  readonly baseSequence: number
}

export interface Participants {
  readonly transactionId: Uint8Array
  readonly parts: readonly Participant[]
}

export interface BatchHeader {
  readonly byteLength: number
  readonly operationCount: number
  readonly baseSequence: number
  readonly headerBytes: number
  readonly isControl: boolean
  /** Whether some operation defines or drops a table. */
  readonly hasTables: boolean
  readonly participants: Participants | undefined
}

/** One operation; key and value are views on the batch. */
export interface Operation {
  readonly kind: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Of a batch; a view on it would cost more than all else that is done with a small one. */
export const hasFlags = (batch: Uint8Array): boolean => (batch[20]! | batch[21]! | batch[22]! | batch[23]!) !== 0

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Bytes of the header of a batch with `partCount` participants; 0 = none. */
export function batchHeaderBytesFor(partCount: number): number {
  return partCount === 0 ? batchHeaderBytes : participantsOffset + partCount * participantBytes
}

export function assignBaseSequence(batch: Uint8Array, baseSequence: number): void {
  viewOf(batch).setFloat64(8, baseSequence, true)
}

/** Fills the participants of a batch that was finished with room for as many. */
export function assignParticipants(batch: Uint8Array, { transactionId, parts }: Participants): void {
  const view = viewOf(batch)
  view.setUint32(batchHeaderBytes, parts.length, true)
  batch.set(transactionId, batchHeaderBytes + 8)
  parts.forEach(({ shard, baseSequence }, i) => {
    view.setUint32(participantsOffset + i * participantBytes, shard, true)
    view.setFloat64(participantsOffset + i * participantBytes + 8, baseSequence, true)
  })
}

/** The header of a batch whose bytes are known to be intact; `where` names it in the error when they are not a batch. */
export function readBatchHeader(batch: Uint8Array, where = 'batch'): BatchHeader {
  const broken = (expected: string, actual: number): Error => corruption('write batch', { file: where, block: 'header', expected, actual: String(actual) })
  if (batch.length < batchHeaderBytes) throw broken(`at least ${batchHeaderBytes} bytes`, batch.length)
  const view = viewOf(batch)
  const byteLength = view.getUint32(0, true), headerBytes = view.getUint32(16, true), flags = view.getUint32(20, true)
  if (byteLength !== batch.length) throw broken(`${batch.length} bytes`, byteLength)
  const partCount = (flags & batchFlag.participants) !== 0 && batch.length >= participantsOffset ? view.getUint32(batchHeaderBytes, true) : 0
  if ((flags & batchFlag.participants) !== 0 && partCount === 0) throw broken('participants', partCount)
  const expectedHeaderBytes = batchHeaderBytesFor(partCount)
  if (headerBytes !== expectedHeaderBytes || headerBytes > byteLength) throw broken(`${expectedHeaderBytes} header bytes`, headerBytes)
  return {
    byteLength,
    operationCount: view.getUint32(4, true),
    baseSequence: view.getFloat64(8, true),
    headerBytes,
    isControl: (flags & batchFlag.control) !== 0,
    hasTables: (flags & batchFlag.tables) !== 0,
    participants: partCount === 0 ? undefined : readParticipants(batch, view, partCount),
  }
}

function readParticipants(batch: Uint8Array, view: DataView, partCount: number): Participants {
  const parts = Array.from({ length: partCount }, (_, i): Participant => {
    const at = participantsOffset + i * participantBytes
    return { shard: view.getUint32(at, true), baseSequence: view.getFloat64(at + 8, true) }
  })
  return { transactionId: batch.slice(batchHeaderBytes + 8, participantsOffset), parts }
}

/** The operations of a batch, checked: every offset inside, as many as the header says. */
export function* readOperations(batch: Uint8Array, where = 'batch'): Generator<Operation> {
  const { headerBytes, operationCount } = readBatchHeader(batch, where)
  const view = viewOf(batch)
  let at = headerBytes
  for (let i = 0; i < operationCount; i++) {
    const broken = (expected: string, actual: number): Error =>
      corruption('write batch', { file: where, block: `operation ${i}`, byteOffset: at, expected, actual: String(actual) })
    if (at + operationHeaderBytes > batch.length) throw broken(`${operationHeaderBytes} header bytes`, batch.length - at)
    const kind = batch[at]!, keyBytes = view.getUint32(at + 4, true), valueBytes = view.getUint32(at + 8, true)
    const keyAt = at + operationHeaderBytes, valueAt = keyAt + keyBytes, end = valueAt + valueBytes
    if (kind < operation.put || kind > operation.abort) throw broken('an operation kind from 1 to 6', kind)
    if (end > batch.length) throw broken(`at most ${batch.length - keyAt} bytes`, end - keyAt)
    yield { kind, key: batch.subarray(keyAt, valueAt), value: batch.subarray(valueAt, end) }
    at = (end + 3) & ~3
  }
  if (at !== batch.length) throw corruption('write batch', { file: where, block: 'end', byteOffset: at, expected: `${batch.length} bytes`, actual: `${at}` })
}

export function tableIdOf(key: Uint8Array): number {
  return viewOf(key).getUint32(0)
}

export function encodeLayout({ columns, key, missing = [] }: TableLayout): Uint8Array {
  const parts = [wordBytes([columns.length, key.length, ...columns.map((kind) => physicalKindNumber[kind]), ...key])]
  for (const { ordinal, value } of missing) {
    const bytes = encodeValue(columns[ordinal]!, value)
    parts.push(wordBytes([ordinal, bytes.length]), bytes, new Uint8Array(-bytes.length & 3))
  }
  return Buffer.concat(parts)
}

function wordBytes(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length)
  const view = viewOf(bytes)
  words.forEach((word, i) => view.setUint32(4 * i, word, true))
  return bytes
}

/** The layout that an operation of kind 4 defines. */
export function decodeLayout({ key, value }: Operation, where = 'batch'): TableLayout {
  const broken = (actual: string): Error => corruption('table definition', { file: where, block: 'operation', expected: 'a layout', actual })
  if (key.length !== tableIdBytes || value.length < 8 || value.length % 4 !== 0) throw broken(`${key.length} key bytes and ${value.length} value bytes`)
  const view = viewOf(value)
  const words = Array.from({ length: value.length / 4 }, (_, i) => view.getUint32(4 * i, true))
  const [columnCount = 0, keyCount = 0] = words
  if (words.length < 2 + columnCount + keyCount) throw broken(`${words.length} words for ${columnCount} columns and ${keyCount} of the key`)
  const columns = words.slice(2, 2 + columnCount).map((number): PhysicalKind => {
    const kind = kindOfNumber(number)
    if (kind === undefined) throw broken(`column kind ${number}`)
    return kind
  })
  const ordinals = words.slice(2 + columnCount, 2 + columnCount + keyCount)
  if (ordinals.some((ordinal) => ordinal >= columnCount)) throw broken(`key ordinals ${ordinals.join(', ')}`)
  const missing = decodeMissing(columns, value.subarray(4 * (2 + columnCount + keyCount)), broken)
  return { tableId: tableIdOf(key), columns, key: ordinals, ...(missing.length > 0 && { missing }) }
}

function decodeMissing(columns: readonly PhysicalKind[], bytes: Uint8Array, broken: (actual: string) => Error): readonly MissingValue[] {
  const view = viewOf(bytes)
  const missing: MissingValue[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + 8 > bytes.length) throw broken(`${bytes.length - at} bytes of a missing value's header`)
    const ordinal = view.getUint32(at, true), byteLength = view.getUint32(at + 4, true), end = at + 8 + byteLength
    const kind = columns[ordinal]
    if (kind === undefined || end > bytes.length || (kind !== 'bytes' && byteLength !== 8)) throw broken(`a missing value of ${byteLength} bytes for column ${ordinal}`)
    missing.push({ ordinal, value: decodeValue(kind, bytes.slice(at + 8, end)) })
    at = (end + 3) & ~3
  }
  return missing
}

export function kindOfNumber(number: number): PhysicalKind | undefined {
  return (['i64', 'f64', 'bytes'] as const).find((kind) => physicalKindNumber[kind] === number)
}

/** The operations of an intact batch, in batches of at most `bytesMax` bytes, or of one operation that is longer; each is valid until the next one. */
export function* batchPieces(batch: Uint8Array, bytesMax: number): Generator<Uint8Array> {
  const view = viewOf(batch)
  let sequence = view.getFloat64(8, true), from = view.getUint32(16, true), piece = new Uint8Array(bytesMax)
  while (from < batch.length) {
    let to = operationEnd(view, from), count = 1
    for (let end = to; end < batch.length && (end = operationEnd(view, end)) - from <= bytesMax - batchHeaderBytes; to = end) count++
    const byteLength = batchHeaderBytes + to - from
    if (byteLength > piece.length) piece = new Uint8Array(byteLength)
    const header = viewOf(piece)
    header.setUint32(0, byteLength, true)
    header.setUint32(4, count, true)
    header.setFloat64(8, sequence, true)
    header.setUint32(16, batchHeaderBytes, true)
    piece.set(batch.subarray(from, to), batchHeaderBytes)
    yield piece.subarray(0, byteLength)
    sequence += count
    from = to
  }
}

/** Where the primary keys of a batch of puts and deletes stand in it: [from, to) of each. The batch is one that was just built. */
export function* batchKeys(batch: Uint8Array): Generator<readonly [number, number]> {
  const view = viewOf(batch)
  let at = view.getUint32(16, true)
  while (at < batch.length) {
    const keyFrom = at + operationHeaderBytes
    yield [keyFrom + tableIdBytes, keyFrom + view.getUint32(at + 4, true)]
    at = operationEnd(view, at)
  }
}

function operationEnd(view: DataView, at: number): number {
  return (at + operationHeaderBytes + view.getUint32(at + 4, true) + view.getUint32(at + 8, true) + 3) & ~3
}
