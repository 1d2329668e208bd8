/** Expressions as written to bound ones. Errors say where in the statement they arise. */
import { LsmtError } from '../../errors.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { ColumnRef, Operand } from '../operand.ts'
import type { Call, Expression, Query } from '../syntax/query/query.ts'
import { looseCall, strictCall } from './bound.ts'
import type { Bound, BoundSubquery } from './bound.ts'
import { cast, coerce, settled } from './coerce.ts'
import { bindFunction } from './function/functions.ts'
import type { Literals } from './literal.ts'
import { asCondition, bindBinary, bindComparison, bindDistinct, bindSign, unified } from './operator.ts'
import { booleanType, intervalType, isFloat, numericType, refuseIntervals, textType, unknownType, valueTypeName } from './type.ts'
import type { ValueType } from './type.ts'
import { castOf } from './value/cast.ts'
import { createMatcher } from '../../bytes/like.ts'
import type { Matcher } from '../../bytes/like.ts'

/** What an expression may refer to. */
export interface ExpressionScope {
  readonly origin: Origin
  readonly literals: Literals
  column(column: ColumnRef): Bound
  /** An aggregate call, when aggregates may stand here; its arguments are bound by it. */
  aggregate(call: Call): Bound
  subquery(query: Query, test: BoundSubquery['test'], operand: Bound | undefined, at: number): Bound
  /** Whether the comparison, or with ALL its opposite, holds with any value of the query. */
  quantified(expression: Extract<Expression, { kind: 'quantified' }>, operand: Bound): Bound
}

export const aggregateNames: ReadonlySet<string> = new Set(['count', 'sum', 'min', 'max', 'avg', 'bool_and', 'bool_or', 'every', 'string_agg', 'array_agg', 'stddev', 'variance'])

export function bindExpression(scope: ExpressionScope, expression: Expression): Bound {
  const bound = at(scope, expression, () => bindAny(scope, expression))
  return bound.kind === 'call' && bound.at === undefined ? { ...bound, at: expression.at } : bound
}

export function bindCondition(scope: ExpressionScope, expression: Expression, clause: string): Bound {
  const bound = bindExpression(scope, expression)
  return at(scope, expression, () => asCondition(bound, clause))
}

/** Runs what may fail about an expression; the error says where that stands. */
function at<T>(scope: ExpressionScope, expression: Expression, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw error instanceof LsmtError && error.evidence.position === undefined ? errorAt(scope.origin, expression.at, error.code, error.message, error.evidence.hint) : error
  }
}

function bindAny(scope: ExpressionScope, expression: Expression): Bound {
  const bind = (part: Expression): Bound => bindExpression(scope, part)
  switch (expression.kind) {
    case 'column':
      return scope.column(expression.column)
    case 'operand':
      return bindOperand(scope, expression.operand)
    case 'number':
      return bindNumber(expression.digits)
    case 'word':
      return { kind: 'constant', value: expression.text, type: textType }
    case 'interval':
      return { kind: 'literal', operand: expression.operand, type: intervalType }
    case 'unary':
      return bindSign(expression.operator, bind(expression.operand))
    case 'binary':
      return bindBinary(expression.operator, bind(expression.left), bind(expression.right))
    case 'not':
      return not(bindCondition(scope, expression.operand, 'NOT'))
    case 'and':
    case 'or':
      return { kind: expression.kind, items: expression.items.map((item) => bindCondition(scope, item, expression.kind.toUpperCase())), type: booleanType }
    case 'is':
      return bindIs(scope, expression)
    case 'distinct':
      return bindDistinct(bind(expression.left), bind(expression.right), expression.negated)
    case 'like':
      return bindLike(scope, expression)
    case 'between':
      return bindBetween(expression, bind(expression.operand), bind(expression.low), bind(expression.high))
    case 'in':
      return bindIn(bind(expression.operand), expression.items.map(bind), expression.negated)
    case 'inQuery': {
      const bound = scope.subquery(expression.query, 'in', bind(expression.operand), expression.at)
      return expression.negated ? not(bound) : bound
    }
    case 'quantified':
      return bindQuantified(scope, expression)
    case 'exists':
      return scope.subquery(expression.query, 'exists', undefined, expression.at)
    case 'scalar':
      return scope.subquery(expression.query, 'scalar', undefined, expression.at)
    case 'case':
      return bindCase(scope, expression)
    case 'cast':
      return bindCast(scope, bind(expression.operand), expression.type)
    case 'call':
      return bindCall(scope, expression)
  }
}

function bindOperand(scope: ExpressionScope, operand: Operand): Bound {
  if (operand.kind === 'slot') return { kind: 'literal', operand, type: scope.literals.typeOf(operand) }
  if (operand.value === null) return { kind: 'constant', value: null, type: unknownType }
  return { kind: 'constant', value: operand.value ? 1 : 0, type: booleanType }
}

/** Numbers that are part of the shape; they stand in ORDER BY and GROUP BY only. */
function bindNumber(digits: string): Bound {
  const value = Number(digits)
  if (Number.isSafeInteger(value) && /^\d+$/.test(digits)) return { kind: 'constant', value, type: { kind: value <= 2_147_483_647 ? 'integer' : 'bigint' } }
  throw new LsmtError('0A000', `the number ${digits.slice(0, 60)} is not supported here`)
}

export function not(bound: Bound): Bound {
  return strictCall('not', [bound], booleanType, (value) => (value === 0 ? 1 : 0))
}

