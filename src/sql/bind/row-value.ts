/** Values that a statement puts into columns, and rows that it gives back. */
import { typeName, visibleOrdinals } from '../../engine/schema.ts'
import type { ColumnSchema } from '../../engine/schema.ts'
import { errorAt } from '../origin.ts'
import type { Returning, RowValue, SetPlan } from '../plan.ts'
import type { SelectItem } from '../statement.ts'
import type { SetClause, WrittenValue } from '../syntax/write/write-statement.ts'
import { assignTo } from '../value/assign.ts'
import { defaultValue } from './column-default.ts'
import { checkQualifier, findColumn } from './scope.ts'
import type { Scope } from './scope.ts'

/** The row that `excluded` names in ON CONFLICT. */
export const excluded = 'excluded'

/** SET clauses over the existing row and, with `proposes`, the row that an INSERT proposes. 42601 when a column is set twice. */
export function bindSets(scope: Scope, sets: readonly SetClause[], proposes: boolean): readonly SetPlan[] {
  const seen = new Set<number>()
  return sets.map(({ column: name, value }) => {
    const ordinal = findColumn(scope, { name })
    if (seen.has(ordinal)) throw errorAt(scope.origin, name.tokenIndex, '42601', `column "${name.name}" is set twice`)
    seen.add(ordinal)
    return { ordinal, value: bindValue(scope, scope.table.columns[ordinal]!, value, proposes) }
  })
}

function bindValue(scope: Scope, column: ColumnSchema, value: WrittenValue, proposes: boolean): RowValue {
  if (value.kind === 'default') return { kind: 'value', value: defaultValue(column) }
  if (value.kind === 'operand') return { kind: 'operand', operand: value.operand, assign: assignTo(column) }
  const { name, table } = value.column
  if (proposes && table?.name === excluded && scope.alias === excluded) throw errorAt(scope.origin, table.tokenIndex, '42P01', `"${excluded}" is the table as well as the row that is proposed`, 'give the table another name with AS')
  const row = proposes && table?.name === excluded ? 'proposed' : 'existing'
  const ordinal = findColumn(scope, row === 'proposed' ? { name } : value.column)
  const from = scope.table.columns[ordinal]!
  if (typeName(from.type) !== typeName(column.type)) throw errorAt(scope.origin, name.tokenIndex, '0A000', `SET of column "${column.name}" of type ${typeName(column.type)} to one of type ${typeName(from.type)} is not supported`)
  return { kind: 'column', row, ordinal }
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
