/**
 * Engine values out of a page: column after column, each by its own loop, then put together by row. A page is valid
 * until the cursor moves, so everything is copied out.
 */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import type { Page, Vector } from '../../lsm/page.ts'
import type { EngineRow, EngineValue } from '../engine.ts'
import { copyBytes } from './read-row.ts'
import type { ReadKind } from './read-row.ts'
import { readText } from './text-bytes.ts'
import type { ReadText } from './text-cache.ts'

/** Numbers of rows, ascending; undefined: all from the first on. */
export interface PageRows {
  readonly rows: Uint32Array | undefined
  readonly count: number
}

/** Tells the selected rows of pages; the numbers are valid until it is asked again. */
export function createRowSelector({ u8 }: LinearMemory): (page: Pick<Page, 'rowCount' | 'selection' | 'selectedCount'>) => PageRows {
  let rows = new Uint32Array(1024)
  return ({ rowCount, selection, selectedCount }) => {
    if (selection === 0) return { rows: undefined, count: rowCount }
    if (rows.length < selectedCount) rows = new Uint32Array(2 * selectedCount)
    let count = 0
    for (let row = 0; row < rowCount; row++) if ((u8[selection + (row >>> 3)]! & (1 << (row & 7))) !== 0) rows[count++] = row
    return { rows, count }
  }
}

/** The first `count` rows of columns. */
export function rowsOfColumns(columns: readonly (readonly EngineValue[])[], count: number): readonly EngineRow[] {
  const rows: EngineRow[] = []
  for (let i = 0; i < count; i++) rows.push(rowOf(columns, i))
  return rows
}

/** A row of its exact size, made in one go: rows that grow, or are filled column after column, take several times as long. */
function rowOf(columns: readonly (readonly EngineValue[])[], index: number): EngineRow {
  // oxlint-disable-next-line unicorn/no-new-array -- a length is meant, and Array.from calls for each element
  const row = new Array<EngineValue>(columns.length)
  for (let i = 0; i < columns.length; i++) row[i] = columns[i]![index]!
  return row
}

/** A column of the given rows. */
export function readColumn(memory: LinearMemory, kind: ReadKind, vector: Vector, rows: readonly number[]): readonly EngineValue[] {
  const values: EngineValue[] = []
  addColumn(memory, kind, vector, { rows: Uint32Array.from(rows), count: rows.length }, values)
  return values
}

/** Adds the column's values of the given rows to those that are there. */
export function addColumn(memory: LinearMemory, kind: ReadKind, vector: Vector, rows: PageRows, values: EngineValue[], asText: ReadText = readText): void {
  if (vector.kind === 'bytes') return kind === 'text' ? addTexts(memory, vector, rows, values, asText) : addBytes(memory, vector, rows, values)
  const start = values.length
  if (vector.kind === 'i64') addIntegers(memory, vector.values, rows, values)
  else addDoubles(memory, vector.values, rows, values)
  if (vector.nulls !== 0) clearNulls(memory, vector.nulls, rows, values, start)
}

function addIntegers({ u32, i32, i64 }: LinearMemory, vector: Pointer, { rows, count }: PageRows, values: EngineValue[]): void {
  const first = vector >>> 2
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]!, word = first + 2 * row
    const number = i32[word + 1]! * 0x1_0000_0000 + u32[word]!
    values.push(Number.isSafeInteger(number) ? number : i64[(vector >>> 3) + row]!)
  }
}

function addDoubles({ f64 }: LinearMemory, vector: Pointer, { rows, count }: PageRows, values: EngineValue[]): void {
  const first = vector >>> 3
  for (let i = 0; i < count; i++) values.push(f64[first + (rows === undefined ? i : rows[i]!)]!)
}

function clearNulls({ u8 }: LinearMemory, nulls: Pointer, { rows, count }: PageRows, values: EngineValue[], start: number): void {
  for (let i = 0; i < count; i++) if (hasBit(u8, nulls, rows === undefined ? i : rows[i]!)) values[start + i] = null
}

type BytesVector = Extract<Vector, { readonly kind: 'bytes' }>

/** Refs of nulls may point anywhere. */
function addBytes(memory: LinearMemory, { refs, nulls }: BytesVector, { rows, count }: PageRows, values: EngineValue[]): void {
  const { u8, u32 } = memory
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]!, ref = (refs >>> 2) + 2 * row
    values.push(nulls !== 0 && hasBit(u8, nulls, row) ? null : copyBytes(memory, u32[ref]!, u32[ref + 1]!))
  }
}

/** Of fewer rows hardly any are of one place. */
const fewRows = 64
/** So many places of texts are known at a time: a power of two. */
const placeCount = 256

/** Refs that are equal (of dictionary codes) are decoded once; when hardly any are, texts are looked for no more. */
function addTexts({ u8, u32, buffer }: LinearMemory, { refs, nulls }: BytesVector, { rows, count }: PageRows, values: EngineValue[], asText: ReadText): void {
  const texts: string[] = [], addresses = new Uint32Array(count > fewRows ? placeCount : 0), lengths = new Uint32Array(addresses.length)
  let triedCount = 0, foundCount = 0
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? i : rows[i]!, ref = (refs >>> 2) + 2 * row, address = u32[ref]!, byteLength = u32[ref + 1]!
    if (nulls !== 0 && hasBit(u8, nulls, row)) values.push(null)
    else if (byteLength === 0) values.push('')
    else if (count <= fewRows) values.push(asText(buffer, address, byteLength))
    else if (triedCount > fewRows && 4 * foundCount < triedCount) values.push(readText(buffer, address, byteLength))
    else {
      const place = Math.imul(address, 0x9e3779b1) >>> 24
      triedCount++
      if (addresses[place] === address && lengths[place] === byteLength) foundCount++
      else {
        addresses[place] = address
        lengths[place] = byteLength
        texts[place] = asText(buffer, address, byteLength)
      }
      values.push(texts[place]!)
    }
  }
}

function hasBit(u8: Uint8Array, bitmap: Pointer, index: number): boolean {
  return (u8[bitmap + (index >>> 3)]! & (1 << (index & 7))) !== 0
}
