/** Values that a statement puts into columns, and rows that it gives back. */
import type { ColumnSchema } from '../../engine/schema.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import type { Bound } from '../expression/bound.ts'
import { asResult } from '../expression/coerce.ts'
import { errorAt } from '../origin.ts'
import type { Returning, RowValue, RowWork, SetPlan } from '../plan.ts'
import { resultColumn } from '../query/plan-query.ts'
import { hasSubquery } from '../query/row-layout.ts'
import { rowWork } from '../query/rows/row-work.ts'
import type { StatementContext } from '../query/scope.ts'
import { bindItems } from '../query/select-list.ts'
import type { QueryItem } from '../syntax/query/query.ts'
import type { SetClause, TableRef, WrittenValue } from '../syntax/write/write-statement.ts'
import { bindAssigned } from './assigned-value.ts'
import { columnDefault } from './column-default.ts'
import { bindTarget, expressionsIn } from './target.ts'
import type { Target } from './target.ts'

/** SET clauses; 42601 when a column is set twice. */
export function bindSets({ table }: Target, expressions: ExpressionScope, sets: readonly SetClause[]): readonly SetPlan[] {
  const { origin } = expressions
  const seen = new Set<number>()
  return sets.map(({ column: { name, tokenIndex }, value }) => {
    const ordinal = table.columns.findIndex((column, at) => column.name === name && column.dropped !== true && !(table.hiddenKey && at === 0))
    if (ordinal < 0) throw errorAt(origin, tokenIndex, '42703', `column "${name}" does not exist in table "${table.name}"`)
    if (seen.has(ordinal)) throw errorAt(origin, tokenIndex, '42601', `column "${name}" is set twice`)
    seen.add(ordinal)
    return { ordinal, value: bindValue(expressions, table.columns[ordinal]!, value) }
  })
}

export function bindValue(expressions: ExpressionScope, column: ColumnSchema, value: WrittenValue): RowValue {
  return value.kind === 'default' ? columnDefault(column) : bindAssigned(expressions, column, value.expression)
}

export function asksSubqueries(values: readonly RowValue[]): boolean {
  return values.some((value) => value.kind === 'expression' && hasSubquery(value.bound))
}

/** The values over what `plan` makes to work out their expressions. */
export function workedOut(values: readonly RowValue[], plan: (expressions: readonly Bound[]) => RowWork): { readonly values: readonly RowValue[]; readonly work: RowWork } {
  const expressions: Bound[] = []
  const over = values.map((value): RowValue => {
    if (value.kind !== 'expression') return value
    const { bound } = value
    return { ...value, bound: { kind: 'column', place: { index: expressions.push(bound) }, name: '', type: bound.type, at: -1 } }
  })
  return { values: over, work: plan(expressions) }
}

/** Over the table anew, since operators give the columns that they use other places. */
export function bindReturning(context: StatementContext, table: TableRef, items: readonly QueryItem[] | undefined): Returning | undefined {
  if (items === undefined) return undefined
  const { leaf, scope } = bindTarget(context, table)
  const bound = bindItems(scope, expressionsIn(scope, 'RETURNING'), items)
  const expressions = bound.map((item) => asResult(item.bound))
  const output = bound.map(({ name }, index) => resultColumn({ name, type: expressions[index]!.type }))
  return { output, expressions, work: expressions.some(hasSubquery) ? rowWork([leaf], undefined, [], expressions) : undefined }
}
