/** Types of expressions: those of columns, texts that have no type yet, and intervals. */
import { LsmtError } from '../../errors.ts'
import { typeName } from '../../engine/schema.ts'
import type { ColumnType } from '../../engine/schema.ts'

/** `unknown`: a text literal, a text parameter or NULL, which takes the type of what it meets. */
export type ValueType = ColumnType | { readonly kind: 'unknown' } | { readonly kind: 'interval' }

export const unknownType = { kind: 'unknown' } as const
export const intervalType = { kind: 'interval' } as const
export const booleanType = { kind: 'boolean' } as const
export const textType = { kind: 'text' } as const
export const integerType = { kind: 'integer' } as const
export const bigintType = { kind: 'bigint' } as const
export const doubleType = { kind: 'double' } as const
export const timestampType = { kind: 'timestamp' } as const
export const dateType = { kind: 'date' } as const

/** Results have as many digits as they need; the scale is what says how they are stored. */
export function numericType(scale: number): Extract<ColumnType, { kind: 'numeric' }> {
  return { kind: 'numeric', precision: 38, scale }
}

export function valueTypeName(type: ValueType): string {
  if (type.kind === 'unknown' || type.kind === 'interval') return type.kind
  return type.kind === 'numeric' && type.precision > 18 ? 'NUMERIC' : typeName(type)
}

/** From narrow to wide; numbers meet at the wider one. */
const ranks: Readonly<Record<string, number>> = { smallint: 1, integer: 2, bigint: 3, numeric: 4, double: 5 }

export function isNumber(type: ValueType): boolean {
  return type.kind in ranks
}

export function isInteger(type: ValueType): boolean {
  return type.kind === 'smallint' || type.kind === 'integer' || type.kind === 'bigint'
}

export function isFloat(type: ValueType): boolean {
  return type.kind === 'double'
}

export function scaleOf(type: ValueType): number {
  return type.kind === 'numeric' ? type.scale : 0
}

/** The type at which two values meet, as in UNION, CASE and comparisons; undefined when there is none. */
export function commonType(a: ValueType, b: ValueType): ValueType | undefined {
  if (a.kind === 'unknown') return b
  if (b.kind === 'unknown') return a
  if (isNumber(a) && isNumber(b)) return commonNumber(a, b)
  if (a.kind === 'text' && b.kind === 'text') return a.lengthMax === b.lengthMax ? a : textType
  if (a.kind === b.kind) return a
  const temporal = (type: ValueType): boolean => type.kind === 'date' || type.kind === 'timestamp'
  return temporal(a) && temporal(b) ? timestampType : undefined
}

function commonNumber(a: ValueType, b: ValueType): ValueType {
  if (a.kind === 'numeric' && b.kind === 'numeric') {
    if (a.scale === b.scale && a.precision === b.precision) return a
    return numericType(Math.max(a.scale, b.scale))
  }
  const wider = ranks[a.kind]! >= ranks[b.kind]! ? a : b
  return wider.kind === 'numeric' ? numericType(wider.scale) : wider
}

/** The type of a result: TEXT for values that are still untyped texts, and for intervals, which no column holds. */
export function resultType(type: ValueType): ColumnType {
  return type.kind === 'unknown' || type.kind === 'interval' ? textType : type
}

/** 0A000 where values are told apart as keys: equal intervals may be written differently (a day, 24 hours). */
export function refuseIntervals(types: readonly ValueType[], what: string): void {
  if (types.some(({ kind }) => kind === 'interval')) throw new LsmtError('0A000', `${what} of intervals is not supported`, { hint: 'extract(epoch FROM …) makes a number of an interval' })
}
