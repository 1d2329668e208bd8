/** Texts whose answer has room for the rows of one statement. */
import type { EngineCatalog } from '../../engine/engine.ts'
import { errorAt, originOf } from '../origin.ts'
import type { Plan } from '../plan.ts'
import type { ScannedStatement } from '../scan/scan-state.ts'
import type { Values } from '../value/values.ts'
import type { PlanOf } from './open-transaction.ts'

/** Plans as `planOf` does, in the order of the text; 0A000 instead of the plan of a second statement that gives rows. */
export function planRowsOnce(planOf: PlanOf): PlanOf {
  let first: ScannedStatement | undefined
  return (values, catalog) => {
    const plan = planOf(values, catalog)
    if (!givesRows(plan, values)) return plan
    first ??= values.statement
    if (first === values.statement) return plan
    throw errorAt(originOf(values), 0, '0A000', 'only one statement of a text may give rows in this format', 'the format json has the results of all')
  }
}

/** The error of a second statement with rows, as far as plans can be made before anything has run. */
export function checkRowsOnce(planOf: PlanOf, statements: readonly Values[], catalog: EngineCatalog): void {
  const plannable = statements.filter((values) => canBePlanned(planOf, values, catalog))
  const once = planRowsOnce(planOf)
  for (const values of plannable) once(values, catalog)
}

/** What cannot be planned yet says so when its turn comes. */
function canBePlanned(planOf: PlanOf, values: Values, catalog: EngineCatalog): boolean {
  try {
    planOf(values, catalog)
    return true
  } catch {
    return false
  }
}

function givesRows(plan: Plan, { statement }: Values): boolean {
  if (statement.explain !== undefined) return true
  switch (plan.kind) {
    case 'get':
    case 'query':
    case 'show':
      return true
    case 'insert':
    case 'update':
    case 'delete':
      return plan.returning !== undefined
    case 'createTable':
    case 'dropTable':
    case 'alterTable':
    case 'truncate':
    case 'transaction':
      return false
  }
}
