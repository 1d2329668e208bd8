/** Whoever may only read, and nodes that only read: what would write is refused when it is planned, before it takes locks or runs. */
import type { ErrorCode } from '../../errors.ts'
import { errorAt, originOf } from '../origin.ts'
import type { Plan } from '../plan.ts'
import type { PlanOf } from './open-transaction.ts'

export interface WriteRefusal {
  readonly code: ErrorCode
  /** After the statement's name. */
  readonly reason: string
  readonly hint: string
}

export const notAllowed: WriteRefusal = { code: '42501', reason: 'is not allowed to who may only read', hint: 'use a token that may write' }
export const onReadOnlyNode: WriteRefusal = { code: '25006', reason: 'cannot run on a node that only reads', hint: 'send it to the node that writes' }

/** Plans as `planOf` makes them; the refusal for those that write, but EXPLAIN of them may be asked for. */
export function readingOnly(planOf: PlanOf, { code, reason, hint }: WriteRefusal): PlanOf {
  return (values, catalog) => {
    const plan = planOf(values, catalog)
    const { explain } = values.statement
    const runs = explain === undefined || explain.analyze
    if (runs && writes(plan)) throw errorAt(originOf(values), 0, code, `${statementName[plan.kind]} ${reason}`, hint)
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
