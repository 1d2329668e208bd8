/**
 * What is known of one column holds for those that a join makes equal to it: `a.k = b.k AND a.k = 5` bounds both sides.
 * Of a LEFT JOIN's ON only the side that may lack rows learns from the other.
 */
import type { Bound } from '../../expression/bound.ts'
import type { PlanHint, PlanTerm } from '../../plan-term.ts'
import { leavesOf } from '../from-unit.ts'
import type { FromUnit } from '../from-unit.ts'
import type { FromColumn, Leaf } from '../scope.ts'

interface Side {
  readonly leaf: Leaf
  readonly column: FromColumn
}

interface Flow {
  readonly from: Side
  readonly to: Side
}

/** Adds to the terms and hints of the unit's tables what equalities tell; `conditions` hold of its rows. */
export function propagateEqualities(unit: FromUnit, conditions: readonly Bound[]): void {
  const flows = flowsOf(unit, conditions)
  for (let changed = true; changed; ) {
    changed = false
    for (const flow of flows) if (copyKnown(flow)) changed = true
  }
}

function flowsOf(unit: FromUnit, conditions: readonly Bound[]): readonly Flow[] {
  const leaves = leavesOf(unit)
  const here = conditions.flatMap((condition) => bothWays(condition, leaves))
  switch (unit.kind) {
    case 'leaf':
      return here
    case 'forest':
      return [...here, ...unit.conditions.flatMap((condition) => bothWays(condition, leaves)), ...unit.units.flatMap((each) => flowsOf(each, []))]
    case 'left': {
      const right = leavesOf(unit.right)
      const inward = unit.on.flatMap((condition) => bothWays(condition, leaves)).filter(({ to }) => right.includes(to.leaf))
      return [...here, ...inward, ...flowsOf(unit.left, []), ...flowsOf(unit.right, [])]
    }
    case 'full':
      return [...here, ...flowsOf(unit.left, []), ...flowsOf(unit.right, [])]
  }
}

/** Columns of one type compare with values alike. */
function bothWays(condition: Bound, leaves: readonly Leaf[]): readonly Flow[] {
  if (condition.kind !== 'call' || condition.name !== '=') return []
  const [a, b] = condition.args.map((arg) => sideOf(arg, leaves))
  if (a === undefined || b === undefined || a.leaf === b.leaf || a.column.type.kind !== b.column.type.kind) return []
  return [{ from: a, to: b }, { from: b, to: a }]
}

function sideOf(bound: Bound, leaves: readonly Leaf[]): Side | undefined {
  if (bound.kind !== 'column') return undefined
  for (const leaf of leaves) {
    const column = leaf.columns.find(({ place }) => place === bound.place)
    if (column !== undefined) return leaf.source.kind === 'table' ? { leaf, column } : undefined
  }
  return undefined
}

/** True when something was new. */
function copyKnown({ from, to }: Flow): boolean {
  if (to.leaf.source.kind !== 'table') return false
  const target = { ordinal: to.column.ordinal, column: to.leaf.source.table.columns[to.column.ordinal]! }
  const terms = from.leaf.terms.filter(({ ordinal, comparison, operand }) => ordinal === from.column.ordinal && operand !== undefined && comparison !== 'ne').map((term): PlanTerm => ({ ...term, ...target }))
  const newTerms = terms.filter((term) => !to.leaf.terms.some((known) => known.ordinal === term.ordinal && known.comparison === term.comparison && known.operand === term.operand))
  const hints = from.leaf.hints.filter((hint) => hint.kind === 'choice' && hint.columns.length === 1 && hint.columns[0]!.ordinal === from.column.ordinal).map((hint) => ({ ...hint, columns: [target] }) as PlanHint)
  const newHints = hints.filter((hint) => hint.kind === 'choice' && !to.leaf.hints.some((known) => known.kind === 'choice' && known.tuples === hint.tuples && known.columns[0]!.ordinal === target.ordinal))
  to.leaf.terms.push(...newTerms)
  to.leaf.hints.push(...newHints)
  return newTerms.length + newHints.length > 0
}
