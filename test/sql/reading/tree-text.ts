/** Our trees of expressions as text, of the form that the oracle gives. */
import type { Expression } from '../../../src/sql/syntax/query/query.ts'

export function treeText(expression: Expression): string {
  const list = (items: readonly Expression[]): string => items.map(treeText).join(' ')
  switch (expression.kind) {
    case 'column':
      return expression.column.name.name
    case 'operand': {
      const { operand } = expression
      if (operand.kind === 'constant') return String(operand.value)
      return operand.negative ? `(- $${operand.slot + 1})` : `$${operand.slot + 1}`
    }
    case 'unary':
      return `(${expression.operator} ${treeText(expression.operand)})`
    case 'not':
      return `(not ${treeText(expression.operand)})`
    case 'binary':
      return `(${expression.operator} ${list([expression.left, expression.right])})`
    case 'and':
    case 'or':
      return expression.items.slice(1).reduce((left, item) => `(${expression.kind} ${left} ${treeText(item)})`, treeText(expression.items[0]!))
    case 'is':
      return `(is ${expression.negated ? 'not ' : ''}${expression.test} ${treeText(expression.operand)})`
    case 'distinct':
      return `(${expression.negated ? 'not ' : ''}distinct ${list([expression.left, expression.right])})`
    case 'like':
      return `(${expression.negated ? 'not ' : ''}${expression.caseless ? 'ilike' : 'like'} ${list([expression.left, expression.right, ...(expression.escape === undefined ? [] : [expression.escape])])})`
    case 'between':
      return `(${expression.negated ? 'not ' : ''}between ${expression.symmetric ? 'symmetric ' : ''}${list([expression.operand, expression.low, expression.high])})`
    case 'in':
      return `(${expression.negated ? 'not ' : ''}in ${treeText(expression.operand)} [${list(expression.items)}])`
    case 'case': {
      const { operand, branches, otherwise } = expression
      const subject = operand === undefined ? '' : `${treeText(operand)} `
      return `(case ${subject}${branches.map(({ when, result }) => list([when, result])).join(' ')}${otherwise === undefined ? '' : ` else ${treeText(otherwise)}`})`
    }
    case 'cast':
      return `(cast ${treeText(expression.operand)} ${expression.type.kind})`
    case 'call':
      return `(${expression.name} ${list(expression.args)})`
    case 'word':
    case 'number':
    case 'interval':
    case 'inQuery':
    case 'exists':
    case 'quantified':
    case 'scalar':
      throw new Error(`no text for ${expression.kind}`)
  }
}

/** Signs before a value are part of it; so are they here. */
export function withSignsFolded(tree: string): string {
  let folded = tree
  for (let before = ''; before !== folded; ) {
    before = folded
    folded = folded.replaceAll(/\(\+ (\$\d+|\(- \$\d+\))\)/g, '$1').replaceAll(/\(- \(- (\$\d+)\)\)/g, '$1')
  }
  return folded
}
