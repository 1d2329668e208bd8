/** What a log segment holds, for people: its header, its records and what each writes, and where bytes are not what they should be. */
import { operation, readBatchHeader, readOperations, tableIdOf } from '../batch.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { journalShard } from '../file-names.ts'
import { decodeRound } from './journal/round-format.ts'
import { isZero, mayBeRecord, readRecord, readSegmentHeader, recordHeaderBytes, segmentHeaderBytes } from './segment-format.ts'
import type { Mismatch, SegmentHeader } from './segment-format.ts'

export interface SegmentDescription {
  /** undefined when nothing was ever written to it, or the header is damaged. */
  readonly header: SegmentHeader | undefined
  readonly records: readonly RecordDescription[]
  readonly damage: readonly SegmentDamage[]
  readonly byteLength: number
  /** Where the last whole record ends; zeros or a torn tail follow. */
  readonly usedBytes: number
}

export interface RecordDescription extends BatchDescription {
  readonly byteOffset: number
  readonly byteLength: number
  readonly baseSequence: number
  readonly durableSequence: number
  /** Of the journal: what its round holds of shards; in the place of sequences it has rounds, and no operations of its own. */
  readonly round?: readonly RoundEntryDescription[]
}

export interface RoundEntryDescription extends BatchDescription {
  readonly shard: number
  readonly baseSequence: number
}

export interface BatchDescription {
  /** Shards that the statement writes to, if they are several. */
  readonly participants: readonly number[]
  /** Operations by kind and table: `put 16` → 3. */
  readonly operations: Readonly<Record<string, number>>
}

export interface SegmentDamage extends Mismatch {
  readonly byteOffset: number
}

const kindNames: Readonly<Record<number, string>> = { [operation.put]: 'put', [operation.delete]: 'delete', [operation.rangeDelete]: 'delete range', [operation.defineTable]: 'define table', [operation.dropTable]: 'drop table', [operation.abort]: 'abort' }

/** `bytes` is the whole file. After damage it goes on with the next whole record. */
export function describeSegment(kernel: Kernel, bytes: Uint8Array): SegmentDescription {
  const byteLength = (bytes.length + 7) & ~7
  const address = kernel.heap.allocate(byteLength + 8)
  try {
    kernel.memory.u8.fill(0, address, address + byteLength)
    kernel.memory.u8.set(bytes, address)
    return describeAt(kernel, address, address + byteLength, address + byteLength)
  } finally {
    kernel.heap.free(address)
  }
}

function describeAt(kernel: Kernel, address: Pointer, end: Pointer, scratch: Pointer): SegmentDescription {
  const damage: SegmentDamage[] = []
  const reading = end - address < segmentHeaderBytes ? { kind: 'damaged' as const, expected: `${segmentHeaderBytes} header bytes`, actual: `${end - address}` } : readSegmentHeader(kernel, address, scratch)
  if (reading.kind === 'damaged') damage.push({ byteOffset: 0, expected: reading.expected, actual: reading.actual })
  const isJournal = reading.kind === 'header' && reading.header.shard === journalShard
  const records: RecordDescription[] = []
  let used = address + segmentHeaderBytes
  for (let at = used; at < end && !isZero(kernel, at, end - at); ) {
    const record = readRecord(kernel, at, end, scratch)
    if (record.kind === 'record') {
      const payload = kernel.memory.u8.slice(at + recordHeaderBytes, at + recordHeaderBytes + record.payloadBytes)
      const { byteLength, baseSequence, durableSequence } = record
      records.push({ byteOffset: at - address, byteLength, baseSequence, durableSequence, ...(isJournal ? describeRound(payload, at - address, damage) : describeBatch(payload)) })
      at += record.byteLength
      used = at
      continue
    }
    damage.push({ byteOffset: at - address, expected: record.expected, actual: record.actual })
    at = nextRecord(kernel, at + 8, end, scratch)
  }
  return { header: reading.kind === 'header' ? reading.header : undefined, records, damage, byteLength: end - address, usedBytes: used - address }
}

function nextRecord(kernel: Kernel, from: Pointer, end: Pointer, scratch: Pointer): Pointer {
  for (let at = from; at < end; at += 8) if (mayBeRecord(kernel, at, end) && readRecord(kernel, at, end, scratch).kind === 'record') return at
  return end
}

function describeRound(payload: Uint8Array, byteOffset: number, damage: SegmentDamage[]): BatchDescription & Pick<RecordDescription, 'round'> {
  const reading = decodeRound(payload)
  if (reading.kind === 'damaged') damage.push({ byteOffset, expected: reading.expected, actual: reading.actual })
  const entries = reading.kind === 'round' ? reading.round.entries : []
  return { participants: [], operations: {}, round: entries.map((entry) => ({ shard: entry.shard, baseSequence: entry.baseSequence, ...describeBatch(entry.payload) })) }
}

/** What a record's payload writes. */
export function describeBatch(payload: Uint8Array): BatchDescription {
  const operations: Record<string, number> = {}
  const header = readBatchHeader(payload)
  for (const { kind, key } of readOperations(payload)) {
    const name = kind === operation.abort ? 'abort' : `${kindNames[kind]} ${tableIdOf(key)}`
    operations[name] = (operations[name] ?? 0) + 1
  }
  return { participants: header.participants?.parts.map(({ shard }) => shard) ?? [], operations }
}
