/**
 * What a coordinator of writes and the leader of a shard say to each other. Never change these numbers.
 *
 *   shard.append   │ shard │ coordinator │ base │ u8 until visible │ batches, then of each its bytes │ the batches
 *     answered by  │ u8 0 │ copies │            or by a refusal
 *   shard.release  │ shard │ coordinator │ through │ settled through │
 *     answered by  │ u8 0 │                     or by a refusal
 *   shard.open     │ shard │ coordinator │
 *     a stream of  │ u8 0 │ last │ flushed │ epoch │ parts, then each: id, base, participants, then each: shard, base │
 *                  │ aborted, then each: id │   or of a refusal
 *   refusal        │ u8 number │ notLeader: the leader, 0 when unknown · fenced: epoch · gap: expected sequence │
 *
 * Integers are in as few bytes as they need. A batch is for the log to check; its first bytes say how many operations it has.
 */
import { batchHeaderBytes, readBatchHeader, transactionIdBytes } from '../../../lsm/batch.ts'
import type { Participant } from '../../../lsm/batch.ts'
import type { LoggedPart } from '../../../lsm/log/logged-parts.ts'
import { refusalError } from '../../replica/refusal.ts'
import type { Refusal } from '../../replica/refusal.ts'
import type { OpenedShard } from '../../replica/replica.ts'
import { createByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { createByteWriter } from '../../transport/wire/byte-writer.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import type { Appended, Offer } from './shard-leader.ts'

export interface AppendQuestion extends Offer {
  readonly shard: number
  readonly coordinator: number
}

export interface ReleaseQuestion {
  readonly shard: number
  readonly coordinator: number
  readonly throughSequence: number
  readonly settledThrough: number
}

export interface OpenQuestion {
  readonly shard: number
  readonly coordinator: number
}

export const shardMax = 0xffff
const batchesMax = 1_000_000
const nodeBytesMax = 255
const itemsMax = 10_000_000

export function encodeAppend({ shard, coordinator, baseSequence, batches, until }: AppendQuestion): readonly Uint8Array[] {
  const writer = createByteWriter(64)
  writer.count(shard)
  writer.count(coordinator)
  writer.count(baseSequence)
  writer.u8(until === 'visible' ? 1 : 0)
  writer.count(batches.length)
  for (const batch of batches) writer.count(batch.byteLength)
  return [writer.done(), ...batches]
}

/** The batches are copies, aligned as a log wants them. */
export function decodeAppend(body: Uint8Array): AppendQuestion {
  const reader = createByteReader(body, 'an offer of batches')
  const shard = reader.count('shard', shardMax), coordinator = reader.count('coordinator'), baseSequence = reader.count('base')
  const until = reader.flag('until visible') ? 'visible' : 'committed'
  const sizes = Array.from({ length: reader.count('batches', batchesMax) }, () => reader.count('bytes of a batch', body.byteLength))
  const batches = sizes.map((byteLength) => checkedBatch(reader, Uint8Array.from(reader.bytes('a batch', byteLength))))
  reader.end()
  if (batches.length === 0) throw reader.wrong('batches', 'some', 0)
  return { shard, coordinator, baseSequence, until, batches }
}

function checkedBatch(reader: ByteReader, batch: Uint8Array): Uint8Array {
  if (batch.byteLength < batchHeaderBytes) throw reader.wrong('a batch', `at least ${batchHeaderBytes} bytes`, batch.byteLength)
  if (readBatchHeader(batch, 'a batch of another node').operationCount === 0) throw reader.wrong('a batch', 'operations', 'none')
  return batch
}

export function encodeRelease({ shard, coordinator, throughSequence, settledThrough }: ReleaseQuestion): Uint8Array {
  const writer = createByteWriter(48)
  for (const value of [shard, coordinator, throughSequence, settledThrough]) writer.count(value)
  return writer.done()
}

export function decodeRelease(body: Uint8Array): ReleaseQuestion {
  const reader = createByteReader(body, 'a release')
  const question = { shard: reader.count('shard', shardMax), coordinator: reader.count('coordinator'), throughSequence: reader.count('through'), settledThrough: reader.count('settled through') }
  reader.end()
  return question
}

export function encodeOpen({ shard, coordinator }: OpenQuestion): Uint8Array {
  const writer = createByteWriter(24)
  writer.count(shard)
  writer.count(coordinator)
  return writer.done()
}

export function decodeOpen(body: Uint8Array): OpenQuestion {
  const reader = createByteReader(body, 'the opening of a shard')
  const question = { shard: reader.count('shard', shardMax), coordinator: reader.count('coordinator') }
  reader.end()
  return question
}

const refusalNumbers = { notLeader: 1, notReady: 2, fenced: 3, gap: 4, timedOut: 5 } as const satisfies Record<Refusal['kind'], number>

export function encodeRefusal(refusal: Refusal): Uint8Array {
  const writer = createByteWriter(32)
  writer.u8(refusalNumbers[refusal.kind])
  if (refusal.kind === 'notLeader') writeLeader(writer, refusal.leader)
  if (refusal.kind === 'fenced') writer.count(refusal.epoch)
  if (refusal.kind === 'gap') writer.count(refusal.expectedSequence)
  return writer.done()
}

function writeLeader(writer: ByteWriter, leader = ''): void {
  const utf8 = Buffer.from(leader, 'utf8')
  writer.count(utf8.length)
  writer.bytes(utf8)
}

/** What follows the first byte of an answer when that is 0; throws what the leader has refused otherwise. */
export function answerOf(body: Uint8Array, shard: number): ByteReader {
  const reader = createByteReader(body, 'the answer of a leader')
  const number = reader.u8('kind')
  if (number === 0) return reader
  throw refusalError(readRefusal(reader, number), shard)
}

function readRefusal(reader: ByteReader, number: number): Refusal {
  switch (number) {
    case refusalNumbers.notLeader: {
      const leader = Buffer.from(reader.bytes('leader', reader.count('bytes of a leader', nodeBytesMax))).toString('utf8')
      return { kind: 'notLeader', leader: leader === '' ? undefined : leader }
    }
    case refusalNumbers.notReady:
      return { kind: 'notReady' }
    case refusalNumbers.fenced:
      return { kind: 'fenced', epoch: reader.count('epoch') }
    case refusalNumbers.gap:
      return { kind: 'gap', expectedSequence: reader.count('expected sequence') }
    case refusalNumbers.timedOut:
      return { kind: 'timedOut' }
    default:
      throw reader.wrong('kind', 'an answer or a refusal', number)
  }
}

export function encodeAppended({ copies }: Appended): Uint8Array {
  const writer = createByteWriter(8)
  writer.u8(0)
  writer.count(copies)
  return writer.done()
}

export function decodeAppended(body: Uint8Array, shard: number): Appended {
  const reader = answerOf(body, shard)
  const copies = reader.count('copies')
  reader.end()
  return { copies }
}

export function encodeOpened({ lastSequence, flushedSequence, epoch, parts, aborted }: OpenedShard): Uint8Array {
  const writer = createByteWriter(256)
  writer.u8(0)
  for (const value of [lastSequence, flushedSequence, epoch, parts.length]) writer.count(value)
  for (const { transactionId, baseSequence, participants } of parts) {
    writer.bytes(Buffer.from(transactionId, 'hex'))
    writer.count(baseSequence)
    writer.count(participants.length)
    for (const participant of participants) {
      writer.count(participant.shard)
      writer.count(participant.baseSequence)
    }
  }
  writer.count(aborted.size)
  for (const id of aborted) writer.bytes(Buffer.from(id, 'hex'))
  return writer.done()
}

export function decodeOpened(body: Uint8Array, shard: number): OpenedShard {
  const reader = answerOf(body, shard)
  const lastSequence = reader.count('last'), flushedSequence = reader.count('flushed'), epoch = reader.count('epoch')
  const parts = listOf(reader, 'parts', (): LoggedPart => ({ transactionId: readId(reader), baseSequence: reader.count('base'), participants: listOf(reader, 'participants', (): Participant => ({ shard: reader.count('shard', shardMax), baseSequence: reader.count('base') })) }))
  const aborted = new Set(listOf(reader, 'aborted', () => readId(reader)))
  reader.end()
  return { lastSequence, flushedSequence, epoch, parts, aborted }
}

function listOf<T>(reader: ByteReader, field: string, read: () => T): readonly T[] {
  const items: T[] = []
  for (let rest = reader.count(field, itemsMax); rest > 0; rest--) items.push(read())
  return items
}

const readId = (reader: ByteReader): string => Buffer.from(reader.bytes('id', transactionIdBytes)).toString('hex')
