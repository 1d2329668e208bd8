/** Subqueries: computed for each row that they depend on, once for rows that look alike to them. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { LsmtError } from '../../errors.ts'
import type { AnyComparison, BoundSubquery, Place, QueryByKey } from '../expression/bound.ts'
import { cellOf, compile } from '../expression/compile.ts'
import type { Cell, Evaluate } from '../expression/compile.ts'
import { keyOf, keyOfAll } from '../expression/value/order.ts'
import { readAnswers } from './lookup/answer-index.ts'
import type { AnswerIndex } from './lookup/answer-index.ts'
import { keyedSubquery, subqueryLookup } from './lookup/subquery-lookup.ts'
import type { SubqueryLookup } from './lookup/subquery-lookup.ts'
import { batchRows, pace } from './query-run.ts'
import type { Batch, Prepare, QueryRun, Stream } from './query-run.ts'
import { keyBytes } from './spill/key-map.ts'
import { rowBytes, valueBytes } from './spill/query-memory.ts'
import type { MemoryShare } from './spill/query-memory.ts'
import { collectValues } from './spill/value-set.ts'
import type { ValueSet } from './spill/value-set.ts'

/** A row that grows by a column for each subquery. */
type Longer = EngineValue[]

interface Answer {
  /** Adds the column that the subquery is to rows that look alike to it. */
  readonly addTo: (rows: readonly Longer[]) => Promise<void> | void
  /** Asked for many rows at a time, it costs less. */
  readonly isSlow: boolean
  readonly bytes: number
  readonly discard: () => Promise<void> | void
}

interface Prepared {
  readonly subquery: BoundSubquery
  readonly stream: Stream
  readonly operand: Evaluate | undefined
  readonly cells: readonly { readonly cell: Cell; readonly place: Place; readonly local: boolean }[]
  readonly answers: Map<EngineValue, Answer>
  readonly share: MemoryShare
  readonly byKey: PreparedByKey | undefined
}

interface PreparedByKey {
  readonly keys: readonly Evaluate[]
  readonly rows: Stream
  /** Reads only what rows at hand ask for; absent where that needs all rows. */
  lookup: SubqueryLookup | undefined
  readonly empty: Stream | undefined
  /** Read when first asked for; gives undefined where memory has no room for it, or a row of it fails. */
  index: Promise<AnswerIndex | undefined> | undefined
}

const answersMax = 10_000
/** Rows gathered when an answer lies on storage. */
const gatheredRowsMax = 32_768

/** Rows with the subqueries' answers behind them. Answers are kept for the time of the query. */
export function apply(subqueries: readonly BoundSubquery[], input: Stream, run: QueryRun, prepare: Prepare): Stream {
  const prepared = prepareAll(subqueries, run, prepare)
  const isSlow = (): boolean => prepared.some(({ cells, answers }) => cells.length === 0 && answers.get('')?.isSlow === true)
  return () => answeredRows(prepared, gathered(input, run, isSlow), run)
}

async function* answeredRows(prepared: readonly Prepared[], batches: AsyncIterable<Batch>, run: QueryRun): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    const rows = await answered(prepared, batch, run)
    for (let start = 0; start < rows.length; start += batchRows) yield rows.length <= batchRows ? rows : rows.slice(start, start + batchRows)
  }
}

/** The same for rows at hand. */
export function asker(subqueries: readonly BoundSubquery[], run: QueryRun, prepare: Prepare): (rows: Batch) => Promise<Batch> {
  const prepared = prepareAll(subqueries, run, prepare)
  return (rows) => answered(prepared, rows, run)
}

async function answered(prepared: readonly Prepared[], batch: Batch, run: QueryRun): Promise<Batch> {
  const rows = batch.map((row): Longer => row.slice())
  for (const each of prepared) await addColumn(each, rows, run)
  return rows
}

