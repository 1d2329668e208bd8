/** INSERT, UPDATE and DELETE as they are written: names and types unresolved. */
import type { Name } from '../names.ts'
import type { Expression, FromItem, Query, QueryItem } from '../query/query.ts'

export interface TableRef {
  readonly name: Name
  readonly alias?: Name
}

/** A value in VALUES or SET; `default` stands for what the column is when nothing is said. */
export type WrittenValue = { readonly kind: 'expression'; readonly expression: Expression } | { readonly kind: 'default' }

export interface SetClause {
  readonly column: Name
  readonly value: WrittenValue
}

export interface OnConflict {
  /** The columns named after ON CONFLICT, which must be the primary key. */
  readonly target: readonly Name[] | undefined
  /** Undefined: DO NOTHING. */
  readonly update: { readonly sets: readonly SetClause[]; readonly where: Expression | undefined } | undefined
  readonly tokenIndex: number
}

export type InsertSource = { readonly kind: 'values'; readonly tuples: readonly (readonly WrittenValue[])[] } | { readonly kind: 'query'; readonly query: Query } | { readonly kind: 'defaults' }

export interface Insert {
  readonly kind: 'insert'
  readonly table: TableRef
  readonly columns: readonly Name[] | undefined
  readonly source: InsertSource
  /** UPSERT INTO: existing rows are replaced. */
  readonly upsert: boolean
  readonly onConflict: OnConflict | undefined
  readonly returning: readonly QueryItem[] | undefined
}

export interface Update {
  readonly kind: 'update'
  readonly table: TableRef
  readonly sets: readonly SetClause[]
  /** Tables that the new values and the condition may use as well. */
  readonly from: FromItem | undefined
  readonly where: Expression | undefined
  readonly returning: readonly QueryItem[] | undefined
}

export interface Delete {
  readonly kind: 'delete'
  readonly table: TableRef
  /** USING. */
  readonly from: FromItem | undefined
  readonly where: Expression | undefined
  readonly returning: readonly QueryItem[] | undefined
}
