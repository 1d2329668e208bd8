/** Twin of assembly/column/keys/key-index.ts. */
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { createKeyHash } from '../../hash/hash.ts'
import { encodings } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'
import { createCompareBytes } from '../text.ts'
import type { TextPlaces } from '../text.ts'

const absent = -1

const slotCount = (count: number): number => 1 << (32 - Math.clz32(count + (count >> 1)))

export function createKeyIndex(memory: LinearMemory, layout: ChunkLayout, places: TextPlaces): Pick<ColumnExports, 'columnKeyIndexBytes' | 'columnIndexKeys' | 'columnFindIndexed'> {
  const { u32 } = memory
  const { hashBytes } = createKeyHash(memory), compare = createCompareBytes(memory)

  return {
    columnKeyIndexBytes: (chunk) => (layout.encoding(chunk) === encodings.textPlain && layout.nulls(chunk) === 0 ? 4 * slotCount(layout.count(chunk)) : 0),
    columnIndexKeys(chunk, index, work) {
      const count = layout.count(chunk), slots = slotCount(count), first = index >>> 2, text = layout.text(chunk)
      u32.fill(0, first, first + slots)
      for (let row = 0; row < count; row++) {
        const start = places.start(chunk, row)
        hashBytes(text + start, places.start(chunk, row + 1) - start, work)
        let slot = u32[work >>> 2]! & (slots - 1)
        while (u32[first + slot] !== 0) slot = (slot + 1) & (slots - 1)
        u32[first + slot] = (u32[(work >>> 2) + 1]! & 0xffff_0000) | (row + 1)
      }
    },
    columnFindIndexed(chunk, index, hash, key, keyBytes) {
      const mask = slotCount(layout.count(chunk)) - 1, first = index >>> 2, mark = u32[(hash >>> 2) + 1]! >>> 16
      for (let slot: Pointer = u32[hash >>> 2]! & mask; ; slot = (slot + 1) & mask) {
        const entry = u32[first + slot]!
        if (entry === 0) return absent
        if (entry >>> 16 !== mark) continue
        const row = (entry & 0xffff) - 1, start = places.start(chunk, row)
        if (compare(layout.text(chunk) + start, places.start(chunk, row + 1) - start, key, keyBytes) === 0) return row
      }
    },
  }
}
