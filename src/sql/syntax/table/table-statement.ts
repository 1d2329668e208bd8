/** Statements about tables as they are written: names unresolved. */
import type { ColumnType } from '../../../engine/schema.ts'
import type { Name } from '../names.ts'
import type { DefaultText } from './column-default.ts'

export interface ColumnDefinition {
  readonly name: Name
  readonly type: ColumnType
  readonly notNull: boolean
  readonly default?: DefaultText
}

export interface CreateTable {
  readonly kind: 'createTable'
  readonly name: Name
  readonly ifNotExists: boolean
  readonly columns: readonly ColumnDefinition[]
  readonly primaryKey: readonly Name[]
  readonly onInsert: 'error' | 'upsert'
}

export type AlterStep =
  | { readonly kind: 'addColumn'; readonly column: ColumnDefinition; readonly ifNotExists: boolean }
  | { readonly kind: 'dropColumn'; readonly column: Name; readonly ifExists: boolean }
  | { readonly kind: 'renameColumn'; readonly column: Name; readonly to: Name }
  | { readonly kind: 'setDefault'; readonly column: Name; readonly default: DefaultText | undefined }
  | { readonly kind: 'dropNotNull'; readonly column: Name }
  | { readonly kind: 'renameTable'; readonly to: Name }

export interface AlterTable {
  readonly kind: 'alterTable'
  readonly table: Name
  readonly ifExists: boolean
  readonly step: AlterStep
}

export type TableStatement =
  | CreateTable
  | { readonly kind: 'dropTable'; readonly tables: readonly Name[]; readonly ifExists: boolean }
  | AlterTable
  | { readonly kind: 'truncate'; readonly table: Name }
  | { readonly kind: 'showTables' }
  | { readonly kind: 'showColumns' | 'showCreate'; readonly table: Name }
