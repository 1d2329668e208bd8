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

/**
 * Adds the condition to the terms of its table, when that is one of `leaves`. False when it has to be checked
 * nevertheless: it is another kind of condition, or the table's columns are null where an outer join found no row for it.
 */
export function takeTerm(scope: BlockScope, leaves: readonly Leaf[], expression: Expression): boolean {
  if (expression.kind === 'is') return expression.test === 'null' && addTest(scope, leaves, expression.operand, expression.negated ? 'isNotNull' : 'isNull')
  if (expression.kind === 'between') return takeBetween(scope, leaves, expression)
  if (expression.kind !== 'binary') return false
  const comparison = comparisons[expression.operator]
  if (comparison === undefined) return false
  const { left, right } = expression
  return addTerm(scope, leaves, left, comparison, operandOf(right)) || addTerm(scope, leaves, right, flipped[comparison], operandOf(left))
}

function takeBetween(scope: BlockScope, leaves: readonly Leaf[], { negated, symmetric, operand, low: from, high: to }: Extract<Expression, { kind: 'between' }>): boolean {
  const [low, high] = [operandOf(from), operandOf(to)]
  if (negated || symmetric || low === undefined || high === undefined) return false
  const isAbove = addTerm(scope, leaves, operand, 'ge', low)
  return addTerm(scope, leaves, operand, 'le', high) && isAbove
}

export function operandOf(expression: Expression): Operand | undefined {
  return expression.kind === 'operand' ? expression.operand : undefined
}

/** A comparison is true of no null, so it may narrow the table before an outer join too. */
function addTerm(scope: BlockScope, leaves: readonly Leaf[], subject: Expression, comparison: Comparison, operand: Operand | undefined): boolean {
  const found = operand === undefined ? undefined : tableColumn(scope, leaves, subject)
  if (found === undefined) return false
  found.leaf.terms.push({ ...found.term, comparison, operand: operand! })
  return !found.leaf.isNullable
}

function addTest(scope: BlockScope, leaves: readonly Leaf[], subject: Expression, comparison: Comparison): boolean {
  const found = tableColumn(scope, leaves, subject)
  if (found === undefined || (found.leaf.isNullable && comparison === 'isNull')) return false
  found.leaf.terms.push({ ...found.term, comparison })
  return !found.leaf.isNullable
}

export interface TableColumn {
  readonly leaf: Leaf
  readonly term: Pick<PlanTerm, 'ordinal' | 'column'>
}

/** The expression as a column of a table among `leaves`. */
export function tableColumn(scope: BlockScope, leaves: readonly Leaf[], expression: Expression): TableColumn | undefined {
  const named = expression.kind === 'column' ? findColumn(scope, expression.column) : undefined
  const column: FromColumn | undefined = named?.sources.length === 1 ? named.sources[0] : undefined
  const leaf = column === undefined ? undefined : leaves.find((each) => each.columns.includes(column))
  if (column === undefined || leaf === undefined || leaf.source.kind !== 'table') return undefined
  return { leaf, term: { ordinal: column.ordinal, column: leaf.source.table.columns[column.ordinal]! } }
}
