/** Conditions that narrow tables before anything else is done with their rows. */
import type { Expression } from '../../syntax/query/query.ts'
import type { BlockScope, Leaf } from '../scope.ts'
import { takeTerm } from '../terms.ts'
import { noteHint } from './hints.ts'

/** Gives the tables among `leaves` what the conditions tell of them, and back the conditions that are still to be checked. */
export function narrowLeaves(scope: BlockScope, leaves: readonly Leaf[], conditions: readonly Expression[]): readonly Expression[] {
  const open = conditions.filter((each) => !takeTerm(scope, leaves, each))
  for (const each of open) noteHint(scope, leaves, each)
  return open
}
