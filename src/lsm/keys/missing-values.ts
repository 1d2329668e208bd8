/**
 * What rows have in columns that were added after they were written, where that is not null: a constant a column, as a
 * value for single rows and as a chunk of the encoding 'constant' (assembly/column/layout.ts) for the row groups of files
 * that are older than the column, so that whatever reads chunks reads it like any other.
 */
import type { Kernel } from '../../kernel/kernel.ts'
import type { LinearMemory, Pointer } from '../../kernel/linear-memory.ts'
import { columnKinds, encodings, headerBytes, padded8 } from '../../kernel/js/column/layout.ts'
import type { PhysicalKind, PhysicalValue, TableLayout } from '../layout.ts'

export interface MissingValues {
  /** The cell of a column: its 8 bytes, or the ref of its text; undefined where rows read null. */
  cell(ordinal: number): Pointer | undefined
  /** A chunk of `rowCount` such rows; 0 where they read null. */
  chunk(ordinal: number, rowCount: number): Pointer
  free(): void
}

interface MissingColumn {
  readonly kind: PhysicalKind
  /** 8 bytes; of a text its ref. */
  readonly cell: Pointer
  readonly textBytes: number
  readonly chunksByRowCount: Map<number, Pointer>
}

export function createMissingValues({ heap, memory }: Kernel, { columns, missing = [] }: TableLayout): MissingValues {
  const allocated: Pointer[] = []
  const allocate = (byteLength: number): Pointer => {
    const address = heap.allocate(byteLength)
    allocated.push(address)
    return address
  }
  const byOrdinal = new Map(missing.map(({ ordinal, value }) => [ordinal, missingColumn(memory, allocate, columns[ordinal]!, value)]))
  return {
    cell: (ordinal) => byOrdinal.get(ordinal)?.cell,
    chunk(ordinal, rowCount) {
      const column = byOrdinal.get(ordinal)
      if (column === undefined) return 0
      let chunk = column.chunksByRowCount.get(rowCount)
      if (chunk === undefined) {
        chunk = constantChunk(memory, allocate, column, rowCount)
        column.chunksByRowCount.set(rowCount, chunk)
      }
      return chunk
    },
    free() {
      for (const address of allocated.splice(0)) heap.free(address)
    },
  }
}

type Allocate = (byteLength: number) => Pointer

function missingColumn({ u8, u32, i64, f64 }: LinearMemory, allocate: Allocate, kind: PhysicalKind, value: PhysicalValue): MissingColumn {
  const cell = allocate(8)
  if (value instanceof Uint8Array) {
    const text = allocate(Math.max(1, value.length))
    u8.set(value, text)
    u32[cell >>> 2] = text
    u32[(cell >>> 2) + 1] = value.length
  } else if (kind === 'f64') f64[cell >>> 3] = Number(value)
  else i64[cell >>> 3] = BigInt(value)
  return { kind, cell, textBytes: value instanceof Uint8Array ? value.length : 0, chunksByRowCount: new Map() }
}

function constantChunk({ u8, u32 }: LinearMemory, allocate: Allocate, { kind, cell, textBytes }: MissingColumn, rowCount: number): Pointer {
  const isText = kind === 'bytes'
  const byteLength = headerBytes + (isText ? padded8(textBytes) : 8)
  const chunk = allocate(byteLength), word = chunk >>> 2
  u8.fill(0, chunk, chunk + byteLength)
  u8[chunk] = isText ? encodings.textConstant : encodings.constant
  u8[chunk + 1] = columnKinds[kind]
  u32[word + 1] = rowCount
  u32[word + 2] = byteLength
  if (isText) {
    const text = u32[cell >>> 2]!
    u32[word + 6] = headerBytes
    u32[word + 7] = textBytes
    u8.copyWithin(chunk + headerBytes, text, text + textBytes)
  } else {
    u32[word + 5] = headerBytes
    u8.copyWithin(chunk + headerBytes, cell, cell + 8)
  }
  return chunk
}
