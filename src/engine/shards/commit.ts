/**
 * Statements over several shards, all or nothing, seen by nobody half done.
 *
 * The serving thread is the only dispatcher, so one synchronous step gives every part its base sequence, writes into
 * each who the participants are, and appends all of them. A part is applied only when all parts are durable; recovery
 * counts a part only when all are there (see recovery.ts).
 *
 * Several such statements may be under way in the same shards. Each is let through only when it is the first of those
 * not let through in all its shards; all that stands before it in those logs is durable then and waits for nothing, so
 * that its parts become visible one right after the other, within microtasks. A snapshot asks, by sequence numbers,
 * whether just then some parts are visible and others are not, and waits those microtasks when so.
 */
import { invariant, LsmtError } from '../../errors.ts'
import { isOvertaken } from '../../lsm/claim/writer-claim.ts'
import { assignParticipants } from '../../lsm/batch.ts'
import type { Participant } from '../../lsm/batch.ts'
import type { LogRounds } from '../../lsm/log/rounds/log-rounds.ts'
import type { Tree } from '../../lsm/tree.ts'
import { createDeferred } from '../../runtime/deferred.ts'
import type { Deferred } from '../../runtime/deferred.ts'
import type { Random } from '../../runtime/random.ts'
import { createSharedBatches } from './shared-batches.ts'
import type { SharedBatches } from './shared-batches.ts'

/** One shard's share of a statement, a finished batch (with room for participants when there are several parts). */
export interface StatementPart {
  readonly shard: number
  readonly batch: Uint8Array
  readonly operationCount: number
}

export interface Committer {
  /** Appends all parts in this synchronous step; resolves when all are durable as set, and visible. */
  commit(parts: readonly StatementPart[]): Promise<void>
  /** What small statements of one shard may write to by themselves; absent: nothing now. */
  readonly shared?: SharedBatches | undefined
  /** Resolves when no statement is visible in part; undefined when none is now. */
  halfVisible(): Promise<void> | undefined
  /** Bytes of a shard that its log will have as soon as it takes the next group. */
  heldBytes(shard: number): number
  /** Appends what is held, because the logs are to be closed. */
  flush(): void
}

interface Statement {
  readonly parts: readonly (Participant & { readonly lastSequence: number })[]
  readonly gate: Deferred
  durable: boolean
  readonly applied: Promise<unknown>
}

interface CommitState {
  readonly trees: readonly Tree[]
  readonly random: Random
  /** Undefined: every statement has its batches for itself. */
  readonly shared: SharedBatches | undefined
  /** Statements of several shards that were not let through yet, by shard, oldest first. */
  readonly waiting: readonly Statement[][]
  /** Let through, not yet visible everywhere. */
  readonly passing: Set<Statement>
  /** Why no more is written: one shard lost a part of a statement that others may have. */
  failure: unknown
}

/** With `rounds` small statements that meet in one of them share their batch. */
export function createCommitter(trees: readonly Tree[], random: Random, rounds?: LogRounds): Committer {
  const shared = rounds && createSharedBatches(trees, rounds)
  if (shared !== undefined) rounds?.onBegin(shared.flush)
  const state: CommitState = { trees, random, shared, waiting: trees.map(() => []), passing: new Set(), failure: undefined }
  return {
    commit(parts) {
      if (state.failure !== undefined) return Promise.reject(refusalOf(state.failure))
      if (parts.length === 1) return commitPart(state, parts[0]!)
      return parts.length === 0 ? Promise.resolve() : commitParts(state, parts)
    },
    get shared() { return state.failure === undefined ? shared : undefined },
    halfVisible() {
      if (state.passing.size === 0) return undefined
      const half = [...state.passing].filter((statement) => isHalfVisible(trees, statement))
      return half.length === 0 ? undefined : Promise.all(half.map((statement) => statement.applied)).then(() => {})
    },
    heldBytes: (shard) => shared?.heldBytes(shard) ?? 0,
    flush: () => shared?.flush(),
  }
}

function refusalOf(failure: unknown): LsmtError {
  if (isOvertaken(failure)) return failure
  return new LsmtError('55000', 'no more writes are taken since a statement failed half-way; reopen the database', {}, failure)
}

function commitPart({ trees, shared }: CommitState, part: StatementPart): Promise<void> {
  const joined = shared?.add(part.shard, part.batch, part.operationCount)
  if (joined !== undefined) return joined
  shared?.flush()
  return trees[part.shard]!.append(part.batch).applied
}

