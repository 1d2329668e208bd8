/**
 * Requests under idempotency keys: one at a time under each key, what was recorded of it, and the commit of a statement
 * with its record. See request-tables.ts for how records are kept and forgotten.
 */
import { LsmtError } from '../../errors.ts'
import type { Clock } from '../../runtime/clock.ts'
import { isWellFormed } from '../check-value.ts'
import { readRow } from '../codec/read-row.ts'
import type { EngineRow } from '../engine.ts'
import { aggregateShards } from '../read/aggregate.ts'
import { lookUp, readEach } from '../read/point-read.ts'
import type { StatementPart } from '../shards/commit.ts'
import { joinParts } from '../shards/join-parts.ts'
import { shardsOf } from '../shards/shard-snapshot.ts'
import { tableAccess } from '../tables/table-access.ts'
import type { TableAccess } from '../tables/table-access.ts'
import { buildParts } from '../write/writer.ts'
import type { Writer } from '../write/writer.ts'
import type { RequestRecord } from './request-record.ts'
import { requestColumn, requestTables } from './request-tables.ts'

/** How long records are kept at least: until as many newer ones came, or for this time, whatever is first. */
export interface RequestLimits {
  readonly idempotencyKeysMax: number
  readonly idempotencyKeepMs: number
}

export interface Requests {
  /** Resolves when nobody else has the key, to what is recorded under it. 22023 for what cannot be a key. */
  take(key: string): Promise<TakenKey>
  /** Commits the parts of a statement, or none, and the record: all of it or nothing. */
  commit(key: string, record: RequestRecord, parts: readonly StatementPart[], commit: (parts: readonly StatementPart[]) => Promise<void>): Promise<void>
  /** The record by itself. */
  write(key: string, record: RequestRecord): Promise<void>
}

export interface TakenKey {
  readonly record: RequestRecord | undefined
  release(): void
}

interface RequestsState {
  readonly writer: Writer
  readonly clock: Clock
  readonly limits: RequestLimits
  readonly tables: readonly TableAccess[]
  /** The last request of each key that somebody has or waits for. */
  readonly tails: Map<string, Promise<void>>
  /** Resolves when the tables are there and it is known which of them takes records. */
  readiness: Promise<void> | undefined
  current: number
  nextSequence: number
  /** Of the first record of the current table. */
  firstSequence: number
  firstAt: number
  /** The other table may have records. */
  hasOther: boolean
  /** The other table is being emptied. */
  isTurning: boolean
}

export function createRequests(writer: Writer, clock: Clock, limits: RequestLimits): Requests {
  const state: RequestsState = { writer, clock, limits, tables: requestTables.map((schema) => tableAccess(schema)), tails: new Map(), readiness: undefined, current: 0, nextSequence: 1, firstSequence: 1, firstAt: Infinity, hasOther: false, isTurning: false }
  const commit: Requests['commit'] = (key, record, parts, commitParts) => commitWith(state, key, record, parts, commitParts)
  return {
    async take(key) {
      checkIdempotencyKey(key)
      const free = await alone(state, key)
      const release = (): void => writer.afterDoubt(free)
      try {
        await ready(state)
        return { record: await find(state, key), release }
      } catch (error) {
        release()
        throw error
      }
    },
    commit,
    write: (key, record) => commit(key, record, [], (parts) => writer.commit(state.tables[state.current]!, parts, 0)),
  }
}

const keyLengthMax = 255

/** 22023 or 22P02 for what cannot be a key. */
export function checkIdempotencyKey(key: string): void {
  if (key.length < 1 || key.length > keyLengthMax) throw new LsmtError('22023', `an idempotency key has 1 to ${keyLengthMax} characters, this one has ${key.length}`, { hint: 'a UUID made for each request will do' })
  if (!isWellFormed(key)) throw new LsmtError('22021', 'the idempotency key is not Unicode')
}

/** Resolves when all who came before with the key have released it. */
async function alone({ tails }: RequestsState, key: string): Promise<() => void> {
  const before = tails.get(key)
  let end = (): void => {}
  const mine = new Promise<void>((resolve) => (end = resolve))
  tails.set(key, mine)
  await before
  return () => {
    if (tails.get(key) === mine) tails.delete(key)
    end()
  }
}

