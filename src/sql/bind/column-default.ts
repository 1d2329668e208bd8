/** What a column takes when nothing is said: its DEFAULT, kept by the catalog as SQL text. */
import { LsmtError } from '../../errors.ts'
import type { EngineValue } from '../../engine/engine.ts'
import type { ColumnSchema } from '../../engine/schema.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import { scanStatements } from '../scan/shape.ts'
import { slotKind } from '../slot.ts'
import type { SqlValue } from '../slot.ts'
import type { DefaultText } from '../syntax/table/column-default.ts'
import { assignTo, negated } from '../value/assign.ts'

/** The default as the column stores it. 42804 and 22P02 when the column cannot take it, 0A000 when it is no constant. */
export function defaultValue(column: ColumnSchema): EngineValue {
  if (column.default === undefined) return null
  const { kind, value } = constant(column.default)
  return assignTo(column)(kind, value)
}

/** The same for a default that is being defined, with errors that say where it stands. */
export function checkDefault(column: ColumnSchema, { tokenIndex }: DefaultText, origin: Origin): void {
  try {
    defaultValue(column)
  } catch (error) {
    if (!(error instanceof LsmtError) || error.code.startsWith('XX')) throw error
    throw errorAt(origin, tokenIndex, error.code, error.message, error.evidence.hint)
  }
}

const words: ReadonlyMap<string, SqlValue> = new Map<string, SqlValue>([
  ['select null', { kind: slotKind.null, value: null }],
  ['select true', { kind: slotKind.boolean, value: true }],
  ['select false', { kind: slotKind.boolean, value: false }],
])

/** A literal, perhaps with a sign. */
function constant(text: string): SqlValue {
  const [statement, ...more] = scanStatements(`select ${text}`)
  const word = words.get(statement?.shape ?? '')
  if (word !== undefined && more.length === 0) return word
  const kind = statement?.slots.kinds[0]
  if (statement !== undefined && more.length === 0 && kind !== undefined && kind < slotKind.parameter) {
    const value = { kind, value: statement.slots.values[0]! }
    if (statement.shape === 'select ?' || statement.shape === 'select + ?') return value
    if (statement.shape === 'select - ?') return negated(value)
  }
  throw new LsmtError('0A000', `DEFAULT ${text} is not supported: only constants are`)
}
