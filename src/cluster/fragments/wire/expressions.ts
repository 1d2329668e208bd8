/**
 * Expressions of scans between nodes. Never change these numbers: another layout is another version of the handshake.
 *
 *   ┌ u8 kind │ … its fields, in the order of src/lsm/vector/expression.ts ┐
 *
 * Whether the parts fit together is not looked at here: see check-expression.ts.
 */
import { LsmtError } from '../../../errors.ts'
import { vectorOperator, vectorRounding } from '../../../kernel/vector.ts'
import { comparison } from '../../../kernel/zone-map.ts'
import type { PhysicalValue } from '../../../lsm/layout.ts'
import type { IntegerRange, VectorExpression, VectorKind } from '../../../lsm/vector/expression.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import type { ByteWriter } from '../../transport/wire/byte-writer.ts'
import { kindNumbers, readList, readName, readValue, writeList, writeValue } from './values.ts'

const expressionNumbers = {
  column: 1, constant: 2, compare: 3, isNull: 4, and: 5, or: 6, not: 7, in: 8, like: 9, integers: 10, doubles: 11, toDouble: 12, toInteger: 13, rounded: 14,
  fromBoolean: 15, case: 16, coalesce: 17,
} as const satisfies Record<VectorExpression['kind'], number>

const vectorKindNumbers = { ...kindNumbers, boolean: 4 } as const satisfies Record<VectorKind, number>
const { isNull: _isNull, isNotNull: _isNotNull, ...comparisonNumbers } = comparison

/** Deeper ones are refused on both sides: each level takes room on the stack. */
const depthMax = 1000
const itemsMax = 1_000_000
const textBytesMax = 1024 * 1024
const ordinalMax = 0xffff
const truths = { none: 0, false: 1, true: 2 } as const

export function writeExpression(writer: ByteWriter, expression: VectorExpression, depth = 0): void {
  if (depth > depthMax) throw new LsmtError('54000', `an expression of more than ${depthMax} levels is not sent to another node`)
  const inner = (part: VectorExpression): void => writeExpression(writer, part, depth + 1)
  const sides = ({ left, right }: { readonly left: VectorExpression; readonly right: VectorExpression }): void => [left, right].forEach(inner)
  writer.u8(expressionNumbers[expression.kind])
  switch (expression.kind) {
    case 'column':
      return writer.count(expression.ordinal)
    case 'constant':
      return writeConstant(writer, expression)
    case 'compare':
      writer.u8(comparisonNumbers[expression.comparison])
      return sides(expression)
    case 'isNull':
      writer.flag(expression.negated)
      return inner(expression.operand)
    case 'and':
    case 'or':
    case 'coalesce':
      return writeList(writer, expression.items, inner)
    case 'not':
    case 'toDouble':
    case 'fromBoolean':
      return inner(expression.operand)
    case 'in':
      writer.flag(expression.hasNull)
      writeList(writer, expression.values, (value) => writeValue(writer, value))
      return inner(expression.operand)
    case 'like':
      writer.text(expression.pattern)
      writer.text(expression.escape ?? '')
      writer.flag(expression.caseless)
      return inner(expression.operand)
    case 'integers':
      writer.u8(vectorOperator[expression.operator])
      writeRange(writer, expression.range)
      writer.flag(expression.safe)
      writePosition(writer, expression.position)
      return sides(expression)
    case 'doubles':
      writer.u8(vectorOperator[expression.operator])
      writer.text(expression.message)
      writePosition(writer, expression.position)
      return sides(expression)
    case 'toInteger':
      writeRange(writer, expression.range)
      writePosition(writer, expression.position)
      return inner(expression.operand)
    case 'rounded':
      writer.u8(vectorRounding[expression.rounding])
      return inner(expression.operand)
    case 'case':
      writeList(writer, expression.branches, ({ when, result }) => {
        inner(when)
        inner(result)
      })
      writer.flag(expression.otherwise !== undefined)
      if (expression.otherwise !== undefined) inner(expression.otherwise)
  }
}

