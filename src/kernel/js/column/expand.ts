/** Twin of assembly/column/text/expand.ts. */
import type { ColumnExports } from '../../column.ts'
import type { LinearMemory, Pointer } from '../../linear-memory.ts'
import type { ColumnFront } from './front.ts'
import { encodings, padded8 } from './layout.ts'
import type { ChunkLayout } from './layout.ts'
import { sharedEndOf } from './sections.ts'
import type { TextPlaces } from './text.ts'

export function createColumnExpand({ u8, u32 }: LinearMemory, layout: ChunkLayout, places: TextPlaces, front: ColumnFront): Pick<ColumnExports, 'columnExpand' | 'columnExpandedBytes'> {
  const isExpandable = (chunk: Pointer): boolean => [encodings.textLz, encodings.textFront].some((encoding) => encoding === layout.encoding(chunk))

  const expandSubBlocks = (chunk: Pointer, text: Pointer): boolean => {
    for (let index = 0; index < layout.entryCount(chunk); index++) {
      if (!places.expand(chunk, index, text + places.subBlockStart(chunk, index))) return false
    }
    return true
  }

  return {
    columnExpandedBytes: (chunk) => (isExpandable(chunk) ? padded8(sharedEndOf(layout, chunk)) + padded8(layout.textBytes(chunk)) : 0),
    columnExpand(chunk, out) {
      if (!isExpandable(chunk)) return 0
      const shared = sharedEndOf(layout, chunk), textOffset = padded8(shared), textBytes = layout.textBytes(chunk)
      const byteLength = textOffset + padded8(textBytes)
      u8.copyWithin(out, chunk, chunk + shared)
      u8.fill(0, out + shared, out + textOffset)
      u8[out] = encodings.textPlain
      u32[(out + 8) >>> 2] = byteLength
      u32[(out + 24) >>> 2] = textOffset
      u32.fill(0, (out + 32) >>> 2, (out + 48) >>> 2)
      if (layout.encoding(chunk) === encodings.textFront) front.expand(chunk, out + textOffset)
      else if (!expandSubBlocks(chunk, out + textOffset)) return 0
      u8.fill(0, out + textOffset + textBytes, out + byteLength)
      return byteLength
    },
  }
}
