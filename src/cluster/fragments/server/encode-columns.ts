/** Columns of some rows as bytes; their layout is drawn in wire/page-format.ts. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { Vector } from '../../../lsm/page.ts'
import { bitAt } from '../../../lsm/read/read-context.ts'
import { nullsBytes } from '../wire/page-format.ts'
import type { ColumnHead } from '../wire/page-format.ts'

export type TextVector = Extract<Vector, { readonly kind: 'bytes' }>

export interface Ref {
  readonly address: Pointer
  readonly byteLength: number
}

export const isText = (column: Vector): column is TextVector => column.kind === 'bytes'

/** What is computed may have any ref where it is null. */
export const textLength = ({ u8, u32 }: LinearMemory, { refs, nulls }: TextVector, row: number): number => (bitAt(u8, nulls, row) ? 0 : u32[(refs >>> 2) + 2 * row + 1]!)

/** Of the rows with these numbers. */
export function columnHead(memory: LinearMemory, column: Vector, rows: readonly number[]): ColumnHead {
  const hasNulls = column.nulls !== 0 && rows.some((row) => bitAt(memory.u8, column.nulls, row))
  let textBytes = 0
  if (isText(column)) for (const row of rows) textBytes += textLength(memory, column, row)
  return { kind: column.kind, hasNulls, textBytes }
}

/** Writes the section of a column at `at`; the head says how long it is. */
export function encodeColumn(memory: LinearMemory, column: Vector, rows: readonly number[], { hasNulls }: ColumnHead, out: Buffer, at: number): void {
  const values = hasNulls ? encodeNulls(memory, column, rows, out, at) : at
  if (isText(column)) encodeRefs(memory, refsOf(memory, column, rows), out, values)
  else encodeNumbers(memory, column.values, rows, out, values)
}

function encodeNulls({ u8 }: LinearMemory, { nulls }: Vector, rows: readonly number[], out: Buffer, at: number): number {
  const end = at + nullsBytes(rows.length)
  out.fill(0, at, end)
  rows.forEach((row, i) => {
    if (bitAt(u8, nulls, row)) out[at + (i >>> 3)]! |= 1 << (i & 7)
  })
  return end
}

/** Rows that stand one after the other are copied as they are. */
function encodeNumbers({ u8, u32 }: LinearMemory, values: Pointer, rows: readonly number[], out: Buffer, at: number): void {
  const first = rows[0]!, { length } = rows
  if (rows[length - 1]! - first === length - 1) {
    out.set(u8.subarray(values + 8 * first, values + 8 * (first + length)), at)
    return
  }
  const words = values >>> 2
  rows.forEach((row, i) => {
    out.writeUInt32LE(u32[words + 2 * row]!, at + 8 * i)
    out.writeUInt32LE(u32[words + 2 * row + 1]!, at + 8 * i + 4)
  })
}

function refsOf(memory: LinearMemory, column: TextVector, rows: readonly number[]): readonly Ref[] {
  return rows.map((row) => ({ address: memory.u32[(column.refs >>> 2) + 2 * row]!, byteLength: textLength(memory, column, row) }))
}

export function encodeRefs({ u8 }: LinearMemory, refs: readonly Ref[], out: Buffer, at: number): void {
  let to = at + 4 * refs.length
  refs.forEach(({ address, byteLength }, i) => {
    out.writeUInt32LE(byteLength, at + 4 * i)
    if (byteLength > 64) out.set(u8.subarray(address, address + byteLength), to)
    else for (let byte = 0; byte < byteLength; byte++) out[to + byte] = u8[address + byte]!
    to += byteLength
  })
}
