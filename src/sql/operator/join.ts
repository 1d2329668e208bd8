/**
 * Joins: the right side is held, by its keys where there are any; the left side streams by, or the other way round where
 * that one turns out to be small. What does not fit of the side that is held is deferred, with the rows of the other that
 * may have partners there; only then are rows given out of the other's order.
 */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import { asker } from './apply.ts'
import type { Evaluate } from '../expression/compile.ts'
import type { JoinNode } from './node.ts'
import { batchRows, newRow, pace } from './query-run.ts'
import type { Batch, Prepare, QueryRun, Stream } from './query-run.ts'
import { overSides } from './smaller-side.ts'
import { hashOfKey } from './spill/key-hash.ts'
import { keyBytes, lookUp, newKeyMap, put, valuesOf } from './spill/key-map.ts'
import type { KeyMap } from './spill/key-map.ts'
import { inPasses } from './spill/passes.ts'
import type { Pass } from './spill/passes.ts'
import { rowBytes } from './spill/query-memory.ts'

interface JoinPlan {
  readonly run: QueryRun
  readonly leftKeys: readonly Evaluate[]
  readonly rightKeys: readonly Evaluate[]
  readonly residual: Evaluate | undefined
  /** Tells of pairs of an outer join that satisfy all else whether what they are asked is true. */
  readonly holds: ((pairs: Batch) => Promise<readonly boolean[]>) | undefined
  /** The left side is held, and the right one streams by as `left` does otherwise. */
  readonly isSwapped: boolean
  /** What a left row without partner is joined with, and what such a right row is; undefined: it drops out. */
  readonly noRight: EngineRow | undefined
  readonly noLeft: EngineRow | undefined
}

/** Joins rows of the two sides; each call goes through its streams once. */
export type Joined = (left: Stream, right: Stream) => Stream

/** `prepare` makes the operators of subqueries in ON. */
export function join(node: JoinNode, run: QueryRun, prepare: Prepare): Joined {
  const plan: JoinPlan = {
    run,
    leftKeys: node.keys.map((key) => compile(key.left, run)),
    rightKeys: node.keys.map((key) => compile(key.right, run)),
    residual: node.residual === undefined ? undefined : compile(node.residual, run),
    holds: node.asks && holdsFor(node.asks, run, prepare),
    isSwapped: false,
    noRight: node.join === 'inner' ? undefined : nulls(node.rightWidth),
    noLeft: node.join === 'full' ? nulls(node.leftWidth) : undefined,
  }
  const share = run.memory.share()
  const joinedOf = (way: JoinPlan, held: Stream, streaming: Stream): AsyncIterable<Batch> => inPasses([held, streaming], run, share, (inputs, pass) => joinedInPass(way, inputs, pass))
  if (node.join !== 'inner') return (left, right) => () => joinedOf(plan, right, left)
  const swapped: JoinPlan = { ...plan, leftKeys: plan.rightKeys, rightKeys: plan.leftKeys, isSwapped: true }
  return (left, right) => () => overSides(left, right, run, share, (sides) => (sides.isLeftSmaller ? joinedOf(swapped, sides.left, sides.right) : joinedOf(plan, sides.right, sides.left)))
}

function holdsFor({ subqueries, condition }: NonNullable<JoinNode['asks']>, run: QueryRun, prepare: Prepare): JoinPlan['holds'] {
  const ask = asker(subqueries, run, prepare)
  const holds = compile(condition, run)
  return async (pairs) => (await ask(pairs)).map((row) => holds(row) === 1)
}

function nulls(width: number): EngineRow {
  return Array.from({ length: width }, () => null)
}

async function* joinedInPass(plan: JoinPlan, [right, left]: readonly Stream[], pass: Pass): AsyncGenerator<Batch> {
  const held: Held = { byKey: newKeyMap(plan.rightKeys.length), met: new Set() }
  yield* hash(plan, right!, held, pass)
  for await (const batch of left!()) {
    await pace(plan.run, batch.length)
    yield* plan.holds === undefined ? joined(plan, held, batch, pass) : joinedByAsking(plan, plan.holds, held, batch, pass)
    await pass.settle()
  }
  if (plan.noLeft !== undefined) yield* unmet(plan.run, held, plan.noLeft)
}

interface Held {
  /** Right rows; without keys all are under one. */
  readonly byKey: KeyMap<Partners>
  /** Those of them that found a partner, where it matters. All left rows that could be one come by in the pass that holds them. */
  readonly met: Set<EngineRow>
}

/** Right rows of one key: mostly a single one. */
type Partners = EngineRow | Several

interface Several {
  readonly rows: EngineRow[]
}

function rowsOf(partners: Partners): readonly EngineRow[] {
  return isOne(partners) ? [partners] : partners.rows
}

function isOne(partners: Partners): partners is EngineRow {
  return Array.isArray(partners)
}

const setEntryBytes = 24
/** Of a list of rows, and of a row in it. */
const listBytes = 96
const listedBytes = 16

/** Holds the right rows by key. Those with a null in it have no partner: where all are kept they are given out at once. */
async function* hash({ run, rightKeys, noLeft }: JoinPlan, right: Stream, held: Held, pass: Pass): AsyncGenerator<Batch> {
  const markBytes = noLeft === undefined ? 0 : setEntryBytes
  const key: EngineValue[] = []
  for await (const batch of right()) {
    await pace(run, batch.length)
    const alone: EngineRow[] = []
    for (const row of batch) {
      if (fillKey(rightKeys, row, key)) hold(held, key, row, markBytes, pass)
      else if (noLeft !== undefined) alone.push(both(noLeft, row))
    }
    if (alone.length > 0) yield alone
    await pass.settle()
  }
}

