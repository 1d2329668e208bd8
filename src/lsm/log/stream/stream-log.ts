/**
 * One stream as the logs of all shards of a node: it is read once for all of them, then written by all of them, and an
 * object goes when every shard has in table files what it holds. A shard that is written to little would keep all objects
 * behind its oldest record: beyond a bound it is asked to flush.
 */
import { corruption, invariant } from '../../../errors.ts'
import { createHistogram } from '../../../runtime/histogram.ts'
import { batchHeaderBytes, viewOf } from '../../batch.ts'
import type { Doubt } from '../doubt.ts'
import { groupBounds, syncMsBounds } from '../log.ts'
import type { Log, LogCounts, LogRecord } from '../log.ts'
import type { FoundLog, LogSource } from '../log-source.ts'
import { lastSequenceOf } from '../segment-scan.ts'
import { refusalOfRecord } from './object-format.ts'
import type { StreamRecord } from './object-format.ts'
import { missingObjects, readChain } from './stream-chain.ts'
import type { ChainObject, StreamChain } from './stream-chain.ts'
import { createStreamWriter } from './stream-writer.ts'
import type { StreamWriter, StreamWriterOptions } from './stream-writer.ts'

export interface StreamLogOptions extends Omit<StreamWriterOptions, 'tail' | 'lastSequences' | 'onWritten'> {
  readonly shards: number
  /** As the fence found them; those that are gone by the first reading are listed again. */
  readonly ids?: readonly number[]
  /** Beyond so many bytes of objects, shards that keep the oldest are asked to flush. */
  readonly keptBytesMax: number
}

export interface StreamLog {
  source(shard: number): LogSource
  /** Of the writer, once all shards write. */
  readonly doubt: Doubt
}

interface KeptObject {
  readonly name: string
  readonly byteLength: number
  readonly isData: boolean
  /** By shard, the last sequence in it. */
  readonly lastSequences: ReadonlyMap<number, number>
}

interface StreamState {
  readonly options: StreamLogOptions
  /** What was found at the opening, until all shards have read it. */
  chain: Promise<StreamChain> | undefined
  /** Oldest first. */
  kept: KeptObject[]
  keptBytes: number
  readonly lastSequences: number[]
  /** By shard, what is in table files. */
  readonly passed: number[]
  /** By shard, what asks its tree for a flush; and those that were asked and have not passed anything since. */
  readonly flushes: (() => void)[]
  readonly asked: Set<number>
  writer: StreamWriter | undefined
  open: number
  truncating: Promise<void>
}

/** The stream must be fenced, and no manifest of an earlier writer may be published any more, before it is first read. */
export function createStreamLog(options: StreamLogOptions): StreamLog {
  const zeros = (): number[] => Array.from({ length: options.shards }, () => 0)
  const state: StreamState = { options, chain: undefined, kept: [], keptBytes: 0, lastSequences: zeros(), passed: zeros(), flushes: [], asked: new Set(), writer: undefined, open: 0, truncating: Promise.resolve() }
  return {
    source: (shard) => ({ read: (afterSequence) => read(state, shard, afterSequence) }),
    get doubt() {
      invariant(state.writer !== undefined, 'the stream is asked for its doubt before it is written')
      return state.writer.doubt
    },
  }
}

async function read(state: StreamState, shard: number, afterSequence: number): Promise<FoundLog> {
  const chain = await (state.chain ??= readChain(state.options, state.options.ids))
  const records = recordsOfShard(state.options.stream, chain.objects, shard, afterSequence)
  const lastSequence = Math.max(records.at(-1)?.lastSequence ?? 0, startOf(chain.objects, shard))
  state.passed[shard] = afterSequence
  return {
    async *records() {
      yield* records.filter((record) => record.lastSequence > afterSequence)
    },
    lastSequence,
    async openWriter(_writerEpoch, baseSequence) {
      state.lastSequences[shard] = baseSequence
      state.open++
      if (state.open === state.options.shards) await beginWriting(state, chain)
      return facade(state, shard)
    },
  }
}

interface ShardRecord extends LogRecord {
  readonly lastSequence: number
}

/** How far the shard's log was before the first object that tells. */
export function startOf(objects: readonly ChainObject[], shard: number): number {
  return objects.find(({ header }) => header.kind === 'data')?.header.lastSequences[shard] ?? 0
}

/** A shard's records in order. XX001 unless they, and what each object says of the ones before it, follow each other without a gap. */
export function recordsOfShard(stream: number, objects: readonly ChainObject[], shard: number, afterSequence: number): readonly ShardRecord[] {
  const first = objects[0]
  let last = startOf(objects, shard)
  if (first !== undefined && last > afterSequence) throw missingObjects(stream, first, `an object with records of shard ${shard} from sequence ${afterSequence + 1} on`)
  const found: ShardRecord[] = []
  for (const { name, header, records } of objects) {
    const before = header.kind === 'data' ? header.lastSequences[shard]! : last
    // What was written to another log meanwhile is in table files.
    if (before !== last && !(before > last && before <= afterSequence)) throw corruption('log object', { file: name, byteOffset: 0, expected: `sequence ${last} of shard ${shard} before it`, actual: `${before}` })
    last = before
    for (const { shard: written, baseSequence, lastSequence, payload, byteOffset } of records) {
      if (written !== shard) continue
      if (baseSequence !== last + 1) throw corruption('log record', { file: name, byteOffset, expected: `sequence ${last + 1} of shard ${shard}`, actual: `${baseSequence}` })
      last = lastSequence
      found.push({ baseSequence, lastSequence, payload, file: name, byteOffset })
    }
  }
  return found
}

