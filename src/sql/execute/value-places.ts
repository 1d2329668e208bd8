/** Where the value stands that a column does not take: looked for only when there is an error to report. */
import { checkValue } from '../../engine/check-value.ts'
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import type { InsertPlan, RowValue } from '../plan.ts'
import { withPosition } from '../position.ts'
import { tupleSlots } from '../scan/shape.ts'
import { placeOfOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'

/** Code unit index in the statement's text; -1 for what does not stand there. */
export function placeOf(value: RowValue | undefined, values: Values): number {
  if (value?.kind === 'operand') return placeOfOperand(value.operand, values)
  return value?.kind === 'expression' ? (values.statement.tokenStarts[value.at] ?? -1) : -1
}

/** The error of a row by ordinal with the place of the first value that its column does not take. */
export function atBadValue(error: unknown, table: TableSchema, row: EngineRow, placeOfColumn: (ordinal: number) => number, { text }: Values): unknown {
  const ordinal = badValue(table, row, 0)
  return ordinal < 0 ? error : withPosition(error, text, placeOfColumn(ordinal))
}

const ofValues: ReadonlySet<string> = new Set(['22001', '22003', '22P02', '23502', '42804'])

/** The same for the rows of an INSERT, which are without the hidden key. */
export function atGivenValue(error: unknown, plan: InsertPlan, rows: readonly EngineRow[], values: Values): unknown {
  if (!(error instanceof LsmtError) || !ofValues.has(error.code)) return error
  const first = plan.table.hiddenKey ? 1 : 0
  for (const [index, row] of rows.entries()) {
    const position = badValue(plan.table, row, first)
    if (position >= 0) return withPosition(error, values.text, placeOfGiven(plan, index, plan.sources[position]!.index, values))
  }
  return error
}

function placeOfGiven({ computed, tuples }: InsertPlan, row: number, index: number, values: Values): number {
  if (computed !== undefined) return placeOf(computed.tuples[row]?.[index], values)
  if (tuples.length === 1) return tupleSlots(values.text, values.statement).starts[row * tuples[0]!.length + index] ?? -1
  const operand = tuples[row]?.[index]
  return operand === undefined ? -1 : placeOfOperand(operand, values)
}

/** The first value that its column does not take; -1 when all are taken. `first`: the ordinal of the row's first value. */
function badValue(table: TableSchema, row: EngineRow, first: number): number {
  return row.findIndex((value, index) => !isTaken(() => checkValue(table, table.columns[first + index]!, value)))
}

function isTaken(check: () => EngineValue): boolean {
  try {
    check()
    return true
  } catch (error) {
    if (error instanceof LsmtError) return false
    throw error
  }
}
