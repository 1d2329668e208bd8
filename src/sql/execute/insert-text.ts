/** INSERT of plain literals, from the text to the engine without rows between. */
import type { EngineSession } from '../../engine/engine.ts'
import type { ReadStats } from '../../lsm/tree.ts'
import { checkCancelled } from '../cancel.ts'
import type { InsertPlan } from '../plan.ts'
import { newQueryStats } from '../result.ts'
import type { WriteResult } from '../result.ts'
import type { Values } from '../value/values.ts'
import { countStatement } from './execute-select.ts'
import type { Execution } from './execute-select.ts'
import { written } from './write-run.ts'

/** Of fewer tuples, rows are made as fast as their text is scanned. */
const tupleCountMin = 4

/** How many rows were written; undefined, at once or in the end, when they are to be given one by one, for then nothing was. */
export function insertText(engine: EngineSession, plan: InsertPlan, values: Values, stats: ReadStats | undefined): Promise<number | undefined> | undefined {
  return values.statement.tupleCount < tupleCountMin ? undefined : insertTuples(engine, plan, values, stats)
}

/** Runs a statement whose tuples are only supposed; undefined when it has to be looked at as it is, for then nothing was done. */
export async function insertSupposed(engine: EngineSession, plan: InsertPlan, execution: Execution): Promise<WriteResult | undefined> {
  const { signal, requests, counts, values } = execution
  checkCancelled(signal)
  if (plan.clockDefaults.size > 0) return undefined
  const rowCount = await insertTuples(engine, plan, values, requests && newQueryStats(requests))
  if (rowCount === undefined) return undefined
  if (counts !== undefined) countStatement(counts, plan.kind)
  return written(rowCount)
}

function insertTuples(engine: EngineSession, { table, mode, sources, tuples, returning, onConflict }: InsertPlan, { text, statement: { tupleText } }: Values, stats: ReadStats | undefined): Promise<number | undefined> | undefined {
  if (tupleText === undefined || tuples.length !== 1) return undefined
  if (returning !== undefined || onConflict !== undefined || mode === 'insert-or-ignore') return undefined
  const hidden = table.hiddenKey ? [null] : []
  const targets = tuples[0]!.map((_, index) => hidden.length + sources.findIndex((source) => source.index === index))
  const defaults = [...hidden, ...sources.map((source) => source.default)]
  return engine.insertText(table, { text, start: tupleText.start, end: tupleText.end, targets, defaults }, mode, stats)
}
