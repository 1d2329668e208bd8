/** Values that a statement puts into columns, and rows that it gives back. */
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { ColumnSchema } from '../../engine/schema.ts'
import { errorAt } from '../origin.ts'
import type { Returning, RowValue, SetPlan } from '../plan.ts'
import type { SelectItem } from '../statement.ts'
import type { SetClause, WrittenValue } from '../syntax/write/write-statement.ts'
import { assignTo } from '../value/assign.ts'
import { assignValueTo } from '../value/assign-value.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import { asResult } from '../expression/coerce.ts'
import type { Literals } from '../expression/literal.ts'
import { resultType, valueTypeName } from '../expression/type.ts'
import type { Name } from '../syntax/names.ts'
import type { Expression } from '../syntax/query/query.ts'
import { defaultValue } from './column-default.ts'
import { checkQualifier, findColumn } from './scope.ts'
import type { Scope } from './scope.ts'

/** The row that `excluded` names in ON CONFLICT. */
export const excluded = 'excluded'

/** SET clauses over the existing row and, with `proposes`, the row that an INSERT proposes. 42601 when a column is set twice. */
export function bindSets(scope: Scope, sets: readonly SetClause[], proposes: boolean, literals: Literals): readonly SetPlan[] {
  const seen = new Set<number>()
  return sets.map(({ column: name, value }) => {
    const ordinal = findColumn(scope, { name })
    if (seen.has(ordinal)) throw errorAt(scope.origin, name.tokenIndex, '42601', `column "${name.name}" is set twice`)
    seen.add(ordinal)
    return { ordinal, value: bindValue(scope, scope.table.columns[ordinal]!, value, proposes, literals) }
  })
}

function bindValue(scope: Scope, column: ColumnSchema, value: WrittenValue, proposes: boolean, literals: Literals): RowValue {
  if (value.kind === 'default') return { kind: 'value', value: defaultValue(column) }
  if (value.kind === 'operand') return { kind: 'operand', operand: value.operand, assign: assignTo(column) }
  if (value.kind === 'expression') return bindComputed(scope, column, value.expression, proposes, literals)
  const { name, table } = value.column
  if (proposes && table?.name === excluded && scope.alias === excluded) throw ambiguous(scope, table)
  const row = proposes && table?.name === excluded ? 'proposed' : 'existing'
  const ordinal = findColumn(scope, row === 'proposed' ? { name } : value.column)
  const from = scope.table.columns[ordinal]!
  if (typeName(from.type) !== typeName(column.type)) return bindComputed(scope, column, { kind: 'column', column: value.column, at: name.tokenIndex }, proposes, literals)
  return { kind: 'column', row, ordinal }
}

/** An expression over the row, brought to the column's type as an assignment; 42804 where there is no silent cast. */
function bindComputed(scope: Scope, column: ColumnSchema, expression: Expression, proposes: boolean, literals: Literals): RowValue {
  const bound = asResult(bindExpression(rowScope(scope, proposes, literals), expression))
  const assign = assignValueTo(column, resultType(bound.type))
  if (assign === undefined) throw errorAt(scope.origin, expression.at, '42804', `column "${column.name}" is of type ${typeName(column.type)} but the expression is of type ${valueTypeName(bound.type)}`)
  return { kind: 'expression', bound, assign }
}

function rowScope(scope: Scope, proposes: boolean, literals: Literals): ExpressionScope {
  const { origin, table: { columns } } = scope
  return {
    origin,
    literals,
    column(ref) {
      const isProposed = proposes && ref.table?.name === excluded
      if (isProposed && scope.alias === excluded) throw ambiguous(scope, ref.table)
      const ordinal = findColumn(scope, isProposed ? { name: ref.name } : ref)
      const { name, type } = columns[ordinal]!
      return { kind: 'column', place: { index: isProposed ? columns.length + ordinal : ordinal }, name, type, at: ref.name.tokenIndex }
    },
    aggregate(call) {
      throw errorAt(origin, call.at, '0A000', 'an aggregate in SET is not supported')
    },
    subquery(_query, _test, _operand, at) {
      throw errorAt(origin, at, '0A000', 'a subquery in SET is not supported')
    },
  }
}

function ambiguous({ origin }: Scope, table: Name): Error {
  return errorAt(origin, table.tokenIndex, '42P01', `"${excluded}" is the table as well as the row that is proposed`, 'give the table another name with AS')
}

export function bindReturning(scope: Scope, items: readonly SelectItem[] | undefined): Returning | undefined {
  if (items === undefined) return undefined
  const { columns } = scope.table
  const found = items.flatMap((item): readonly { readonly name: string; readonly ordinal: number }[] => {
    if (item.kind === 'star') {
      checkQualifier(scope, item.table)
      return visibleOrdinals(scope.table).map((ordinal) => ({ name: columns[ordinal]!.name, ordinal }))
    }
    if (item.kind === 'aggregate') throw errorAt(scope.origin, item.column?.name.tokenIndex ?? -1, '0A000', 'an aggregate in RETURNING is not supported')
    return [{ name: (item.alias ?? item.column.name).name, ordinal: findColumn(scope, item.column) }]
  })
  return { output: found.map(({ name, ordinal }) => ({ name, type: columns[ordinal]!.type })), ordinals: found.map(({ ordinal }) => ordinal) }
}
