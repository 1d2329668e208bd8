/** The smallest parts of statements: columns by name, and values by slot. */
import type { Name } from './syntax/names.ts'

export interface ColumnRef {
  readonly name: Name
  /** `t` in `t.name`. */
  readonly table?: Name
}

/** A value in a statement. */
export type Operand =
  | { readonly kind: 'slot'; readonly slot: number; readonly negative: boolean }
  | { readonly kind: 'constant'; readonly value: null | boolean }
