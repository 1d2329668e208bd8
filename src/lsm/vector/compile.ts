/** Expressions to nodes: constants, sets and patterns are carried into linear memory once. */
import { patternParts } from '../../bytes/like.ts'
import { invariant } from '../../errors.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Pointer } from '../../kernel/linear-memory.ts'
import { comparison } from '../../kernel/zone-map.ts'
import { comparePhysical } from '../aggregate.ts'
import type { PhysicalKind } from '../layout.ts'
import type { PhysicalValue, PredicateTerm } from '../tree.ts'
import { chooseTruth, chooseValue } from './choice.ts'
import type { Branch } from './choice.ts'
import { numberOfTruth } from './choice.ts'
import { putConstant, putConstants } from './constant.ts'
import type { Allocate } from './constant.ts'
import { overDictionary } from './dictionary.ts'
import type { VectorExpression } from './expression.ts'
import { caselessTest, putPattern } from './like.ts'
import { andNode, fixedTruth, isNullNode, notNode, orNode } from './logic.ts'
import type { TruthNode, ValueNode, VectorNode } from './node.ts'
import { doublesNode, integersNode, roundedNode, toDoubleNode, toIntegerNode } from './numbers.ts'
import { createTerm } from './term.ts'
import { compareNode, termNode, testNode } from './tests.ts'
import type { ValueTest } from './tests.ts'

export interface Compiler {
  readonly kernel: Kernel
  readonly columns: readonly PhysicalKind[]
  /** Memory that lives as long as the nodes. */
  readonly allocate: Allocate
}

type ExpressionOf<Kind extends VectorExpression['kind']> = Extract<VectorExpression, { readonly kind: Kind }>

export function compileTruth(compiler: Compiler, expression: VectorExpression): TruthNode {
  const node = compileVector(compiler, expression)
  invariant(node.kind === 'boolean', `a condition is of the kind ${node.kind}`)
  return node
}

export function compileValue(compiler: Compiler, expression: VectorExpression): ValueNode {
  const node = compileVector(compiler, expression)
  return node.kind === 'boolean' ? numberOfTruth(node) : node
}

function compileVector(compiler: Compiler, expression: VectorExpression): VectorNode {
  const { kernel, allocate } = compiler
  const inner = (part: VectorExpression): VectorNode => compileVector(compiler, part)
  switch (expression.kind) {
    case 'column':
      return columnNode(compiler, expression.ordinal)
    case 'constant':
      return constantNode(compiler, expression)
    case 'compare':
      return termOf(compiler, expression) ?? compareNode(kernel, comparison[expression.comparison], inner(expression.left), inner(expression.right))
    case 'isNull':
      if (expression.operand.kind === 'column') return compileTerm(compiler, { ordinal: expression.operand.ordinal, comparison: expression.negated ? 'isNotNull' : 'isNull' })
      return isNullNode(inner(expression.operand), expression.negated)
    case 'and':
    case 'or':
      return (expression.kind === 'and' ? andNode : orNode)(expression.items.map((item) => compileTruth(compiler, item)))
    case 'not':
      return notNode(compileTruth(compiler, expression.operand))
    case 'in':
      return inNode(compiler, expression)
    case 'like':
      return likeNode(compiler, expression)
    case 'integers':
      return integersNode(kernel, expression, inner(expression.left), inner(expression.right), allocate)
    case 'doubles':
      return doublesNode(kernel, expression, inner(expression.left), inner(expression.right))
    case 'toDouble':
      return toDoubleNode(kernel, inner(expression.operand))
    case 'toInteger':
      return toIntegerNode(kernel, expression, inner(expression.operand), allocate)
    case 'rounded':
      return roundedNode(kernel, expression, inner(expression.operand))
    case 'fromBoolean':
      return numberOfTruth(compileTruth(compiler, expression.operand))
    case 'case': {
      const branches = expression.branches.map(({ when, result }) => ({ when: compileTruth(compiler, when), result: inner(result) }))
      return chosen(expression.otherwise === undefined ? branches : [...branches, { when: fixedTruth(true), result: inner(expression.otherwise) }])
    }
    case 'coalesce':
      return chosen(expression.items.map((item) => ({ when: undefined, result: inner(item) })))
  }
}