function hold({ byKey }: Held, key: EngineRow, row: EngineRow, markBytes: number, pass: Pass): void {
  const hash = hashOfKey(key, key.length)
  const partners = lookUp(byKey, key, hash)
  const placeBytes = partners === undefined ? keyBytes(key, key.length) : isOne(partners) ? listBytes : listedBytes
  if (!pass.admit(rowBytes(row) + markBytes + placeBytes)) pass.defer(0, hash, row)
  else if (partners === undefined) put(byKey, key, hash, row)
  else if (isOne(partners)) put(byKey, key, hash, { rows: [partners, row] })
  else partners.rows.push(row)
}

/** Puts the row's key into `key`; false when a part is null. */
function fillKey(keys: readonly Evaluate[], row: EngineRow, key: EngineValue[]): boolean {
  for (let i = 0; i < keys.length; i++) {
    const value = keys[i]!(row)
    if (value === null) return false
    key[i] = value
  }
  return true
}

function both(left: EngineRow, right: EngineRow): EngineRow {
  const row = newRow(left.length + right.length)
  for (let i = 0; i < left.length; i++) row[i] = left[i]!
  for (let i = 0; i < right.length; i++) row[left.length + i] = right[i]!
  return row
}

/** Pairs after which it may be somebody else's turn: a residual can take long. */
const pairsPerLook = 128

const none: readonly EngineRow[] = []

async function* joined({ run, leftKeys, residual, isSwapped, noRight, noLeft }: JoinPlan, { byKey, met }: Held, batch: Batch, pass: Pass): AsyncGenerator<Batch> {
  const key: EngineValue[] = []
  let rows: EngineRow[] = []
  let pairs = 0
  for (const given of batch) {
    // A left row that was deferred says at its end whether it found a partner before.
    const row = pass.isFirst ? given : given.slice(0, -1)
    let found = !pass.isFirst && given.at(-1) === 1
    const hash = fillKey(leftKeys, row, key) ? hashOfKey(key, key.length) : undefined
    const partners = hash === undefined ? undefined : lookUp(byKey, key, hash)
    for (const partner of partners === undefined ? none : rowsOf(partners)) {
      const pair = isSwapped ? both(partner, row) : both(row, partner)
      if (++pairs % pairsPerLook === 0) await pace(run, pairsPerLook)
      if (residual !== undefined && residual(pair) !== 1) continue
      found = true
      if (noLeft !== undefined) met.add(partner)
      rows.push(pair)
      if (rows.length < batchRows) continue
      yield rows
      rows = []
    }
    if (hash !== undefined && pass.isDeferred(hash)) pass.defer(1, hash, [...row, found ? 1 : 0])
    else if (!found && noRight !== undefined) rows.push(both(row, noRight))
  }
  if (rows.length > 0) yield rows
}

/** As `joined`, of outer joins: many pairs are asked at a time, and only then it is known which left rows have no partner. */
async function* joinedByAsking({ run, leftKeys, residual, noRight, noLeft }: JoinPlan, holds: NonNullable<JoinPlan['holds']>, { byKey, met }: Held, batch: Batch, pass: Pass): AsyncGenerator<Batch> {
  const rows = pass.isFirst ? batch : batch.map((row) => row.slice(0, -1))
  const found = batch.map((row) => !pass.isFirst && row.at(-1) === 1)
  const hashes: (number | undefined)[] = []
  const key: EngineValue[] = []
  let pairs: { readonly left: number; readonly partner: EngineRow; readonly row: EngineRow }[] = []
  const keep = async (): Promise<Batch> => {
    const asked = pairs
    pairs = []
    const answers = await holds(asked.map(({ row }) => row))
    return asked.filter(({ left, partner }, i) => {
      if (!answers[i]!) return false
      found[left] = true
      if (noLeft !== undefined) met.add(partner)
      return true
    }).map(({ row }) => row)
  }
  let looked = 0
  for (const [left, row] of rows.entries()) {
    const hash = hashes[left] = fillKey(leftKeys, row, key) ? hashOfKey(key, key.length) : undefined
    const partners = hash === undefined ? undefined : lookUp(byKey, key, hash)
    for (const partner of partners === undefined ? none : rowsOf(partners)) {
      if (++looked % pairsPerLook === 0) await pace(run, pairsPerLook)
      const pair = both(row, partner)
      if (residual !== undefined && residual(pair) !== 1) continue
      if (pairs.push({ left, partner, row: pair }) === batchRows) yield await keep()
    }
  }
  if (pairs.length > 0) yield await keep()
  const alone: EngineRow[] = []
  for (const [left, row] of rows.entries()) {
    const hash = hashes[left]
    if (hash !== undefined && pass.isDeferred(hash)) pass.defer(1, hash, [...row, found[left] === true ? 1 : 0])
    else if (found[left] !== true && noRight !== undefined) alone.push(both(row, noRight))
  }
  if (alone.length > 0) yield alone
}

/** Held right rows that no left row met. */
async function* unmet(run: QueryRun, { byKey, met }: Held, noLeft: EngineRow): AsyncGenerator<Batch> {
  let rows: EngineRow[] = []
  let looked = 0
  for (const partners of valuesOf(byKey)) {
    for (const row of rowsOf(partners)) {
      if (++looked % batchRows === 0) await pace(run, batchRows)
      if (met.has(row)) continue
      rows.push(both(noLeft, row))
      if (rows.length < batchRows) continue
      yield rows
      rows = []
    }
  }
  if (rows.length > 0) yield rows
}