/** All shards have read what they need: the bytes that were read go, and what nobody leads to is deleted. */
async function beginWriting(state: StreamState, chain: StreamChain): Promise<void> {
  const { options, lastSequences } = state
  state.chain = undefined
  for (const { name, header, records } of chain.objects) keep(state, { name, byteLength: header.byteLength, isData: header.kind === 'data', lastSequences: lastOfShards(records) })
  state.writer = createStreamWriter({
    ...options, tail: chain.tail, lastSequences,
    onWritten(name, byteLength, records) {
      keep(state, { name, byteLength, isData: true, lastSequences: lastOfShards(records) })
      askForFlushes(state)
    },
  })
  for (const name of chain.strays) await options.storage.delete(name)
  if (fencesAtEnd(chain.objects) <= fencesAtEndMax) return
  await state.writer.mark()
  await truncate(state)
}

/** Every opening leaves a fence, which stays until an object with data comes after it. */
const fencesAtEndMax = 16

function fencesAtEnd(objects: readonly ChainObject[]): number {
  return objects.length - 1 - objects.findLastIndex(({ header }) => header.kind === 'data')
}

function lastOfShards(records: readonly StreamRecord[]): ReadonlyMap<number, number> {
  return new Map(records.map(({ shard, lastSequence }) => [shard, lastSequence]))
}

function keep(state: StreamState, object: KeptObject): void {
  state.kept.push(object)
  state.keptBytes += object.byteLength
}

function askForFlushes({ kept, keptBytes, passed, asked, flushes, options }: StreamState): void {
  if (keptBytes <= options.keptBytesMax) return
  const oldestNeeded = kept.find((object) => !isPassed(object, passed))
  for (const [shard, sequence] of oldestNeeded?.lastSequences ?? []) {
    if (sequence <= passed[shard]! || asked.has(shard)) continue
    asked.add(shard)
    flushes[shard]?.()
  }
}

/** The log of one shard over the stream. What is counted of the stream as a whole is told by the first shard alone. */
function facade(state: StreamState, shard: number): Log {
  let appends = 0
  let queuedSequence = state.lastSequences[shard]!
  let isClosed = false
  const writer = (): StreamWriter => {
    invariant(state.writer !== undefined, 'a stream is written to before all shards have read it')
    return state.writer
  }
  return {
    append(baseSequence, payload) {
      const refusal = refusalOfRecord(state.options.kernel, payload.length)
      if (refusal !== undefined) return Promise.reject(refusal)
      const view = viewOf(payload)
      invariant(payload.length >= batchHeaderBytes && view.getUint32(0, true) === payload.length && view.getFloat64(8, true) === baseSequence, 'a log record must be a write batch of its sequence')
      invariant(baseSequence === queuedSequence + 1, () => `sequence ${baseSequence} appended after ${queuedSequence}`)
      queuedSequence = lastSequenceOf(baseSequence, view.getUint32(4, true))
      appends++
      return writer().append({ shard, baseSequence, lastSequence: queuedSequence, payload })
    },
    admit: (payloadBytes) => writer().admit(payloadBytes),
    sync: () => writer().sync(),
    truncateBelow: (sequence) => truncateBelow(state, shard, sequence),
    // An object ends with its creation.
    roll: () => undefined,
    onFlushWanted: (flush) => void (state.flushes[shard] = flush),
    get counts() { return countsOf(state, shard, appends) },
    get failure() { return state.writer?.failure },
    async close() {
      if (isClosed) return
      isClosed = true
      state.open--
      if (state.writer === undefined || state.writer.failure !== undefined) return
      await (state.open === 0 ? state.writer.close() : state.writer.sync())
      await state.truncating
    },
  }
}

function countsOf({ writer, kept }: StreamState, shard: number, appends: number): LogCounts {
  if (shard > 0 || writer === undefined) return { segments: 0, appends, syncs: 0, bytes: 0, groups: createHistogram(groupBounds), syncMs: createHistogram(syncMsBounds) }
  const { objects, bytes, groups, syncMs } = writer.counts
  return { segments: kept.length, appends, syncs: objects, bytes, groups, syncMs }
}

function truncateBelow(state: StreamState, shard: number, sequence: number): Promise<void> {
  state.passed[shard] = Math.max(state.passed[shard]!, sequence)
  state.asked.delete(shard)
  const truncated = state.truncating.then(() => truncate(state))
  state.truncating = truncated.catch(() => undefined)
  return truncated
}

/** Oldest first, so that what is left has no gap; the newest object with data stays, and what is behind it. */
async function truncate(state: StreamState): Promise<void> {
  const { kept, passed, options } = state
  for (let oldest = kept[0]; oldest !== undefined && mayGo(kept, passed); oldest = kept[0]) {
    await options.storage.delete(oldest.name)
    kept.shift()
    state.keptBytes -= oldest.byteLength
  }
}

function mayGo(kept: readonly KeptObject[], passed: readonly number[]): boolean {
  return isPassed(kept[0]!, passed) && kept.some(({ isData }, i) => i > 0 && isData)
}

function isPassed({ lastSequences }: KeptObject, passed: readonly number[]): boolean {
  return [...lastSequences].every(([shard, sequence]) => sequence <= passed[shard]!)
}
