/** Decodes the chunks of one row group to vectors by row. */
import { corruption } from '../../errors.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { copyOut, i64Boundary } from '../keys/key-bytes.ts'
import type { Boundary } from '../keys/key-bytes.ts'
import type { Arena } from '../state/arena.ts'
import { physicalKindNumber } from '../layout.ts'
import type { PhysicalKind } from '../layout.ts'
import type { Vector } from '../page.ts'
import type { ChunkName, TableReader } from '../table/table.ts'
import { bitmapBytes } from './read-context.ts'
import type { ReadContext } from './read-context.ts'
import { nullVector } from './merge/run-page.ts'

/** The chunk that holds a table's keys, and their kind there. */
export function keyChunk({ shape }: ReadContext): { readonly name: ChunkName; readonly kind: PhysicalKind } {
  return shape.form === 'composite' ? { name: 'key', kind: 'bytes' } : { name: shape.directOrdinal, kind: shape.form }
}

/** Where decoding may begin to have a row. */
export function blockStart(row: number): number {
  return row & ~63
}

/** Rows [first, to) of a chunk, at their place in a vector by row; `first` is a multiple of 64. Row numbers count from `base`, a multiple of 8. */
export function decodeChunk({ kernel: { exports } }: ReadContext, chunk: Pointer, kind: PhysicalKind, first: number, to: number, arena: Arena, base = 0): Vector {
  const count = to - first
  const values = arena.allocate(8 * to)
  const bits = exports.columnHasNulls(chunk) === 0 ? 0 : arena.allocate(bitmapBytes(to))
  const bitsAt = bits === 0 ? 0 : bits + (first >>> 3)
  const valuesAt = values + 8 * first
  switch (kind) {
    case 'i64':
      checkDecoded(exports.columnDecodeI64(chunk, base + first, count, valuesAt, bitsAt), kind)
      return { kind, values, nulls: bits }
    case 'f64':
      checkDecoded(exports.columnDecodeF64(chunk, base + first, count, valuesAt, bitsAt), kind)
      return { kind, values, nulls: bits }
    case 'bytes': {
      const scratchBytes = exports.columnDecodeScratchBytes(chunk)
      checkDecoded(exports.columnDecodeBytes(chunk, base + first, count, valuesAt, bitsAt, scratchBytes === 0 ? 0 : arena.allocate(scratchBytes)), kind)
      return { kind, refs: values, nulls: bits }
    }
  }
}

/** Of one row in so many, chunks are not decoded. */
export const fewShare = 32

/** `count` rows of a chunk by number (u32 at `rows`); undefined where that does not spare decoding it. */
export function gatherChunk({ kernel: { exports } }: ReadContext, chunk: Pointer, kind: PhysicalKind, rows: Pointer, count: number, arena: Arena): Vector | undefined {
  if (kind === 'bytes' && exports.columnDecodeScratchBytes(chunk) !== 0) return undefined
  const values = arena.allocate(8 * count), nulls = exports.columnHasNulls(chunk) === 0 ? 0 : arena.allocate(bitmapBytes(count))
  checkDecoded(exports.columnGather(chunk, physicalKindNumber[kind], rows, count, values, nulls), kind)
  return kind === 'bytes' ? { kind, refs: values, nulls } : { kind, values, nulls }
}

/** The first row of a row group at or behind a boundary, out of its encoded keys. */
export function firstRowFrom({ kernel: { memory, exports }, shape }: ReadContext, keys: Pointer, rowCount: number, boundary: Boundary, arena: Arena): number {
  if (boundary === undefined) return rowCount
  if (shape.form === 'i64') {
    const { value, after } = i64Boundary(boundary)
    if (after && value === 2n ** 63n - 1n) return rowCount
    const at = arena.allocate(8)
    memory.i64[at >>> 3] = after ? value + 1n : value
    return checkDecoded(exports.columnLowerBoundI64(keys, at), 'i64')
  }
  const at = arena.allocate(boundary.length)
  memory.u8.set(boundary, at)
  const scratchBytes = exports.columnDecodeScratchBytes(keys)
  return checkDecoded(exports.columnLowerBoundBytes(keys, at, boundary.length, scratchBytes === 0 ? 0 : arena.allocate(scratchBytes)), 'bytes')
}

/** Chunks pass their checksum and validation when they are read; what still fails to decode was written wrong. */
export function checkDecoded(outcome: number, kind: PhysicalKind): number {
  if (outcome < 0) throw corruption('column chunk', { block: 'a cached chunk', expected: `${kind} values`, actual: `decoder status ${outcome}` })
  return outcome
}

/** The chunk found in a file; in a file older than the column one of the value that its rows have there, or 0 for null. */
export function chunkOrMissing({ shape }: ReadContext, chunk: Pointer, name: ChunkName, rowCount: number): Pointer {
  return chunk !== 0 || typeof name !== 'number' ? chunk : shape.missing.chunk(name, rowCount)
}

/** A column's vector; `found` 0: the file is older than the column. */
export function decodeColumn(context: ReadContext, found: Pointer, ordinal: number, first: number, to: number, arena: Arena, base = 0): Vector {
  const chunk = chunkOrMissing(context, found, ordinal, base + to)
  if (chunk === 0) return nullVector(context, ordinal, to, arena)
  return decodeChunk(context, chunk, context.shape.layout.columns[ordinal]!, first, to, arena, base)
}

/** The boundary after a row group's last key: the next one's first key, or just past the file's largest. */
export function rowGroupEnd({ kernel: { memory } }: ReadContext, reader: TableReader, rowGroup: number, fileEnd: Uint8Array): Uint8Array {
  return rowGroup + 1 < reader.meta.rowGroupCount ? firstKeyOf(memory, reader, rowGroup + 1) : fileEnd
}

export function firstKeyOf(memory: LinearMemory, reader: TableReader, rowGroup: number): Uint8Array {
  const { address, byteLength } = reader.firstKey(rowGroup)
  return copyOut(memory, address, byteLength)
}

/** A column of some rows, by ordinal. */
export type ColumnSource = (ordinal: number) => Vector

/** Remembers what a source gives of each column, of a column source its vectors. */
export function onceEach<T>(source: (ordinal: number) => T): (ordinal: number) => T {
  const known: { readonly given: T }[] = []
  return (ordinal) => (known[ordinal] ??= { given: source(ordinal) }).given
}
