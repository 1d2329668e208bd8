/** What a condition on groups begins with, in a form that is evaluated over many of them at once. */

/** Of what stands at an index in a row of keys and aggregates with a finite number; null satisfies none. */
export interface GroupComparison {
  readonly index: number
  readonly comparison: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'
  readonly value: number
}

export interface LeadingComparisons {
  /** Where one of these does not hold, the condition does not, and need not be asked. */
  readonly comparisons: readonly GroupComparison[]
  /** They are all of it. */
  readonly isWhole: boolean
}
