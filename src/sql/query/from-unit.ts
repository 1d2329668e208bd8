/** FROM with its names and conditions bound and nothing planned. */
import type { Bound } from '../expression/bound.ts'
import type { Leaf } from './scope.ts'

export type FromUnit =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | { readonly kind: 'forest'; readonly units: readonly FromUnit[]; readonly conditions: readonly Bound[] }
  /** A RIGHT JOIN is a left one with its sides changed. */
  | { readonly kind: 'left' | 'full'; readonly left: FromUnit; readonly right: FromUnit; readonly on: readonly Bound[] }

/** In the order in which the unit joins them. */
export function leavesOf(unit: FromUnit): readonly Leaf[] {
  switch (unit.kind) {
    case 'leaf':
      return [unit.leaf]
    case 'forest':
      return unit.units.flatMap(leavesOf)
    case 'left':
    case 'full':
      return [...leavesOf(unit.left), ...leavesOf(unit.right)]
  }
}
