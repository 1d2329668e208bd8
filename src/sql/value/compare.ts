/**
 * Values that a column is compared with. The column keeps its type and the value is brought to it without changing
 * what is true: `n < 2.5` on a BIGINT is `n <= 2`, `n = 2.5` is never true, `n < 1e30` is true of all but null.
 */
import { LsmtError } from '../../errors.ts'
import { floorDecimal, parseDecimal } from '../../engine/decimal.ts'
import type { EngineValue } from '../../engine/engine.ts'
import { typeName } from '../../engine/schema.ts'
import type { ColumnSchema, ColumnType } from '../../engine/schema.ts'
import { parseTimestamp } from '../../engine/temporal.ts'
import type { Comparison } from '../../kernel/zone-map.ts'
import { assignTo, decimalOf, describeKind, integerText } from './assign.ts'
import { slotKind } from '../slot.ts'
import type { SqlValue } from '../slot.ts'

/** `term`: as the engine compares. `never`: true of no row. A comparison that is true of every value becomes isNotNull. */
export type Compared = { readonly kind: 'term'; readonly comparison: Comparison; readonly value?: EngineValue } | { readonly kind: 'never' }

const never: Compared = { kind: 'never' }
const anyValue: Compared = { kind: 'term', comparison: 'isNotNull' }

/** What `column <comparison> value` asks of the engine. 22P02 for bad texts, 42883 where the types do not compare. */
export function compareWith(column: ColumnSchema, comparison: Comparison, given: SqlValue): Compared {
  if (given.kind === slotKind.null) return never
  switch (column.type.kind) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      if (given.kind === slotKind.integer && column.type.kind === 'bigint') return { kind: 'term', comparison, value: given.value as number }
      if (given.kind === slotKind.text) return compareExact(column.type, comparison, integerText(column.type, given.value as string), true)
      return compareDecimal(column, 0, comparison, given)
    case 'numeric':
      return compareDecimal(column, column.type.scale, comparison, given)
    case 'date':
      if (given.kind === slotKind.timestamp) return compareDate(comparison, given.value as string)
      return compareAssigned(column, comparison, given)
    case 'text':
      return compareText(column, comparison, given)
    case 'double':
    case 'boolean':
    case 'timestamp':
    case 'bytea':
      return compareAssigned(column, comparison, given)
  }
}

/** For types whose values are brought over without loss. */
function compareAssigned(column: ColumnSchema, comparison: Comparison, given: SqlValue): Compared {
  let value: EngineValue
  try {
    value = assignTo(column)(given.kind, given.value)
  } catch (error) {
    throw error instanceof LsmtError && error.code === '42804' ? noOperator(column, given) : error
  }
  return { kind: 'term', comparison, value }
}

function compareDecimal(column: ColumnSchema, scale: number, comparison: Comparison, given: SqlValue): Compared {
  if (given.kind === slotKind.double && !Number.isFinite(given.value)) return compareUnbounded(comparison, given.value !== -Infinity)
  const decimal = given.kind === slotKind.text ? parseDecimal(given.value as string) : decimalOf(column.type, given.kind, given.value)
  if (decimal === undefined && given.kind === slotKind.text) throw new LsmtError('22P02', `"${String(given.value).slice(0, 60)}" is not a value of type ${typeName(column.type)}`)
  if (decimal === undefined) throw noOperator(column, given)
  const { floor, exact } = floorDecimal(decimal, scale)
  return compareExact(column.type, comparison, floor, exact)
}

/** A text longer than the column holds equals none of its values. */
function compareText(column: ColumnSchema, comparison: Comparison, given: SqlValue): Compared {
  const compared = compareAssigned(column, comparison, given)
  if (comparison !== 'eq' && comparison !== 'ne') return compared
  if (!isLongerThan(column.type, given.value as string)) return compared
  return comparison === 'eq' ? never : anyValue
}

/** Whether a text has more characters than a VARCHAR(n) holds. */
export function isLongerThan(type: ColumnType, text: string): boolean {
  if (type.kind !== 'text' || type.lengthMax === undefined || text.length <= type.lengthMax) return false
  return Array.from(text).length > type.lengthMax
}

function compareDate(comparison: Comparison, text: string): Compared {
  const micros = parseTimestamp(text)
  if (micros === undefined) throw new LsmtError('22P02', `"${text.slice(0, 60)}" is not a value of type TIMESTAMP`)
  const perDay = 86_400_000_000n
  const remainder = ((BigInt(micros) % perDay) + perDay) % perDay
  return compareExact({ kind: 'date' }, comparison, (BigInt(micros) - remainder) / perDay, remainder === 0n)
}

/** The largest integer that a column of the type stores; the smallest is its negative, or one less. */
function storedMax(type: ColumnType): bigint {
  switch (type.kind) {
    case 'smallint':
      return 2n ** 15n - 1n
    case 'integer':
      return 2n ** 31n - 1n
    case 'numeric':
      return 10n ** BigInt(type.precision) - 1n
    case 'bigint':
    case 'date':
    case 'timestamp':
    case 'boolean':
    case 'double':
    case 'text':
    case 'bytea':
      return 2n ** 63n - 1n
  }
}

/** Compares stored integers with a number whose floor is given. */
function compareExact(type: ColumnType, comparison: Comparison, floor: bigint, exact: boolean): Compared {
  const max = storedMax(type)
  if (floor > max) return compareUnbounded(comparison, true)
  if (floor < -max - (type.kind === 'numeric' ? 0n : 1n)) return compareUnbounded(comparison, false)
  const number = Number(floor)
  const value = Number.isSafeInteger(number) ? number : floor
  if (exact) return { kind: 'term', comparison, value }
  switch (comparison) {
    case 'lt':
    case 'le':
      return { kind: 'term', comparison: 'le', value }
    case 'gt':
    case 'ge':
      return { kind: 'term', comparison: 'gt', value }
    case 'ne':
      return anyValue
    case 'eq':
    case 'isNull':
    case 'isNotNull':
      return never
  }
}

/** Compares with something above or below every stored value. */
function compareUnbounded(comparison: Comparison, above: boolean): Compared {
  if (comparison === 'ne') return anyValue
  const holds = above ? comparison === 'lt' || comparison === 'le' : comparison === 'gt' || comparison === 'ge'
  return holds ? anyValue : never
}

function noOperator(column: ColumnSchema, given: SqlValue): LsmtError {
  const hint = column.type.kind === 'text' ? { hint: 'write the value as a text in single quotes' } : {}
  return new LsmtError('42883', `column "${column.name}" of type ${typeName(column.type)} cannot be compared with ${describeKind(given.kind)}`, hint)
}
