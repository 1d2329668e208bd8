/** UPDATE and DELETE to plans. */
import { LsmtError } from '../../errors.ts'
import { bindCondition } from '../expression/bind-expression.ts'
import type { Bound } from '../expression/bound.ts'
import { errorAt } from '../origin.ts'
import type { DeletePlan, KeyPlan, Returning, UpdatePlan, WherePlan } from '../plan.ts'
import { bindFrom } from '../query/bind-from.ts'
import { bindQuery } from '../query/bind-query.ts'
import type { FromUnit } from '../query/from-unit.ts'
import { narrowLeaves } from '../query/narrow/narrow.ts'
import { newScope, visibleOf } from '../query/scope.ts'
import type { BlockScope, Leaf, StatementContext } from '../query/scope.ts'
import { conjuncts } from '../query/terms.ts'
import type { Expression, FromItem, QueryItem } from '../syntax/query/query.ts'
import type { Delete, TableRef, Update } from '../syntax/write/write-statement.ts'
import { changePlan } from './bind-change.ts'
import { takeKeys } from './key-conditions.ts'
import { bindReturning, bindSets } from './row-value.ts'
import { bindTarget, expressionsIn, scopeOver } from './target.ts'
import type { Target } from './target.ts'

export function bindUpdate({ table: ref, sets: clauses, from, where, returning }: Update, context: StatementContext): UpdatePlan {
  const target = bindTarget(context, ref)
  const { scope, unit } = withFrom(target, from)
  const { find, conditions } = bindWhere(target, scope, where)
  const sets = bindSets(target, expressionsIn(scope, 'SET'), clauses)
  return { kind: 'update', table: target.table, find, change: changePlan([target.leaf], unit, conditions, sets), returning: returningOf(context, ref, returning, scope) }
}

export function bindDelete({ table: ref, from, where, returning }: Delete, context: StatementContext): DeletePlan {
  const target = bindTarget(context, ref)
  const { scope, unit } = withFrom(target, from)
  const { find, conditions } = bindWhere(target, scope, where)
  return { kind: 'delete', table: target.table, find, change: changePlan([target.leaf], unit, conditions, []), returning: returningOf(context, ref, returning, scope) }
}

/** RETURNING sees the written table only; in PostgreSQL it sees those of FROM and USING as well. */
function returningOf(context: StatementContext, ref: TableRef, items: readonly QueryItem[] | undefined, { leaves }: BlockScope): Returning | undefined {
  try {
    return bindReturning(context, ref, items)
  } catch (error) {
    if (leaves.length < 2 || !(error instanceof LsmtError) || error.code !== '42P01') throw error
    throw new LsmtError('0A000', `RETURNING of other columns than those of table "${ref.name.name}" is not supported: ${error.message}`, error.evidence, error)
  }
}

/** The table with those of FROM or USING, which do not see it. */
function withFrom({ name, leaf, scope }: Target, from: FromItem | undefined): { readonly scope: BlockScope; readonly unit: FromUnit | undefined } {
  if (from === undefined) return { scope, unit: undefined }
  const { context } = scope
  const others = newScope(context, undefined)
  const conditions = (expression: Expression, clause: string, leaves: readonly Leaf[]): readonly Bound[] => narrowLeaves(others, leaves, conjuncts(expression)).map((each) => bindCondition(expressionsIn(others, clause), each, clause))
  const unit = bindFrom({ scope: others, query: (query) => bindQuery(context, query, undefined), conditions }, from)
  if (others.leaves.some(({ alias }) => alias === leaf.alias)) throw errorAt(context.origin, name.tokenIndex, '42712', `"${leaf.alias}" stands twice: as the table that is written and after FROM or USING`, 'give one of them another name with AS')
  return { scope: scopeOver(context, [leaf, ...others.leaves], [...visibleOf(leaf), ...others.names.visible]), unit }
}

interface BoundWhere {
  readonly find: KeyPlan | WherePlan
  /** What is left to check of the rows that are found. */
  readonly conditions: readonly Bound[]
}

function bindWhere({ table, leaf }: Target, scope: BlockScope, where: Expression | undefined): BoundWhere {
  const given = where === undefined ? [] : conjuncts(where)
  const keys = takeKeys(table, leaf, scope, given)
  const rest = keys?.rest ?? narrowLeaves(scope, scope.leaves, given)
  const conditions = rest.map((each) => bindCondition(expressionsIn(scope, 'WHERE'), each, 'WHERE'))
  return { find: keys?.find ?? { kind: 'where', terms: leaf.terms }, conditions }
}
