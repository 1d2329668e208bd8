/**
 * A stream that cannot be read as a whole: which of its objects can be, and which of them follow each other from a place
 * on where the table files end. What comes behind damage or a gap cannot be replayed without what is missing.
 */
import { LsmtError } from '../../../errors.ts'
import { streamObjectName } from '../../file-names.ts'
import { noPutId, readObject } from './object-format.ts'
import type { LogObjectHeader } from './object-format.ts'
import { spansOf } from './object-spans.ts'
import type { Span } from './object-spans.ts'
import { objectIds } from './stream-chain.ts'
import type { StreamFloor } from './stream-chain.ts'

export interface SurveyedObject {
  readonly id: number
  readonly name: string
  /** undefined when it cannot be read. */
  readonly header: LogObjectHeader | undefined
  /** Why it cannot be kept, and from which byte on. */
  readonly damage: { readonly byteOffset: number; readonly reason: string } | undefined
  /** By shard, its first and last sequence in the object, as far as it can be read. */
  readonly spans: ReadonlyMap<number, Span>
}

/** A whole object. */
export type KeptObject = SurveyedObject & { readonly header: LogObjectHeader; readonly damage: undefined }

/** The log as far as it goes without damage or gap. */
export interface SoundLog {
  /** Oldest first; the first with data tells how far the log was before it. */
  readonly objects: readonly KeptObject[]
  /** By shard: the last sequence before the first object, and in the last one. */
  readonly startSequences: readonly number[]
  readonly lastSequences: readonly number[]
}

/** All objects, by id, one in memory at a time. XX002 when another version wrote one. */
export async function surveyStream({ storage, kernel, stream }: StreamFloor): Promise<readonly SurveyedObject[]> {
  const surveyed: SurveyedObject[] = []
  for (const id of await objectIds({ storage, stream })) {
    const name = streamObjectName(stream, id)
    const bytes = await storage.read(name).catch((error: unknown) => {
      if (error instanceof LsmtError && error.code === '58P01') return undefined
      throw error
    })
    if (bytes === undefined) continue
    const { header, records, damage } = readObject(kernel, bytes, name)
    const isElsewhere = header !== undefined && (header.stream !== stream || header.id !== id)
    const { spans, gapAt } = spansOf(records)
    surveyed.push({
      id, name, spans, header: isElsewhere ? undefined : header,
      damage: damage !== undefined ? { byteOffset: damage.byteOffset, reason: `corrupt log object in ${name}: expected ${damage.expected}, found ${damage.actual}` }
        : isElsewhere ? { byteOffset: 0, reason: `${name} is object ${header.id} of stream ${header.stream}` }
        : gapAt !== undefined ? { byteOffset: gapAt, reason: `in ${name}, sequences do not follow each other` } : undefined,
    })
  }
  return surveyed
}

/**
 * The part of the log to go on from: of the runs of objects that begin where the table files of all shards end, or before,
 * the newest one, as far as it goes. `flushed`: by shard, up to where table files go for certain. `isCertain` false says
 * that they may go further, since the shard's manifest is lost: only when no run fits otherwise is that believed.
 * undefined when nothing of the log can be applied.
 */
export function soundLog(objects: readonly SurveyedObject[], flushed: readonly number[], isCertain: readonly boolean[]): SoundLog | undefined {
  const sound = runsOf(objects).map((run) => soundPartOf(run, flushed)).filter((part) => part !== undefined)
  const fits = (part: SoundLog, shards: (shard: number) => boolean): boolean => part.startSequences.every((sequence, shard) => sequence <= flushed[shard]! || !shards(shard))
  return sound.findLast((part) => fits(part, () => true)) ?? sound.find((part) => fits(part, (shard) => isCertain[shard]!))
}

/** Whole objects that name each other, oldest first; by their last object. One may be part of several. */
function runsOf(objects: readonly SurveyedObject[]): readonly (readonly KeptObject[])[] {
  const ending = new Map<string, readonly KeptObject[]>()
  const led = new Set<string>()
  for (const object of objects) {
    if (!isWhole(object)) continue
    const { putId, previousPutId } = object.header
    ending.set(putId, [...(ending.get(previousPutId) ?? []), object])
    led.add(previousPutId)
  }
  return [...ending].filter(([putId]) => !led.has(putId)).map(([, run]) => run)
}

function isWhole(object: SurveyedObject): object is KeptObject {
  return object.header !== undefined && object.damage === undefined
}

/** A run up to where its objects contradict each other; undefined when none of it tells how far the log was. */
function soundPartOf(run: readonly KeptObject[], flushed: readonly number[]): SoundLog | undefined {
  const startSequences = run.find(({ header }) => header.kind === 'data')?.header.lastSequences
  if (startSequences === undefined || startSequences.length !== flushed.length) return undefined
  const last = [...startSequences]
  const kept: KeptObject[] = []
  for (const object of run) {
    const { header, spans } = object
    // As in reading: what was written to another log meanwhile is in table files.
    const follows = header.lastSequences.every((before, shard) => before === last[shard] || (before > last[shard]! && before <= flushed[shard]!))
    if (!follows) break
    for (const [shard, before] of header.lastSequences.entries()) last[shard] = before
    if (![...spans].every(([shard, span]) => span.first === last[shard]! + 1)) break
    for (const [shard, span] of spans) last[shard] = span.last
    kept.push(object)
  }
  return { objects: kept, startSequences, lastSequences: last }
}

/** Whether the stream can be read as it is. */
export function isWholeLog(objects: readonly SurveyedObject[], sound: SoundLog | undefined): boolean {
  if (!objects.every(isWhole)) return false
  if (objects.some(({ header }) => header.kind === 'data')) return sound?.objects.at(-1)?.id === objects.at(-1)!.id
  return runsOf(objects).every(([first]) => first!.header.previousPutId === noPutId)
}

/** By shard, how far the log was where the objects begin that the newest one leads back to; undefined when none of them tells. */
export function newestStart(objects: readonly SurveyedObject[]): readonly number[] | undefined {
  const run = runsOf(objects).find((each) => each.at(-1)!.id === objects.at(-1)?.id)
  return run?.find(({ header }) => header.kind === 'data')?.header.lastSequences
}
