/** UPDATE and DELETE to plans. */
import type { LsmtError } from '../../errors.ts'
import { errorAt } from '../origin.ts'
import type { Origin } from '../origin.ts'
import type { DeletePlan, KeyPlan, UpdatePlan } from '../plan.ts'
import type { Operand, Term } from '../statement.ts'
import type { Delete, Update } from '../syntax/write/write-statement.ts'
import type { Catalog } from './catalog.ts'
import { bindReturning, bindSets } from './row-value.ts'
import { findColumn, scopeOf } from './scope.ts'
import type { Scope } from './scope.ts'

export function bindUpdate(statement: Update, catalog: Catalog, origin: Origin): UpdatePlan {
  const scope = scopeOf(catalog, statement.table, origin)
  const sets = bindSets(scope, statement.sets, false)
  return { kind: 'update', sets, ...bindKeys(scope, statement.where, 'UPDATE'), returning: bindReturning(scope, statement.returning) }
}

export function bindDelete(statement: Delete, catalog: Catalog, origin: Origin): DeletePlan {
  const scope = scopeOf(catalog, statement.table, origin)
  return { kind: 'delete', ...bindKeys(scope, statement.where, 'DELETE'), returning: bindReturning(scope, statement.returning) }
}

/** The whole primary key by equality, one of its columns perhaps by a list; 0A000 for every other condition. */
function bindKeys(scope: Scope, where: readonly Term[], statement: string): KeyPlan {
  const { table, origin } = scope
  const operandsOf = new Map<number, readonly Operand[]>()
  for (const term of where) {
    const ordinal = findColumn(scope, term.column)
    const operands = keyOperands(term)
    if (operands === undefined || operandsOf.has(ordinal) || !table.primaryKey.includes(ordinal) || table.hiddenKey) throw keyOnly(scope, statement, term.column.name.tokenIndex)
    operandsOf.set(ordinal, operands)
  }
  if (table.hiddenKey || operandsOf.size !== table.primaryKey.length) throw keyOnly(scope, statement, 0)
  const keys = table.primaryKey.map((ordinal) => ({ column: table.columns[ordinal]!, operands: operandsOf.get(ordinal)! }))
  if (keys.filter(({ operands }) => operands.length > 1).length > 1) throw errorAt(origin, 0, '0A000', `${statement} with several IN lists is not supported`)
  return { table, keys }
}

function keyOperands(term: Term): readonly Operand[] | undefined {
  if (term.kind === 'in') return term.operands
  return term.kind === 'compare' && term.comparison === 'eq' ? [term.operand] : undefined
}

function keyOnly(scope: Scope, statement: string, tokenIndex: number): LsmtError {
  const { table, origin } = scope
  if (table.hiddenKey) return errorAt(origin, tokenIndex, '0A000', `${statement} of a table without a primary key is not supported`)
  const key = table.primaryKey.map((ordinal) => `"${table.columns[ordinal]!.name}"`).join(', ')
  return errorAt(origin, tokenIndex, '0A000', `${statement} with a WHERE other than equality on the whole primary key (${key}) is not supported`)
}
