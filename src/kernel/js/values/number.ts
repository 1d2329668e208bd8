/** Twin of assembly/values/number.ts. A mantissa that is no safe integer is a BigInt here. */
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { valuesType } from '../../values.ts'
import { isWordPart } from './blank.ts'
import { columnField, planField, storeWords, valueAt, word } from './layout.ts'

const digitsMax = 19
const mantissaExactMax = 2 ** 53

/** A number as it was read: digits without leading zeros and point. */
interface Literal {
  readonly end: Pointer
  readonly digits: string
  readonly fractionDigits: number
  readonly exponent: number
  readonly isPlain: boolean
}

export function scanNumber(memory: LinearMemory, start: Pointer, plan: Pointer, column: Pointer, row: number): Pointer {
  const isNegative = memory.u8[start] === 0x2d
  const literal = readNumber(memory, isNegative ? start + 1 : start)
  if (literal === undefined || isWordPart(memory.u8[literal.end]!)) return 0
  const type = word(memory, column, columnField.type)
  if (type === valuesType.double) {
    // An integer has no sign when it is 0.
    const isBareZero = literal.isPlain && literal.digits === '' && literal.end - start < 16
    return storeDouble(memory, start, literal, plan, valueAt(memory, column, row), isNegative && !isBareZero) ? literal.end : 0
  }
  if (literal.digits.length > digitsMax || literal.exponent !== 0 || (type !== valuesType.integer && type !== valuesType.numeric)) return 0
  const scale = type === valuesType.numeric ? word(memory, column, columnField.limit) : 0
  return storeDecimal(memory, column, row, literal, isNegative, scale) ? literal.end : 0
}

/** A number as CSV has it: integers have no point, and a double has the sign that it shows. */
export function scanPlainNumber(memory: LinearMemory, start: Pointer, plan: Pointer, column: Pointer, row: number): Pointer {
  const isNegative = memory.u8[start] === 0x2d
  const literal = readNumber(memory, isNegative ? start + 1 : start)
  if (literal === undefined) return 0
  const type = word(memory, column, columnField.type)
  if (type === valuesType.double) return storeDouble(memory, start, literal, plan, valueAt(memory, column, row), isNegative) ? literal.end : 0
  if (literal.digits.length > digitsMax || literal.exponent !== 0 || (type === valuesType.integer && !literal.isPlain)) return 0
  return storeDecimal(memory, column, row, literal, isNegative, type === valuesType.numeric ? word(memory, column, columnField.limit) : 0) ? literal.end : 0
}

/** Digits with a point and an exponent; undefined when they are none. */
function readNumber({ u8, buffer }: LinearMemory, start: Pointer): Literal | undefined {
  let at = digitsEnd(u8, start)
  const wholeEnd = at
  let fraction = ''
  if (u8[at] === 0x2e) {
    at = digitsEnd(u8, wholeEnd + 1)
    fraction = buffer.toString('latin1', wholeEnd + 1, at)
  }
  if (wholeEnd === start && fraction === '') return undefined
  const digits = (buffer.toString('latin1', start, wholeEnd) + fraction).replace(/^0+/, '')
  const mantissaEnd = at
  let exponent = 0
  if ((u8[at]! | 0x20) === 0x65) {
    const sign = u8[at + 1]
    const first = at + (sign === 0x2b || sign === 0x2d ? 2 : 1)
    at = digitsEnd(u8, first)
    if (at === first) return undefined
    exponent = Number(buffer.toString('latin1', first, at)) * (sign === 0x2d ? -1 : 1)
  }
  return { end: at, digits, fractionDigits: fraction.length, exponent, isPlain: at === wholeEnd && mantissaEnd === wholeEnd }
}

function digitsEnd(u8: Uint8Array, start: Pointer): Pointer {
  let at = start
  while (u8[at]! >= 0x30 && u8[at]! <= 0x39) at++
  return at
}

/** The mantissa as an integer of 10^-scale, rounded half away from zero. */
function storeDecimal(memory: LinearMemory, column: Pointer, row: number, { digits, fractionDigits }: Literal, isNegative: boolean, scale: number): boolean {
  let magnitude = BigInt(digits)
  if (scale - fractionDigits > 18 || fractionDigits - scale > digitsMax) return false
  if (fractionDigits < scale) magnitude *= 10n ** BigInt(scale - fractionDigits)
  else if (fractionDigits > scale) {
    const divisor = 10n ** BigInt(fractionDigits - scale)
    magnitude = (magnitude + divisor / 2n) / divisor
  }
  const value = isNegative ? -magnitude : magnitude
  const { view, i64 } = memory
  if (value < view.getBigInt64(column + columnField.min, true) || value > view.getBigInt64(column + columnField.max, true)) return false
  i64[valueAt(memory, column, row) >>> 3] = value
  return true
}

/** Exact where the mantissa and the power of ten are, otherwise pending. */
function storeDouble(memory: LinearMemory, start: Pointer, literal: Literal, plan: Pointer, at: Pointer, isNegative: boolean): boolean {
  const power = literal.exponent - literal.fractionDigits
  const mantissa = Number(literal.digits)
  if (literal.digits.length > digitsMax || BigInt(literal.digits) > mantissaExactMax || power > 22 || power < -22) return addPending(memory, start, literal.end, plan, at)
  let factor = 1
  for (let i = Math.abs(power); i > 0; i--) factor *= 10
  const value = power < 0 ? mantissa / factor : mantissa * factor
  memory.f64[at >>> 3] = isNegative ? -value : value
  return true
}

function addPending(memory: LinearMemory, start: Pointer, end: Pointer, plan: Pointer, value: Pointer): boolean {
  const count = word(memory, plan, planField.pendingCount)
  if (count >= word(memory, plan, planField.pendingMax)) return false
  const cell = word(memory, plan, planField.pending) + 16 * count
  storeWords(memory, cell, value, start)
  storeWords(memory, cell + 8, end - start, 0)
  memory.u32[(plan + planField.pendingCount) >>> 2] = count + 1
  storeWords(memory, value, 0, 0)
  return true
}
