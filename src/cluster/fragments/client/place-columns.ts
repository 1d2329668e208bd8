/** Columns that came from another node, in linear memory; their layout is drawn in wire/page-format.ts. */
import type { LinearMemory, Pointer } from '../../../kernel/linear-memory.ts'
import type { Vector } from '../../../lsm/page.ts'
import { bitmapBytes } from '../../../lsm/read/read-context.ts'
import type { ByteReader } from '../../transport/wire/byte-reader.ts'
import { columnBytes, nullsBytes } from '../wire/page-format.ts'
import type { ColumnHead } from '../wire/page-format.ts'

export const roundedUp = (byteLength: number): number => (byteLength + 7) & ~7

/** What a column takes in linear memory. */
export const memoryBytes = ({ kind, hasNulls, textBytes }: ColumnHead, rowCount: number): number => (hasNulls ? bitmapBytes(rowCount) : 0) + 8 * rowCount + (kind === 'bytes' ? roundedUp(textBytes) : 0)

/** A column's section, checked. */
export function readSection(reader: ByteReader, field: string, head: ColumnHead, rowCount: number): Uint8Array {
  const section = reader.bytes(field, columnBytes(head, rowCount))
  if (head.kind === 'bytes') checkLengths(reader, field, section.subarray(head.hasNulls ? nullsBytes(rowCount) : 0), rowCount)
  return section
}

/** Lengths, and what they are of: they must make up the whole. */
export function checkLengths(reader: ByteReader, field: string, section: Uint8Array, rowCount: number): void {
  const lengths = new DataView(section.buffer, section.byteOffset, 4 * rowCount)
  let byteLength = 4 * rowCount
  for (let row = 0; row < rowCount; row++) byteLength += lengths.getUint32(4 * row, true)
  if (byteLength !== section.byteLength) throw reader.wrong(`lengths of ${field}`, `${section.byteLength} bytes together`, byteLength)
}

/** Puts a section at `at`, a multiple of 8 with room for `memoryBytes`. */
export function placeColumn(memory: LinearMemory, { kind, hasNulls }: ColumnHead, rowCount: number, section: Uint8Array, at: Pointer): Vector {
  const nulls = hasNulls ? at : 0, values = hasNulls ? at + bitmapBytes(rowCount) : at
  const from = hasNulls ? nullsBytes(rowCount) : 0
  if (hasNulls) placeNulls(memory, section.subarray(0, from), rowCount, at)
  if (kind === 'bytes') {
    placeRefs(memory, section.subarray(from), rowCount, values)
    return { kind, refs: values, nulls }
  }
  memory.u8.set(section.subarray(from), values)
  return { kind, values, nulls }
}

/** Zeros after the last row, as kernels expect. */
function placeNulls({ u8 }: LinearMemory, bits: Uint8Array, rowCount: number, at: Pointer): void {
  u8.fill(0, at, at + bitmapBytes(rowCount))
  u8.set(bits, at)
  if ((rowCount & 7) !== 0) u8[at + bits.byteLength - 1]! &= (1 << (rowCount & 7)) - 1
}

/** Refs at `at`, and behind them what they refer to. */
export function placeRefs({ u8, u32 }: LinearMemory, section: Uint8Array, rowCount: number, at: Pointer): void {
  const lengths = new DataView(section.buffer, section.byteOffset, 4 * rowCount)
  let text = at + 8 * rowCount
  u8.set(section.subarray(4 * rowCount), text)
  for (let row = 0; row < rowCount; row++) {
    const byteLength = lengths.getUint32(4 * row, true)
    u32[(at >>> 2) + 2 * row] = text
    u32[(at >>> 2) + 2 * row + 1] = byteLength
    text += byteLength
  }
}
