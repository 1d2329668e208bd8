/**
 * JSON lines: an object by column name a line, or what `format=jsonl` answers give: a line of columns, one array a row,
 * and a line that tells how it ended.
 */
import { visibleOrdinals } from '../../engine/schema.ts'
import type { TableSchema } from '../../engine/schema.ts'
import { LsmtError } from '../../errors.ts'
import { isExactNumber, parseExactJson } from '../value/exact-json.ts'
import type { ExactJson } from '../value/exact-json.ts'
import type { Cell, SourceRecord } from './source-record.ts'

export interface JsonReader {
  /** What the positions of cells stand for: all columns of the table. */
  readonly targets: readonly number[]
  read(text: string, isEnd: boolean): SourceRecord[]
}

interface ReadState {
  readonly placeOf: ReadonlyMap<string, number>
  readonly width: number
  /** Places of the values of arrays. */
  arrayPlaces: readonly number[]
}

export function createJsonReader(table: TableSchema, lineLengthMax: number): JsonReader {
  const targets = visibleOrdinals(table)
  const placeOf = new Map(targets.map((ordinal, place) => [table.columns[ordinal]!.name, place]))
  const state: ReadState = { placeOf, width: targets.length, arrayPlaces: targets.map((_, place) => place) }
  let tail = ''
  let line = 1
  return {
    targets,
    read(more, isEnd) {
      const lines = (tail + more).split('\n')
      tail = isEnd ? '' : lines.pop()!
      const records: SourceRecord[] = []
      for (const text of lines) {
        const record = text.trim() === '' ? undefined : readLine(state, text, line)
        if (record !== undefined) records.push(record)
        line++
      }
      if (tail.length > lineLengthMax) {
        records.push({ line, cells: [], problem: `a line of more than ${lineLengthMax} characters`, isLast: true })
        tail = ''
      }
      return records
    },
  }
}

/** undefined for lines that are no rows. */
function readLine(state: ReadState, text: string, line: number): SourceRecord | undefined {
  try {
    const value = parseExactJson(text, 'the line')
    if (Array.isArray(value)) return { line, cells: arrayCells(state, value) }
    if (typeof value !== 'object' || value === null || isExactNumber(value)) throw new LsmtError('22P02', 'the line is neither an object nor an array')
    const object = value as Readonly<Record<string, ExactJson>>
    if (isFrame(state, object)) return undefined
    return { line, ...objectCells(state, object) }
  } catch (error) {
    if (error instanceof LsmtError) return { line, cells: [], problem: error.message }
    throw error
  }
}

function arrayCells({ arrayPlaces, width }: ReadState, values: readonly ExactJson[]): readonly Cell[] {
  if (values.length !== arrayPlaces.length) throw new LsmtError('22P02', `the line has ${values.length} values for ${arrayPlaces.length} columns`)
  const cells = Array.from<Cell>({ length: width })
  for (const [index, value] of values.entries()) cells[arrayPlaces[index]!] = cellOf(value)
  return cells
}

function objectCells({ placeOf, width }: ReadState, object: Readonly<Record<string, ExactJson>>): Pick<SourceRecord, 'cells' | 'problem' | 'column'> {
  const cells = Array.from<Cell>({ length: width })
  for (const name of Object.keys(object)) {
    const place = placeOf.get(name)
    if (place === undefined) return { cells, problem: `the table has no column "${name}"`, column: name }
    cells[place] = cellOf(object[name]!)
  }
  return { cells }
}

function cellOf(value: ExactJson): Cell {
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value
  throw new LsmtError('22P02', 'a value is an object or an array, which no column takes')
}

/** The first and the last line of an answer; a table may have columns of these names, with other values in them. */
function isFrame(state: ReadState, object: Readonly<Record<string, ExactJson>>): boolean {
  const names = Object.keys(object)
  const { columns, end, error } = object
  if (names.length !== 1) return false
  if (Array.isArray(columns) && !state.placeOf.has('columns')) {
    state.arrayPlaces = columns.map((column) => placeOfColumn(state, column as ExactJson))
    return true
  }
  if (isObject(error) && !state.placeOf.has('error')) throw new LsmtError('22P02', 'the source breaks off with an error: it is the answer of a statement that failed')
  return isObject(end) && !state.placeOf.has('end')
}

function isObject(value: ExactJson | undefined): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function placeOfColumn({ placeOf }: ReadState, column: ExactJson): number {
  const name = isObject(column) ? (column as { readonly name?: ExactJson }).name : undefined
  const place = typeof name === 'string' ? placeOf.get(name) : undefined
  if (place === undefined) throw new LsmtError('42703', `the table has no column ${JSON.stringify(name)}`)
  return place
}
