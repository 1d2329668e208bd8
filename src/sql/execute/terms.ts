/** Conditions with the values of one execution. */
import type { EnginePredicateTerm } from '../../engine/engine.ts'
import type { PlanTerm } from '../plan-term.ts'
import { compareWith } from '../value/compare.ts'
import { atOperand } from '../value/values.ts'
import type { Values } from '../value/values.ts'

/** The terms with their values; undefined when no row can satisfy them. */
export function resolveTerms(terms: readonly PlanTerm[], values: Values): readonly EnginePredicateTerm[] | undefined {
  const resolved: EnginePredicateTerm[] = []
  let possible = true
  for (const { ordinal, column, comparison, operand } of terms) {
    if (operand === undefined) {
      resolved.push({ ordinal, comparison })
      continue
    }
    const compared = atOperand(values, operand, (value) => compareWith(column, comparison, value))
    if (compared.kind === 'never') possible = false
    else resolved.push(compared.value === undefined ? { ordinal, comparison: compared.comparison } : { ordinal, comparison: compared.comparison, value: compared.value })
  }
  return possible ? resolved : undefined
}
