/**
 * Literals: their types when a plan is made, their values when it runs. A plan that asked for types holds for all
 * statements whose values have these types; which those are, `literalSignature` says.
 */
import { LsmtError } from '../../errors.ts'
import { isWellFormed, notUnicode } from '../../engine/check-value.ts'
import { parseDecimal, roundDecimal } from '../../engine/decimal.ts'
import type { EngineValue } from '../../engine/engine.ts'
import { parseDate, parseTimestamp } from '../../engine/temporal.ts'
import { slotKind } from '../slot.ts'
import type { SqlValue } from '../slot.ts'
import type { Operand } from '../operand.ts'
import { atOperand, operandValue } from '../value/values.ts'
import type { Values } from '../value/values.ts'
import { bigintType, booleanType, dateType, doubleType, integerType, numericType, scaleOf, timestampType, unknownType } from './type.ts'
import type { ValueType } from './type.ts'
import { castOf, textTo } from './value/cast.ts'
import { normal } from './value/number.ts'

/** What a binder may know of the values of a statement. */
export interface Literals {
  typeOf(operand: Operand): ValueType
  /** Whether two operands have equal values; the plan then holds for these values only. */
  areEqual(a: Operand, b: Operand): boolean
  /** Digits after the point of a text; the plan then holds for this text only. */
  scaleOfText(operand: Operand): number
  /** The whole number that an operand is, or undefined; the plan then holds for this value only. */
  wholeNumber(operand: Operand): number | undefined
  /** It comes with the statement instead of standing in it. */
  isParameter(operand: Operand): boolean
  /** Slots whose types the plan depends on. */
  readonly typed: ReadonlySet<number>
  /** Slots whose values were compared. */
  readonly compared: ReadonlySet<number>
}

export function createLiterals(values: Values): Literals {
  const compared = new Set<number>()
  const typed = new Set<number>()
  return {
    typeOf(operand) {
      if (operand.kind === 'slot') typed.add(operand.slot)
      return atOperand(values, operand, typeOfValue)
    },
    areEqual(a, b) {
      if (a.kind === 'constant' || b.kind === 'constant') return a.kind === b.kind && 'value' in a && 'value' in b && a.value === b.value
      if (a.slot === b.slot) return a.negative === b.negative
      compared.add(a.slot).add(b.slot)
      const x = operandValue(values, a)
      const y = operandValue(values, b)
      return x.kind === y.kind && x.value === y.value
    },
    scaleOfText(operand) {
      if (operand.kind === 'slot') compared.add(operand.slot)
      const { value } = operandValue(values, operand)
      return Math.max((typeof value === 'string' ? parseDecimal(value)?.scale : undefined) ?? 0, 0)
    },
    wholeNumber(operand) {
      if (operand.kind === 'slot') compared.add(operand.slot)
      const { kind, value } = operandValue(values, operand)
      return kind === slotKind.integer ? (value as number) : undefined
    },
    isParameter(operand) {
      const kind = operand.kind === 'slot' ? values.statement.slots.kinds[operand.slot] : undefined
      return kind === slotKind.parameter || kind === slotKind.namedParameter
    },
    typed,
    compared,
  }
}

const int32Max = 2_147_483_647

/** By PostgreSQL's rules: the narrowest of INTEGER, BIGINT and NUMERIC that holds a number's digits. */
export function typeOfValue({ kind, value }: SqlValue): ValueType {
  switch (kind) {
    case slotKind.integer:
      return Math.abs(value as number) <= int32Max ? integerType : bigintType
    case slotKind.digits:
      return typeOfDigits(value as string)
    case slotKind.double:
      return doubleType
    case slotKind.boolean:
      return booleanType
    case slotKind.bytes:
      return { kind: 'bytea' }
    case slotKind.timestamp:
      return timestampType
    case slotKind.date:
      return dateType
    default:
      return unknownType
  }
}

function typeOfDigits(digits: string): ValueType {
  const decimal = parseDecimal(digits)
  if (decimal === undefined) throw new LsmtError('22P02', `"${digits.slice(0, 60)}" is not a number`)
  if (/^-?\d+$/.test(digits) && BigInt.asIntN(64, decimal.unscaled) === decimal.unscaled) return bigintType
  return numericType(Math.max(decimal.scale, 0))
}

/** A value in the given type, which is its own or one that it was resolved to. */
export function literalValue(values: Values, operand: Operand, type: ValueType): EngineValue {
  return atOperand(values, operand, (value) => valueIn(value, type))
}

function valueIn(given: SqlValue, type: ValueType): EngineValue {
  const { kind, value } = given
  switch (kind) {
    case slotKind.null:
      return null
    case slotKind.text:
      if (!isWellFormed(value as string)) throw notUnicode('a parameter', value as string)
      return textTo(type)(value as string)
    case slotKind.bytes:
      return value as Uint8Array
    case slotKind.boolean:
      return castFrom(given, value === true ? 1 : 0, type)
    case slotKind.digits: {
      const own = typeOfDigits(value as string)
      return castFrom(given, normal(roundDecimal(parseDecimal(value as string)!, scaleOf(own))), type)
    }
    case slotKind.timestamp:
      return castFrom(given, parsed(parseTimestamp(value as string), value as string, 'TIMESTAMP'), type)
    case slotKind.date:
      return castFrom(given, parsed(parseDate(value as string), value as string, 'DATE'), type)
    default:
      return castFrom(given, value as number, type)
  }
}

function castFrom(given: SqlValue, value: EngineValue, type: ValueType): EngineValue {
  const convert = castOf(typeOfValue(given), type)
  if (convert === undefined) throw new LsmtError('42804', 'the value is not of the type that the statement was planned for')
  return convert(value)
}

function parsed<T>(value: T | undefined, text: string, type: string): T {
  if (value === undefined) throw new LsmtError('22P02', `"${text.slice(0, 60)}" is not a value of type ${type}`)
  return value
}

/** What a plan depends on: the types of some slots, and the values of those that were compared. */
export function literalSignature(values: Values, typed: ReadonlySet<number>, compared: ReadonlySet<number>): string {
  let signature = ''
  for (const slot of typed) {
    const type = typeOfValue(operandValue(values, { kind: 'slot', slot, negative: false }))
    signature += `${type.kind}${scaleOf(type)},`
  }
  for (const slot of compared) {
    const value = operandValue(values, { kind: 'slot', slot, negative: false })
    signature += `=${value.kind}${JSON.stringify(String(value.value))},`
  }
  return signature
}
