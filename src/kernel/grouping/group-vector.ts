/** A column's values as grouping takes and gives them. */
import type { Pointer } from '../linear-memory.ts'

export interface GroupVector {
  /** Values, or refs for bytes. */
  readonly values: Pointer
  readonly nulls: Pointer
}
