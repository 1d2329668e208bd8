/**
 * Rows as users' objects, by column name. A function that is written out for the names at hand makes one in a fifth of the
 * time that a loop over names takes, with room for exactly these; who reads few rows is not worth one.
 */
import { propertyText, writtenFunction } from '../../runtime/written-function.ts'
import type { EngineRow } from '../engine.ts'
import type { ColumnType } from '../schema.ts'
import { shownAsItIs, userValueOf } from '../user-value.ts'
import type { UserValue } from '../user-value.ts'

export interface NamedColumn {
  readonly name: string
  readonly type: ColumnType
}

/** By column name; of columns that share a name the last counts. */
export type RowObject = Readonly<Record<string, UserValue>>

type OfRow = (row: EngineRow) => RowObject
type Columns = readonly (readonly UserValue[])[]
type OfColumns = (columns: Columns, rowCount: number, into: RowObject[]) => void

/** So many rows are worth a function, which takes about 10 us to make. */
const manyRows = 128

export class RowObjects {
  readonly #columns: readonly NamedColumn[]
  #rowsLeft = manyRows
  #ofRow: OfRow
  #ofColumns: OfColumns

  constructor(columns: readonly NamedColumn[]) {
    const names = columns.map(({ name }) => name), shows = columns.map(({ type }) => userValueOf(type))
    this.#columns = columns
    this.#ofRow = (row) => objectOf(names, (i) => shows[i]!(row[i]!))
    this.#ofColumns = (values, rowCount, into) => {
      for (let row = 0; row < rowCount; row++) into.push(objectOf(names, (i) => values[i]![row]!))
    }
  }

  /** Of a row's values as the engine has them, in the order of the columns. */
  ofRow(row: EngineRow): RowObject {
    if (this.#rowsLeft > 0) this.#count(1)
    return this.#ofRow(row)
  }

  /** Of the first rows of columns, as users see these; added to what there is. */
  ofColumns(columns: Columns, rowCount: number, into: RowObject[] = []): RowObject[] {
    if (this.#rowsLeft > 0) this.#count(rowCount)
    this.#ofColumns(columns, rowCount, into)
    return into
  }

  #count(rows: number): void {
    this.#rowsLeft -= rows
    if (this.#rowsLeft > 0) return
    this.#ofRow = writtenOfRow(this.#columns) ?? this.#ofRow
    this.#ofColumns = writtenOfColumns(this.#columns) ?? this.#ofColumns
  }
}

function objectOf(names: readonly string[], valueOf: (column: number) => UserValue): RowObject {
  const object: Record<string, UserValue> = {}
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!, value = valueOf(i)
    if (name === '__proto__') Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
    else object[name] = value
  }
  return object
}

function writtenOfRow(columns: readonly NamedColumn[]): OfRow | undefined {
  const shows = columns.map(({ type }) => userValueOf(type))
  const object = literal(columns, (i) => (shows[i] === shownAsItIs ? `row[${i}]` : `shows[${i}](row[${i}])`))
  const make = writtenFunction(['shows'], `return (row) => (${object})`) as ((given: typeof shows) => OfRow) | undefined
  return make?.(shows)
}

function writtenOfColumns(columns: readonly NamedColumn[]): OfColumns | undefined {
  const parts = columns.map((_, i) => `c${i} = columns[${i}]`)
  const body = `${parts.length === 0 ? '' : `const ${parts.join(', ')}\n`}for (let i = 0; i < rowCount; i++) into.push(${literal(columns, (i) => `c${i}[i]`)})`
  return writtenFunction(['columns', 'rowCount', 'into'], body) as OfColumns | undefined
}

const literal = (columns: readonly NamedColumn[], valueOf: (column: number) => string): string =>
  `{ ${columns.map(({ name }, i) => `${propertyText(name)}: ${valueOf(i)}`).join(', ')} }`
