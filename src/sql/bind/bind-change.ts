/** What becomes of rows at hand: their condition and their new values, worked out by operators when a row alone does not tell. */
import type { Bound } from '../expression/bound.ts'
import type { ChangePlan, SetPlan } from '../plan.ts'
import { conjunction } from '../query/from-tree.ts'
import type { FromUnit } from '../query/from-unit.ts'
import { hasSubquery } from '../query/row-layout.ts'
import { rowWork } from '../query/rows/row-work.ts'
import type { Leaf } from '../query/scope.ts'
import { asksSubqueries, workedOut } from './row-value.ts'

export function changePlan(leaves: readonly Leaf[], from: FromUnit | undefined, conditions: readonly Bound[], sets: readonly SetPlan[]): ChangePlan {
  const values = sets.map(({ value }) => value)
  if (from === undefined && !conditions.some(hasSubquery) && !asksSubqueries(values)) return { condition: conjunction(conditions), work: undefined, sets }
  const worked = workedOut(values, (expressions) => rowWork(leaves, from, conditions, expressions))
  return { condition: undefined, work: worked.work, sets: sets.map(({ ordinal }, index) => ({ ordinal, value: worked.values[index]! })) }
}
