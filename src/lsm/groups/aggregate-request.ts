/** What aggregates ask for. */
export type AggregateFunction = 'count' | 'min' | 'max' | 'sum'
export interface AggregateRequest {
  readonly function: AggregateFunction
  /** Absent for COUNT(*). */
  readonly ordinal?: number
}

/** An aggregate by group. */
export interface GroupedAggregateRequest extends AggregateRequest {
  /** Equal values of a group count once: COUNT(DISTINCT …), SUM(DISTINCT …). */
  readonly distinct?: true
}
