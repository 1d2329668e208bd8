/** Expressions on their way from SQL's types to the physical kinds that an engine evaluates. */
import type { EngineExpression, EngineValue } from '../../engine/engine.ts'
import { isWellFormed } from '../../engine/check-value.ts'
import { physicalKind } from '../../engine/schema.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { Run } from '../expression/compile.ts'
import { valueTypeName } from '../expression/type.ts'
import type { ValueType } from '../expression/type.ts'

/** The scan whose columns an expression is over. */
export interface Lowering {
  readonly table: TableSchema
  /** Ordinals of the row's columns. */
  readonly columns: readonly number[]
  readonly run: Run
  /**
   * NUMERIC is of 64 bits in an engine and of any digits in SQL. `wide`: where types do not keep it within 64 bits it is lowered
   * nonetheless; a failure with 22003 may then be none of SQL's, and the rows are to be computed again one by one.
   */
  readonly wide: boolean
}

export interface Lowered {
  readonly expression: EngineExpression
  /** Of an i64: no value is further from 0. */
  readonly limit: bigint
}

export type Range = Extract<EngineExpression, { kind: 'integers' }>['range']

export const int64Max = 2n ** 63n - 1n
const int64Min = -int64Max - 1n
const anyInteger = int64Max + 1n

export function limitOf(type: ValueType): bigint {
  switch (type.kind) {
    case 'smallint':
      return 2n ** 15n
    case 'integer':
      return 2n ** 31n
    case 'numeric':
      return type.precision <= 18 ? 10n ** BigInt(type.precision) - 1n : anyInteger
    case 'boolean':
      return 1n
    case 'bigint':
    case 'timestamp':
    case 'date':
    case 'double':
    case 'text':
    case 'bytea':
    case 'unknown':
    case 'interval':
      return anyInteger
  }
}

/** The integers that a type holds; beyond them the error is the one of src/sql/expression/value/number.ts. */
export function rangeOf(type: ValueType): Range {
  const limit = type.kind === 'smallint' || type.kind === 'integer' ? limitOf(type) : anyInteger
  return { low: -limit, high: limit - 1n, message: `${valueTypeName(type)} out of range` }
}

export const everyInteger: Range = { low: int64Min, high: int64Max, message: 'BIGINT out of range' }

/** Of results that SQL would go on with beyond it. */
export const narrowed: Range = { ...everyInteger, message: 'NUMERIC beyond 64 bits' }

export function integer(value: bigint): EngineExpression {
  return { kind: 'constant', of: 'i64', value }
}

export function size(value: bigint): bigint {
  return value < 0n ? -value : value
}

/** undefined for values that no column could hold. */
export function constantOf(value: EngineValue, type: ValueType): Lowered | undefined {
  if (type.kind === 'unknown' || type.kind === 'interval') return undefined
  const of = type.kind === 'boolean' ? 'boolean' : physicalKind(type)
  if (value === null) return { expression: { kind: 'constant', of, value }, limit: 0n }
  if (of === 'boolean') return { expression: { kind: 'constant', of, value: value !== 0 }, limit: 1n }
  if (typeof value === 'string') return isWellFormed(value) ? { expression: { kind: 'constant', of, value: new TextEncoder().encode(value) }, limit: 0n } : undefined
  if (value instanceof Uint8Array || of === 'f64') return { expression: { kind: 'constant', of, value }, limit: 0n }
  const exact = BigInt(value)
  return exact < int64Min || exact > int64Max ? undefined : { expression: integer(exact), limit: size(exact) }
}
