/** Expressions of scans said plainly: row by row, over physical values. */
import { createMatcher } from '../../src/bytes/like.ts'
import type { ComputedColumn, EngineExpression, EngineRow, EngineScan, EngineValue } from '../../src/engine/engine.ts'
import { physicalKind } from '../../src/engine/schema.ts'
import type { ColumnType, TableSchema } from '../../src/engine/schema.ts'
import { LsmtError } from '../../src/errors.ts'
import type { PhysicalValue } from '../../src/lsm/tree.ts'
import { compareValues, matchesValue } from './model-values.ts'

type Value = PhysicalValue | boolean | null

export function evaluateExpression(expression: EngineExpression, row: readonly (PhysicalValue | null)[]): Value {
  const of = (part: EngineExpression): Value => evaluateExpression(part, row)
  const strict = <T>(a: EngineExpression, b: EngineExpression, compute: (x: T, y: T) => Value): Value => {
    const x = of(a)
    if (x === null) return null
    const y = of(b)
    return y === null ? null : compute(x as T, y as T)
  }
  const unary = (part: EngineExpression, compute: (value: NonNullable<Value>) => Value): Value => {
    const value = of(part)
    return value === null ? null : compute(value)
  }
  switch (expression.kind) {
    case 'column':
      return row[expression.ordinal]!
    case 'constant':
      return expression.value
    case 'compare':
      return strict<PhysicalValue>(expression.left, expression.right, (x, y) => matchesValue(x, expression.comparison, y))
    case 'isNull':
      return (of(expression.operand) === null) !== expression.negated
    case 'and':
    case 'or':
      return allOrAny(expression.kind === 'or', valuesOf(expression.items, of))
    case 'not':
      return unary(expression.operand, (value) => value === false)
    case 'in':
      return unary(expression.operand, (value) => expression.values.some((each) => compareValues(each, value as PhysicalValue) === 0) || (expression.hasNull ? null : false))
    case 'like':
      return unary(expression.operand, (text) => createMatcher(expression.pattern, expression.escape, expression.caseless)(Buffer.from(text as Uint8Array).toString()))
    case 'integers':
      return strict<bigint>(expression.left, expression.right, (x, y) => within(expression, integers(expression, x, y)))
    case 'doubles':
      return strict<number>(expression.left, expression.right, (x, y) => doubles(expression, x, y))
    case 'toDouble':
      return unary(expression.operand, Number)
    case 'toInteger':
      return unary(expression.operand, (value) => within(expression, Number.isFinite(value) ? BigInt(toEven(value as number)) : 2n ** 70n))
    case 'rounded':
      return unary(expression.operand, (value) => ({ floor: Math.floor, ceil: Math.ceil, trunc: Math.trunc, nearest: toEven })[expression.rounding](value as number))
    case 'fromBoolean':
      return unary(expression.operand, (value) => BigInt(value as boolean))
    case 'case': {
      const taken = expression.branches.find(({ when }) => of(when) === true)?.result ?? expression.otherwise
      return taken === undefined ? null : of(taken)
    }
    case 'coalesce':
      for (const value of valuesOf(expression.items, of)) if (value !== null) return value
      return null
  }
}

/** One after the other, as they are asked for. */
function* valuesOf(items: readonly EngineExpression[], of: (item: EngineExpression) => Value): Generator<Value> {
  for (const item of items) yield of(item)
}

function allOrAny(stops: boolean, values: Iterable<Value>): Value {
  let result: Value = !stops
  for (const value of values) {
    if (value === stops) return stops
    if (value === null) result = null
  }
  return result
}

/** The error with the operation's place, if it has one. */
function failure(code: '22003' | '22012', message: string, { position = 0 }: { readonly position?: number }): LsmtError {
  return new LsmtError(code, message, position > 0 ? { position } : {})
}

function within(expression: Extract<EngineExpression, { kind: 'integers' | 'toInteger' }>, value: bigint): bigint {
  const { low, high, message } = expression.range
  if (value < low || value > high) throw failure('22003', message, expression)
  return value
}

function integers(expression: Extract<EngineExpression, { kind: 'integers' }>, x: bigint, y: bigint): bigint {
  const { operator } = expression
  if (operator === 'add') return x + y
  if (operator === 'subtract') return x - y
  if (operator === 'multiply') return x * y
  if (y === 0n) throw failure('22012', 'division by zero', expression)
  const remainder = ((x % y) + y) % y, half = (y < 0n ? -y : y) / 2n
  if (operator === 'floorQuotient') return (x - remainder) / y
  if (operator === 'roundedQuotient') return (x < 0n ? x - half : x + half) / y
  return operator === 'quotient' ? x / y : x % y
}

function doubles(expression: Extract<EngineExpression, { kind: 'doubles' }>, x: number, y: number): number {
  const { operator, message } = expression
  if (y === 0 && ((operator === 'quotient' && !Number.isNaN(x)) || operator === 'remainder')) throw failure('22012', 'division by zero', expression)
  const result = operator === 'add' ? x + y : operator === 'subtract' ? x - y : operator === 'multiply' ? x * y : operator === 'quotient' ? x / y : x % y
  if (Math.abs(result) === Infinity && Number.isFinite(x) && Number.isFinite(y)) throw failure('22003', message, expression)
  return result
}

function toEven(value: number): number {
  const floor = Math.floor(value)
  return value - floor === 0.5 ? floor + Math.abs(floor % 2) : Math.round(value)
}

function physicalValue(type: ColumnType, value: EngineValue): PhysicalValue | null {
  if (value === null || value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value)
  return physicalKind(type) === 'i64' ? BigInt(value) : value
}

function engineValue({ type }: ComputedColumn, value: Value): EngineValue {
  if (typeof value === 'boolean') return Number(value)
  if (value instanceof Uint8Array) return type.kind === 'text' ? Buffer.from(value).toString() : value
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** The rows that meet a scan's conditions, with its computed columns after their own. */
export function computedRows({ table, conditions = [], computed = [] }: EngineScan, rows: readonly EngineRow[]): readonly EngineRow[] {
  if (conditions.length === 0 && computed.length === 0) return rows
  return rows.flatMap((row) => {
    const physical = table.columns.map(({ type }, ordinal) => physicalValue(type, row[ordinal]!))
    if (!conditions.every((condition) => evaluateExpression(condition, physical) === true)) return []
    // Without computed columns the row itself, by which others know it.
    return [computed.length === 0 ? row : [...row, ...computed.map((column) => engineValue(column, evaluateExpression(column.expression, physical)))]]
  })
}

/** The table as if its computed columns were its own. */
export function computedTable({ table, computed = [] }: EngineScan): TableSchema {
  return computed.length === 0 ? table : { ...table, columns: [...table.columns, ...computed.map(({ type }) => ({ name: '', type, notNull: false }))] }
}
