/** What SET clauses make of a row, and which rows are changed at all. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate, Run } from '../expression/compile.ts'
import type { RowValue, SetPlan } from '../plan.ts'
import { assignOperand } from '../value/values.ts'

/** The row with its columns set to values over `over`: the row itself and what stands behind it, or what was worked out for it. */
export type RowChange = (existing: EngineRow, over: EngineRow) => EngineRow

export function rowChange(sets: readonly SetPlan[], run: Run): RowChange {
  const steps = sets.map(({ ordinal, value }) => ({ ordinal, valueOf: rowValue(value, run) }))
  return (existing, over) => {
    const changed = existing.slice()
    for (const { ordinal, valueOf } of steps) changed[ordinal] = valueOf(over)
    return changed
  }
}

/** Values that are no row's are worked out once. */
export function rowValue(value: RowValue, run: Run): Evaluate {
  if (value.kind === 'expression') {
    const { assign } = value
    const evaluate = compile(value.bound, run)
    return (row) => assign(evaluate(row))
  }
  const constant: EngineValue = value.kind === 'value' ? value.value : assignOperand(run.values, value.operand, value.assign)
  return () => constant
}
