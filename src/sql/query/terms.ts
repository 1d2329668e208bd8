/** Conditions that the engine checks itself: a column compared with a value. Their values' types do not matter to the plan. */
import type { Comparison } from '../../kernel/zone-map.ts'
import type { PlanTerm } from '../plan-term.ts'
import type { Operand } from '../operand.ts'
import type { Expression } from '../syntax/query/query.ts'
import { findColumn } from './scope.ts'
import type { BlockScope, FromColumn, Leaf } from './scope.ts'

const comparisons: Readonly<Record<string, Comparison>> = { '=': 'eq', '<>': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' }
const flipped: Readonly<Record<Comparison, Comparison>> = { eq: 'eq', ne: 'ne', lt: 'gt', le: 'ge', gt: 'lt', ge: 'le', isNull: 'isNull', isNotNull: 'isNotNull' }

/** A condition taken apart at its ANDs. */
export function conjuncts(expression: Expression): readonly Expression[] {
  return expression.kind === 'and' ? expression.items.flatMap(conjuncts) : [expression]
}

/** Adds the condition to its table's terms; false when it is another kind of condition. */
export function takeTerm(scope: BlockScope, expression: Expression): boolean {
  if (expression.kind === 'is') return expression.test === 'null' && addTest(scope, expression.operand, expression.negated ? 'isNotNull' : 'isNull')
  if (expression.kind === 'between') return takeBetween(scope, expression)
  if (expression.kind !== 'binary') return false
  const comparison = comparisons[expression.operator]
  if (comparison === undefined) return false
  const { left, right } = expression
  return addTerm(scope, left, comparison, operandOf(right)) || addTerm(scope, right, flipped[comparison], operandOf(left))
}

function takeBetween(scope: BlockScope, { negated, operand, low: from, high: to }: Extract<Expression, { kind: 'between' }>): boolean {
  const [low, high] = [operandOf(from), operandOf(to)]
  if (negated || low === undefined || high === undefined) return false
  return addTerm(scope, operand, 'ge', low) && addTerm(scope, operand, 'le', high)
}

function operandOf(expression: Expression): Operand | undefined {
  return expression.kind === 'operand' ? expression.operand : undefined
}

function addTerm(scope: BlockScope, subject: Expression, comparison: Comparison, operand: Operand | undefined): boolean {
  const found = operand === undefined ? undefined : tableColumn(scope, subject)
  if (found === undefined) return false
  found.leaf.terms.push({ ...found.term, comparison, operand: operand! })
  return true
}

function addTest(scope: BlockScope, subject: Expression, comparison: Comparison): boolean {
  const found = tableColumn(scope, subject)
  found?.leaf.terms.push({ ...found.term, comparison })
  return found !== undefined
}

function tableColumn(scope: BlockScope, expression: Expression): { readonly leaf: Leaf; readonly term: Pick<PlanTerm, 'ordinal' | 'column'> } | undefined {
  const column: FromColumn | undefined = expression.kind === 'column' ? findColumn(scope, expression.column) : undefined
  const leaf = column === undefined ? undefined : scope.leaves.find((each) => each.columns.includes(column))
  if (column === undefined || leaf === undefined || leaf.isNullable || leaf.source.kind !== 'table') return undefined
  return { leaf, term: { ordinal: column.ordinal, column: leaf.source.table.columns[column.ordinal]! } }
}
