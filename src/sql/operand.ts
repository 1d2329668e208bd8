/** The smallest parts of statements: columns by name, and values by slot. */
import type { Name } from './syntax/names.ts'

export interface ColumnRef {
  readonly name: Name
  /** `t` in `t.name`. */
  readonly table?: Name
}

/**
 * A value in a statement. Slots count from 0; what stands behind the tuples of VALUES, of which the statement may have
 * more than its shape, counts back from the last one, which is -1.
 */
export type Operand =
  | { readonly kind: 'slot'; readonly slot: number; readonly negative: boolean }
  | { readonly kind: 'constant'; readonly value: null | boolean }