function prepareAll(subqueries: readonly BoundSubquery[], run: QueryRun, prepare: Prepare): readonly Prepared[] {
  const share = run.memory.share()
  return subqueries.map((subquery): Prepared => ({
    subquery,
    stream: prepare(subquery.plan, subquery.test === 'exists' ? 1 : undefined, subquery.outer.length > 0),
    operand: subquery.operand === undefined ? undefined : compile(subquery.operand, run),
    cells: subquery.outer.map(({ reference, local, place = reference.place }) => ({ place, local, cell: cellOf(run, reference) })),
    answers: new Map(),
    share,
    byKey: subquery.byKey === undefined ? undefined : prepareByKey(subquery.byKey, subquery.outer, run, prepare),
  }))
}

/** Batches as they come, or many of them as one where that pays, as far as there is memory. */
async function* gathered(input: Stream, run: QueryRun, pays: () => boolean): AsyncGenerator<Batch> {
  const share = run.memory.share()
  let rows: EngineRow[] = []
  try {
    for await (const batch of input()) {
      await pace(run, batch.length)
      if (rows.length === 0 && !pays()) {
        yield batch
        continue
      }
      for (const row of batch) rows.push(row)
      if (rows.length < gatheredRowsMax && share.take(batch.reduce((sum, row) => sum + rowBytes(row), 0))) continue
      yield rows
      rows = []
      share.give(share.usedBytes)
    }
    if (rows.length > 0) yield rows
  } finally {
    share.give(share.usedBytes)
  }
}

async function addColumn(prepared: Prepared, rows: readonly Longer[], run: QueryRun): Promise<void> {
  const { cells, byKey } = prepared
  if (cells.length === 0) {
    await (await answerFor(prepared, '', run)).addTo(rows)
    return
  }
  const found = byKey && await lookUp(prepared, byKey, rows, run)
  const index = found?.index ?? (byKey && await (byKey.index ??= readIndex(prepared, byKey, byKey.rows, run)))
  for (const row of rows) {
    for (const { cell, place, local } of cells) if (local) cell.value = row[place.index]!
    if (index !== undefined) {
      row.push(index.answer(byKey!.keys.map((key) => key(row)), prepared.operand === undefined ? null : prepared.operand(row)))
      continue
    }
    const answer = await answerFor(prepared, keyOfAll(cells.map(({ cell }) => cell.value)), run)
    await answer.addTo([row])
  }
  if (found !== undefined) prepared.share.give(found.bytes)
}

/** Answers for these rows alone, while that costs less than reading them for all. */
async function lookUp(prepared: Prepared, byKey: PreparedByKey, rows: Batch, run: QueryRun): Promise<{ readonly index: AnswerIndex; readonly bytes: number } | undefined> {
  const partners = await byKey.lookup?.partnersOf(rows)
  const before = prepared.share.usedBytes
  const index = partners && await readIndex(prepared, byKey, partners, run)
  if (index !== undefined) return { index, bytes: prepared.share.usedBytes - before }
  byKey.lookup = undefined
  // What fails of some rows, or has no room, does so of all.
  if (partners !== undefined) byKey.index = Promise.resolve(undefined)
  return undefined
}

function prepareByKey(byKey: QueryByKey, outer: BoundSubquery['outer'], run: QueryRun, prepare: Prepare): PreparedByKey {
  const { plan, keys, empty } = byKey
  const keyed = keyedSubquery(byKey, outer, run.values)
  return { lookup: keyed && subqueryLookup(byKey, keyed, run, prepare), keys: keys.map((key) => compile(key, run)), rows: prepare(plan, undefined, false), empty: empty === undefined ? undefined : prepare(empty, undefined, false), index: undefined }
}

async function readIndex({ subquery: { test }, share }: Prepared, { empty }: PreparedByKey, rows: Stream, run: QueryRun): Promise<AnswerIndex | undefined> {
  const before = share.usedBytes
  try {
    const nothing = test !== 'scalar' ? 0 : empty === undefined ? null : await onlyValue(empty)
    return await readAnswers(test, rows, nothing, run, share)
  } catch (error) {
    // Perhaps of a row that no row further out asks for.
    if (!(error instanceof LsmtError) || !error.code.startsWith('22')) throw error
    share.give(share.usedBytes - before)
    return undefined
  }
}

