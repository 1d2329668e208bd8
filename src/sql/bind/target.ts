/** The table that a statement writes, as its expressions see it: columns by ordinal. */
import { visibleOrdinals } from '../../engine/schema.ts'
import type { TableSchema } from '../../engine/schema.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import { bindQuery } from '../query/bind-query.ts'
import { expressionScope } from '../query/expression-scope.ts'
import { newScope, visibleOf } from '../query/scope.ts'
import type { BlockScope, Leaf, StatementContext, VisibleColumn } from '../query/scope.ts'
import type { Name } from '../syntax/names.ts'
import type { TableRef } from '../syntax/write/write-statement.ts'
import { findTable } from './scope.ts'

export interface Target {
  /** What columns may be qualified with. */
  readonly name: Name
  readonly table: TableSchema
  readonly leaf: Leaf
  /** Where only the table is seen. */
  readonly scope: BlockScope
}

export function bindTarget(context: StatementContext, { name, alias }: TableRef): Target {
  const table = findTable(context.catalog, name, context.origin)
  const leaf = rowLeaf(table, (alias ?? name).name, 0)
  return { name: alias ?? name, table, leaf, scope: scopeOver(context, [leaf], visibleOf(leaf)) }
}

/** The row that an INSERT proposes: `excluded`, behind the existing one; only a qualified name means it. */
export const excluded = 'excluded'

export function proposedLeaf({ table }: Target): Leaf {
  return rowLeaf(table, excluded, table.columns.length)
}

function rowLeaf(table: TableSchema, alias: string, base: number): Leaf {
  const columns = visibleOrdinals(table).map((ordinal) => {
    const { name, type } = table.columns[ordinal]!
    return { name, type, ordinal: base + ordinal, place: { index: base + ordinal }, isUsed: false }
  })
  return { alias, columns, source: { kind: 'table', table }, terms: [], hints: [], isNullable: false }
}

/** `visible`: what bare names mean. */
export function scopeOver(context: StatementContext, leaves: readonly Leaf[], visible: readonly VisibleColumn[]): BlockScope {
  const scope = newScope(context, undefined)
  scope.leaves.push(...leaves)
  scope.names = { leaves, visible }
  return scope
}

/** Expressions without aggregates, of which `clause` names the place. */
export function expressionsIn(scope: BlockScope, clause: string): ExpressionScope {
  return expressionScope(scope, bindQuery, clause)
}
