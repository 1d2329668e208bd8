/**
 * Engine rows out of a page: column after column, each by its own loop, then put together by row. A page is valid
 * until the cursor moves, so everything is copied out.
 */
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { invariant } from '../../errors.ts'
import type { Page, Vector } from '../../lsm/page.ts'
import type { EngineRow, EngineValue } from '../engine.ts'
import { copyBytes } from './read-row.ts'
import type { ReadKind } from './read-row.ts'
import { readText } from './text-bytes.ts'
import type { ReadText } from './text-cache.ts'

/** Row numbers of the selected rows of a page, ascending. */
export function selectedRows(memory: LinearMemory, page: Page): readonly number[] {
  const rows: number[] = []
  for (let row = 0; row < page.rowCount; row++) {
    if (page.selection === 0 || hasBit(memory, page.selection, row)) rows.push(row)
  }
  return rows
}

/** The columns asked for of the given rows, in the order asked. */
export function readRows(memory: LinearMemory, kinds: readonly ReadKind[], page: Pick<Page, 'vectors'>, rows: readonly number[], columns: readonly number[], asText: ReadText): readonly EngineRow[] {
  const read = columns.map((ordinal) => {
    const vector = page.vectors[ordinal]
    invariant(vector !== undefined, `column ${ordinal} is missing in a page`)
    return readColumn(memory, kinds[ordinal]!, vector, rows, asText)
  })
  return rowsOfColumns(read, rows.length)
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
export function readColumn(memory: LinearMemory, kind: ReadKind, vector: Vector, rows: readonly number[], asText: ReadText = readText): readonly EngineValue[] {
  const { nulls } = vector
  if (vector.kind === 'bytes') return kind === 'text' ? readTexts(memory, vector.refs, nulls, rows, asText) : readBytes(memory, vector.refs, nulls, rows)
  return vector.kind === 'i64' ? readIntegers(memory, vector.values, nulls, rows) : readDoubles(memory, vector.values, nulls, rows)
}

function readIntegers(memory: LinearMemory, values: Pointer, nulls: Pointer, rows: readonly number[]): readonly EngineValue[] {
  const { u32, i32, i64 } = memory
  const word = values >>> 2
  return rows.map((row) => {
    if (nulls !== 0 && hasBit(memory, nulls, row)) return null
    const number = i32[word + 2 * row + 1]! * 0x1_0000_0000 + u32[word + 2 * row]!
    return Number.isSafeInteger(number) ? number : i64[(values >>> 3) + row]!
  })
}

function readDoubles(memory: LinearMemory, values: Pointer, nulls: Pointer, rows: readonly number[]): readonly EngineValue[] {
  const { f64 } = memory
  return rows.map((row) => (nulls !== 0 && hasBit(memory, nulls, row) ? null : f64[(values >>> 3) + row]!))
}

/** Texts remembered in search of some that come again. */
const textsTriedMax = 64
/** With 32 bits of address, a place and a length below this are one exact number. */
const rememberedBytesMax = 2 ** 20

/** Refs that are equal (of dictionary codes) are decoded once; when hardly any are, they are no longer remembered. */
function readTexts(memory: LinearMemory, refs: Pointer, nulls: Pointer, rows: readonly number[], asText: ReadText): readonly EngineValue[] {
  const { u32, buffer } = memory
  const isFew = rows.length <= textsTriedMax
  let known: Map<number, string> | undefined = new Map()
  let found = 0
  return rows.map((row) => {
    if (nulls !== 0 && hasBit(memory, nulls, row)) return null
    const address = u32[(refs >>> 2) + 2 * row]!
    const byteLength = u32[(refs >>> 2) + 2 * row + 1]!
    if (isFew) return asText(buffer, address, byteLength)
    if (known === undefined || byteLength >= rememberedBytesMax) return readText(buffer, address, byteLength)
    const key = address * rememberedBytesMax + byteLength
    const before = known.get(key)
    if (before !== undefined) {
      found++
      return before
    }
    const text = asText(buffer, address, byteLength)
    known.set(key, text)
    if (known.size > textsTriedMax && found < known.size) known = undefined
    return text
  })
}

function readBytes(memory: LinearMemory, refs: Pointer, nulls: Pointer, rows: readonly number[]): readonly EngineValue[] {
  const { u32 } = memory
  return rows.map((row) => {
    const word = (refs >>> 2) + 2 * row
    return nulls !== 0 && hasBit(memory, nulls, row) ? null : copyBytes(memory, u32[word]!, u32[word + 1]!)
  })
}

function hasBit(memory: LinearMemory, bitmap: Pointer, index: number): boolean {
  return (memory.u8[bitmap + (index >>> 3)]! & (1 << (index & 7))) !== 0
}
