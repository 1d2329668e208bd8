/** INSERT of plain literals, from the text to the engine without rows between. */
import type { EngineSession } from '../../engine/engine.ts'
import type { InsertPlan } from '../plan.ts'
import type { Values } from '../value/values.ts'
import type { ReadStats } from '../../lsm/tree.ts'

/** Of fewer tuples, rows are made as fast as their text is scanned. */
const tupleCountMin = 4

/** How many rows were written; undefined, at once or in the end, when they are to be given one by one, for then nothing was. */
export function insertText(engine: EngineSession, { table, mode, sources, tuples, returning, onConflict }: InsertPlan, { text, statement }: Values, stats: ReadStats | undefined): Promise<number | undefined> | undefined {
  const { tupleText, tupleCount } = statement
  if (tupleText === undefined || tupleCount < tupleCountMin || tuples.length !== 1) return undefined
  if (returning !== undefined || onConflict !== undefined || mode === 'insert-or-ignore') return undefined
  const hidden = table.hiddenKey ? [null] : []
  const targets = tuples[0]!.map((_, index) => hidden.length + sources.findIndex((source) => source.index === index))
  const defaults = [...hidden, ...sources.map((source) => source.default)]
  return engine.insertText(table, { text, ...tupleText, rowCount: tupleCount, targets, defaults }, mode, stats)
}