function bindIs(scope: ExpressionScope, expression: Extract<Expression, { kind: 'is' }>): Bound {
  const { test, negated } = expression
  const yes = negated ? 0 : 1
  const no = 1 - yes
  if (test === 'null' || test === 'unknown') {
    const operand = test === 'null' ? settled(bindExpression(scope, expression.operand)) : bindCondition(scope, expression.operand, 'IS UNKNOWN')
    return looseCall(`is null ${yes}`, [operand], booleanType, (value) => (value === null ? yes : no))
  }
  const wanted = test === 'true' ? 1 : 0
  return looseCall(`is ${test} ${yes}`, [bindCondition(scope, expression.operand, 'IS')], booleanType, (value) => (value === wanted ? yes : no))
}

function bindLike(scope: ExpressionScope, expression: Extract<Expression, { kind: 'like' }>): Bound {
  const { caseless, negated, escape } = expression
  const parts = [expression.left, expression.right, ...(escape === undefined ? [] : [escape])]
  const args = parts.map((part) => settled(bindExpression(scope, part)))
  const name = `${negated ? 'not ' : ''}${caseless ? 'ilike' : 'like'}`
  if (args.some(({ type }) => type.kind !== 'text')) throw new LsmtError('42883', `there is no operator ${args.map(({ type }) => valueTypeName(type)).slice(0, 2).join(` ${name.toUpperCase()} `)}`)
  const yes = negated ? 0 : 1
  const no = 1 - yes
  const matcherOf = lastMatcher(caseless)
  return strictCall(name, args, booleanType, (text, pattern, escaping = '\\') => (matcherOf(pattern as string, escaping as string)(text as string) ? yes : no))
}

/** Patterns rarely change from row to row. */
function lastMatcher(caseless: boolean): (pattern: string, escape: string) => Matcher {
  let last: { readonly pattern: string; readonly escape: string; readonly matches: Matcher } | undefined
  return (pattern, escape) => {
    if (last?.pattern === pattern && last.escape === escape) return last.matches
    if (Array.from(escape).length > 1) throw new LsmtError('22023', 'the escape of a LIKE pattern must be one character or empty')
    const matches = createMatcher(pattern, escape === '' ? undefined : escape, caseless)
    last = { pattern, escape, matches }
    return matches
  }
}

function bindBetween({ negated, symmetric }: { readonly negated: boolean; readonly symmetric: boolean }, operand: Bound, low: Bound, high: Bound): Bound {
  const both = (from: Bound, to: Bound): Bound => ({ kind: 'and', items: [bindComparison('>=', operand, from), bindComparison('<=', operand, to)], type: booleanType })
  const bound: Bound = symmetric ? { kind: 'or', items: [both(low, high), both(high, low)], type: booleanType } : both(low, high)
  return negated ? not(bound) : bound
}

/** A comparison holds with all values when its opposite holds with none. */
function bindQuantified(scope: ExpressionScope, expression: Extract<Expression, { kind: 'quantified' }>): Bound {
  const bound = scope.quantified(expression, bindExpression(scope, expression.operand))
  return expression.all ? not(bound) : bound
}

function bindIn(operand: Bound, items: readonly Bound[], negated: boolean): Bound {
  const [first, ...rest] = unified([operand, ...items], 'IN')
  refuseIntervals([first!.type], 'IN')
  const bound: Bound = { kind: 'in', operand: first!, items: rest, type: booleanType }
  return negated ? not(bound) : bound
}

function bindCase(scope: ExpressionScope, expression: Extract<Expression, { kind: 'case' }>): Bound {
  const { operand, branches, otherwise } = expression
  const subject = operand === undefined ? undefined : bindExpression(scope, operand)
  const conditions = branches.map(({ when }) => (subject === undefined ? bindCondition(scope, when, 'WHEN') : bindComparison('=', subject, bindExpression(scope, when))))
  const results = [...branches.map(({ result }) => result), ...(otherwise === undefined ? [] : [otherwise])].map((part) => bindExpression(scope, part))
  const values = unified(results, 'CASE')
  return {
    kind: 'case',
    branches: conditions.map((when, index) => ({ when, result: values[index]! })),
    otherwise: otherwise === undefined ? undefined : values.at(-1),
    type: values[0]!.type,
  }
}

/** NUMERIC without a scale keeps the digits that are there. */
export function bindCast(scope: ExpressionScope, operand: Bound, target: ValueType): Bound {
  const type = target.kind === 'numeric' && target.scale < 0 ? anyNumericOf(scope, operand) : target
  if (operand.kind === 'literal' && operand.type.kind === 'unknown') return type.kind === 'text' ? cast(coerce(operand, textType), type) : { ...operand, type }
  if (operand.kind === 'constant' && operand.value === null) return { ...operand, type }
  if (castOf(operand.type, type) === undefined) throw new LsmtError('42846', `type ${valueTypeName(operand.type)} cannot be cast to ${valueTypeName(type)}`)
  if (operand.type.kind === type.kind && type.kind !== 'numeric' && type.kind !== 'text') return operand
  return cast(operand, type)
}

const scaleOfDoubles = 16

function anyNumericOf(scope: ExpressionScope, operand: Bound): ValueType {
  if (operand.type.kind === 'numeric') return operand.type
  if (operand.kind === 'literal' && operand.type.kind === 'unknown') return numericType(scope.literals.scaleOfText(operand.operand))
  return numericType(isFloat(operand.type) || operand.type.kind === 'text' ? scaleOfDoubles : 0)
}

function bindCall(scope: ExpressionScope, call: Call): Bound {
  if (aggregateNames.has(call.name)) return scope.aggregate(call)
  if (call.star || call.distinct || call.filter !== undefined) throw new LsmtError('42883', `${call.name} is not an aggregate function`)
  return bindFunction(call.name, call.args.map((arg) => bindExpression(scope, arg)), scope.literals)
}
