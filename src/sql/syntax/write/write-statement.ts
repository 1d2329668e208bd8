/** INSERT, UPDATE and DELETE as they are written: names and types unresolved. */
import type { ColumnRef, Operand, Select, SelectItem, TableRef, Term } from '../../statement.ts'
import type { Name } from '../names.ts'
import type { Expression } from '../query/query.ts'

/** A value in VALUES or SET; `default` stands for what the column is when nothing is said. */
export type WrittenValue = { readonly kind: 'operand'; readonly operand: Operand } | { readonly kind: 'column'; readonly column: ColumnRef } | { readonly kind: 'expression'; readonly expression: Expression } | { readonly kind: 'default' }

export interface SetClause {
  readonly column: Name
  readonly value: WrittenValue
}

export interface OnConflict {
  /** The columns named after ON CONFLICT, which must be the primary key. */
  readonly target: readonly Name[] | undefined
  /** Undefined: DO NOTHING. */
  readonly update: readonly SetClause[] | undefined
  readonly tokenIndex: number
}

export type InsertSource = { readonly kind: 'values'; readonly tuples: readonly (readonly WrittenValue[])[] } | { readonly kind: 'query'; readonly query: Select } | { readonly kind: 'defaults' }

export interface Insert {
  readonly kind: 'insert'
  readonly table: TableRef
  readonly columns: readonly Name[] | undefined
  readonly source: InsertSource
  /** UPSERT INTO: existing rows are replaced. */
  readonly upsert: boolean
  readonly onConflict: OnConflict | undefined
  readonly returning: readonly SelectItem[] | undefined
}

export interface Update {
  readonly kind: 'update'
  readonly table: TableRef
  readonly sets: readonly SetClause[]
  readonly where: readonly Term[]
  readonly returning: readonly SelectItem[] | undefined
}

export interface Delete {
  readonly kind: 'delete'
  readonly table: TableRef
  readonly where: readonly Term[]
  readonly returning: readonly SelectItem[] | undefined
}
