/** Conditions that the engine checks itself. */
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
