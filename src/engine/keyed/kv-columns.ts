/** Users' rows given by column, on their way into the engine. */
import { LsmtError } from '../../errors.ts'
import type { EngineColumn, EngineColumns, EngineValue } from '../engine.ts'
import type { ColumnSchema, TableSchema } from '../schema.ts'
import type { UserValue } from '../user-value.ts'
import { checkList, checkObject } from './given.ts'

/** Typed arrays are for columns of numbers, and the fastest way in; a list may be for any column. */
export type UserColumn = BigInt64Array | Float64Array | Int32Array | readonly UserValue[]
export type UserColumns = Readonly<Record<string, UserColumn>>

export interface PutColumnsOptions {
  /** BYTEA columns whose values may be given as text, of which they get the UTF-8 (U+FFFD for half a surrogate pair). */
  readonly fromText?: readonly string[]
}

/** Columns left out are null. 42703 for a column that is not there, 22023 when they are not equally long. */
export function engineColumns(table: TableSchema, toEngine: readonly ((value: UserValue) => EngineValue)[], given: UserColumns, { fromText = [] }: PutColumnsOptions = {}): EngineColumns {
  checkObject(given, 'what holds rows by column')
  const names = Object.keys(given)
  for (const name of names) if (!ArrayBuffer.isView(given[name])) checkList(given[name], `column "${name}"`)
  const rowCount = names.length === 0 ? 0 : given[names[0]!]!.length
  for (const name of names) {
    if (!table.columns.some((column) => column.name === name && column.dropped !== true)) throw new LsmtError('42703', `column "${name}" of table "${table.name}" does not exist`)
    if (given[name]!.length !== rowCount) throw new LsmtError('22023', `column "${name}" has ${given[name]!.length} values, column "${names[0]}" has ${rowCount}`)
  }
  const absent: EngineColumn = { values: new Int32Array(rowCount), nulls: new Uint8Array(rowCount).fill(1) }
  const columns = table.columns.map((column, ordinal): EngineColumn => {
    const values = column.dropped === true || !Object.hasOwn(given, column.name) ? undefined : given[column.name]!
    if (values === undefined) return absent
    if (column.type.kind === 'bytea' && fromText.includes(column.name)) return { values: textsOrBytes(values, toEngine[ordinal]!), fromText: true }
    if (takesTexts(column) && !ArrayBuffer.isView(values)) return { values: asGiven(values, toEngine[ordinal]!) }
    return { values: takesNumbers(column) && ArrayBuffer.isView(values) ? values : Array.from<UserValue, EngineValue>(values, toEngine[ordinal]!) }
  })
  return { rowCount, columns }
}

/** The same list where that is no other one: texts are shown, and stored, as they are. */
function textsOrBytes(values: UserColumn, toEngine: (value: UserValue) => EngineValue): readonly EngineValue[] {
  if (Array.isArray(values) && values.every(isText)) return values as readonly string[]
  return Array.from<UserValue, EngineValue>(values, (value) => (typeof value === 'string' ? value : toEngine(value)))
}

const isText = (value: unknown): boolean => typeof value === 'string'

/** Values of a kind that are the same to the engine; others are refused. */
function asGiven(values: readonly UserValue[], toEngine: (value: UserValue) => EngineValue): readonly EngineValue[] {
  for (let i = 0; i < values.length; i++) if (typeof values[i] === 'boolean') toEngine(values[i]!)
  return values as readonly EngineValue[]
}

function takesTexts({ type: { kind } }: ColumnSchema): boolean {
  return kind === 'text' || kind === 'bytea'
}

/** Whether the column stores numbers as users give them. */
function takesNumbers({ type: { kind } }: ColumnSchema): boolean {
  return kind === 'smallint' || kind === 'integer' || kind === 'bigint' || kind === 'double'
}
