/** What the columns of an operator's rows are called. */
import type { BoundSubquery } from '../expression/bound.ts'
import type { QueryNode } from '../operator/node.ts'
import type { Values } from '../value/values.ts'
import { printAggregate, printExpression } from './print-expression.ts'

/** `qualified`: with the tables' names before the columns'. */
export function columnNames(node: QueryNode, values: Values, qualified: boolean): readonly string[] {
  const inner = (input: QueryNode): readonly string[] => columnNames(input, values, qualified)
  switch (node.kind) {
    case 'scan':
      return node.columns.map((ordinal) => `${qualified ? `${node.alias}.` : ''}${node.table.columns[ordinal]!.name}`)
    case 'common':
      return node.plan.columns.map((name) => `${qualified ? `${node.alias}.` : ''}${name}`)
    case 'given':
      return [...node.columns.map((ordinal) => `column ${ordinal + 1}`), 'row number']
    case 'values':
      return (node.rows[0] ?? []).map((_, index) => `column${index + 1}`)
    case 'join':
      return [...inner(node.left), ...inner(node.right)]
    case 'group': {
      const names = inner(node.input)
      return [...node.keys.map((key) => printExpression(key, names, values)), ...node.aggregates.map((aggregate) => printAggregate(aggregate, names, values))]
    }
    case 'project': {
      const names = inner(node.input)
      return node.expressions.map((expression) => printExpression(expression, names, values))
    }
    case 'apply':
      return [...inner(node.input), ...subqueryNames(node.subqueries)]
    case 'set':
      return inner(node.left)
    case 'filter':
    case 'gate':
    case 'distinct':
    case 'sort':
    case 'limit':
      return inner(node.input)
  }
}

/** Whether more than one table is read, so that names of columns alone do not say which. */
export function readsSeveral(node: QueryNode): boolean {
  let count = 0
  const visit = (each: QueryNode): void => {
    if (each.kind === 'scan') count++
    for (const child of childrenOf(each)) visit(child)
  }
  visit(node)
  return count > 1
}

/** The operators below one, those of its subqueries among them. */
export function childrenOf(node: QueryNode): readonly QueryNode[] {
  switch (node.kind) {
    case 'scan':
    case 'values':
    case 'given':
      return []
    case 'common':
      return [node.plan.node]
    case 'set':
      return [node.left, node.right]
    case 'join':
      return [node.left, node.right, ...plansOf(node.asks?.subqueries ?? [])]
    case 'apply':
      return [node.input, ...plansOf(node.subqueries)]
    case 'filter':
    case 'gate':
    case 'project':
    case 'distinct':
    case 'group':
    case 'sort':
    case 'limit':
      return [node.input]
  }
}

function plansOf(subqueries: readonly BoundSubquery[]): readonly QueryNode[] {
  return subqueries.map(({ plan, byKey }) => (byKey?.plan ?? plan) as QueryNode)
}

/** Of the columns of their answers. */
export function subqueryNames(subqueries: readonly BoundSubquery[]): readonly string[] {
  return subqueries.map(({ test }, index) => `(${test} subquery ${index + 1})`)
}
