/**
 * What nodes ask each other about a shard's tree, and short answers. Never change this: another layout is another version
 * of the handshake.
 *
 *   snapshots │ of each: shard │ id │ u8 level, its sequence or f64 ms │ sequence it must have
 *             answers, in their order: │ u8 1 │ sequence │ sequence of the tables │ parts after │ parts: base sequence, participants: shard, base sequence
 *                                 or   │ u8 0 │ an error
 *   release   │ ids
 *   overlay   │ id │ id below │ batches before this one │ the batch
 *   view      │ id │ batches above it   or   │ 0 │ shard, as it is now
 *
 * Whoever asks chooses the ids, which are its own for as long as its connection.
 */
import { LsmtError } from '../../../errors.ts'
import type { ReadLevel } from '../../replication/event.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import type { Participant } from '../../../lsm/batch.ts'
import { readError, writeError } from './errors.ts'
import { readList, readName, writeList } from './values.ts'

export const methods = {
  snapshots: 'fragment.snapshots', release: 'fragment.release', overlay: 'fragment.overlay', row: 'fragment.row',
  rows: 'fragment.rows', scan: 'fragment.scan', aggregate: 'fragment.aggregate', group: 'fragment.group', top: 'fragment.top',
} as const

export interface SnapshotQuestion {
  readonly shard: number
  readonly id: number
  readonly level: ReadLevel
  /** The shard must show at least this much. */
  readonly minSequence: number
}

/** A statement's part that a snapshot shows, and where the other parts stand. */
export interface VisiblePart {
  readonly baseSequence: number
  readonly participants: readonly Participant[]
}

export interface SnapshotAnswer {
  readonly sequence: number
  readonly tablesSequence: number
  /** Older parts are not listed. */
  readonly partsAfter: number
  readonly parts: readonly VisiblePart[]
}

/** What a read looks at. */
export type ViewQuestion =
  | { readonly kind: 'snapshot'; readonly id: number; readonly batchCount: number }
  /** The shard as it is now, linearizable. */
  | { readonly kind: 'newest'; readonly shard: number }

export interface OverlayQuestion {
  readonly id: number
  /** Of what the first batch is applied above. */
  readonly belowId: number
  readonly batchesBefore: number
  readonly batch: Uint8Array
}

const levelNumbers = { linearizable: 1, lease: 2, session: 3, stale: 4 } as const satisfies Record<ReadLevel['kind'], number>
const shardMax = 0xffff
const snapshotsMax = 10_000
const idsMax = 100_000
const partsMax = 100_000

export function writeSnapshotQuestions(writer: ByteWriter, questions: readonly SnapshotQuestion[]): void {
  writeList(writer, questions, ({ shard, id, level, minSequence }) => {
    writer.count(shard)
    writer.count(id)
    writer.u8(levelNumbers[level.kind])
    if (level.kind === 'session') writer.count(level.afterSequence)
    if (level.kind === 'stale') writer.f64(level.staleMsMax)
    writer.count(minSequence)
  })
}

export function readSnapshotQuestions(reader: ByteReader): readonly SnapshotQuestion[] {
  const questions = readList(reader, 'snapshots', snapshotsMax, () => ({ shard: reader.count('shard', shardMax), id: readId(reader), level: readLevel(reader), minSequence: reader.count('least sequence') }))
  reader.end()
  return questions
}

function readLevel(reader: ByteReader): ReadLevel {
  const kind = readName(reader, 'level of a read', levelNumbers)
  switch (kind) {
    case 'linearizable':
    case 'lease':
      return { kind }
    case 'session':
      return { kind, afterSequence: reader.count('sequence of a session') }
    case 'stale':
      return { kind, staleMsMax: reader.f64('milliseconds behind') }
  }
}

export function writeSnapshotOutcome(writer: ByteWriter, outcome: SnapshotAnswer | LsmtError): void {
  const isAnswer = !(outcome instanceof LsmtError)
  writer.u8(isAnswer ? 1 : 0)
  if (isAnswer) writeSnapshotAnswer(writer, outcome)
  else writeError(writer, outcome)
}

/** Of so many questions. */
export function readSnapshotOutcomes(reader: ByteReader, count: number): readonly (SnapshotAnswer | LsmtError)[] {
  const outcomes = Array.from({ length: count }, () => {
    const kind = reader.u8('kind of an answer')
    if (kind > 1) throw reader.wrong('kind of an answer', '0 or 1', kind)
    return kind === 1 ? readSnapshotAnswer(reader) : readError(reader)
  })
  reader.end()
  return outcomes
}

function writeSnapshotAnswer(writer: ByteWriter, { sequence, tablesSequence, partsAfter, parts }: SnapshotAnswer): void {
  writer.count(sequence)
  writer.count(tablesSequence)
  writer.count(partsAfter)
  writeList(writer, parts, ({ baseSequence, participants }) => {
    writer.count(baseSequence)
    writeList(writer, participants, (each) => {
      writer.count(each.shard)
      writer.count(each.baseSequence)
    })
  })
}

function readSnapshotAnswer(reader: ByteReader): SnapshotAnswer {
  const sequence = reader.count('sequence'), tablesSequence = reader.count('sequence of the tables'), partsAfter = reader.count('parts after')
  const parts = readList(reader, 'parts', partsMax, () => ({
    baseSequence: reader.count('base sequence', sequence),
    participants: readList(reader, 'participants', shardMax, () => ({ shard: reader.count('shard', shardMax), baseSequence: reader.count('base sequence') })),
  }))
  return { sequence, tablesSequence, partsAfter, parts }
}

export const writeIds = (writer: ByteWriter, ids: readonly number[]): void => writeList(writer, ids, writer.count)

export function readIds(reader: ByteReader): readonly number[] {
  const ids = readList(reader, 'ids', idsMax, () => readId(reader))
  reader.end()
  return ids
}

/** Without the batch, which is sent as it is. */
export function writeOverlayQuestion(writer: ByteWriter, { id, belowId, batchesBefore }: Omit<OverlayQuestion, 'batch'>): void {
  writer.count(id)
  writer.count(belowId)
  writer.count(batchesBefore)
}

export function readOverlayQuestion(reader: ByteReader): OverlayQuestion {
  return { id: readId(reader), belowId: readId(reader), batchesBefore: reader.count('batches before'), batch: reader.rest() }
}

export function writeView(writer: ByteWriter, view: ViewQuestion): void {
  writer.count(view.kind === 'newest' ? 0 : view.id)
  writer.count(view.kind === 'newest' ? view.shard : view.batchCount)
}

export function readView(reader: ByteReader): ViewQuestion {
  const id = reader.count('id of a snapshot')
  return id === 0 ? { kind: 'newest', shard: reader.count('shard', shardMax) } : { kind: 'snapshot', id, batchCount: reader.count('batches') }
}

function readId(reader: ByteReader): number {
  const id = reader.count('id')
  if (id === 0) throw reader.wrong('id', 'a number from 1 on', 0)
  return id
}
