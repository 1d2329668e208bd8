/** Primary keys that conditions name. */
import type { EngineRow, EngineValue } from '../../engine/engine.ts'
import { invariant } from '../../errors.ts'
import type { KeyPlan } from '../plan.ts'
import type { SqlValue } from '../slot.ts'
import { compareWith } from '../value/compare.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'

/** All keys that a condition names, each once; operands that equal no key are left out. */
export function keysOf(plan: KeyPlan, values: Values): readonly EngineRow[] {
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
  const byText = new Map(keys.map((key) => [keyText(key), key]))
  return [...byText.values()]
}

/** Equal for equal keys of one table. */
export function keyText(key: EngineRow): string {
  return key.map(valueText).join('\0')
}

function valueText(value: EngineValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value === 0 ? 0 : value)
}
