/** Statements as this version understands them: what the parser's tree is narrowed to, and what the binder takes. */
import type { Comparison } from '../kernel/zone-map.ts'
import type { AggregateFunction } from '../lsm/tree.ts'
import type { ColumnType } from '../engine/schema.ts'
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

export type Term =
  | { readonly kind: 'compare'; readonly column: ColumnRef; readonly comparison: Comparison; readonly operand: Operand }
  | { readonly kind: 'nullTest'; readonly column: ColumnRef; readonly comparison: 'isNull' | 'isNotNull' }
  | { readonly kind: 'in'; readonly column: ColumnRef; readonly operands: readonly Operand[] }

export type SelectItem =
  | { readonly kind: 'star'; readonly table?: Name }
  | { readonly kind: 'column'; readonly column: ColumnRef; readonly alias?: Name }
  | { readonly kind: 'aggregate'; readonly function: AggregateFunction; readonly column?: ColumnRef; readonly alias?: Name }

export interface OrderItem {
  readonly by: ColumnRef | { readonly ordinal: number }
  readonly descending: boolean
}

export interface TableRef {
  readonly name: Name
  readonly alias?: Name
}

export interface ColumnDefinition {
  readonly name: Name
  readonly type: ColumnType
  readonly notNull: boolean
}

export interface CreateTable {
  readonly kind: 'createTable'
  readonly name: Name
  readonly ifNotExists: boolean
  readonly columns: readonly ColumnDefinition[]
  readonly primaryKey: readonly Name[]
  readonly onInsert: 'error' | 'upsert'
}

export interface Insert {
  readonly kind: 'insert'
  readonly table: Name
  readonly columns: readonly Name[] | undefined
  readonly tuples: readonly (readonly Operand[])[]
}

export interface Update {
  readonly kind: 'update'
  readonly table: TableRef
  readonly sets: readonly { readonly column: Name; readonly operand: Operand }[]
  readonly where: readonly Term[]
}

export interface Delete {
  readonly kind: 'delete'
  readonly table: TableRef
  readonly where: readonly Term[]
}

export interface Select {
  readonly kind: 'select'
  readonly items: readonly SelectItem[]
  readonly table: TableRef
  readonly where: readonly Term[]
  readonly orderBy: readonly OrderItem[]
  readonly limit: Operand | undefined
  readonly offset: Operand | undefined
}

export type Statement =
  | CreateTable
  | { readonly kind: 'dropTable'; readonly tables: readonly Name[]; readonly ifExists: boolean }
  | { readonly kind: 'showTables' }
  | Insert
  | Update
  | Delete
  | Select
