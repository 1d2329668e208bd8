/**
 * Subqueries that depend on rows further out by equalities alone. Without these equalities such a query can be run once;
 * the values that they compare with say for which rows each of its own counts.
 */
import type { Bound } from '../../expression/bound.ts'
import { visitBound } from '../../expression/bound.ts'
import type { FromUnit } from '../from-unit.ts'

export interface Correlation {
  /** Conditions that ask nothing of rows further out. */
  readonly rest: readonly Bound[]
  /** Values of the query's rows, and those of rows further out that they must equal. */
  readonly inner: readonly Bound[]
  readonly outer: readonly Bound[]
}

/** undefined when rows further out are asked for by anything but equalities among the conditions. */
export function correlationOf(unit: FromUnit | undefined, conditions: readonly Bound[], others: readonly Bound[]): Correlation | undefined {
  const rest: Bound[] = [], inner: Bound[] = [], outer: Bound[] = []
  for (const condition of conditions) {
    const pair = pairOf(condition)
    if (pair === undefined) rest.push(condition)
    else {
      inner.push(pair.inner)
      outer.push(pair.outer)
    }
  }
  const remaining = [...rest, ...others, ...(unit === undefined ? [] : conditionsWithin(unit))]
  return inner.length === 0 || remaining.some((bound) => holds(bound, 'outer') || holds(bound, 'subquery')) ? undefined : { rest, inner, outer }
}

function pairOf(condition: Bound): { readonly inner: Bound; readonly outer: Bound } | undefined {
  if (condition.kind !== 'call' || condition.name !== '=') return undefined
  const [a, b] = condition.args as [Bound, Bound]
  if (isInner(a) && isOuter(b)) return { inner: a, outer: b }
  return isInner(b) && isOuter(a) ? { inner: b, outer: a } : undefined
}

function isInner(bound: Bound): boolean {
  return holds(bound, 'column') && !holds(bound, 'outer') && !holds(bound, 'subquery')
}

function isOuter(bound: Bound): boolean {
  return holds(bound, 'outer') && !holds(bound, 'column') && !holds(bound, 'subquery')
}

function holds(bound: Bound, kind: Bound['kind']): boolean {
  let found = false
  visitBound(bound, (part) => {
    if (part.kind === kind) found = true
  })
  return found
}

function conditionsWithin(unit: FromUnit): readonly Bound[] {
  switch (unit.kind) {
    case 'leaf':
      return []
    case 'forest':
      return [...unit.conditions, ...unit.units.flatMap(conditionsWithin)]
    case 'left':
    case 'full':
      return [...unit.on, ...conditionsWithin(unit.left), ...conditionsWithin(unit.right)]
  }
}
