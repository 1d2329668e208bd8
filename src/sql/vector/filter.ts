/** The part of a condition that a scan evaluates by itself. */
import type { EngineExpression } from '../../engine/engine.ts'
import { canFail } from '../../engine/expression.ts'
import type { Bound } from '../expression/bound.ts'
import { booleanType } from '../expression/type.ts'
import { lowerExpression } from './lower.ts'
import type { Lowering } from './lowered.ts'

export interface SplitCondition {
  /** At most one, in the form of a scan's conditions. */
  readonly pushed: readonly EngineExpression[]
  /** What is left to be evaluated row by row; undefined: nothing. */
  readonly rest: Bound | undefined
}

/**
 * Conjuncts go down in their order; after one that stays, only those that cannot fail do, so that none raises an error for a row
 * that the one before would have dropped. `partly`: the reader may stop before the last row, and a scan evaluates ahead.
 */
export function splitCondition(lowering: Lowering, condition: Bound | undefined, partly: boolean): SplitCondition {
  if (condition === undefined) return { pushed: [], rest: undefined }
  const pushed: EngineExpression[] = [], rest: Bound[] = []
  for (const item of condition.kind === 'and' ? condition.items : [condition]) {
    const lowered = lowerExpression(lowering, item)
    if (lowered === undefined || ((partly || rest.length > 0) && canFail(lowered))) rest.push(item)
    else pushed.push(lowered)
  }
  return { pushed: pushed.length < 2 ? pushed : [{ kind: 'and', items: pushed }], rest: rest.length < 2 ? rest[0] : { kind: 'and', items: rest, type: booleanType } }
}
