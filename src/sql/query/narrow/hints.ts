/**
 * What conditions that are checked above a scan say of where its rows can be: IN lists, ORs of equalities and LIKE. They
 * are true of no null, so they may narrow a table before an outer join too.
 */
import type { Operand } from '../../operand.ts'
import type { Expression } from '../../syntax/query/query.ts'
import type { BlockScope, Leaf } from '../scope.ts'
import { conjuncts, operandOf, tableColumn } from '../terms.ts'
import type { TableColumn } from '../terms.ts'

/** Adds what the condition tells to the hints of its table, when that is one of `leaves`. */
export function noteHint(scope: BlockScope, leaves: readonly Leaf[], expression: Expression): void {
  if (expression.kind === 'like') addLike(scope, leaves, expression)
  if (expression.kind !== 'in' && expression.kind !== 'or') return
  const branches = expression.kind === 'or' ? expression.items : [expression]
  addChoice(branches.map((branch) => alternatives(scope, leaves, branch)))
}

/** What one side of an OR says of columns: each with the values it may have. */
type Alternatives = readonly { readonly of: TableColumn; readonly operands: readonly Operand[] }[]

function alternatives(scope: BlockScope, leaves: readonly Leaf[], branch: Expression): Alternatives {
  return conjuncts(branch).flatMap((each) => {
    if (each.kind === 'or') return nestedOr(scope, leaves, each)
    const found = each.kind === 'in' ? memberOf(scope, leaves, each) : each.kind === 'binary' && each.operator === '=' ? equalityOf(scope, leaves, each) : undefined
    return found === undefined ? [] : [found]
  })
}

/** An OR of equalities of one column is a list of values. */
function nestedOr(scope: BlockScope, leaves: readonly Leaf[], { items }: Extract<Expression, { kind: 'and' | 'or' }>): Alternatives {
  const sides = items.map((item) => alternatives(scope, leaves, item))
  const [first] = sides
  if (first === undefined || sides.some((side) => side.length !== 1 || !isSame(side[0]!.of, first[0]!.of))) return []
  return [{ of: first[0]!.of, operands: sides.flatMap(([only]) => only!.operands) }]
}

function isSame(a: TableColumn, b: TableColumn): boolean {
  return a.leaf === b.leaf && a.term.ordinal === b.term.ordinal
}

function memberOf(scope: BlockScope, leaves: readonly Leaf[], { negated, operand, items }: Extract<Expression, { kind: 'in' }>): Alternatives[number] | undefined {
  const of = negated ? undefined : tableColumn(scope, leaves, operand)
  const operands = items.map(operandOf)
  return of === undefined || operands.includes(undefined) ? undefined : { of, operands: operands as Operand[] }
}

function equalityOf(scope: BlockScope, leaves: readonly Leaf[], { left, right }: Extract<Expression, { kind: 'binary' }>): Alternatives[number] | undefined {
  const [a, b] = [operandOf(left), operandOf(right)]
  const operand = a ?? b
  const of = operand === undefined ? undefined : tableColumn(scope, leaves, a === undefined ? left : right)
  return of === undefined || operand === undefined ? undefined : { of, operands: [operand] }
}

const tuplesMax = 50_000

/** The columns that all branches name, with the tuples of their values. */
function addChoice(branches: readonly Alternatives[]): void {
  const [first] = branches
  if (first === undefined) return
  const shared = first.filter(({ of }, index) => first.findIndex((other) => isSame(other.of, of)) === index && branches.every((branch) => branch.some((each) => isSame(each.of, of))))
  for (const leaf of new Set(shared.map(({ of }) => of.leaf))) {
    const columns = shared.filter(({ of }) => of.leaf === leaf).map(({ of }) => of)
    const tuples = branches.flatMap((branch) => product(columns.map((column) => branch.find(({ of }) => isSame(of, column))!.operands)))
    if (tuples.length > 0 && tuples.length <= tuplesMax) leaf.hints.push({ kind: 'choice', columns: columns.map(({ term }) => term), tuples })
  }
}

/** All ways to take one operand of each list; none when they are too many. */
function product(lists: readonly (readonly Operand[])[]): readonly (readonly Operand[])[] {
  if (lists.reduce((count, list) => count * list.length, 1) > tuplesMax) return []
  return lists.reduce<readonly (readonly Operand[])[]>((tuples, list) => tuples.flatMap((tuple) => list.map((operand) => [...tuple, operand])), [[]])
}

function addLike(scope: BlockScope, leaves: readonly Leaf[], { caseless, negated, left, right, escape }: Extract<Expression, { kind: 'like' }>): void {
  const pattern = operandOf(right)
  const escaping = escape === undefined ? undefined : operandOf(escape)
  if (caseless || negated || pattern === undefined || (escape !== undefined && escaping === undefined)) return
  const found = tableColumn(scope, leaves, left)
  if (found?.term.column.type.kind === 'text') found.leaf.hints.push({ kind: 'like', ...found.term, pattern, escape: escaping })
}
