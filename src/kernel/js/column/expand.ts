/** Twin of assembly/column/text/expand.ts. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import { blockCount, encodings, entryBytes, nullBitmapBytes, packedBytes, padded8 } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import type { TextPlaces } from './text.ts'

export function createColumnExpand({ u8, u32 }: LinearMemory, layout: ChunkLayout, places: TextPlaces): Pick<ColumnExports, 'columnExpand' | 'columnExpandedBytes'> {
  const sharedEnd = (chunk: Pointer): number => {
    const count = layout.count(chunk), blocks = blockCount(count), nulls = layout.header(chunk, 12)
    let end = Math.max(layout.header(chunk, 16) + blocks * entryBytes, nulls === 0 ? 0 : nulls + nullBitmapBytes(count))
    for (let block = 0; block < blocks; block++) {
      const entry = layout.entry(chunk, block)
      end = Math.max(end, layout.packed(chunk, entry) - chunk + packedBytes(layout.rowsOf(chunk, block), layout.width(entry)))
    }
    return end
  }
  const isCompressed = (chunk: Pointer): boolean => layout.encoding(chunk) === encodings.textLz

  return {
    columnExpandedBytes: (chunk) => (isCompressed(chunk) ? padded8(sharedEnd(chunk)) + padded8(layout.textBytes(chunk)) : 0),
    columnExpand(chunk, out) {
      if (!isCompressed(chunk)) return 0
      const shared = sharedEnd(chunk), textOffset = padded8(shared), textBytes = layout.textBytes(chunk)
      const byteLength = textOffset + padded8(textBytes)
      u8.copyWithin(out, chunk, chunk + shared)
      u8.fill(0, out + shared, out + textOffset)
      u8[out] = encodings.textPlain
      u32[(out + 8) >>> 2] = byteLength
      u32[(out + 24) >>> 2] = textOffset
      u32.fill(0, (out + 32) >>> 2, (out + 40) >>> 2)
      for (let index = 0; index < layout.entryCount(chunk); index++) {
        if (!places.expand(chunk, index, out + textOffset + places.subBlockStart(chunk, index))) return 0
      }
      u8.fill(0, out + textOffset + textBytes, out + byteLength)
      return byteLength
    },
  }
}
