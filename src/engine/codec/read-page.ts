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
import { PageTexts } from './text-cache.ts'

/** Numbers of rows, ascending; undefined: all from `first` on. */
export interface PageRows {
  readonly rows: Uint32Array | undefined
  readonly first: number
  readonly count: number
}

/** `count` of them, from the `from`-th on. */
export function partOfRows({ rows, first }: PageRows, from: number, count: number): PageRows {
  return { rows: rows?.subarray(from, from + count), first: first + from, count }
}

/** Tells the selected rows of pages; the numbers are valid until it is asked again. */
export function createRowSelector({ u8 }: LinearMemory): (page: Pick<Page, 'rowCount' | 'selection' | 'selectedCount'>) => PageRows {
  let rows = new Uint32Array(1024)
  return ({ rowCount, selection, selectedCount }) => {
    if (selection === 0) return { rows: undefined, first: 0, count: rowCount }
    if (rows.length < selectedCount) rows = new Uint32Array(2 * selectedCount)
    let count = 0
    for (let row = 0; row < rowCount; row += 8) {
      const inPage = rowCount - row < 8 ? (1 << (rowCount - row)) - 1 : 0xff
      for (let bits = u8[selection + (row >>> 3)]! & inPage; bits !== 0; bits &= bits - 1) rows[count++] = row + 31 - Math.clz32(bits & -bits)
    }
    return { rows, first: 0, count }
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
  const values = newColumn(kind, rows.length)
  readRows(memory, kind, vector, { rows: Uint32Array.from(rows), first: 0, count: rows.length }, values, 0, new PageTexts(readText))
  return values
}

/**
 * Room for so many values of a kind. Each kind has an expression of its own: the engine learns for each what such arrays come
 * to hold, and an array of doubles that it expects to hold anything makes an object of each of them.
 */
export function newColumn(kind: ReadKind, count: number): EngineValue[] {
  /* oxlint-disable unicorn/no-new-array -- a length is meant, and Array.from calls for each element */
  switch (kind) {
    case 'i64':
      return new Array<EngineValue>(count)
    case 'f64':
      return new Array<EngineValue>(count)
    case 'text':
      return new Array<EngineValue>(count)
    case 'bytea':
      return new Array<EngineValue>(count)
  }
  /* oxlint-enable unicorn/no-new-array */
}

/** Writes the column's values of the given rows to `values` from `at` on. */
export function readRows(memory: LinearMemory, kind: ReadKind, vector: Vector, rows: PageRows, values: EngineValue[], at: number, texts: PageTexts): void {
  if (vector.kind === 'bytes') return kind === 'text' ? readTexts(memory, vector, rows, values, at, texts) : readBytes(memory, vector, rows, values, at)
  if (vector.kind === 'i64') readIntegers(memory, vector.values, rows, values, at)
  else readDoubles(memory, vector.values, rows, values, at)
  if (vector.nulls !== 0) clearNulls(memory, vector.nulls, rows, values, at)
}

/** Most integers are their lower half, which needs no look at what doubles hold. */
export function readIntegers({ u32, i32, i64 }: LinearMemory, vector: Pointer, { rows, first, count }: PageRows, values: EngineValue[], at: number): void {
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? first + i : rows[i]!, word = (vector >>> 2) + 2 * row, low = i32[word]!, high = i32[word + 1]!
    if (high === low >> 31) values[at + i] = low
    else {
      const number = high * 0x1_0000_0000 + u32[word]!
      values[at + i] = Number.isSafeInteger(number) ? number : i64[(vector >>> 3) + row]!
    }
  }
}

function readDoubles({ f64 }: LinearMemory, vector: Pointer, { rows, first, count }: PageRows, values: EngineValue[], at: number): void {
  for (let i = 0; i < count; i++) values[at + i] = f64[(vector >>> 3) + (rows === undefined ? first + i : rows[i]!)]!
}

function clearNulls({ u8 }: LinearMemory, nulls: Pointer, { rows, first, count }: PageRows, values: EngineValue[], at: number): void {
  for (let i = 0; i < count; i++) if (hasBit(u8, nulls, rows === undefined ? first + i : rows[i]!)) values[at + i] = null
}

type BytesVector = Extract<Vector, { readonly kind: 'bytes' }>

/** Refs of nulls may point anywhere. */
function readBytes(memory: LinearMemory, { refs, nulls }: BytesVector, { rows, first, count }: PageRows, values: EngineValue[], at: number): void {
  const { u8, u32 } = memory
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? first + i : rows[i]!, ref = (refs >>> 2) + 2 * row
    values[at + i] = nulls !== 0 && hasBit(u8, nulls, row) ? null : copyBytes(memory, u32[ref]!, u32[ref + 1]!)
  }
}

/** Of fewer rows hardly any are of one place. */
const fewRows = 64

function readTexts({ u8, u32, buffer }: LinearMemory, { refs, nulls }: BytesVector, { rows, first, count }: PageRows, values: EngineValue[], at: number, texts: PageTexts): void {
  const areFew = count <= fewRows
  if (!areFew) texts.beginPage()
  for (let i = 0; i < count; i++) {
    const row = rows === undefined ? first + i : rows[i]!, ref = (refs >>> 2) + 2 * row, address = u32[ref]!, byteLength = u32[ref + 1]!
    if (nulls !== 0 && hasBit(u8, nulls, row)) values[at + i] = null
    else if (byteLength === 0) values[at + i] = ''
    else values[at + i] = areFew ? texts.read(buffer, address, byteLength) : texts.readPlace(buffer, address, byteLength)
  }
}

function hasBit(u8: Uint8Array, bitmap: Pointer, index: number): boolean {
  return (u8[bitmap + (index >>> 3)]! & (1 << (index & 7))) !== 0
}
