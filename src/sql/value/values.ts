/** Operands to values, for one execution: the slots of the statement at hand and the parameters given with it. */
import type { EngineValue } from '../../engine/engine.ts'
import { negated } from './assign.ts'
import type { Assign } from './assign.ts'
import { withPosition } from '../position.ts'
import type { ScannedStatement } from '../scan/scan-state.ts'
import { slotKind, slotValue } from '../slot.ts'
import type { SqlParameters, SqlValue } from '../slot.ts'
import type { Operand } from '../operand.ts'

export interface Values {
  readonly text: string
  readonly statement: ScannedStatement
  readonly parameters: SqlParameters | undefined
}

const constants: ReadonlyMap<null | boolean, SqlValue> = new Map<null | boolean, SqlValue>([
  [null, { kind: slotKind.null, value: null }],
  [true, { kind: slotKind.boolean, value: true }],
  [false, { kind: slotKind.boolean, value: false }],
])

export function operandValue(values: Values, operand: Operand): SqlValue {
  if (operand.kind === 'constant') return constants.get(operand.value)!
  const value = slotValue(values.statement.slots, operand.slot, values.parameters)
  return operand.negative ? negated(value) : value
}

/** Code unit index in the statement's text; -1 for what does not stand there. */
export function placeOfOperand(operand: Operand, { statement: { slots } }: Values): number {
  return operand.kind === 'slot' ? (slots.starts[operand.slot] ?? -1) : -1
}

/** Runs something about an operand; what it throws says where the operand stands. */
export function atOperand<T>(values: Values, operand: Operand, run: (value: SqlValue) => T): T {
  try {
    return run(operandValue(values, operand))
  } catch (error) {
    throw withPosition(error, values.text, placeOfOperand(operand, values))
  }
}

export function assignOperand(values: Values, operand: Operand, assign: Assign): EngineValue {
  return atOperand(values, operand, (value) => assign(value.kind, value.value))
}
