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
      const found: FoundSubquery[] = []
      const prepared = expressions.map((expression) => withoutSubqueries(expression, found))
      if (found.length === 0) return [node, prepared]
      for (const { place } of found) place.index = next++
      return [{ kind: 'apply', input: node, subqueries: found.map(({ subquery }) => subquery) }, prepared]
    },
  }
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
