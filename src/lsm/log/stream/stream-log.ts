/**
 * One stream as the logs of all shards of a node: it is read once for all of them, then written by all of them, and an
 * object goes when every shard has in table files what it holds. A shard that is written to little would keep all objects
 * behind its oldest record: beyond a bound it is asked to flush.
 */
import { invariant } from '../../../errors.ts'
import { createHistogram } from '../../../runtime/histogram.ts'
import { batchHeaderBytes, viewOf } from '../../batch.ts'
import type { Doubt } from '../doubt.ts'
import { groupBounds, syncMsBounds } from '../log.ts'
import type { Log, LogCounts, LogRecord } from '../log.ts'
import type { FoundLog, LogSource } from '../log-source.ts'
import { abortsIn, partOf } from '../logged-parts.ts'
import type { LoggedPart } from '../logged-parts.ts'
import { lastSequenceOf } from '../segment-scan.ts'
import { refusalOfRecord } from './object-format.ts'
import type { StreamRecord } from './object-format.ts'
import { followShard, spansOf } from './object-spans.ts'
import type { SpannedObject } from './object-spans.ts'
import { readChainAs } from './stream-chain.ts'
import type { ChainLink, ChainObject, StreamChain } from './stream-chain.ts'
import { createStreamWindow } from './stream-window.ts'
import type { StreamWindow } from './stream-window.ts'
import { createStreamWriter } from './stream-writer.ts'
import type { StreamWriter, StreamWriterOptions } from './stream-writer.ts'

export interface StreamLogOptions extends Omit<StreamWriterOptions, 'tail' | 'lastSequences' | 'onWritten'> {
  readonly shards: number
  /** As the fence found them; those that are gone by the first reading are listed again. */
  readonly ids?: readonly number[]
  /** So many bytes of objects are held while the log is applied. Default 32 MiB. */
  readonly windowBytesMax?: number
  /** Beyond so many bytes of objects, shards that keep the oldest are asked to flush. */
  readonly keptBytesMax: number
}

export interface StreamLog {
  source(shard: number): LogSource
  /** Of the opening. */
  readonly window: StreamWindow['counts']
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
  chain: Promise<StreamChain<DigestedObject>> | undefined
  readonly window: StreamWindow
  /** Shards that have gone through their records. */
  readonly applied: Set<number>
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

const windowBytes = 32 * 1024 * 1024

/** The stream must be fenced, and no manifest of an earlier writer may be published any more, before it is first read. */
export function createStreamLog(options: StreamLogOptions): StreamLog {
  const zeros = (): number[] => Array.from({ length: options.shards }, () => 0)
  const state: StreamState = { options, chain: undefined, window: createStreamWindow(options, options.windowBytesMax ?? windowBytes), applied: new Set(), kept: [], keptBytes: 0, lastSequences: zeros(), passed: zeros(), flushes: [], asked: new Set(), writer: undefined, open: 0, truncating: Promise.resolve() }
  return {
    source: (shard) => ({ read: (afterSequence) => read(state, shard, afterSequence) }),
    window: state.window.counts,
    get doubt() {
      invariant(state.writer !== undefined, 'the stream is asked for its doubt before it is written')
      return state.writer.doubt
    },
  }
}

async function read(state: StreamState, shard: number, afterSequence: number): Promise<FoundLog> {
  const chain = await (state.chain ??= readChainAs(state.options, state.options.ids, (object) => digest(state, object)))
  const lastSequence = followShard(state.options.stream, chain.objects, shard, afterSequence)
  const needed = chain.objects.filter(({ spans }) => (spans.get(shard)?.last ?? 0) > afterSequence)
  state.passed[shard] = afterSequence
  return {
    async *records() {
      for (const { name, header } of needed) yield* ofShard(await state.window.read(header), name, shard, afterSequence)
      state.applied.add(shard)
      if (state.applied.size === state.options.shards) state.window.clear()
    },
    async parts() {
      const said = needed.flatMap(({ statements }) => statements).filter((each) => each.shard === shard && each.lastSequence > afterSequence)
      return { parts: said.map(({ part }) => part).filter((part) => part !== undefined), aborted: new Set(said.flatMap(({ aborted }) => aborted)) }
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

function* ofShard({ records }: ChainObject, file: string, shard: number, afterSequence: number): Generator<ShardRecord> {
  for (const { shard: written, baseSequence, lastSequence, payload, byteOffset } of records) {
    if (written === shard && lastSequence > afterSequence) yield { baseSequence, lastSequence, payload, file, byteOffset }
  }
}

/** What stays in memory of an object until its records are applied. */
interface DigestedObject extends SpannedObject {
  /** Of the records that say something of statements over several shards. */
  readonly statements: readonly { readonly shard: number; readonly lastSequence: number; readonly part: LoggedPart | undefined; readonly aborted: readonly string[] }[]
}

function digest({ window }: StreamState, object: ChainObject): DigestedObject {
  const { name, header, records } = object
  const statements = records.map(({ shard, lastSequence, payload }) => ({ shard, lastSequence, part: partOf(payload, name), aborted: abortsIn(payload, name) }))
  window.offer(object)
  return { name, header, statements: statements.filter(({ part, aborted }) => part !== undefined || aborted.length > 0), ...spansOf(records) }
}

/** A shard's records in order. XX001 unless they, and what each object says of the ones before it, follow each other without a gap. */
export function recordsOfShard(stream: number, objects: readonly ChainObject[], shard: number, afterSequence: number): readonly ShardRecord[] {
  followShard(stream, objects.map(({ name, header, records }) => ({ name, header, ...spansOf(records) })), shard, afterSequence)
  return objects.flatMap((object) => [...ofShard(object, object.name, shard, -1)])
}

/** All shards have read what they need: the bytes that were read go, and what nobody leads to is deleted. */
async function beginWriting(state: StreamState, chain: StreamChain<DigestedObject>): Promise<void> {
  const { options, lastSequences } = state
  state.chain = undefined
  for (const { name, header, spans } of chain.objects) keep(state, { name, byteLength: header.byteLength, isData: header.kind === 'data', lastSequences: new Map([...spans].map(([shard, { last }]) => [shard, last])) })
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

function fencesAtEnd(objects: readonly ChainLink[]): number {
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
