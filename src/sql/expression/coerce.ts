/** Bringing expressions to a type: literals are read as it, other values are cast where PostgreSQL casts silently. */
import { invariant } from '../../errors.ts'
import type { Bound } from './bound.ts'
import { strictCall } from './bound.ts'
import { commonType, isNumber, textType, valueTypeName } from './type.ts'
import type { ValueType } from './type.ts'
import { castOf } from './value/cast.ts'

/** The type at which all meet; undefined when they do not. */
export function commonTypeOf(items: readonly Bound[]): ValueType | undefined {
  let type: ValueType | undefined = { kind: 'unknown' }
  for (const item of items) if (type !== undefined) type = commonType(type, item.type)
  return type
}

/** The expression at a type that `commonType` gave for it. */
export function coerce(bound: Bound, type: ValueType): Bound {
  if (isSameForm(bound.type, type)) return bound
  if (bound.kind === 'literal' && (bound.type.kind === 'unknown' || isNumber(type))) return { ...bound, type }
  if (bound.kind === 'constant' && bound.value === null) return { ...bound, type }
  return cast(bound, type)
}

/** Whether values of the two types are the same engine values. */
function isSameForm(from: ValueType, to: ValueType): boolean {
  if (from.kind === 'numeric' && to.kind === 'numeric') return from.scale === to.scale
  if (from.kind === to.kind) return true
  return false
}

export function cast(bound: Bound, type: ValueType): Bound {
  const convert = castOf(bound.type, type)
  invariant(convert !== undefined, `no cast from ${valueTypeName(bound.type)} to ${valueTypeName(type)}`)
  return strictCall(`cast ${valueTypeName(bound.type)} ${typeKey(type)}`, [bound], type, convert)
}

function typeKey(type: ValueType): string {
  return type.kind === 'numeric' ? `${type.precision},${type.scale}` : type.kind === 'text' ? `text${type.lengthMax ?? ''}` : type.kind
}

/** A text of unknown type is a TEXT when nothing says otherwise. */
export function settled(bound: Bound): Bound {
  return bound.type.kind === 'unknown' ? coerce(bound, textType) : bound
}

/** The expression as columns and results can hold it: untyped texts and intervals as TEXT. */
export function asResult(bound: Bound): Bound {
  return bound.type.kind === 'interval' ? cast(bound, textType) : settled(bound)
}
