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

/** Row numbers of the selected rows of a page, ascending. */
export function selectedRows(memory: LinearMemory, page: Page): readonly number[] {
  const rows: number[] = []
  for (let row = 0; row < page.rowCount; row++) {
    if (page.selection === 0 || hasBit(memory, page.selection, row)) rows.push(row)
  }
  return rows
}

/** The columns asked for of the given rows, in the order asked. */
export function readRows(memory: LinearMemory, kinds: readonly ReadKind[], page: Pick<Page, 'vectors'>, rows: readonly number[], columns: readonly number[]): readonly EngineRow[] {
  const read: EngineValue[][] = rows.map(() => [])
  for (const ordinal of columns) {
    const vector = page.vectors[ordinal]
    invariant(vector !== undefined, `column ${ordinal} is missing in a page`)
    readColumn(memory, kinds[ordinal]!, vector, rows, read)
  }
  return read
}

function readColumn(memory: LinearMemory, kind: ReadKind, vector: Vector, rows: readonly number[], into: EngineValue[][]): void {
  const { nulls } = vector
  if (vector.kind === 'bytes') {
    if (kind === 'text') readTexts(memory, vector.refs, nulls, rows, into)
    else readBytes(memory, vector.refs, nulls, rows, into)
  } else if (vector.kind === 'i64') readIntegers(memory, vector.values, nulls, rows, into)
  else readDoubles(memory, vector.values, nulls, rows, into)
}

function readIntegers(memory: LinearMemory, values: Pointer, nulls: Pointer, rows: readonly number[], into: EngineValue[][]): void {
  const { u32, i32, i64 } = memory
  const word = values >>> 2
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (nulls !== 0 && hasBit(memory, nulls, row)) {
      into[i]!.push(null)
      continue
    }
    const number = i32[word + 2 * row + 1]! * 0x1_0000_0000 + u32[word + 2 * row]!
    into[i]!.push(Number.isSafeInteger(number) ? number : i64[(values >>> 3) + row]!)
  }
}

function readDoubles(memory: LinearMemory, values: Pointer, nulls: Pointer, rows: readonly number[], into: EngineValue[][]): void {
  const { f64 } = memory
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    into[i]!.push(nulls !== 0 && hasBit(memory, nulls, row) ? null : f64[(values >>> 3) + row]!)
  }
}

/** Text, decoded once for refs that repeat in a run (dictionary codes, sorted columns). */
function readTexts(memory: LinearMemory, refs: Pointer, nulls: Pointer, rows: readonly number[], into: EngineValue[][]): void {
  const { u32, buffer } = memory
  let lastAddress = -1
  let lastBytes = -1
  let text = ''
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    if (nulls !== 0 && hasBit(memory, nulls, row)) {
      into[i]!.push(null)
      continue
    }
    const address = u32[(refs >>> 2) + 2 * row]!
    const byteLength = u32[(refs >>> 2) + 2 * row + 1]!
    if (address !== lastAddress || byteLength !== lastBytes) {
      text = readText(buffer, address, byteLength)
      lastAddress = address
      lastBytes = byteLength
    }
    into[i]!.push(text)
  }
}

function readBytes(memory: LinearMemory, refs: Pointer, nulls: Pointer, rows: readonly number[], into: EngineValue[][]): void {
  const { u32 } = memory
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const word = (refs >>> 2) + 2 * row
    into[i]!.push(nulls !== 0 && hasBit(memory, nulls, row) ? null : copyBytes(memory, u32[word]!, u32[word + 1]!))
  }
}

function hasBit(memory: LinearMemory, bitmap: Pointer, index: number): boolean {
  return (memory.u8[bitmap + (index >>> 3)]! & (1 << (index & 7))) !== 0
}
