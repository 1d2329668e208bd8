/** Joins: the right side is held, by its keys where there are any; the left side streams by. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate } from '../expression/compile.ts'
import { keyOfAll } from '../expression/value/order.ts'
import type { JoinNode } from './node.ts'
import { batchRows, hold, pace } from './query-run.ts'
import type { Batch, QueryRun, Stream } from './query-run.ts'

export function join(node: JoinNode, left: Stream, right: Stream, run: QueryRun): Stream {
  const leftKeys = node.keys.map((key) => compile(key.left, run))
  const rightKeys = node.keys.map((key) => compile(key.right, run))
  const residual = node.residual === undefined ? undefined : compile(node.residual, run)
  const noRow: EngineRow = Array.from({ length: node.rightWidth }, () => null)
  return async function* () {
    const held = await hash(right, rightKeys, run)
    const unmatched = node.join === 'left' ? noRow : undefined
    for await (const batch of left()) {
      await pace(run, batch.length)
      yield* joined(batch, (row) => partners(held, leftKeys, row), residual, unmatched, run)
    }
  }
}

type Held = ReadonlyMap<EngineValue, readonly EngineRow[]>

/** Rows by key; those with a null in their key have no partner. Without keys all are under one. */
async function hash(right: Stream, keys: readonly Evaluate[], run: QueryRun): Promise<Held> {
  const held = new Map<EngineValue, EngineRow[]>()
  for await (const batch of right()) {
    await pace(run, batch.length)
    for (const row of batch) {
      const values = keys.map((key) => key(row))
      if (values.includes(null)) continue
      hold(run, row)
      const key = keyOfAll(values)
      const rows = held.get(key)
      if (rows === undefined) held.set(key, [row])
      else rows.push(row)
    }
  }
  return held
}

const none: readonly EngineRow[] = []

function partners(held: Held, keys: readonly Evaluate[], row: EngineRow): readonly EngineRow[] {
  const values = keys.map((key) => key(row))
  return values.includes(null) ? none : (held.get(keyOfAll(values)) ?? none)
}

async function* joined(batch: Batch, partnersOf: (row: EngineRow) => readonly EngineRow[], residual: Evaluate | undefined, unmatched: EngineRow | undefined, run: QueryRun): AsyncGenerator<Batch> {
  let rows: EngineRow[] = []
  for (const row of batch) {
    let found = false
    for (const partner of partnersOf(row)) {
      const both = [...row, ...partner]
      run.rowsOfTurn++
      if (residual !== undefined && residual(both) !== 1) {
        if (run.rowsOfTurn >= 10_000) await pace(run, 0)
        continue
      }
      found = true
      rows.push(both)
      if (rows.length < batchRows) continue
      await pace(run, 0)
      yield rows
      rows = []
    }
    if (!found && unmatched !== undefined) rows.push([...row, ...unmatched])
  }
  if (rows.length > 0) yield rows
}
