/** Users' rows, keys and bounds as the engine's, and back; made once a table and version of the catalog. */
import { LsmtError } from '../../errors.ts'
import type { Engine, EngineRow, EngineValue, KeyBound, RowsByKey } from '../engine.ts'
import { RowObjects } from '../codec/row-objects.ts'
import { engineValueOf } from '../engine-value.ts'
import { visibleOrdinals } from '../schema.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import { userColumnOf, userValueOf } from '../user-value.ts'
import type { UserValue } from '../user-value.ts'
import { checkList, checkObject, checkOptions } from './given.ts'

export type UserRow = Readonly<Record<string, UserValue>>
/** A row to be written: columns left out are null. */
export type NewUserRow = Readonly<Record<string, UserValue | undefined>>
/** The key's value, or, for a key of several columns, its values in key order. */
export type UserKey = UserValue | readonly UserValue[]

/** Bounds take a key, or the first values of one, which stand for all keys that start so. */
export interface KeyRangeOptions {
  readonly gt?: UserKey
  readonly gte?: UserKey
  readonly lt?: UserKey
  readonly lte?: UserKey
}

export interface Codec {
  readonly catalogVersion: number
  readonly table: TableSchema
  readonly all: readonly number[]
  readonly toEngine: readonly ((value: UserValue) => EngineValue)[]
  readonly toUser: readonly ((value: EngineValue) => UserValue)[]
  readonly toUserColumn: readonly ((values: readonly EngineValue[]) => readonly UserValue[])[]
  readonly allRows: RowsByKey
  readonly allObjects: RowObjects
  /** By the ordinals of the columns that were asked for. */
  readonly someObjects: Map<string, RowObjects>
}

/** 42P01 when there is no such table, 0A000 when it has no primary key. */
export function codecOf(engine: Pick<Engine, 'table' | 'catalogVersion' | 'rowsByKey'>, name: string): Codec {
  const table = engine.table(name)
  if (table === undefined) throw new LsmtError('42P01', `table "${name}" does not exist`)
  if (table.hiddenKey) throw new LsmtError('0A000', `table "${name}" has no primary key; use SQL to read and write it`)
  const all = visibleOrdinals(table)
  return {
    catalogVersion: engine.catalogVersion(),
    table,
    all,
    toEngine: table.columns.map(engineValueOf),
    toUser: table.columns.map((column) => userValueOf(column.type)),
    toUserColumn: table.columns.map((column) => userColumnOf(column.type)),
    allRows: engine.rowsByKey(table, all),
    allObjects: new RowObjects(all.map((ordinal) => table.columns[ordinal]!)),
    someObjects: new Map(),
  }
}

export const rangeNames = ['gt', 'gte', 'lt', 'lte']

/** A name that is no bound would mean all keys. */
export function checkRange(range: KeyRangeOptions): void {
  checkOptions(range, rangeNames, 'the bounds of a range')
}

export function keyBounds(codec: Codec, { gt, gte, lt, lte }: KeyRangeOptions): { readonly lower: KeyBound | undefined; readonly upper: KeyBound | undefined } {
  return { lower: bound(codec, gte, gt), upper: bound(codec, lte, lt) }
}

function bound(codec: Codec, inclusive: UserKey | undefined, exclusive: UserKey | undefined): KeyBound | undefined {
  if (inclusive !== undefined && exclusive !== undefined) throw new LsmtError('22023', 'a range takes gt or gte, and lt or lte, not both')
  const key = inclusive ?? exclusive
  return key === undefined ? undefined : { values: keyValues(codec, key), inclusive: inclusive !== undefined }
}

export function engineKey(codec: Codec, key: UserKey): readonly EngineValue[] {
  const { primaryKey } = codec.table
  if (primaryKey.length === 1 && !Array.isArray(key)) return [codec.toEngine[primaryKey[0]!]!(key as UserValue)]
  return keyValues(codec, key)
}

function keyValues(codec: Codec, key: UserKey): readonly EngineValue[] {
  const values: readonly UserValue[] = Array.isArray(key) ? (key as readonly UserValue[]) : [key as UserValue]
  return values.map((value, i) => {
    const ordinal = codec.table.primaryKey[i]
    if (ordinal === undefined) throw new LsmtError('42804', `the key of table "${codec.table.name}" has ${codec.table.primaryKey.length} columns, ${values.length} values were given`)
    return codec.toEngine[ordinal]!(value)
  })
}

/** 42703 for a column that the table does not have. */
export function engineRow(codec: Codec, row: NewUserRow): EngineRow {
  checkObject(row, 'a row')
  const { columns } = codec.table
  const values: EngineValue[] = []
  let given = 0
  for (let ordinal = 0; ordinal < columns.length; ordinal++) {
    const value = columns[ordinal]!.dropped === true ? undefined : row[columns[ordinal]!.name]
    if (value !== undefined) given++
    values.push(value === undefined ? null : codec.toEngine[ordinal]!(value))
  }
  for (const name in row) if (row[name] !== undefined) given--
  if (given !== 0) for (const name of Object.keys(row)) ordinalOf(codec.table, name)
  return values
}

/** Lists of columns that makers of rows are kept for: a program has a few. */
const someObjectsMax = 64

/** What makes rows of such columns. */
export function objectsOf({ table, all, allObjects, someObjects }: Codec, ordinals: readonly number[]): RowObjects {
  if (ordinals === all) return allObjects
  const name = ordinals.join()
  let objects = someObjects.get(name)
  if (objects === undefined) {
    objects = new RowObjects(ordinals.map((ordinal) => table.columns[ordinal]!))
    if (someObjects.size < someObjectsMax) someObjects.set(name, objects)
  }
  return objects
}

/** The ordinals of the columns asked for; by default of all. */
export function ordinalsOf(codec: Codec, columns: readonly string[] | undefined): readonly number[] {
  if (columns === undefined) return codec.all
  checkList(columns, 'what names columns')
  return columns.map((name) => ordinalOf(codec.table, name))
}

function ordinalOf(table: TableSchema, name: string): number {
  const ordinal = table.columns.findIndex((column: ColumnSchema) => column.name === name && column.dropped !== true)
  if (ordinal < 0) throw new LsmtError('42703', `column "${name}" of table "${table.name}" does not exist`)
  return ordinal
}
