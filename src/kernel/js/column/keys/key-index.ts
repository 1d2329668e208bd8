/** Twin of assembly/column/keys/key-index.ts. */
import { cellStates } from '../../../column.ts'
import type { ColumnExports } from '../../../column.ts'
import type { LinearMemory, Pointer } from '../../../linear-memory.ts'
import { createKeyHash } from '../../hash/hash.ts'
import { columnKinds, encodings } from '../layout.ts'
import type { ChunkLayout } from '../layout.ts'
import { createCompareBytes } from '../text.ts'
import type { TextPlaces } from '../text.ts'

const absent = -1

const slotCount = (count: number): number => 1 << (32 - Math.clz32(count + (count >> 1)))

/** Longer texts are not looked through. */
const asciiBytesMax = 1024

export function textState({ u8 }: LinearMemory, text: Pointer, byteLength: number): number {
  return byteLength <= asciiBytesMax && u8.subarray(text, text + byteLength).every((byte) => byte < 0x80) ? cellStates.isAscii : cellStates.isThere
}

type Getters = Pick<ColumnExports, 'columnGetI64' | 'columnGetF64' | 'columnGetBytes'>

export function createKeyIndex(memory: LinearMemory, layout: ChunkLayout, places: TextPlaces, getters: Getters): Pick<ColumnExports, 'columnKeyIndexBytes' | 'columnIndexKeys' | 'columnFindIndexed' | 'columnGetIndexed'> {
  const { u32 } = memory
  const { hashBytes } = createKeyHash(memory), compare = createCompareBytes(memory)

  function find(chunk: Pointer, index: Pointer, hash: Pointer, key: Pointer, keyBytes: number): number {
    const mask = slotCount(layout.count(chunk)) - 1, first = index >>> 2, mark = u32[(hash >>> 2) + 1]! >>> 16
    for (let slot: Pointer = u32[hash >>> 2]! & mask; ; slot = (slot + 1) & mask) {
      const entry = u32[first + slot]!
      if (entry === 0) return absent
      if (entry >>> 16 !== mark) continue
      const row = (entry & 0xffff) - 1, start = places.start(chunk, row)
      if (compare(layout.text(chunk) + start, places.start(chunk, row + 1) - start, key, keyBytes) === 0) return row
    }
  }

  function loadValue(column: Pointer, row: number, out: Pointer): number {
    const kind = layout.kind(column)
    const get = kind === columnKinds.bytes ? getters.columnGetBytes : kind === columnKinds.f64 ? getters.columnGetF64 : getters.columnGetI64
    const got = get(column, row, out, 0)
    if (got !== 1) return got === 0 ? cellStates.isNull : cellStates.isUnread
    return kind === columnKinds.bytes ? textState(memory, u32[out >>> 2]!, u32[(out >>> 2) + 1]!) : cellStates.isThere
  }

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
    columnFindIndexed: find,
    columnGetIndexed(chunk, index, hash, key, keyBytes, column, out) {
      const row = find(chunk, index, hash, key, keyBytes)
      if (row >= 0) u32[(out >>> 2) + 2] = column === 0 ? cellStates.isUnread : loadValue(column, row, out)
      return row
    },
  }
}