function ready(state: RequestsState): Promise<void> {
  return (state.readiness ??= load(state).catch((error: unknown) => {
    state.readiness = undefined
    throw error
  }))
}

/** The first time ever, makes the tables; otherwise finds out which one has the newer records. */
async function load(state: RequestsState): Promise<void> {
  const { writer, tables } = state
  if (!writer.shards.trees[0]!.layouts.has(tables[0]!.schema.tableId)) {
    await writer.commit(tables[0]!, buildParts(writer, (builder) => tables.forEach((table) => builder.define(table))), 0)
    return
  }
  const snapshot = writer.shards.snapshot()
  try {
    await snapshot.ready
    const contents = await Promise.all(tables.map(async (table) => {
      const [first, last, firstAt] = await aggregateShards(writer.shards, shardsOf(snapshot), table, { table: table.schema, ordered: false, columns: [], predicate: [] }, [
        { function: 'min', ordinal: requestColumn.sequence },
        { function: 'max', ordinal: requestColumn.sequence },
        { function: 'min', ordinal: requestColumn.at },
      ])
      return { first: Number(first ?? 0), last: Number(last ?? 0), firstAt: Number(firstAt ?? Infinity) }
    }))
    state.current = contents[1]!.last > contents[0]!.last ? 1 : 0
    const { first, last, firstAt } = contents[state.current]!
    state.hasOther = contents[1 - state.current]!.last > 0
    state.nextSequence = last + 1
    state.firstSequence = Math.max(first, 1)
    state.firstAt = firstAt
  } finally {
    snapshot.release()
  }
}

const recordColumns = [requestColumn.fingerprint, requestColumn.progress, requestColumn.answer]

/** The record under a key that counts. */
async function find(state: RequestsState, key: string): Promise<RequestRecord | undefined> {
  const { writer: { shards }, tables, current, hasOther } = state
  const places = (hasOther ? tables : [tables[current]!]).flatMap((table) => shards.trees.map((_, shard) => ({ table, shard })))
  let found: RequestRecord | undefined
  await readEach({
    count: places.length,
    ask(index) {
      const { table, shard } = places[index]!
      shards.assertOpen()
      shards.keys.writeOne(table, [key], table.keyInKey)
      return lookUp(shards, shard, undefined, table)
    },
    visit(index, row) {
      if (row !== undefined) found = further(found, recordOf(readRow(shards.kernel.memory, places[index]!.table, row, recordColumns, [key])))
      return true
    },
  })
  return found
}

function recordOf([fingerprint, progress, answer]: EngineRow): RequestRecord {
  return { fingerprint: fingerprint as Uint8Array, progress: Number(progress), answer: String(answer) }
}

function further(a: RequestRecord | undefined, b: RequestRecord): RequestRecord {
  return a !== undefined && a.progress >= b.progress ? a : b
}

async function commitWith(state: RequestsState, key: string, record: RequestRecord, parts: readonly StatementPart[], commit: (parts: readonly StatementPart[]) => Promise<void>): Promise<void> {
  const { writer } = state
  const at = Number(state.clock.wallMicros())
  const turns = mustTurn(state, at)
  const sequence = state.nextSequence++
  const row = [key, sequence, at, record.fingerprint, record.progress, record.answer]
  const shard = parts[0]?.shard
  const added = buildParts(writer, (builder) => {
    const table = state.tables[state.current]!
    if (shard === undefined) builder.put(table, [row])
    else builder.putIn(shard, table, row)
    if (turns) builder.deleteRange(state.tables[1 - state.current]!, { lower: undefined, upper: undefined })
  })
  state.firstAt = Math.min(state.firstAt, at)
  if (turns) state.isTurning = true
  try {
    await commit(parts.length === 0 ? added : joinParts([...parts, ...added]))
    if (turns) turn(state)
  } finally {
    if (turns) state.isTurning = false
  }
}

function mustTurn({ limits, isTurning, nextSequence, firstSequence, firstAt }: RequestsState, at: number): boolean {
  return !isTurning && (nextSequence - firstSequence >= limits.idempotencyKeysMax || at - firstAt >= limits.idempotencyKeepMs * 1000)
}

/** To the table that was emptied: only now, since a record appended before its range delete would go with it. */
function turn(state: RequestsState): void {
  state.current = 1 - state.current
  state.hasOther = true
  state.firstSequence = state.nextSequence
  state.firstAt = Infinity
}