function chosen(branches: readonly Branch<VectorNode>[]): VectorNode {
  const kind = branches[0]!.result.kind
  invariant(branches.every(({ result }) => result.kind === kind), `branches of the kinds ${branches.map(({ result }) => result.kind).join(' and ')} cannot be chosen between`)
  return kind === 'boolean' ? chooseTruth(branches as readonly Branch<TruthNode>[]) : chooseValue(kind, branches as readonly Branch<ValueNode>[])
}

function columnNode({ columns }: Compiler, ordinal: number): ValueNode {
  const kind = columns[ordinal]
  invariant(kind !== undefined, `an expression reads column ${ordinal} of ${columns.length}`)
  return {
    kind,
    canFail: false,
    evaluate({ rows }) {
      const vector = rows.vector(ordinal)
      return { values: vector.kind === 'bytes' ? vector.refs : vector.values, step: 8, nulls: vector.nulls }
    },
  }
}

function constantNode({ kernel, allocate }: Compiler, { of, value }: ExpressionOf<'constant'>): VectorNode {
  if (of === 'boolean') return fixedTruth(value === null ? undefined : value === true)
  invariant(typeof value !== 'boolean', `a constant of the kind ${of} is a boolean`)
  const given = value ?? (of === 'bytes' ? new Uint8Array(0) : 0)
  const values: Pointer = of === 'bytes' ? putConstants(kernel, of, [given], allocate) : putConstant(kernel, of, given, allocate).constant
  return { kind: of, canFail: false, evaluate: (_, selection) => ({ values, step: 0, nulls: value === null ? selection : 0 }) }
}

/** A column beside a constant that is not null. */
function termOf(compiler: Compiler, { comparison: op, left, right }: ExpressionOf<'compare'>): TruthNode | undefined {
  if (left.kind !== 'column' || right.kind !== 'constant' || right.value === null || typeof right.value === 'boolean') return undefined
  return compileTerm(compiler, { ordinal: left.ordinal, comparison: op, value: right.value })
}

function compileTerm({ kernel, columns, allocate }: Compiler, term: PredicateTerm): TruthNode {
  return termNode(createTerm(kernel, columns, term, allocate), createTerm(kernel, columns, { ordinal: term.ordinal, comparison: 'isNull' }, allocate))
}

/** Below it a list of numbers is compared one by one, as it is encoded. */
const termsMax = 3

function inNode(compiler: Compiler, { operand, values, hasNull }: ExpressionOf<'in'>): TruthNode {
  const node = compileValue(compiler, operand), { kernel, allocate } = compiler
  const { exports } = kernel
  if (operand.kind === 'column' && node.kind !== 'bytes' && values.length <= termsMax && values.length > 0) {
    const found = orNode(values.map((value) => compileTerm(compiler, { ordinal: operand.ordinal, comparison: 'eq', value })))
    return hasNull ? orNode([found, fixedTruth(undefined)]) : found
  }
  const sorted = sortedSet(values), set = putConstants(kernel, node.kind, sorted, allocate)
  const find = { i64: exports.vectorInI64, f64: exports.vectorInF64, bytes: exports.vectorInBytes }[node.kind]
  return textTest(compiler, operand, node, ({ rows }, at, active, out) => find(at, active, rows.rowCount, set, sorted.length, out), hasNull)
}

function sortedSet(values: readonly PhysicalValue[]): readonly PhysicalValue[] {
  const sorted = values.toSorted(comparePhysical)
  return sorted.filter((value, index) => index === 0 || comparePhysical(value, sorted[index - 1]!) !== 0)
}

function likeNode(compiler: Compiler, { operand, pattern, escape, caseless }: ExpressionOf<'like'>): TruthNode {
  const node = compileValue(compiler, operand)
  invariant(node.kind === 'bytes', `LIKE is asked of the kind ${node.kind}`)
  if (caseless) return textTest(compiler, operand, node, caselessTest(compiler.kernel, pattern, escape), false)
  const parts = patternParts(pattern, escape), at = putPattern(compiler.kernel, parts, compiler.allocate)
  return textTest(compiler, operand, node, ({ kernel: { exports }, rows }, values, active, out) => exports.vectorLike(values, active, rows.rowCount, at, parts.length, out), false)
}

function textTest({ kernel, allocate }: Compiler, operand: VectorExpression, node: ValueNode, test: ValueTest, elseNull: boolean): TruthNode {
  const tested = testNode(node, test, elseNull)
  return operand.kind === 'column' && node.kind === 'bytes' ? overDictionary(kernel, operand.ordinal, tested, allocate) : tested
}
