/** Keyed tables whose rows the compiler knows. They are opened only when what is stored is what was defined. */
import { LsmtError } from '../../errors.ts'
import type { Engine } from '../engine.ts'
import { typeName, visibleOrdinals } from '../schema.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import { newTableOf } from './define-table.ts'
import type { KeyOf, KeyPrefixOf, NewRowOf, RowOf, TableDefinition } from './define-table.ts'
import type { UserColumns } from './kv-columns.ts'
import { openKeyedTable } from './kv-table.ts'
import type { KeyedTable } from './kv-table.ts'
import type { KeyedEngine, KeyReadOptions, KeyScanOptions } from './keyed-engine.ts'
import type { KeyCursor } from './kv-cursor.ts'
import type { ReadSnapshot } from './read-snapshot.ts'

export interface TypedReadOptions<Column extends string> extends KeyReadOptions {
  readonly columns?: readonly Column[]
}

export interface TypedRange<KeyPrefix> {
  readonly gt?: KeyPrefix
  readonly gte?: KeyPrefix
  readonly lt?: KeyPrefix
  readonly lte?: KeyPrefix
}

export interface TypedScanOptions<KeyPrefix, Column extends string> extends TypedRange<KeyPrefix>, TypedReadOptions<Column>, Pick<KeyScanOptions, 'reverse' | 'limit' | 'signal'> {}

export type TypedBatchOperation<NewRow, Key> = { readonly put: NewRow } | { readonly delete: Key }

type ColumnOf<Row> = keyof Row & string

/** As `ColumnReader`, with the types of a definition. */
export interface TypedColumnReader<Key, Value> {
  getSync(key: Key, snapshot?: ReadSnapshot): Value | undefined
  get(key: Key, snapshot?: ReadSnapshot): Promise<Value | undefined>
}

/** As `KeyedTable`, with the types of a definition. */
export interface TypedTable<Definition extends TableDefinition, Row = RowOf<Definition>, NewRow = NewRowOf<Definition>, Key = KeyOf<Definition>, KeyPrefix = KeyPrefixOf<Definition>> {
  readonly name: string
  put(row: NewRow): Promise<void>
  getSync<Column extends ColumnOf<Row> = ColumnOf<Row>>(key: Key, options?: TypedReadOptions<Column>): Pick<Row, Column> | undefined
  get<Column extends ColumnOf<Row> = ColumnOf<Row>>(key: Key, options?: TypedReadOptions<Column>): Promise<Pick<Row, Column> | undefined>
  reader<Column extends ColumnOf<Row>>(column: Column): TypedColumnReader<Key, Row[Column]>
  delete(key: Key): Promise<void>
  deleteRange(range: TypedRange<KeyPrefix>): Promise<void>
  batch(operations: readonly TypedBatchOperation<NewRow, Key>[]): Promise<void>
  putColumns(columns: { readonly [Column in ColumnOf<Row>]?: UserColumns[string] }): Promise<void>
  scan<Column extends ColumnOf<Row> = ColumnOf<Row>>(options?: TypedScanOptions<KeyPrefix, Column>): AsyncGenerator<Pick<Row, Column>>
  scanBatches<Column extends ColumnOf<Row> = ColumnOf<Row>>(options?: TypedScanOptions<KeyPrefix, Column>): AsyncGenerator<readonly Pick<Row, Column>[]>
  cursor(options?: TypedScanOptions<KeyPrefix, ColumnOf<Row>>): KeyCursor
}

/** Opens the table of a definition. 42P01 when there is none, 42804 when it is another one. */
export function openTypedTable<Definition extends TableDefinition>(engine: KeyedEngine, definition: Definition): TypedTable<Definition> {
  const wanted = newTableOf(definition)
  const stored = engine.table(definition.name)
  if (stored === undefined) throw new LsmtError('42P01', `table "${definition.name}" does not exist`, { hint: 'createTable() makes it' })
  const different = [...columnDifferences(stored, wanted.columns), ...keyDifferences(stored, definition)]
  if (different.length > 0) throw new LsmtError('42804', `table "${definition.name}" is not as it is defined: ${different.join('; ')}`)
  const table: KeyedTable = openKeyedTable(engine, definition.name)
  // The stored columns are those of the definition, so values have its types.
  return table as unknown as TypedTable<Definition>
}

/** Makes the table of a definition and opens it. 42P07 when the name is taken; with `ifNotExists` that is opened which is there. */
export async function createTypedTable<Definition extends TableDefinition>(engine: Engine, definition: Definition, ifNotExists: boolean): Promise<TypedTable<Definition>> {
  await engine.createTable(newTableOf(definition)).catch((error: unknown) => {
    if (!ifNotExists || !(error instanceof LsmtError) || error.code !== '42P07') throw error
  })
  return openTypedTable(engine, definition)
}

function columnDifferences(stored: TableSchema, wanted: readonly ColumnSchema[]): string[] {
  const found = new Map(visibleOrdinals(stored).map((ordinal) => [stored.columns[ordinal]!.name, stored.columns[ordinal]!]))
  const different: string[] = []
  for (const column of wanted) {
    const there = found.get(column.name)
    if (there === undefined) different.push(`column "${column.name}" is not there`)
    else if (described(there) !== described(column)) different.push(`column "${column.name}" is ${described(there)}, defined as ${described(column)}`)
    found.delete(column.name)
  }
  return [...different, ...[...found.keys()].map((name) => `column "${name}" is not defined`)]
}

const described = ({ type, notNull }: ColumnSchema): string => (notNull ? `${typeName(type)} NOT NULL` : typeName(type))

function keyDifferences({ columns, primaryKey, hiddenKey }: TableSchema, { key }: TableDefinition): string[] {
  const names = hiddenKey ? '' : primaryKey.map((ordinal) => columns[ordinal]!.name).join(', ')
  return names === key.join(', ') ? [] : [`its key is (${names}), defined as (${key.join(', ')})`]
}
