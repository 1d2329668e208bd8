/** Statements as this version understands them: what the parser's tree is narrowed to, and what the binder takes. */
import type { Comparison } from '../kernel/zone-map.ts'
import type { AggregateFunction } from '../lsm/tree.ts'
import type { ColumnRef, Operand } from './operand.ts'
import type { Name } from './syntax/names.ts'
import type { Query } from './syntax/query/query.ts'

export type { ColumnRef, Operand } from './operand.ts'

export type Term =
  | { readonly kind: 'compare'; readonly column: ColumnRef; readonly comparison: Comparison; readonly operand: Operand }
  | { readonly kind: 'nullTest'; readonly column: ColumnRef; readonly comparison: 'isNull' | 'isNotNull' }
  | { readonly kind: 'in'; readonly column: ColumnRef; readonly operands: readonly Operand[] }

export type SelectItem =
  | { readonly kind: 'star'; readonly table?: Name }
  | { readonly kind: 'column'; readonly column: ColumnRef; readonly alias?: Name }
  | { readonly kind: 'aggregate'; readonly function: AggregateFunction; readonly column?: ColumnRef; readonly alias?: Name }

export interface TableRef {
  readonly name: Name
  readonly alias?: Name
}

export interface Select {
  readonly kind: 'select'
  readonly query: Query
}
