/** Engine values as users see them. `Date` never: it has milliseconds and a zone of its own. */
import { formatDecimal } from './decimal.ts'
import type { EngineRow, EngineValue } from './engine.ts'
import type { ColumnType } from './schema.ts'
import { formatDate, formatTimestamp } from './temporal.ts'

/** BIGINT number or bigint beyond 2^53-1, NUMERIC text, TIMESTAMP and DATE ISO 8601 text, BYTEA bytes. */
export type UserValue = null | boolean | number | bigint | string | Uint8Array

type Integer = number | bigint

/** How values of a type are shown; chosen once per column. */
export function userValueOf(type: ColumnType): (value: EngineValue) => UserValue {
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === null ? null : value !== 0)
    case 'numeric':
      return (value) => (value === null ? null : formatDecimal(value as Integer, type.scale))
    case 'timestamp':
      return (value) => (value === null ? null : formatTimestamp(value as Integer))
    case 'date':
      return (value) => (value === null ? null : formatDate(value as Integer))
    case 'smallint':
    case 'integer':
    case 'bigint':
    case 'double':
    case 'text':
    case 'bytea':
      return shownAsItIs
  }
}

/** What `userValueOf` gives for types whose values users see as the engine has them. */
export const shownAsItIs = (value: EngineValue): UserValue => value

/** How all values of a column are shown: the values given where they are shown as they are. */
export function userColumnOf(type: ColumnType): (values: readonly EngineValue[]) => readonly UserValue[] {
  const show = userValueOf(type)
  return show === shownAsItIs ? (values) => values : (values) => values.map(show)
}

/** How rows of columns of such types are shown; the row itself where all its values are shown as they are. */
export function userRowOf(types: readonly ColumnType[]): (row: EngineRow) => readonly UserValue[] {
  const columns = types.map(userValueOf)
  if (columns.every((show) => show === shownAsItIs)) return (row) => row
  return (row) => row.map((value, index) => columns[index]!(value))
}
