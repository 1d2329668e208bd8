import type { PhysicalValue } from '../layout.ts'

/** What aggregates ask for. */
export type AggregateFunction = 'count' | 'min' | 'max' | 'sum'
export interface AggregateRequest {
  readonly function: AggregateFunction
  /** Absent for COUNT(*). */
  readonly ordinal?: number | undefined
}

/** What an aggregate over some rows came to; merges with others by `mergePartials` (src/lsm/aggregate.ts). */
export type AggregatePartial =
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'extreme'; readonly function: 'min' | 'max'; readonly value: PhysicalValue | undefined }
  | { readonly kind: 'sumI64'; readonly count: number; readonly sum: bigint }
  | { readonly kind: 'sumF64'; readonly count: number; readonly high: number; readonly low: number }

/** An aggregate by group. */
export interface GroupedAggregateRequest extends AggregateRequest {
  /** Equal values of a group count once: COUNT(DISTINCT …), SUM(DISTINCT …). */
  readonly distinct?: true | undefined
}
