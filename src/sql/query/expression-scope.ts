/** Expressions in a query block: its columns, aggregates where they may stand, and subqueries that see the block. */
import { LsmtError } from '../../errors.ts'
import { bindCondition, bindExpression } from '../expression/bind-expression.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import type { Bound } from '../expression/bound.ts'
import { coerce, settled } from '../expression/coerce.ts'
import { comparisonOf } from '../expression/operator.ts'
import { booleanType, commonType, valueTypeName } from '../expression/type.ts'
import { errorAt } from '../origin.ts'
import type { Query } from '../syntax/query/query.ts'
import { bindAggregateCall } from './bind-aggregate.ts'
import { converted, queryByKey } from './bound-query.ts'
import type { BoundQuery, ByKey } from './bound-query.ts'
import { resolveColumn } from './scope.ts'
import type { BlockScope, StatementContext } from './scope.ts'

export type BindQuery = (context: StatementContext, query: Query, outer: BlockScope | undefined) => BoundQuery

/** `clause`: where the expression stands when no aggregate may stand there. */
export function expressionScope(scope: BlockScope, bindQuery: BindQuery, clause?: string): ExpressionScope {
  const { context } = scope
  const { origin, literals } = context
  return {
    origin,
    literals,
    column: (ref) => resolveColumn(scope, ref),
    aggregate(call) {
      if (clause !== undefined) throw errorAt(origin, call.at, '42803', `an aggregate function cannot stand in ${clause}`)
      const inner = expressionScope(scope, bindQuery, 'an aggregate function')
      const filter = call.filter && bindCondition(expressionScope(scope, bindQuery, 'FILTER'), call.filter, 'FILTER')
      return bindAggregateCall(call, call.args.map((arg) => bindExpression(inner, arg)), filter)
    },
    subquery(query, test, operand, at) {
      const bound = bindQuery(context, query, scope)
      if (test !== 'exists' && bound.output.length !== 1) throw errorAt(origin, at, '42601', 'a subquery used as a value must have one column')
      const outer = bound.outer
      if (test === 'exists') return { kind: 'subquery', subquery: { test, operand, plan: bound.node, outer, byKey: queryByKey(ofRows(bound), undefined) }, type: booleanType }
      if (test === 'in') return bindMember(bound, operand!)
      const { type } = bound.output[0]!
      return { kind: 'subquery', subquery: { test, operand, plan: bound.node, outer, byKey: queryByKey(bound.byKey, undefined) }, type }
    },
    quantified({ query, comparison, all, at }, operand) {
      const bound = bindQuery(context, query, scope)
      if (bound.output.length !== 1) throw errorAt(origin, at, '42601', 'a subquery used as a value must have one column')
      return bindMember(bound, operand, comparison, all ? opposites[comparison] : comparison)
    },
  }
}

const opposites: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' }

/** `written`: the comparison as the statement has it. */
function bindMember(bound: BoundQuery, operand: Bound, written = '=', comparison = written): Bound {
  const { type } = bound.output[0]!
  const common = commonType(operand.type, type)
  if (common === undefined) throw new LsmtError('42883', `there is no operator ${valueTypeName(operand.type)} ${written} ${valueTypeName(type)}`)
  const plan = converted(bound, [common])
  const test = comparison === '=' ? ({ test: 'in' } as const) : ({ test: 'any', comparison: { compare: comparisonOf(comparison, common), isLess: comparisonOf('<', common) } } as const)
  const byKey = test.test === 'in' ? queryByKey(ofRows(bound), common) : undefined
  return { kind: 'subquery', subquery: { ...test, operand: settled(coerce(operand, common)), plan, outer: bound.outer, byKey }, type: booleanType }
}

/** An aggregate has a row for every key, also for those that no row has: by key it answers no EXISTS and no IN. */
function ofRows({ byKey }: BoundQuery): ByKey | undefined {
  return byKey?.empty === undefined ? byKey : undefined
}
