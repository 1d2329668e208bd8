/** UPDATE and DELETE to plans. */
import type { Literals } from '../expression/literal.ts'
import type { Origin } from '../origin.ts'
import type { DeletePlan, KeyPlan, UpdatePlan, WherePlan } from '../plan.ts'
import type { Operand, Term } from '../statement.ts'
import type { Delete, Update } from '../syntax/write/write-statement.ts'
import type { Catalog } from './catalog.ts'
import { bindReturning, bindSets } from './row-value.ts'
import { bindTerm, findColumn, scopeOf } from './scope.ts'
import type { Scope } from './scope.ts'

export function bindUpdate(statement: Update, catalog: Catalog, origin: Origin, literals: Literals): UpdatePlan {
  const scope = scopeOf(catalog, statement.table, origin)
  const sets = bindSets(scope, statement.sets, false, literals)
  return { kind: 'update', table: scope.table, rows: bindRows(scope, statement.where), sets, returning: bindReturning(scope, statement.returning) }
}

export function bindDelete(statement: Delete, catalog: Catalog, origin: Origin): DeletePlan {
  const scope = scopeOf(catalog, statement.table, origin)
  return { kind: 'delete', table: scope.table, rows: bindRows(scope, statement.where), returning: bindReturning(scope, statement.returning) }
}

function bindRows(scope: Scope, where: readonly Term[]): KeyPlan | WherePlan {
  return keyPlan(scope, where) ?? { kind: 'where', terms: where.map((term) => bindTerm(scope, term)) }
}

/** The whole primary key by equality, one of its columns perhaps by a list; undefined for every other condition. */
function keyPlan(scope: Scope, where: readonly Term[]): KeyPlan | undefined {
  const { table } = scope
  const operandsOf = new Map<number, readonly Operand[]>()
  for (const term of where) {
    const ordinal = findColumn(scope, term.column)
    const operands = keyOperands(term)
    if (operands === undefined || operandsOf.has(ordinal) || !table.primaryKey.includes(ordinal)) return undefined
    operandsOf.set(ordinal, operands)
  }
  if (table.hiddenKey || operandsOf.size !== table.primaryKey.length) return undefined
  const keys = table.primaryKey.map((ordinal) => ({ column: table.columns[ordinal]!, operands: operandsOf.get(ordinal)! }))
  return keys.filter(({ operands }) => operands.length > 1).length > 1 ? undefined : { kind: 'keys', keys }
}

function keyOperands(term: Term): readonly Operand[] | undefined {
  if (term.kind === 'in') return term.operands
  return term.kind === 'compare' && term.comparison === 'eq' ? [term.operand] : undefined
}
