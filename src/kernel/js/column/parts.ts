/** Twin of assembly/column/text/parts.ts. */
import type { ChecksumExports } from '../../checksum.ts'
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { encodings, headerBytes, sumBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { TextPlaces } from './text.ts'

type PartReaders = Pick<ColumnExports, 'columnHeadBytes' | 'columnHeadIsGood' | 'columnPart' | 'columnPartIsGood'>

export interface ColumnParts extends PartReaders {
  /** Writes the sums of a finished chunk, for which there is room. `work`: 8 bytes. */
  writeSums(chunk: Pointer, work: Pointer): void
}

export function createColumnParts({ u32 }: LinearMemory, layout: ChunkLayout, places: TextPlaces, { checksumXxh64 }: ChecksumExports): ColumnParts {
  const sumAt = (chunk: Pointer, index: number): Pointer => chunk + layout.sums(chunk) + index * sumBytes

  const sumOf = (bytes: Pointer, byteLength: number, work: Pointer): number => {
    checksumXxh64(bytes, byteLength, work)
    return u32[work >>> 2]!
  }

  const partSum = (chunk: Pointer, part: number, work: Pointer): number => {
    const stored = places.storedStart(chunk, part)
    return sumOf(layout.text(chunk) + stored, places.storedStart(chunk, part + 1) - stored, work)
  }

  return {
    columnHeadBytes(chunk, chunkBytes) {
      if (layout.encoding(chunk) !== encodings.textLz || layout.byteLength(chunk) !== chunkBytes) return 0
      const sums = layout.sums(chunk), head = layout.header(chunk, 24), sumsEnd = sums + (layout.entryCount(chunk) + 1) * sumBytes
      return (sums & 7) !== 0 || sums < headerBytes || sumsEnd > head || head > chunkBytes ? 0 : head
    },
    columnHeadIsGood(chunk, work) {
      const last = sumAt(chunk, layout.entryCount(chunk))
      return u32[last >>> 2] === sumOf(chunk, last - chunk, work) ? 1 : 0
    },
    columnPart(chunk, row, out) {
      const part = places.subBlockOf(chunk, row), stored = places.storedStart(chunk, part)
      u32[out >>> 2] = layout.header(chunk, 24) + stored
      u32[(out >>> 2) + 1] = places.storedStart(chunk, part + 1) - stored
      return part
    },
    columnPartIsGood: (chunk, part, work) => (u32[sumAt(chunk, part) >>> 2] === partSum(chunk, part, work) ? 1 : 0),
    writeSums(chunk, work) {
      const parts = layout.entryCount(chunk)
      for (let part = 0; part < parts; part++) u32[sumAt(chunk, part) >>> 2] = partSum(chunk, part, work)
      const last = sumAt(chunk, parts)
      u32[last >>> 2] = sumOf(chunk, last - chunk, work)
    },
  }
}
