/** Twin of assembly/column/text/sections.ts: what forms of one text chunk have in common. */
import type { Pointer } from '../../linear-memory.ts'
import { blockCount, entryBytes, nullBitmapBytes, packedBytes } from './layout.ts'
import type { ChunkLayout } from './layout.ts'

/** Where header, nulls, directory and packed ends end. */
export function sharedEndOf(layout: ChunkLayout, chunk: Pointer): number {
  const count = layout.count(chunk), blocks = blockCount(count), nulls = layout.header(chunk, 12)
  let end = Math.max(layout.header(chunk, 16) + blocks * entryBytes, nulls === 0 ? 0 : nulls + nullBitmapBytes(count))
  for (let block = 0; block < blocks; block++) {
    const entry = layout.entry(chunk, block)
    end = Math.max(end, layout.packed(chunk, entry) - chunk + packedBytes(layout.rowsOf(chunk, block), layout.width(entry)))
  }
  return end
}
