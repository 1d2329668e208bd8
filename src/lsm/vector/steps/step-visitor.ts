/** A column that goes in steps: stretches of rows with one value, and blocks in which it changes. */
import type { Pointer } from '../../../kernel/linear-memory.ts'
import type { Vector } from '../../page.ts'

/** What goes through a computed column's rows, in order, as long as it returns true. */
export interface StepVisitor {
  /** `count` rows from `first`, a multiple of 1,024, on have the 8-byte value at `value`. */
  level(first: number, count: number, value: Pointer): boolean
  /** Their values, from row `first` on; of rows that are not selected they mean nothing. */
  mixed(first: number, count: number, vector: Vector): boolean
}

/** False when the visitor did not go through all rows. */
export type Steps = (visitor: StepVisitor) => boolean