async function answerFor(prepared: Prepared, key: EngineValue, run: QueryRun): Promise<Answer> {
  const { answers, share } = prepared
  const known = answers.get(key)
  if (known !== undefined) return known
  if (answers.size >= answersMax) await forgetAnswers(prepared)
  const answer = await answerOf(prepared, run)
  // The next ones have the memory, and no more than one has a file.
  if (answer.isSlow) await forgetAnswers(prepared)
  const bytes = keyBytes([key], 1) + answer.bytes
  if (!share.take(bytes)) {
    await forgetAnswers(prepared)
    share.need(bytes)
  }
  answers.set(key, { ...answer, bytes })
  return answer
}

async function forgetAnswers({ answers, share }: Prepared): Promise<void> {
  for (const { discard, bytes } of answers.values()) {
    share.give(bytes)
    await discard()
  }
  answers.clear()
}

async function answerOf({ subquery, stream, operand, share }: Prepared, run: QueryRun): Promise<Answer> {
  switch (subquery.test) {
    case 'exists':
      return sameForAll(await hasRow(stream))
    case 'scalar':
      return sameForAll(await onlyValue(stream))
    case 'in':
      return memberAnswer(await collectValues(stream, run, share), operand!)
    case 'any':
      return await extremesAnswer(stream, subquery.comparison!, operand!)
  }
}

function sameForAll(value: EngineValue): Answer {
  const addTo = (rows: readonly Longer[]): void => {
    for (const row of rows) row.push(value)
  }
  return { addTo, isSlow: false, bytes: valueBytes(value), discard() {} }
}

async function hasRow(stream: Stream): Promise<EngineValue> {
  for await (const batch of stream()) if (batch.length > 0) return 1
  return 0
}

async function onlyValue(stream: Stream): Promise<EngineValue> {
  let found: EngineRow | undefined
  for await (const batch of stream()) {
    if (batch.length === 0) continue
    if (found !== undefined || batch.length > 1) throw new LsmtError('21000', 'a subquery used as a value gave more than one row')
    found = batch[0]
  }
  return found === undefined ? null : found[0]!
}

function memberAnswer(values: ValueSet, operand: Evaluate): Answer {
  const { discard, isSpilled, isEmpty } = values
  const otherwise = values.hasNull ? null : 0
  const answer = (value: EngineValue, isMember: boolean): EngineValue => (isEmpty ? 0 : value === null ? null : isMember ? 1 : otherwise)
  const addAtOnce = (rows: readonly Longer[]): void => {
    for (const row of rows) {
      const value = operand(row)
      row.push(answer(value, values.has(keyOf(value))))
    }
  }
  const addBySpilled = async (rows: readonly Longer[]): Promise<void> => {
    const asked = rows.map((row) => operand(row))
    const missing = await values.missing(new Set(asked.filter((value) => value !== null).map(keyOf)))
    rows.forEach((row, i) => row.push(answer(asked[i]!, !missing.has(keyOf(asked[i]!)))))
  }
  return { addTo: isSpilled ? addBySpilled : addAtOnce, isSlow: isSpilled, bytes: 0, discard }
}

/** Some value compares like that when the least or the greatest does: no others are kept. */
async function extremesAnswer(stream: Stream, { compare, isLess }: AnyComparison, operand: Evaluate): Promise<Answer> {
  let least: EngineValue = null
  let greatest: EngineValue = null
  let otherwise: EngineValue = 0
  let isEmpty = true
  for await (const batch of stream()) {
    for (const row of batch) {
      const value = row[0]!
      isEmpty = false
      if (value === null) otherwise = null
      else {
        if (least === null || isLess(value, least) === 1) least = value
        if (greatest === null || isLess(greatest, value) === 1) greatest = value
      }
    }
  }
  const answer = (value: EngineValue): EngineValue => {
    if (isEmpty) return 0
    if (value === null) return null
    return least !== null && (compare(value, least) === 1 || compare(value, greatest) === 1) ? 1 : otherwise
  }
  const addTo = (rows: readonly Longer[]): void => {
    for (const row of rows) row.push(answer(operand(row)))
  }
  return { addTo, isSlow: false, bytes: valueBytes(least) + valueBytes(greatest), discard() {} }
}
