/**
 * Messages of replication as bytes. Never change these numbers: another layout is another version of the handshake.
 *
 *   ┌ u8 kind │ shard │ store it is from │ store it is to │ epoch │ … by kind ┐
 *   append    │ previous │ commit │ round │ flag, then incarnation and f64 ms of `freshAt`
 *             │ entries, then of each: epoch, operations, bytes │ the batches, one after the other
 *   appended  │ match │ round │ incarnation, f64 ms of `sentAt` │ flag
 *   position  │ end │ flag        diverged  │ asked │ end        install  │ asked │ through        locate, fenced: nothing
 *
 * Integers are in as few bytes as they need, a position is a sequence and an epoch, stores are texts with their length.
 * The nodes are those at the ends of the connection, which have proved who they are, so no node speaks for another one.
 * Batches are sent and received as they are, without a copy; what is in them is for the log to check.
 */
import { invariant } from '../../../errors.ts'
import type { AppendMessage, PeerMessage, ReplicaTime } from '../../replication/message.ts'
import type { LogEnd } from '../../replication/state/epochs.ts'
import type { LogEntry } from '../../replication/state/log-state.ts'
import { createByteReader } from './byte-reader.ts'
import type { ByteReader } from './byte-reader.ts'
import { createByteWriter } from './byte-writer.ts'
import type { ByteWriter } from './byte-writer.ts'

export interface ShardMessage {
  readonly shard: number
  readonly message: PeerMessage
}

const messageNumbers = { append: 1, appended: 2, position: 3, diverged: 4, install: 5, locate: 6, fenced: 7 } as const satisfies Record<PeerMessage['kind'], number>

const shardMax = 0xffff
const storeBytesMax = 128
const entriesMax = 1_000_000

/** The parts of a message's bytes, in their order; its nodes are not among them. */
export function encodeMessage({ shard, message }: ShardMessage): readonly Uint8Array[] {
  invariant(shard <= shardMax, () => `a message of shard ${shard}`)
  const writer = createByteWriter(128)
  writer.u8(messageNumbers[message.kind])
  writer.count(shard)
  writer.text(message.from.store)
  writer.text(message.to.store)
  writer.count(message.epoch)
  writeBody(writer, message)
  return message.kind === 'append' ? [writer.done(), ...message.entries.map(({ batch }) => batch)] : [writer.done()]
}

function writeBody(writer: ByteWriter, message: PeerMessage): void {
  switch (message.kind) {
    case 'append':
      return writeAppend(writer, message)
    case 'appended':
      writer.count(message.matchSequence)
      writer.count(message.round)
      writeTime(writer, message.sentAt)
      return writer.flag(message.isAsking)
    case 'position':
      writeEnd(writer, message.end)
      return writer.flag(message.isFetching)
    case 'diverged':
      writeEnd(writer, message.asked)
      return writeEnd(writer, message.end)
    case 'install':
      writeEnd(writer, message.asked)
      return writeEnd(writer, message.through)
    case 'locate':
    case 'fenced':
      return
  }
}

function writeAppend(writer: ByteWriter, { previous, entries, commitSequence, round, freshAt }: AppendMessage): void {
  writeEnd(writer, previous)
  writer.count(commitSequence)
  writer.count(round)
  writer.flag(freshAt !== undefined)
  if (freshAt !== undefined) writeTime(writer, freshAt)
  writer.count(entries.length)
  for (const { epoch, baseSequence, lastSequence, batch } of entries) {
    writer.count(epoch)
    writer.count(lastSequence - baseSequence + 1)
    writer.count(batch.byteLength)
  }
}

function writeEnd(writer: ByteWriter, { sequence, epoch }: LogEnd): void {
  writer.count(sequence)
  writer.count(epoch)
}

function writeTime(writer: ByteWriter, { incarnation, atMs }: ReplicaTime): void {
  writer.count(incarnation)
  writer.f64(atMs)
}

