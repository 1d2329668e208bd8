/** An expression on its way into a column. */
import { typeName } from '../../engine/schema.ts'
import type { ColumnSchema } from '../../engine/schema.ts'
import { bindExpression } from '../expression/bind-expression.ts'
import type { ExpressionScope } from '../expression/bind-expression.ts'
import { asResult } from '../expression/coerce.ts'
import { resultType, valueTypeName } from '../expression/type.ts'
import { errorAt } from '../origin.ts'
import type { RowValue } from '../plan.ts'
import type { Expression } from '../syntax/query/query.ts'
import { assignTo } from '../value/assign.ts'
import { assignValueTo } from '../value/assign-value.ts'

/** A single literal or parameter takes the column's type; anything else has a type of its own, which must fit by itself (42804). */
export function bindAssigned(expressions: ExpressionScope, column: ColumnSchema, expression: Expression): Extract<RowValue, { kind: 'operand' | 'expression' }> {
  if (expression.kind === 'operand') return { kind: 'operand', operand: expression.operand, assign: assignTo(column) }
  const bound = asResult(bindExpression(expressions, expression))
  const assign = assignValueTo(column, resultType(bound.type))
  if (assign === undefined) throw errorAt(expressions.origin, expression.at, '42804', `column "${column.name}" is of type ${typeName(column.type)} but the expression is of type ${valueTypeName(bound.type)}`)
  return { kind: 'expression', bound, assign, at: expression.at }
}
