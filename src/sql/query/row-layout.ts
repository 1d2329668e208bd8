/** Rows of a block as they get longer: each subquery's answer becomes a column of its own. */
import type { Bound, BoundSubquery, Place } from '../expression/bound.ts'
import { mapBound } from '../expression/bound.ts'
import type { QueryNode } from '../operator/node.ts'

export interface RowLayout {
  /** The node with answers to the subqueries that stand in the expressions, and the expressions in terms of them. */
  prepare(node: QueryNode, expressions: readonly Bound[]): [QueryNode, readonly Bound[]]
}

/** For rows that have `width` columns so far. */
export function createRowLayout(width: number): RowLayout {
  let next = width
  return {
    prepare(node, expressions) {
      const taken = takeSubqueries(expressions, next)
      const { subqueries } = taken
      next += subqueries.length
      return [subqueries.length === 0 ? node : { kind: 'apply', input: node, subqueries }, taken.expressions]
    },
  }
}

/** The subqueries that stand in the expressions, and these in terms of answers that are columns from `next` on. */
export function takeSubqueries(expressions: readonly Bound[], next: number): { readonly subqueries: readonly BoundSubquery[]; readonly expressions: readonly Bound[] } {
  const found: FoundSubquery[] = []
  const without = expressions.map((expression) => withoutSubqueries(expression, found))
  for (const [index, { place }] of found.entries()) place.index = next + index
  return { subqueries: found.map(({ subquery }) => subquery), expressions: without }
}

interface FoundSubquery {
  readonly subquery: BoundSubquery
  readonly place: Place
}

export function hasSubquery(bound: Bound): boolean {
  return withoutSubqueries(bound, []) !== bound
}

/** Inner ones (on the left of IN) come before those that need them. */
function withoutSubqueries(bound: Bound, found: FoundSubquery[]): Bound {
  let isAny = false
  const without = mapBound(bound, (part) => {
    if (part.kind !== 'subquery') return undefined
    isAny = true
    const { operand } = part.subquery
    const subquery = operand === undefined ? part.subquery : { ...part.subquery, operand: withoutSubqueries(operand, found) }
    const place = { index: -1 }
    found.push({ subquery, place })
    return { kind: 'column', place, name: '', type: part.type, at: -1 }
  })
  return isAny ? without : bound
}
