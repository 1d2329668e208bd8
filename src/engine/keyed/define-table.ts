/**
 * Tables given in TypeScript, so that the compiler knows their rows:
 *
 *   const trips = defineTable('trips', { id: 'bigint', city: 'text', fare: 'numeric(8,2)?' }, { key: 'id' })
 *
 * A type with a question mark may be null. The definition is plain data; what is stored is compared with it when the
 * table is opened.
 */
import { LsmtError } from '../../errors.ts'
import type { NewTable } from '../engine.ts'
import type { ColumnSchema, ColumnType } from '../schema.ts'
import { checkList, checkObject, checkOptions, checkText } from './given.ts'

type NumberType = 'smallint' | 'integer' | 'double'
type TextType = 'text' | `varchar(${number})`
type NumericType = `numeric(${number},${number})` | `numeric(${number})`
export type ValueType = NumberType | 'bigint' | NumericType | TextType | 'boolean' | 'timestamp' | 'date' | 'bytea'

/** A column's type; with a question mark it may be null. */
export type ColumnDefinition = ValueType | `${ValueType}?`
export type ColumnDefinitions = Readonly<Record<string, ColumnDefinition>>

/** A value as it is read: BIGINT is a bigint beyond 2^53-1, NUMERIC text, TIMESTAMP and DATE ISO 8601 text. */
type ReadValue<T> = T extends NumberType ? number : T extends 'bigint' ? number | bigint : T extends 'boolean' ? boolean : T extends 'bytea' ? Uint8Array : string
/** A value as it may be given to be written. */
type GivenValue<T> = T extends NumericType ? string | number | bigint : T extends NumberType ? number | bigint : ReadValue<T>

type Bare<T> = T extends `${infer Type}?` ? Type : T
type NullableNames<Columns> = { [Name in keyof Columns]: Columns[Name] extends `${string}?` ? Name : never }[keyof Columns]

/** The columns of a primary key, in its order. */
type KeyNames = readonly [string, ...string[]]

export interface TableDefinition<Columns extends ColumnDefinitions = ColumnDefinitions, Key extends KeyNames = KeyNames> {
  readonly name: string
  readonly columns: Columns
  readonly key: Key
  /** What a plain INSERT in SQL does with a key that exists; `put` replaces always. */
  readonly onInsert: 'error' | 'upsert'
}

/** A row as it is read. */
export type RowOf<Definition extends TableDefinition> = RowOfColumns<Definition['columns']>
type RowOfColumns<Columns> = { readonly [Name in keyof Columns]: ReadValue<Bare<Columns[Name]>> | (Columns[Name] extends `${string}?` ? null : never) }

/** A row as it may be written: what may be null may be left out. */
export type NewRowOf<Definition extends TableDefinition> = NewRowOfColumns<Definition['columns']>
type NewRowOfColumns<Columns> = { readonly [Name in Exclude<keyof Columns, NullableNames<Columns>>]: GivenValue<Bare<Columns[Name]>> } & { readonly [Name in NullableNames<Columns>]?: GivenValue<Bare<Columns[Name]>> | null | undefined }

/** The key's value, or, of a key of several columns, their values. */
export type KeyOf<Definition extends TableDefinition> = Definition['key'] extends readonly [infer Only extends string] ? GivenValue<Definition['columns'][Only]> : KeyValues<Definition['columns'], Definition['key']>
type KeyValues<Columns extends ColumnDefinitions, Key extends readonly string[]> = { readonly [Index in keyof Key]: GivenValue<Columns[Key[Index]]> }

/** A key, or the first values of one. */
export type KeyPrefixOf<Definition extends TableDefinition> = KeyOf<Definition> | Prefixes<KeyValues<Definition['columns'], Definition['key']>>
type Prefixes<Values extends readonly unknown[]> = Values extends readonly [...infer Head, infer _] ? (Head extends readonly [] ? Values : Values | Prefixes<Readonly<Head>>) : never

/** Columns that may stand in a key: those that cannot be null. */
type KeyColumn<Columns> = Exclude<keyof Columns, NullableNames<Columns>> & string

export interface DefineTableOptions<Key> {
  /** The column, or the columns in order, of the primary key. */
  readonly key: Key
  /** Default 'error'. */
  readonly onInsert?: 'error' | 'upsert'
}

/** A table's definition. 22023 for what is no type, and for a key that is none. */
export function defineTable<const Columns extends ColumnDefinitions, const Key extends KeyColumn<Columns>>(name: string, columns: Columns, options: DefineTableOptions<Key>): TableDefinition<Columns, readonly [Key]>
export function defineTable<const Columns extends ColumnDefinitions, const Key extends readonly [KeyColumn<Columns>, ...KeyColumn<Columns>[]]>(name: string, columns: Columns, options: DefineTableOptions<Key>): TableDefinition<Columns, Key>
export function defineTable(name: string, columns: ColumnDefinitions, options: DefineTableOptions<string | KeyNames>): TableDefinition {
  checkOptions(options, ['key', 'onInsert'], 'the options of a definition')
  const { key, onInsert = 'error' } = options
  const definition: TableDefinition = { name, columns: { ...columns }, key: typeof key === 'string' ? [key] : key, onInsert }
  const { primaryKey, columns: schemas } = newTableOf(definition)
  if (primaryKey.length === 0) throw new LsmtError('22023', `table "${name}" needs a key`)
  const nullable = primaryKey.find((ordinal) => !schemas[ordinal]!.notNull)
  if (nullable !== undefined) throw new LsmtError('22023', `column "${schemas[nullable]!.name}" of the key of table "${name}" cannot be null: write its type without a question mark`)
  return definition
}

/** The table that a definition asks for. */
export function newTableOf(definition: TableDefinition): NewTable {
  checkObject(definition, 'the definition of a table')
  const { name, columns, key, onInsert } = definition
  checkText(name, 'the name of a table')
  checkObject(columns, `what names the columns of table "${name}"`)
  checkList(key, `the key of table "${name}"`)
  const names = Object.keys(columns)
  const primaryKey = key.map((column) => {
    const ordinal = names.indexOf(column)
    if (ordinal < 0) throw new LsmtError('22023', `the key of table "${name}" names column "${column}", which is not among ${names.join(', ')}`)
    return ordinal
  })
  return { name, columns: names.map((column) => columnSchema(column, columns[column]!)), primaryKey, onInsert }
}

function columnSchema(name: string, definition: string): ColumnSchema {
  checkText(definition, `the type of column "${name}"`)
  const notNull = !definition.endsWith('?')
  return { name, type: columnType(name, notNull ? definition : definition.slice(0, -1)), notNull }
}

const typesWithDigits = /^(varchar|numeric)\((\d+)(?:,(\d+))?\)$/

function columnType(column: string, text: string): ColumnType {
  switch (text) {
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'text':
    case 'boolean':
    case 'timestamp':
    case 'date':
    case 'bytea':
      return { kind: text }
  }
  const [, kind, first, second] = typesWithDigits.exec(text) ?? []
  if (kind === 'numeric') return { kind, precision: Number(first), scale: Number(second ?? 0) }
  if (kind === 'varchar' && second === undefined) return { kind: 'text', lengthMax: Number(first) }
  throw new LsmtError('22023', `'${text}' of column "${column}" is no type; types are smallint, integer, bigint, double, numeric(p,s), text, varchar(n), boolean, timestamp, date and bytea, with a question mark where null may stand`)
}
