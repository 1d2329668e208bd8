/** The values of expressions that no row has a part in. */
import type { EngineValue } from '../../engine/engine.ts'
import type { Bound } from '../expression/bound.ts'
import { compile, isFixed } from '../expression/compile.ts'
import type { Run } from '../expression/compile.ts'

/** undefined when it depends on the row, or fails: then the error belongs to the rows it is evaluated for, which may be none. */
export function fixedValue(run: Run, bound: Bound): EngineValue | undefined {
  if (!isFixed(bound)) return undefined
  const evaluate = compile(bound, run)
  try {
    return evaluate([])
  } catch {
    return undefined
  }
}