function writeConstant(writer: ByteWriter, { of, value }: Extract<VectorExpression, { readonly kind: 'constant' }>): void {
  writer.u8(vectorKindNumbers[of])
  if (of === 'boolean') writer.u8(value === null ? truths.none : value === true ? truths.true : truths.false)
  else writeValue(writer, value as PhysicalValue | null)
}

function writeRange(writer: ByteWriter, { low, high, message }: IntegerRange): void {
  writer.i64(low)
  writer.i64(high)
  writer.text(message)
}

const writePosition = (writer: ByteWriter, position: number | undefined): void => writer.count(position ?? 0)

/** 08P01 for what is no expression. */
export function readExpression(reader: ByteReader, depth = 0): VectorExpression {
  if (depth > depthMax) throw reader.wrong('an expression', `at most ${depthMax} levels`, 'more')
  const inner = (): VectorExpression => readExpression(reader, depth + 1)
  const kind = readName(reader, 'kind of an expression', expressionNumbers)
  switch (kind) {
    case 'column':
      return { kind, ordinal: reader.count('a column', ordinalMax) }
    case 'constant':
      return readConstant(reader)
    case 'compare':
      return { kind, comparison: readName(reader, 'a comparison', comparisonNumbers), left: inner(), right: inner() }
    case 'isNull':
      return { kind, negated: reader.flag('negated'), operand: inner() }
    case 'and':
    case 'or':
    case 'coalesce':
      return { kind, items: readList(reader, 'items', itemsMax, inner) }
    case 'not':
    case 'toDouble':
    case 'fromBoolean':
      return { kind, operand: inner() }
    case 'in':
      return { kind, hasNull: reader.flag('null among the values'), values: readList(reader, 'values', itemsMax, () => readPresent(reader)), operand: inner() }
    case 'like':
      return { kind, pattern: reader.anyText('pattern', textBytesMax), escape: reader.anyText('escape', textBytesMax) || undefined, caseless: reader.flag('caseless'), operand: inner() }
    case 'integers':
      return { kind, operator: readName(reader, 'an operator', vectorOperator), range: readRange(reader), safe: reader.flag('safe'), ...readPosition(reader), left: inner(), right: inner() }
    case 'doubles':
      return { kind, operator: readName(reader, 'an operator', vectorOperator), message: reader.anyText('message', textBytesMax), ...readPosition(reader), left: inner(), right: inner() }
    case 'toInteger':
      return { kind, range: readRange(reader), ...readPosition(reader), operand: inner() }
    case 'rounded':
      return { kind, rounding: readName(reader, 'a rounding', vectorRounding), operand: inner() }
    case 'case':
      return { kind, branches: readList(reader, 'branches', itemsMax, () => ({ when: inner(), result: inner() })), otherwise: reader.flag('otherwise') ? inner() : undefined }
  }
}

function readConstant(reader: ByteReader): VectorExpression {
  const of = readName(reader, 'kind of a constant', vectorKindNumbers)
  if (of !== 'boolean') return { kind: 'constant', of, value: readValue(reader, 'a constant') }
  const truth = readName(reader, 'a truth', truths)
  return { kind: 'constant', of, value: truth === 'none' ? null : truth === 'true' }
}

function readPresent(reader: ByteReader): PhysicalValue {
  const value = readValue(reader, 'a value of a list')
  if (value === null) throw reader.wrong('a value of a list', 'a value', 'null')
  return value
}

const readRange = (reader: ByteReader): IntegerRange => ({ low: reader.i64('least integer'), high: reader.i64('greatest integer'), message: reader.anyText('message', textBytesMax) })

function readPosition(reader: ByteReader): { readonly position?: number } {
  const position = reader.count('position')
  return position === 0 ? {} : { position }
}
