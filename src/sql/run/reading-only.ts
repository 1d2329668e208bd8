/** Whoever may only read: what would write is refused when it is planned, before it takes locks or runs. */
import { errorAt, originOf } from '../origin.ts'
import type { Plan } from '../plan.ts'
import type { PlanOf } from './open-transaction.ts'

/** Plans as `planOf` makes them; 42501 for those that write, but EXPLAIN of them may be asked for. */
export function readingOnly(planOf: PlanOf): PlanOf {
  return (values, catalog) => {
    const plan = planOf(values, catalog)
    const { explain } = values.statement
    const runs = explain === undefined || explain.analyze
    if (runs && writes(plan)) throw errorAt(originOf(values), 0, '42501', `${statementName[plan.kind]} is not allowed to who may only read`, 'use a token that may write')
    return plan
  }
}

const statementName = {
  insert: 'INSERT',
  update: 'UPDATE',
  delete: 'DELETE',
  createTable: 'CREATE TABLE',
  dropTable: 'DROP TABLE',
  alterTable: 'ALTER TABLE',
  truncate: 'TRUNCATE',
} as const

/** A plan of a statement that writes when it runs. */
export type WritingPlan = Extract<Plan, { readonly kind: keyof typeof statementName }>

export function writes(plan: Plan): plan is WritingPlan {
  return plan.kind in statementName
}
