/** Twin of assembly/column/keys/key-guide.ts; searches here go without. */
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory } from '../../../linear-memory.ts'
import { encodings, guideFlag, guideRows } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'
import type { TextPlaces } from '../text.ts'

export function createKeyGuide({ u8, u32, view }: LinearMemory, layout: ChunkLayout, places: TextPlaces): Pick<ColumnExports, 'columnGuide'> {
  return {
    columnGuide(chunk) {
      const count = layout.count(chunk), byteLength = layout.byteLength(chunk), text = layout.text(chunk)
      if (layout.encoding(chunk) !== encodings.textPlain || layout.nulls(chunk) !== 0 || count <= guideRows) return
      const textOf = (row: number): Uint8Array => u8.subarray(text + places.start(chunk, row), text + places.start(chunk, row + 1))
      const first = textOf(0), last = textOf(count - 1)
      let shared = 0
      while (shared < first.length && shared < last.length && first[shared] === last[shared]) shared++
      let head = chunk + byteLength
      for (let row = 0; row < count; row += guideRows, head += 8) {
        const prefix = Buffer.alloc(8)
        prefix.set(textOf(row).subarray(shared, shared + 8))
        view.setBigUint64(head, prefix.readBigUInt64BE(), true)
      }
      u8[chunk + 2] = guideFlag
      u32[(chunk + 32) >>> 2] = shared
      u32[(chunk + 36) >>> 2] = byteLength
      u32[(chunk + 8) >>> 2] = head - chunk
    },
  }
}
