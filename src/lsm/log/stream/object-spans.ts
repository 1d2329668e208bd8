/** What an object holds of each shard, and that the objects of a log follow each other for each of them. */
import { corruption } from '../../../errors.ts'
import type { LogObjectHeader, ObjectRecord } from './object-format.ts'
import { missingObjects } from './stream-chain.ts'

export interface Span {
  readonly first: number
  last: number
}

export interface Spans {
  /** By shard, its first and last sequence. */
  readonly spans: ReadonlyMap<number, Span>
  /** The record that does not follow the one before it in the object. */
  readonly gapAt: number | undefined
}

export interface SpannedObject extends Spans {
  readonly name: string
  readonly header: LogObjectHeader
}

export function spansOf(records: readonly Omit<ObjectRecord, 'payload' | 'byteLength'>[]): Spans {
  const spans = new Map<number, Span>()
  for (const { shard, baseSequence, lastSequence, byteOffset } of records) {
    const span = spans.get(shard)
    if (span === undefined) spans.set(shard, { first: baseSequence, last: lastSequence })
    else if (baseSequence !== span.last + 1) return { spans, gapAt: byteOffset }
    else span.last = lastSequence
  }
  return { spans, gapAt: undefined }
}

/** How far the shard's log was before the first object that tells. */
export function startOf(objects: readonly { readonly header: LogObjectHeader }[], shard: number): number {
  return objects.find(({ header }) => header.kind === 'data')?.header.lastSequences[shard] ?? 0
}

/** The shard's last sequence. XX001 unless its records, and what each object says of the ones before it, follow each other without a gap. */
export function followShard(stream: number, objects: readonly SpannedObject[], shard: number, afterSequence: number): number {
  let last = startOf(objects, shard)
  if (last > afterSequence && objects.length > 0) throw missingObjects(stream, objects[0]!, `an object with records of shard ${shard} from sequence ${afterSequence + 1} on`)
  for (const { name, header, spans, gapAt } of objects) {
    const before = header.kind === 'data' ? header.lastSequences[shard]! : last
    // What was written to another log meanwhile is in table files.
    if (before !== last && !(before > last && before <= afterSequence)) throw corruption('log object', { file: name, byteOffset: 0, expected: `sequence ${last} of shard ${shard} before it`, actual: `${before}` })
    last = before
    if (gapAt !== undefined) throw corruption('log record', { file: name, byteOffset: gapAt, expected: 'the sequence after that of the shard before it', actual: 'another' })
    const span = spans.get(shard)
    if (span === undefined) continue
    if (span.first !== last + 1) throw corruption('log object', { file: name, byteOffset: 0, expected: `sequence ${last + 1} of shard ${shard}`, actual: `${span.first}` })
    last = span.last
  }
  return last
}