/** 08P01 for what is no message; batches are views of `body`. */
export function decodeMessage(body: Uint8Array, fromNode: string, toNode: string): ShardMessage {
  const reader = createByteReader(body, 'a message of replication')
  const kind = reader.u8('kind')
  const shard = reader.count('shard', shardMax)
  const from = { node: fromNode, store: reader.text('store it is from', storeBytesMax) }
  const to = { node: toNode, store: reader.text('store it is to', storeBytesMax) }
  const envelope = { from, to, epoch: reader.count('epoch') }
  const message = readBody(reader, kind, envelope)
  reader.end()
  return { shard, message }
}

type Envelope = Pick<PeerMessage, 'from' | 'to' | 'epoch'>

function readBody(reader: ByteReader, kind: number, envelope: Envelope): PeerMessage {
  switch (kind) {
    case messageNumbers.append:
      return readAppend(reader, envelope)
    case messageNumbers.appended:
      return { kind: 'appended', ...envelope, matchSequence: reader.count('match'), round: reader.count('round'), sentAt: readTime(reader, 'sent at'), isAsking: reader.flag('is asking') }
    case messageNumbers.position:
      return { kind: 'position', ...envelope, end: readEnd(reader, 'end', envelope), isFetching: reader.flag('is fetching') }
    case messageNumbers.diverged:
      return { kind: 'diverged', ...envelope, asked: readEnd(reader, 'asked', envelope), end: readEnd(reader, 'end', envelope) }
    case messageNumbers.install:
      return { kind: 'install', ...envelope, asked: readEnd(reader, 'asked', envelope), through: readEnd(reader, 'through', envelope) }
    case messageNumbers.locate:
      return { kind: 'locate', ...envelope }
    case messageNumbers.fenced:
      return { kind: 'fenced', ...envelope }
    default:
      throw reader.wrong('kind', `1 to ${messageNumbers.fenced}`, kind)
  }
}

function readAppend(reader: ByteReader, envelope: Envelope): AppendMessage {
  const previous = readEnd(reader, 'previous', envelope)
  const commitSequence = reader.count('commit'), round = reader.count('round')
  const freshAt = reader.flag('has a fresh time') ? readTime(reader, 'fresh at') : undefined
  return { kind: 'append', ...envelope, previous, commitSequence, round, freshAt, entries: readEntries(reader, previous, envelope.epoch) }
}

/** They follow each other without a gap, and no epoch is before the one of the entry before or after the sender's. */
function readEntries(reader: ByteReader, previous: LogEnd, epochMax: number): readonly LogEntry[] {
  const sizes: number[] = []
  const heads: Omit<LogEntry, 'batch'>[] = []
  let { sequence, epoch } = previous
  for (let rest = reader.count('entries', entriesMax); rest > 0; rest--) {
    const epochOfEntry = reader.count('epoch of an entry', epochMax)
    if (epochOfEntry < epoch) throw reader.wrong('epoch of an entry', `at least ${epoch}`, epochOfEntry)
    epoch = epochOfEntry
    const operations = reader.count('operations of an entry', Number.MAX_SAFE_INTEGER - sequence)
    if (operations === 0) throw reader.wrong('operations of an entry', 'some', 0)
    heads.push({ epoch, baseSequence: sequence + 1, lastSequence: sequence + operations })
    sequence += operations
    sizes.push(reader.count('bytes of an entry'))
  }
  return heads.map((head, i) => ({ ...head, batch: reader.bytes('a batch', sizes[i]!) }))
}

/** No log has entries of an epoch after its sender's. */
const readEnd = (reader: ByteReader, field: string, { epoch: epochMax }: Envelope): LogEnd => ({ sequence: reader.count(`sequence of ${field}`), epoch: reader.count(`epoch of ${field}`, epochMax) })
const readTime = (reader: ByteReader, field: string): ReplicaTime => ({ incarnation: reader.count(`incarnation of ${field}`), atMs: reader.f64(field) })
