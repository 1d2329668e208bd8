/** What SET clauses make of a row, and what RETURNING gives of written rows. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import type { Returning, RowValue, SetPlan } from '../plan.ts'
import type { WriteResult } from '../result.ts'
import { assignOperand } from '../value/values.ts'
import { compile } from '../expression/compile.ts'
import type { Run } from '../expression/compile.ts'
import type { Execution } from './execute-select.ts'

/** The row with its columns set; `proposed` is the row that an INSERT brings. */
export type RowChange = (existing: EngineRow, proposed: EngineRow) => EngineRow

/** Values that are no row's are worked out once. */
export function rowChange(sets: readonly SetPlan[], execution: Execution): RowChange {
  const { values, clock } = execution
  const run: Run = { values, nowMicros: Number(clock.wallMicros()), cells: new Map() }
  const steps = sets.map(({ ordinal, value }) => ({ ordinal, valueOf: valueOf(value, run) }))
  return (existing, proposed) => {
    const changed = existing.slice()
    for (const step of steps) changed[step.ordinal] = step.valueOf(existing, proposed)
    return changed
  }
}

function valueOf(value: RowValue, run: Run): (existing: EngineRow, proposed: EngineRow) => EngineValue {
  if (value.kind === 'column') return (existing, proposed) => (value.row === 'existing' ? existing : proposed)[value.ordinal]!
  if (value.kind === 'expression') {
    const { assign } = value
    const evaluate = compile(value.bound, run)
    return (existing, proposed) => assign(evaluate(existing === proposed ? existing : [...existing, ...proposed]))
  }
  const constant = value.kind === 'value' ? value.value : assignOperand(run.values, value.operand, value.assign)
  return () => constant
}

/** `rows` are whole rows by ordinal. */
export function writeResult(rowCount: number, returning: Returning | undefined, rows: Iterable<EngineRow>): WriteResult {
  if (returning === undefined) return { kind: 'write', rowCount, columns: [], rows: [] }
  return { kind: 'write', rowCount, columns: returning.output, rows: Array.from(rows, (row) => returning.ordinals.map((ordinal) => row[ordinal]!)) }
}
