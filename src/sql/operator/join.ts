/**
 * Joins: the right side is held, by its keys where there are any; the left side streams by. What of the right side does
 * not fit is deferred, with the left rows that may have partners there; only then are rows given out of the left order.
 */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { keyOf, keyOfAll } from '../expression/value/order.ts'
import type { JoinNode } from './node.ts'
import { batchRows, pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'
import { lookUp, mapEntryBytes, newKeyMap, put } from './spill/key-map.ts'
import type { KeyMap } from './spill/key-map.ts'
import { inPasses } from './spill/passes.ts'
import type { Pass } from './spill/passes.ts'
import { rowBytes, valueBytes } from './spill/query-memory.ts'

interface JoinPlan {
  readonly run: QueryRun
  readonly leftKeys: readonly Evaluate[]
  readonly rightKeys: readonly Evaluate[]
  readonly residual: Evaluate | undefined
  /** What a left row without partner is joined with, and what such a right row is; undefined: it drops out. */
  readonly noRight: EngineRow | undefined
  readonly noLeft: EngineRow | undefined
}

export function join(node: JoinNode, left: Stream, right: Stream, run: QueryRun): Stream {
  const plan: JoinPlan = {
    run,
    leftKeys: node.keys.map((key) => compile(key.left, run)),
    rightKeys: node.keys.map((key) => compile(key.right, run)),
    residual: node.residual === undefined ? undefined : compile(node.residual, run),
    noRight: node.join === 'inner' ? undefined : nulls(node.rightWidth),
    noLeft: node.join === 'full' ? nulls(node.leftWidth) : undefined,
  }
  const share = run.memory.share()
  return () => inPasses([right, left], run, share, (inputs, pass) => joinedInPass(plan, inputs, pass))
}

function nulls(width: number): EngineRow {
  return Array.from({ length: width }, () => null)
}

async function* joinedInPass(plan: JoinPlan, [right, left]: readonly Stream[], pass: Pass): AsyncGenerator<Batch> {
  const held: Held = { byKey: newKeyMap(), met: new Set() }
  yield* hash(plan, right!, held, pass)
  for await (const batch of left!()) {
    await pace(plan.run, batch.length)
    yield* joined(plan, held, batch, pass)
    await pass.settle()
  }
  if (plan.noLeft !== undefined) yield* unmet(plan.run, held, plan.noLeft)
}

interface Held {
  /** Right rows; without keys all are under one. */
  readonly byKey: KeyMap<EngineRow[]>
  /** Those of them that found a partner, where it matters. All left rows that could be one come by in the pass that holds them. */
  readonly met: Set<EngineRow>
}

const setEntryBytes = 24

/** Holds the right rows by key. Those with a null in it have no partner: where all are kept they are given out at once. */
async function* hash({ run, rightKeys, noLeft }: JoinPlan, right: Stream, { byKey }: Held, pass: Pass): AsyncGenerator<Batch> {
  const markBytes = noLeft === undefined ? 0 : setEntryBytes
  for await (const batch of right()) {
    await pace(run, batch.length)
    const alone: EngineRow[] = []
    for (const row of batch) {
      const key = joinKey(rightKeys, row)
      if (key === undefined) {
        if (noLeft !== undefined) alone.push([...noLeft, ...row])
        continue
      }
      const rows = lookUp(byKey, key)
      if (!pass.admit(rowBytes(row) + markBytes + (rows === undefined ? mapEntryBytes + valueBytes(key) : 8))) pass.defer(0, key, row)
      else if (rows === undefined) put(byKey, key, [row])
      else rows.push(row)
    }
    if (alone.length > 0) yield alone
    await pass.settle()
  }
}

/** undefined when a part is null. */
function joinKey(keys: readonly Evaluate[], row: EngineRow): EngineValue | undefined {
  if (keys.length === 1) return keyOf(keys[0]!(row)) ?? undefined
  const values = keys.map((key) => key(row))
  return values.includes(null) ? undefined : keyOfAll(values)
}

/** Pairs after which it may be somebody else's turn: a residual can take long. */
const pairsPerLook = 128

const none: readonly EngineRow[] = []

async function* joined({ run, leftKeys, residual, noRight, noLeft }: JoinPlan, { byKey, met }: Held, batch: Batch, pass: Pass): AsyncGenerator<Batch> {
  let rows: EngineRow[] = []
  let pairs = 0
  for (const given of batch) {
    // A left row that was deferred says at its end whether it found a partner before.
    const row = pass.isFirst ? given : given.slice(0, -1)
    let found = !pass.isFirst && given.at(-1) === 1
    const key = joinKey(leftKeys, row)
    for (const partner of key === undefined ? none : (lookUp(byKey, key) ?? none)) {
      const both = [...row, ...partner]
      if (++pairs % pairsPerLook === 0) await pace(run, pairsPerLook)
      if (residual !== undefined && residual(both) !== 1) continue
      found = true
      if (noLeft !== undefined) met.add(partner)
      rows.push(both)
      if (rows.length < batchRows) continue
      yield rows
      rows = []
    }
    if (key !== undefined && pass.isDeferred(key)) pass.defer(1, key, [...row, found ? 1 : 0])
    else if (!found && noRight !== undefined) rows.push([...row, ...noRight])
  }
  if (rows.length > 0) yield rows
}

/** Held right rows that no left row met. */
async function* unmet(run: QueryRun, { byKey, met }: Held, noLeft: EngineRow): AsyncGenerator<Batch> {
  let rows: EngineRow[] = []
  for (const part of byKey.parts) {
    for (const held of part.values()) {
      for (const row of held) {
        if (met.has(row)) continue
        rows.push([...noLeft, ...row])
        if (rows.length < batchRows) continue
        await pace(run, rows.length)
        yield rows
        rows = []
      }
    }
  }
  if (rows.length > 0) yield rows
}
