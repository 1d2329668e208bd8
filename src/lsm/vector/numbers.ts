/** Arithmetic and casts. A second operand is evaluated where the first is not null, as strict functions are. */
import { invariant, LsmtError } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { vectorOperator, vectorRounding } from '../../kernel/vector.ts'
import type { Allocate } from './constant.ts'
import type { IntegerRange, VectorExpression, VectorOperator } from './expression.ts'
import { eitherOf, RowFailure, without } from './node.ts'
import type { Frame, ValueNode, Values, VectorNode } from './node.ts'

type ExpressionOf<Kind extends VectorExpression['kind']> = Extract<VectorExpression, { readonly kind: Kind }>

function asNumber(node: VectorNode, kind: 'i64' | 'f64'): ValueNode {
  invariant(node.kind === kind, `an expression computes ${kind} of ${node.kind}`)
  return node
}

/** 16 bytes. */
function putRange({ memory }: Kernel, { low, high }: IntegerRange, allocate: Allocate): Pointer {
  const at = allocate(16)
  memory.i64[at >>> 3] = low
  memory.i64[(at >>> 3) + 1] = high
  return at
}

export function integersNode(kernel: Kernel, { operator, range, safe, position }: ExpressionOf<'integers'>, left: VectorNode, right: VectorNode, allocate: Allocate): ValueNode {
  const { exports, memory } = kernel
  const bounds = putRange(kernel, range, allocate)
  return binary('i64', !safe, asNumber(left, 'i64'), asNumber(right, 'i64'), (a, b, active, count, out) => {
    const row = exports.vectorArithmeticI64(vectorOperator[operator], a.values, a.step, b.values, b.step, active, count, bounds, out)
    if (row < count) throw new RowFailure(row, failureOf(operator, memory.i64[(b.values + b.step * row) >>> 3] === 0n, range.message, position))
  })
}

export function doublesNode({ exports, memory }: Kernel, { operator, message, position }: ExpressionOf<'doubles'>, left: VectorNode, right: VectorNode): ValueNode {
  return binary('f64', true, asNumber(left, 'f64'), asNumber(right, 'f64'), (a, b, active, count, out) => {
    const row = exports.vectorArithmeticF64(vectorOperator[operator], a.values, a.step, b.values, b.step, active, count, out)
    if (row < count) throw new RowFailure(row, failureOf(operator, memory.f64[(b.values + b.step * row) >>> 3] === 0, message, position))
  })
}

const evidenceOf = (position = 0): { position?: number } => (position > 0 ? { position } : {})

/** What an operation fails with whose result has no room. */
export const beyondRange = (message: string, position: number | undefined): LsmtError => new LsmtError('22003', message, evidenceOf(position))

function failureOf(operator: VectorOperator, isZero: boolean, message: string, position: number | undefined): LsmtError {
  const isDivision = operator !== 'add' && operator !== 'subtract' && operator !== 'multiply'
  return isDivision && isZero ? new LsmtError('22012', 'division by zero', evidenceOf(position)) : beyondRange(message, position)
}

function binary(kind: 'i64' | 'f64', fails: boolean, left: ValueNode, right: ValueNode, compute: (a: Values, b: Values, active: Pointer, count: number, out: Pointer) => void): ValueNode {
  return {
    kind,
    canFail: fails || left.canFail || right.canFail,
    evaluate(frame, selection) {
      const a = left.evaluate(frame, selection)
      const b = right.evaluate(frame, right.canFail ? without(frame, selection, a.nulls) : selection)
      const nulls = eitherOf(frame, a.nulls, b.nulls)
      return { values: computed(frame, without(frame, selection, nulls), (active, count, out) => compute(a, b, active, count, out)), step: 8, nulls }
    },
  }
}

function computed({ rows: { rowCount }, arena }: Frame, active: Pointer, compute: (active: Pointer, count: number, out: Pointer) => void): Pointer {
  const out = arena.allocate(8 * rowCount)
  compute(active, rowCount, out)
  return out
}

function unary(kind: 'i64' | 'f64', fails: boolean, operand: ValueNode, compute: (values: Pointer, active: Pointer, count: number, out: Pointer) => void): ValueNode {
  return {
    kind,
    canFail: fails || operand.canFail,
    evaluate(frame, selection) {
      const given = operand.evaluate(frame, selection)
      const values = materialized(frame, given, selection)
      return { values: computed(frame, without(frame, selection, given.nulls), (active, count, out) => compute(values, active, count, out)), step: 8, nulls: given.nulls }
    },
  }
}

/** As a vector, also when it is a constant. */
export function materialized({ kernel: { exports }, rows: { rowCount }, arena }: Frame, { values, step }: Values, selection: Pointer): Pointer {
  if (step !== 0) return values
  const out = arena.allocate(8 * rowCount)
  exports.vectorSelect(values, 0, selection, rowCount, out)
  return out
}

export function toDoubleNode({ exports }: Kernel, operand: VectorNode): ValueNode {
  return unary('f64', false, asNumber(operand, 'i64'), (values, active, count, out) => exports.vectorToF64(values, active, count, out))
}

export function toIntegerNode(kernel: Kernel, { range, position }: ExpressionOf<'toInteger'>, operand: VectorNode, allocate: Allocate): ValueNode {
  const bounds = putRange(kernel, range, allocate)
  return unary('i64', true, asNumber(operand, 'f64'), (values, active, count, out) => {
    const row = kernel.exports.vectorToI64(values, active, count, bounds, out)
    if (row < count) throw new RowFailure(row, beyondRange(range.message, position))
  })
}

export function roundedNode({ exports }: Kernel, { rounding }: ExpressionOf<'rounded'>, operand: VectorNode): ValueNode {
  return unary('f64', false, asNumber(operand, 'f64'), (values, _, count, out) => exports.vectorRoundF64(vectorRounding[rounding], values, count, out))
}
