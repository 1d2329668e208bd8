/**
 * Joins: the right side is held, by its keys where there are any; the left side streams by. What of the right side does
 * not fit is deferred, with the left rows that may have partners there; only then are rows given out of the left order.
 */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { keyOf, keyOfAll } from '../expression/value/order.ts'
import type { JoinNode } from './node.ts'
import { batchRows, pace, rowsPerTurn } from './query-run.ts'
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
  /** What a left row without partner is joined with. */
  readonly unmatched: EngineRow | undefined
}

export function join(node: JoinNode, left: Stream, right: Stream, run: QueryRun): Stream {
  const plan: JoinPlan = {
    run,
    leftKeys: node.keys.map((key) => compile(key.left, run)),
    rightKeys: node.keys.map((key) => compile(key.right, run)),
    residual: node.residual === undefined ? undefined : compile(node.residual, run),
    unmatched: node.join === 'left' ? Array.from({ length: node.rightWidth }, () => null) : undefined,
  }
  const share = run.memory.share()
  return () => inPasses([right, left], run, share, (inputs, pass) => joinedInPass(plan, inputs, pass))
}

async function* joinedInPass(plan: JoinPlan, [right, left]: readonly Stream[], pass: Pass): AsyncGenerator<Batch> {
  const held = await hash(plan, right!, pass)
  for await (const batch of left!()) {
    await pace(plan.run, batch.length)
    yield* joined(plan, held, batch, pass)
    await pass.settle()
  }
}

type Held = KeyMap<EngineRow[]>

/** Rows by key; those with a null in their key have no partner. Without keys all are under one. */
async function hash({ run, rightKeys }: JoinPlan, right: Stream, pass: Pass): Promise<Held> {
  const held = newKeyMap<EngineRow[]>()
  for await (const batch of right()) {
    await pace(run, batch.length)
    for (const row of batch) {
      const key = joinKey(rightKeys, row)
      if (key === undefined) continue
      const rows = lookUp(held, key)
      if (!pass.admit(rowBytes(row) + (rows === undefined ? mapEntryBytes + valueBytes(key) : 8))) pass.defer(0, key, row)
      else if (rows === undefined) put(held, key, [row])
      else rows.push(row)
    }
    await pass.settle()
  }
  return held
}

/** undefined when a part is null. */
function joinKey(keys: readonly Evaluate[], row: EngineRow): EngineValue | undefined {
  if (keys.length === 1) return keyOf(keys[0]!(row)) ?? undefined
  const values = keys.map((key) => key(row))
  return values.includes(null) ? undefined : keyOfAll(values)
}

const none: readonly EngineRow[] = []

async function* joined({ run, leftKeys, residual, unmatched }: JoinPlan, held: Held, batch: Batch, pass: Pass): AsyncGenerator<Batch> {
  let rows: EngineRow[] = []
  for (const given of batch) {
    // A left row that was deferred says at its end whether it found a partner before.
    const row = pass.isFirst ? given : given.slice(0, -1)
    let found = !pass.isFirst && given.at(-1) === 1
    const key = joinKey(leftKeys, row)
    for (const partner of key === undefined ? none : (lookUp(held, key) ?? none)) {
      const both = [...row, ...partner]
      run.rowsOfTurn++
      if (residual !== undefined && residual(both) !== 1) {
        if (run.rowsOfTurn >= rowsPerTurn) await pace(run, 0)
        continue
      }
      found = true
      rows.push(both)
      if (rows.length < batchRows) continue
      await pace(run, 0)
      yield rows
      rows = []
    }
    if (key !== undefined && pass.isDeferred(key)) pass.defer(1, key, [...row, found ? 1 : 0])
    else if (!found && unmatched !== undefined) rows.push([...row, ...unmatched])
  }
  if (rows.length > 0) yield rows
}
