/** Conditions that the engine checks itself, and what others tell of where rows can be. */
import type { ColumnSchema } from '../engine/schema.ts'
import type { Comparison } from '../kernel/zone-map.ts'
import type { Operand } from './operand.ts'

/** A condition on a column whose value is still to come. */
export interface PlanTerm {
  readonly ordinal: number
  readonly column: ColumnSchema
  readonly comparison: Comparison
  /** Absent for isNull and isNotNull. */
  readonly operand?: Operand
}

interface PlanColumn {
  readonly ordinal: number
  readonly column: ColumnSchema
}

/**
 * What follows from a condition that is checked above a scan and narrows what has to be read: the values of some columns
 * are one of several tuples, or a text begins like a LIKE pattern.
 */
export type PlanHint =
  | { readonly kind: 'choice'; readonly columns: readonly PlanColumn[]; readonly tuples: readonly (readonly Operand[])[] }
  | (PlanColumn & { readonly kind: 'like'; readonly pattern: Operand; readonly escape: Operand | undefined })