function commitParts(state: CommitState, parts: readonly StatementPart[]): Promise<void> {
  const { trees, shared } = state
  shared?.flush()
  const participants = parts.map(({ shard }) => ({ shard, baseSequence: trees[shard]!.nextSequence }))
  const transactionId = newTransactionId(state.random)
  for (const { batch } of parts) assignParticipants(batch, { transactionId, parts: participants })
  const answered = shared?.goAlone()
  const logging = answered === undefined ? noneLogged : logAtOnce(trees, parts)
  if (answered !== undefined && logging.count === parts.length) return applyAtOnce(state, parts, participants, answered)
  return commitGated(state, parts, participants, logging)
}

/** How many parts, from the first on, the logs had in this step, and why the next one ended its log. */
interface Logging {
  readonly count: number
  readonly failure?: { readonly cause: unknown }
}

const noneLogged: Logging = { count: 0 }

function logAtOnce(trees: readonly Tree[], parts: readonly StatementPart[]): Logging {
  let count = 0
  try {
    while (count < parts.length && trees[parts[count]!.shard]!.logAtOnce!(parts[count]!.batch)) count++
    return { count }
  } catch (cause) {
    return { count, failure: { cause } }
  }
}

/** All logs have their part, and none of the shards has anything that stands before it: it is visible when this returns. */
function applyAtOnce(state: CommitState, parts: readonly StatementPart[], participants: readonly Participant[], answered: Promise<void>): Promise<void> {
  let failure: { readonly cause: unknown } | undefined
  for (const { shard, batch } of parts) {
    try {
      state.trees[shard]!.applyLogged!(batch)
    } catch (cause) {
      failure ??= { cause }
    }
  }
  if (failure === undefined) return answered
  const applied = rejected(failure.cause)
  state.passing.add({ parts: placesOf(parts, participants), gate: createDeferred(), durable: true, applied })
  fail(state, failure.cause)
  return applied
}

/** Parts are applied when the logs of all of them, of which some may be written later, have them. */
function commitGated(state: CommitState, parts: readonly StatementPart[], participants: readonly Participant[], { count, failure }: Logging): Promise<void> {
  const gate = createDeferred()
  const appended = parts.map(({ shard, batch }, i) => {
    if (i === count && failure !== undefined) return { durable: rejected(failure.cause), applied: rejected(failure.cause) }
    const result = state.trees[shard]!.append(batch, { durableEverywhere: gate.promise, isLogged: i < count })
    invariant(result.baseSequence === participants[i]!.baseSequence, `shard ${shard} gave a part another sequence than it had said`)
    return result
  })
  const statement: Statement = { parts: placesOf(parts, participants), gate, durable: false, applied: Promise.all(appended.map((part) => part.applied)) }
  for (const { shard } of parts) state.waiting[shard]!.push(statement)
  Promise.all(appended.map((part) => part.durable)).then(
    () => {
      statement.durable = true
      letThrough(state, statement)
    },
    (cause: unknown) => fail(state, cause),
  )
  return statement.applied.then(
    () => void state.passing.delete(statement),
    (cause: unknown) => {
      fail(state, cause)
      throw cause
    },
  )
}

const placesOf = (parts: readonly StatementPart[], participants: readonly Participant[]): Statement['parts'] =>
  participants.map(({ shard, baseSequence }, i) => ({ shard, baseSequence, lastSequence: baseSequence + parts[i]!.operationCount - 1 }))

function rejected(cause: unknown): Promise<void> {
  const { promise, reject } = createDeferred()
  reject(cause)
  return promise
}

/** Ends writes. What has not been let through waits, directly or not, for the part that failed: it fails as well. */
function fail(state: CommitState, cause: unknown): void {
  state.failure ??= cause
  for (const statements of state.waiting) for (const { gate } of statements.splice(0)) gate.reject(cause)
}

/** Lets a statement through if it may, and then those that waited for it. */
function letThrough(state: CommitState, statement: Statement): void {
  const isFirst = statement.durable && statement.parts.every(({ shard }) => state.waiting[shard]![0] === statement)
  if (!isFirst) return
  for (const { shard } of statement.parts) state.waiting[shard]!.shift()
  state.passing.add(statement)
  statement.gate.resolve()
  for (const { shard } of statement.parts) {
    const next = state.waiting[shard]![0]
    if (next !== undefined) letThrough(state, next)
  }
}

function isHalfVisible(trees: readonly Tree[], statement: Statement): boolean {
  const visible = statement.parts.filter(({ shard, lastSequence }) => trees[shard]!.visibleSequence >= lastSequence).length
  return visible > 0 && visible < statement.parts.length
}

function newTransactionId(random: Random): Uint8Array {
  return new Uint8Array(Uint32Array.of(random.nextU32(), random.nextU32(), random.nextU32(), random.nextU32()).buffer)
}
