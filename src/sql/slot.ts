/**
 * Slots: the values lifted out of a statement, in the order in which they stand in it. A slot holds a literal
 * or names a parameter; nothing in it has met a column type yet.
 */
import { LsmtError } from '../errors.ts'

export const slotKind = {
  null: 0,
  boolean: 1,
  /** A JavaScript number that is a safe integer. */
  integer: 2,
  /** A number as its text, every digit kept: '12.50', '-9223372036854775808', '1e400'. */
  digits: 3,
  /** A JavaScript number given as a parameter that is not a safe integer. */
  double: 4,
  /** A text of unknown type: it takes the type of what it meets. */
  text: 5,
  bytes: 6,
  /** TIMESTAMP '…' and DATE '…'. */
  timestamp: 7,
  date: 8,
  /** The value is the index into the parameters, from 0. */
  parameter: 9,
  /** The value is the parameter's name. */
  namedParameter: 10,
  /** DEFAULT among the values of an INSERT. */
  default: 11,
} as const

export type SlotValue = null | boolean | number | bigint | string | Uint8Array

/** Parallel arrays: kind, value and code unit index of each slot. */
export interface Slots {
  readonly kinds: number[]
  readonly values: SlotValue[]
  readonly starts: number[]
}

/** A number whose digits must not pass through a JavaScript number, as a parameter. */
export interface ExactNumber {
  readonly digits: string
}

export type SqlParameter = null | boolean | number | bigint | string | Uint8Array | ExactNumber
export type SqlParameters = readonly SqlParameter[] | Readonly<Record<string, SqlParameter>>

/** A value as expressions see it: parameters resolved. */
export interface SqlValue {
  readonly kind: number
  readonly value: SlotValue
}

const nullValue: SqlValue = { kind: slotKind.null, value: null }
const noParameters: SqlParameters = []

/** The slot's value, parameters looked up. 42601 when a parameter is missing. */
export function slotValue(slots: Slots, index: number, parameters: SqlParameters | undefined): SqlValue {
  const kind = slots.kinds[index]!
  const value = slots.values[index]!
  if (kind === slotKind.parameter) return parameterValue(positional(parameters ?? noParameters, value as number))
  if (kind === slotKind.namedParameter) return parameterValue(named(parameters ?? noParameters, value as string))
  return { kind, value }
}

/**
 * 08P01 for more values than the statements of a text have places for: some were meant for places that are not there. An object
 * may have more names, as that of a row has.
 */
export function checkParameterCount(parameters: SqlParameters | undefined, statements: readonly { readonly slots: Slots; readonly tupleSlots: Slots | undefined }[]): void {
  if (!Array.isArray(parameters) || parameters.length === 0) return
  const wanted = statements.reduce((most, { slots, tupleSlots }) => Math.max(most, parameterCount(slots), tupleSlots === undefined ? 0 : parameterCount(tupleSlots)), 0)
  const given = (parameters as readonly SqlParameter[]).length
  if (given > wanted) throw new LsmtError('08P01', `${given} given as parameters, and ${wanted === 0 ? 'the statement has none' : `$${wanted} is the last of the statement`}`)
}

function parameterCount({ kinds, values }: Slots): number {
  let count = 0
  for (let slot = 0; slot < kinds.length; slot++) if (kinds[slot] === slotKind.parameter) count = Math.max(count, (values[slot] as number) + 1)
  return count
}

function positional(parameters: SqlParameters, index: number): SqlParameter {
  if (!Array.isArray(parameters)) throw new LsmtError('42601', `the statement has the parameter $${index + 1}: give the parameters as an array`)
  const list: readonly SqlParameter[] = parameters
  if (index < 0 || index >= list.length) throw new LsmtError('42601', `there is no parameter $${index + 1}: ${list.length} given`)
  return list[index]!
}

function named(parameters: SqlParameters, name: string): SqlParameter {
  if (Array.isArray(parameters)) throw new LsmtError('42601', `the statement has the parameter :${name}: give the parameters as an object`)
  const byName = parameters as Readonly<Record<string, SqlParameter>>
  if (!Object.hasOwn(byName, name)) throw new LsmtError('42601', `there is no parameter :${name}`)
  return byName[name]!
}

function parameterValue(parameter: SqlParameter): SqlValue {
  switch (typeof parameter) {
    case 'string':
      return { kind: slotKind.text, value: parameter }
    case 'number':
      return { kind: Number.isSafeInteger(parameter) ? slotKind.integer : slotKind.double, value: parameter }
    case 'boolean':
      return { kind: slotKind.boolean, value: parameter }
    case 'bigint':
      return { kind: slotKind.digits, value: parameter.toString() }
    case 'object':
      return objectValue(parameter)
    case 'undefined':
      throw new LsmtError('22023', 'a parameter cannot be undefined; use null')
    case 'function':
    case 'symbol':
      throw new LsmtError('22023', `a parameter cannot be a ${typeof parameter}`)
  }
}

function objectValue(parameter: null | Uint8Array | ExactNumber): SqlValue {
  if (parameter === null) return nullValue
  if (parameter instanceof Uint8Array) return { kind: slotKind.bytes, value: parameter }
  if (typeof parameter.digits === 'string') return { kind: slotKind.digits, value: parameter.digits }
  throw new LsmtError('22023', 'a parameter must be null, a boolean, a number, a bigint, a string or a Uint8Array')
}
