/** INSERT, UPDATE and DELETE over an engine. */
import type { Engine, EngineRow, EngineValue } from '../../engine/engine.ts'
import { invariant } from '../../errors.ts'
import type { Assign } from '../value/assign.ts'
import { compareWith } from '../value/compare.ts'
import type { DeletePlan, InsertPlan, KeyPlan, UpdatePlan } from '../plan.ts'
import { withPosition } from '../position.ts'
import { slotKind } from '../slot.ts'
import type { SqlValue } from '../slot.ts'
import type { Operand } from '../statement.ts'
import { assignOperand, atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'

export async function executeInsert(engine: Engine, plan: InsertPlan, values: Values): Promise<number> {
  const rows = plan.tuples.length === 1 ? repeatedRows(plan, plan.tuples[0]!, values) : plan.tuples.map((tuple) => rowOf(plan, tuple, values, 0))
  return await engine.insert(plan.table, rows, plan.mode)
}

/** One tuple in the shape stands for as many as the text has. */
function repeatedRows(plan: InsertPlan, tuple: readonly Operand[], values: Values): EngineRow[] {
  const { tupleCount } = values.statement
  const rows: EngineRow[] = []
  for (let index = 0; index < tupleCount; index++) rows.push(rowOf(plan, tuple, values, index * tuple.length))
  return rows
}

function rowOf(plan: InsertPlan, tuple: readonly Operand[], values: Values, slotOffset: number): EngineRow {
  return plan.sources.map(({ index, assign }) => (index < 0 ? null : assignValue(values, tuple[index]!, slotOffset, assign)))
}

/** Literals go straight from the scanner to the column's type. */
function assignValue(values: Values, operand: Operand, slotOffset: number, assign: Assign): EngineValue {
  if (operand.kind === 'constant' || operand.negative) return assignOperand(values, slotOffset === 0 ? operand : shifted(operand, slotOffset), assign)
  const { kinds, values: literals, starts } = values.statement.slots
  const slot = operand.slot + slotOffset
  const kind = kinds[slot]!
  if (kind >= slotKind.parameter) return assignOperand(values, { kind: 'slot', slot, negative: false }, assign)
  try {
    return assign(kind, literals[slot]!)
  } catch (error) {
    throw withPosition(error, values.text, starts[slot]!)
  }
}

function shifted(operand: Operand, slotOffset: number): Operand {
  return operand.kind === 'constant' ? operand : { ...operand, slot: operand.slot + slotOffset }
}

export async function executeUpdate(engine: Engine, plan: UpdatePlan, values: Values): Promise<number> {
  const assigned = plan.sets.map(({ ordinal, operand, assign }) => ({ ordinal, value: assignOperand(values, operand, assign) }))
  const keys = keysOf(plan, values)
  if (keys.length === 0) return 0
  return await engine.update(plan.table, keys, (row) => {
    const changed = row.slice()
    for (const { ordinal, value } of assigned) changed[ordinal] = value
    return changed
  })
}

export async function executeDelete(engine: Engine, plan: DeletePlan, values: Values): Promise<number> {
  const keys = keysOf(plan, values)
  return keys.length === 0 ? 0 : await engine.update(plan.table, keys, () => 'delete')
}

/** All keys that a condition names, each once; operands that equal no key are left out. */
function keysOf(plan: KeyPlan, values: Values): readonly EngineRow[] {
  let keys: EngineRow[] = [[]]
  for (const { column, operands } of plan.keys) {
    const candidates = operands.map((operand) => atOperand(values, operand, (value) => keyValue(column, value))).filter((value) => value !== undefined)
    keys = keys.flatMap((key) => candidates.map((value) => [...key, value]))
  }
  return keys.length < 2 ? keys : distinctKeys(keys)
}

/** The value a key column must have to equal what is given; undefined when nothing equals it. */
export function keyValue(column: KeyPlan['keys'][number]['column'], value: SqlValue): EngineValue | undefined {
  const compared = compareWith(column, 'eq', value)
  if (compared.kind === 'never') return undefined
  invariant(compared.comparison === 'eq' && compared.value !== undefined, 'an equality became another comparison')
  return compared.value
}

function distinctKeys(keys: readonly EngineRow[]): readonly EngineRow[] {
  const byText = new Map(keys.map((key) => [key.map(keyText).join('\0'), key]))
  return [...byText.values()]
}

function keyText(value: EngineValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value === 0 ? 0 : value)
}
