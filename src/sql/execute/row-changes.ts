/** What SET clauses make of a row. */
import { checkRow } from '../../engine/check-value.ts'
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { compile } from '../expression/compile.ts'
import type { Evaluate, Run } from '../expression/compile.ts'
import type { RowValue, SetPlan } from '../plan.ts'
import { withPosition } from '../position.ts'
import { assignOperand } from '../value/values.ts'
import { atBadValue, placeOf } from './value-places.ts'

/**
 * The row with its columns set to values over `over`: the row itself and what stands behind it, or what was worked out
 * for it. Checked, so that what columns do not take is an error that says where.
 */
export type RowChange = (existing: EngineRow, over: EngineRow) => EngineRow

export function rowChange(table: TableSchema, sets: readonly SetPlan[], run: Run): RowChange {
  const { values } = run
  const steps = sets.map(({ ordinal, value }) => ({ ordinal, valueOf: rowValue(value, run) }))
  return (existing, over) => {
    const changed = existing.slice()
    for (const { ordinal, valueOf } of steps) changed[ordinal] = valueOf(over)
    try {
      return checkRow(table, changed)
    } catch (error) {
      throw atBadValue(error, table, changed, (ordinal) => placeOf(sets.find((set) => set.ordinal === ordinal)?.value, values), values)
    }
  }
}

/** Values that are no row's are worked out once. */
export function rowValue(value: RowValue, run: Run): Evaluate {
  if (value.kind === 'expression') {
    const { assign } = value
    const evaluate = compile(value.bound, run)
    return (row) => {
      const computed = evaluate(row)
      try {
        return assign(computed)
      } catch (error) {
        throw withPosition(error, run.values.text, placeOf(value, run.values))
      }
    }
  }
  const constant = constantOf(value, run)
  return () => constant
}

function constantOf(value: Exclude<RowValue, { kind: 'expression' }>, { values, nowMicros }: Run): EngineValue {
  switch (value.kind) {
    case 'value':
      return value.value
    case 'clock':
      return value.valueAt(nowMicros)
    case 'operand':
      return assignOperand(values, value.operand, value.assign)
  }
}
