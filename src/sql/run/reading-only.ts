/** Whoever may only read, and nodes that only read: what would write is refused when it is planned, before it takes locks or runs. */
import type { ErrorCode } from '../../errors.ts'
import { errorAt, originOf } from '../origin.ts'
import type { Plan } from '../plan.ts'
import type { ScannedStatement } from '../scan/scan-state.ts'
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

/** First words of statements that never write, whatever follows. */
const readingWords: ReadonlySet<string> = new Set(['select', 'values', 'with', '(', 'show', 'describe', 'desc', 'begin', 'start', 'commit', 'end', 'abort', 'rollback', 'savepoint', 'release'])

/**
 * Whether statements cannot write, as their words tell, before anything is planned and whatever tables there are. What is
 * unknown may write; what is told to read here and would write after all has a plan that `readingOnly` refuses.
 */
export function onlyReads(statements: readonly ScannedStatement[]): boolean {
  return statements.every(({ shape, explain }) => (explain !== undefined && !explain.analyze) || readingWords.has(firstToken(shape)))
}

function firstToken(shape: string): string {
  const end = shape.indexOf(' ')
  return end < 0 ? shape : shape.slice(0, end)
}
